// Starts a lockdown: every port but the core ones is closed in the groups of its scope, and read back.
import type { LockdownScope } from "../../domain/alarm.ts";
import type { GroupId } from "../../domain/ids.ts";
import {
  isLaterEnd,
  LOCKDOWN_JOB,
  type Lockdown,
  type LockdownCause,
  type LockdownGroup,
  type LockdownStep,
  lockdownEnd,
  lockdownIdOf,
  type Passage,
  type Preparation,
  scopeName,
} from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getLockdown, lastLockdown, listedWrite, saveLockdown } from "../../store/lockdowns.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { livePassages } from "../pass/pass-lockdown.ts";
import { chooseLockdown } from "./choose-lockdown.ts";
import { closeGroup } from "./close-group.ts";
import { hastenLockdown } from "./hasten-lockdown.ts";
import { liftAgain } from "./lift-lockdown.ts";

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
const GROUPS_AT_ONCE = 256;

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
  const closed = await closeAll(app, ask.policy, booked.lockdown, chosen, ask.deadlineAt);
  steps.push(stepOf(app, ask, "read back"));
  const { lockdownId } = booked.lockdown;
  const isAllClosed =
    chosen.every(({ group }) => closed.has(group.groupId)) &&
    [...closed.values()].every(({ way, isClosed }) => way === "none" || isClosed);
  if (!isAllClosed) await hastenLockdown(app, lockdownId);
  const told = await tell(app, ask.policy, booked.lockdown, closed, steps);
  return told.state === "active" ? told : liftAgain(app, told, ask);
}

/** Closes what is not closed yet; by the job, after a crash or where calls failed. */
export async function goOnWithLockdown(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  deadlineAt: number,
): Promise<Lockdown> {
  // A way whose lease is over is closed like what was never closed.
  const live = new Map<LockdownGroup, readonly Passage[]>();
  for (const it of lockdown.groups) if (it.passages?.length) live.set(it, await livePassages(app, it));
  const isOver = (it: LockdownGroup) => (live.get(it)?.length ?? 0) < (it.passages?.length ?? 0);
  const open = lockdown.groups.filter((it) => it.way !== "none" && (!it.isClosed || isOver(it)));
  if (open.length === 0) return lockdown;
  const chosen = await chooseLockdown(app, policy, lockdown.scope, refusingOf(lockdown.groups));
  // What could not be read was booked by the name it was asked for.
  const rowOf = ({ group, name }: Preparation) =>
    open.find((it) => it.group.groupId === group.groupId || it.group.groupId === name);
  const again = chosen.filter((it) => rowOf(it) !== undefined);
  const closed = await closeAll(app, policy, lockdown, again, deadlineAt);
  const over = again.flatMap((it): readonly Passage[] => {
    const row = rowOf(it);
    if (!row || closed.get(it.group.groupId)?.isClosed !== true) return [];
    return row.passages?.filter((way) => !live.get(row)?.includes(way)) ?? [];
  });
  const told = await tell(app, policy, lockdown, closed, [], over);
  return told.state === "active" ? told : liftAgain(app, told, { policy, deadlineAt });
}

function requireOperatorPath({ policy, waivedBy }: LockdownAsk): void {
  if (policy.operatorPath.length > 0 || waivedBy !== null || policy.lockdown.withoutOperatorPath !== null) return;
  throw fail("LOCKDOWN_WITHOUT_OPERATORS");
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
    const last = await lastLockdown(app.tables, scopeName(scope));
    const now = app.clock.now();
    if (last === null || !isOn(last, now)) return null;
    const isKnown = last.causes.some((it) => it.by === cause);
    const causes: readonly LockdownCause[] = isKnown
      ? last.causes
      : [...last.causes, { by: cause, since: now, decidedBy }];
    const until = lockdownEnd(Math.min(now, toldAt ?? now), periodMs);
    const isLater = isLaterEnd(until, last.until);
    if (isKnown && !isLater) return { lockdown: last, isMoved: false };
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
    const last = await lastLockdown(app.tables, scope);
    if (last !== null && isOn(last, app.clock.now())) {
      // Somebody else has begun it meanwhile: one scope has one lockdown at a time.
      const joined = await join(app, ask);
      if (joined) return { lockdown: joined.lockdown, startedAt: null };
      continue;
    }
    const sequence = Number(last?.lockdownId.split("-").at(-1) ?? 0) + 1;
    const fresh = freshLockdown(app, ask, chosen, lockdownIdOf(scope, sequence));
    const { lockdownId, startedAt, until } = fresh;
    await app.tables.writeAll([...netRows(lockdownId, startedAt, until), listedWrite(fresh)]);
    const saved = await saveLockdown(app.tables, fresh);
    if (saved) return { lockdown: saved, startedAt };
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
    groups: chosen.map(groupOf),
    steps: [],
    rev: 0,
  };
}

const isUntouched = (way: Preparation["way"]): boolean => way === "none" || way === "unread";

const groupOf = ({ group, name, way, drops, suspends, left, why, hosts, cannotStop }: Preparation): LockdownGroup => ({
  group,
  name,
  way,
  drops: drops.length,
  suspends: suspends.length,
  isClosed: false,
  left: isUntouched(way) && why !== null ? [why, ...left] : left,
  hosts,
  cannotStop,
});

async function closeAll(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  chosen: readonly Preparation[],
  deadlineAt: number,
): Promise<ReadonlyMap<string, LockdownGroup>> {
  const closed = new Map<string, LockdownGroup>();
  for (let [todo, row] = [chosen, lockdown]; todo.length > 0; ) {
    for (const it of todo) if (it.way === "none") closed.set(it.group.groupId, groupOf(it));
    const acted = row;
    await inParallel(
      todo.filter((it) => !isUntouched(it.way)),
      async (preparation) => {
        const outcome = await closeGroup(app, policy, acted, preparation, deadlineAt);
        closed.set(preparation.group.groupId, { ...groupOf(preparation), ...outcome });
      },
      GROUPS_AT_ONCE,
    );
    const refusing = refusingOf([...lockdown.groups, ...closed.values()]);
    const isRefused = todo.some(({ way, group }) => way === "drops" && refusing.has(group.groupId));
    if (lockdown.scope.kind !== "instance" || !isRefused) break;
    // The drops of one group were to do for all groups of an interface.
    const all = await chooseLockdown(app, policy, lockdown.scope, refusing);
    row = await widen(app, row, all);
    todo = all.filter(({ group }) => !closed.has(group.groupId));
  }
  return closed;
}

/** Groups that are closed by their accepts; where drops had been planned, the cloud has refused them. */
const refusingOf = (groups: readonly LockdownGroup[]): ReadonlySet<GroupId> =>
  new Set(groups.flatMap(({ way, group }) => (way === "suspend" ? group.groupId : [])));

/** Books groups that the lockdown has to be in, too, before anything is closed in them. */
async function widen(app: App, { lockdownId }: Lockdown, chosen: readonly Preparation[]): Promise<Lockdown> {
  for (;;) {
    const lockdown = await getLockdown(app.tables, lockdownId);
    if (!lockdown) throw new Error(`the lockdown ${lockdownId} has no row`);
    const isIn = ({ group }: Preparation): boolean => lockdown.groups.some((it) => it.group.groupId === group.groupId);
    const fresh = chosen.filter((it) => !isIn(it));
    if (fresh.length === 0) return lockdown;
    const saved = await saveLockdown(app.tables, { ...lockdown, groups: [...lockdown.groups, ...fresh.map(groupOf)] });
    if (saved) return saved;
  }
}

const stepOf = (app: App, { arrivedAt }: LockdownAsk, name: string): LockdownStep => ({
  name,
  ms: Math.round(app.clock.monotonicMs() - arrivedAt),
});

const nameOf = ({ own, specs, since }: Passage): string => [own.groupId, since, ...specs.map(ruleKey)].join();

/**
 * Keeps what came of it: record and notice first, then the row. What was done for an end that was moved since, or before a way was given
 * that the row knows by now, is done once more.
 */
async function tell(
  app: App,
  policy: Policy,
  acted: Lockdown,
  closed: ReadonlyMap<string, LockdownGroup>,
  steps: readonly LockdownStep[],
  over: readonly Passage[] = [],
): Promise<Lockdown> {
  const { lockdownId } = acted;
  const gone = new Set(over.map(nameOf));
  const known = new Set(acted.groups.flatMap((it) => it.passages ?? []).map(nameOf));
  for (let isFirst = true; ; isFirst = false) {
    const lockdown = await getLockdown(app.tables, lockdownId);
    if (!lockdown) throw new Error(`the lockdown ${lockdownId} has no row`);
    const named = (it: LockdownGroup) =>
      [...closed.values()].find(({ name }) => it.way === "unread" && name === it.name);
    const groups = lockdown.groups.map((it) => {
      const outcome = closed.get(it.group.groupId) ?? named(it);
      const isCurrent = lockdown.until === acted.until && (it.passages ?? []).every((way) => known.has(nameOf(way)));
      return {
        ...(outcome ? { ...outcome, isClosed: outcome.isClosed && isCurrent } : it),
        ...(it.passages && { passages: it.passages.filter((way) => !gone.has(nameOf(way))) }),
      };
    });
    const next = { ...lockdown, groups, steps: steps.length > 0 ? steps : lockdown.steps };
    const at = app.clock.now();
    const open = groups.filter((it) => !it.isClosed).map((it) => it.name || it.group.groupId);
    if (isFirst) {
      const notice = noticeOf("lockdownStarted", {
        at,
        group: null,
        to: [
          { kind: "role", role: "operator" },
          { kind: "role", role: "admin" },
        ],
        dedupe: `${lockdownId} ${open.join()}`,
        data: {
          lockdown: lockdownId,
          cause: lockdown.causes.map((it) => it.by).join(", "),
          groups: groups.length,
          core: lockdown.core.join(", "),
          until: lockdown.until,
          open: open.join(", "),
        },
      });
      const lines = [
        `${groups.length - open.length} of ${groups.length} groups are closed but for ${lockdown.core.join(", ")}`,
        ...groups.flatMap((it) => it.left.map((text) => `${it.group.groupId}: ${text}`)),
        ...steps.map((step) => `${step.name} after ${step.ms} ms`),
        ...(lockdown.waivedBy === null ? [] : [`without an operator path, for which ${lockdown.waivedBy} answers`]),
      ];
      const { principal: actor } = lockdown;
      const cause = `lockdown ${lockdownId}`;
      const decidedBy = lockdown.causes.map((it) => `${it.by}: ${it.decidedBy ?? "lockdown"}`).join("; ");
      const record = {
        ...{ at, group: null, cause, actor, policyVersion: policy.version, lines, decidedBy },
        changes: groups.map((it) => ({
          ...{
            what: `group ${it.group.groupId}`,
            before: "open",
            after: it.isClosed ? "closed but for its core" : "in part",
          },
        })),
      };
      await writeRecord(app, record, noticeWrites(notice));
    }
    const saved = await saveLockdown(app.tables, next);
    if (saved) return saved;
  }
}
