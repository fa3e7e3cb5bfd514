// Starts a lockdown: every port but the core ones is closed in the groups of its scope, and read back.
import type { LockdownScope } from "../../domain/alarm.ts";
import {
  hasOperators,
  isClosedOrLeft,
  isLaterEnd,
  LOCKDOWN_JOB,
  type Lockdown,
  type LockdownCause,
  type LockdownStep,
  lockdownEnd,
  lockdownIdOf,
  type Preparation,
  scopeName,
} from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listedWrite, saveLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { chooseLockdown } from "./choose-lockdown.ts";
import { closeGroups, groupOf } from "./close-groups.ts";
import { goOnWithLockdown } from "./go-on-with-lockdown.ts";
import { hastenLockdown } from "./hasten-lockdown.ts";
import { liftAgain } from "./lift-lockdown.ts";
import { lastOfScope } from "./list-lockdowns.ts";
import { tellLockdown } from "./tell-lockdown.ts";

/** What a lockdown is asked for. */
export interface LockdownAsk {
  readonly scope: LockdownScope;
  readonly policy: Policy;
  /** An alarm's id or a person. */
  readonly cause: string;
  readonly principal: string;
  /** The line of the policy that says so, or what the person may. */
  readonly decidedBy: string;
  readonly reason: string;
  readonly periodMs: number;
  /** When an alarm told of it; the same telling, acted on again after a crash, moves no end. Now when absent. */
  readonly toldAt?: number;
  /** Who answers for its lacking an operator path; null: the policy's word. */
  readonly waivedBy: string | null;
  /** Monotonic instant at which what started it came in. */
  readonly arrivedAt: number;
  readonly deadlineAt: number;
}

/** When the job looks, should this process die. */
const NET_MS = 10_000;

/** What it would be; writes nothing. Throws as `startLockdown`. */
export async function previewLockdown(app: App, ask: LockdownAsk): Promise<Lockdown> {
  requireOperatorPath(ask);
  const chosen = await chooseLockdown(app, ask.policy, ask.scope);
  return freshLockdown(app, ask, chosen, "ld-dry-run");
}

/**
 * Books the lockdown, closes its groups in parallel, and answers it with what is closed and what is not. One that is on in the same
 * scope goes on, with one cause more. Throws LOCKDOWN_WITHOUT_OPERATORS, LOCKDOWN_EMPTY, INSTANCE_UNKNOWN, GROUP_UNKNOWN.
 */
export async function startLockdown(app: App, ask: LockdownAsk): Promise<Lockdown> {
  requireOperatorPath(ask);
  const joined = await join(app, ask);
  // One whose end has moved is closed anew, so that its drops stand until then.
  if (joined?.isMoved) return goOnWithLockdown(app, ask.policy, joined.lockdown, ask.deadlineAt);
  if (joined) return joined.lockdown;
  const chosen = await chooseLockdown(app, ask.policy, ask.scope);
  const steps: LockdownStep[] = [stepOf(app, ask, "planned")];
  const booked = await book(app, ask, chosen);
  steps.push(stepOf(app, ask, "booked"));
  if (booked.startedAt === null) return booked.lockdown;
  const closed = await closeGroups(app, ask.policy, booked.lockdown, chosen, ask.deadlineAt, () =>
    steps.push(stepOf(app, ask, "lists filled")),
  );
  steps.push(stepOf(app, ask, "read back"));
  const { lockdownId } = booked.lockdown;
  const isAllClosed =
    chosen.every(({ group }) => closed.has(group.groupId)) && [...closed.values()].every(isClosedOrLeft);
  if (!isAllClosed) await hastenLockdown(app, lockdownId);
  const told = await tellLockdown(app, ask.policy, booked.lockdown, closed, steps);
  return told.state === "active" ? told : liftAgain(app, told, ask);
}

function requireOperatorPath({ policy, waivedBy }: LockdownAsk): void {
  if (!hasOperators(policy, waivedBy)) throw fail("LOCKDOWN_WITHOUT_OPERATORS");
}

/**
 * A lockdown that is on in the scope, with the cause added, and its end moved where this one asks for a later one; null when none is on.
 * The groups of one whose end has moved count as open again until they are closed until then.
 */
async function join(
  app: App,
  { scope, cause, periodMs, toldAt, decidedBy }: LockdownAsk,
): Promise<{ readonly lockdown: Lockdown; readonly isMoved: boolean } | null> {
  for (;;) {
    const { lockdown: last } = await lastOfScope(app, scopeName(scope));
    const now = app.clock.now();
    if (last === null || !isOn(last, now)) return null;
    const isKnown = last.causes.some((it) => it.by === cause);
    const causes: readonly LockdownCause[] = isKnown
      ? last.causes
      : [...last.causes, { by: cause, since: now, decidedBy }];
    const until = lockdownEnd(Math.min(now, toldAt ?? now), periodMs);
    const isLater = isLaterEnd(until, last.until);
    if (isKnown && !isLater) {
      // Whoever began it may have died on the way, after the job had looked for it in vain.
      if (!last.groups.every(isClosedOrLeft)) await hastenLockdown(app, last.lockdownId);
      return { lockdown: last, isMoved: false };
    }
    const groups = last.groups.map((it) => (it.way === "none" ? it : { ...it, isClosed: false }));
    if (isLater) await app.tables.writeAll(netRows(last.lockdownId, now, until));
    const saved = await saveLockdown(app.tables, { ...last, causes, ...(isLater ? { until, groups } : {}) });
    if (saved) return { lockdown: saved, isMoved: isLater };
  }
}

/** The job looks soon, should this process die, and at the end. */
const netRows = (lockdownId: string, now: number, until: number) =>
  [now + NET_MS, until].map((at) => dueWrite(dueJob(LOCKDOWN_JOB, lockdownId, at)));

const isOn = ({ state, until }: Lockdown, now: number): boolean => state === "active" && until > now;

/** Stores it under the next number of its scope; `startedAt` is null where somebody else was faster. */
async function book(
  app: App,
  ask: LockdownAsk,
  chosen: readonly Preparation[],
): Promise<{ readonly lockdown: Lockdown; readonly startedAt: number | null }> {
  const scope = scopeName(ask.scope);
  for (;;) {
    const { sequence, lockdown: last } = await lastOfScope(app, scope);
    if (last !== null && isOn(last, app.clock.now())) {
      // Somebody else has begun it meanwhile: one scope has one lockdown at a time.
      const joined = await join(app, ask);
      if (joined) return { lockdown: joined.lockdown, startedAt: null };
      continue;
    }
    const fresh = freshLockdown(app, ask, chosen, lockdownIdOf(scope, sequence + 1));
    const { lockdownId, startedAt, until } = fresh;
    await app.tables.writeAll([...netRows(lockdownId, startedAt, until), listedWrite(fresh)]);
    const saved = await saveLockdown(app.tables, fresh);
    if (!saved) continue;
    // Who stood still on the way may be too late for the job of then, by whichever clock that goes.
    if (app.clock.now() > startedAt + NET_MS / 2) await hastenLockdown(app, lockdownId);
    return { lockdown: saved, startedAt };
  }
}

function freshLockdown(app: App, ask: LockdownAsk, chosen: readonly Preparation[], lockdownId: string): Lockdown {
  const { scope, policy, cause, principal, reason, waivedBy, decidedBy } = ask;
  const now = app.clock.now();
  return {
    lockdownId,
    scope,
    core: policy.lockdown.core,
    principal,
    reason,
    waivedBy: policy.operatorPath.length > 0 ? null : (waivedBy ?? policy.lockdown.withoutOperatorPath),
    causes: [{ by: cause, since: now, decidedBy }],
    startedAt: now,
    until: lockdownEnd(now, ask.periodMs),
    state: "active",
    endedAt: null,
    endedBy: null,
    groups: chosen.map((it) => groupOf(it, policy)),
    steps: [],
    rev: 0,
  };
}

const stepOf = (app: App, { arrivedAt }: LockdownAsk, name: string): LockdownStep => ({
  name,
  ms: Math.round(app.clock.monotonicMs() - arrivedAt),
});
