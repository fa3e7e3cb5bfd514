// Ends a lockdown: what it holds and suspends in its groups is let go of, and read back.
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { LOCKDOWN_JOB, type Lockdown, type LockdownGroup } from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { recyclingIdOf } from "../../domain/recycling-item.ts";
import { AppError, fail, isUnreadable } from "../../errors/app-error.ts";
import { isOpening } from "../../plan/picture.ts";
import { CloudFailure, type Member } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { readableAlarm, saveAlarm } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import { deleteUnreadableLockdown, getLockdown, listedWrite, saveLockdown } from "../../store/lockdowns.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import { getRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { inParallel } from "../in-parallel.ts";
import { driftNet } from "../ledger/net.ts";
import { releaseAccepts, releaseDrops } from "../ledger/release-drops.ts";
import { resumeRules } from "../ledger/resume-rules.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { hastenLockdown } from "./hasten-lockdown.ts";
import { emptyLists } from "./hold-standby.ts";
import { findLockdown } from "./lost-lockdown.ts";

export interface LiftOptions {
  readonly policy: Policy;
  /** A principal, `time`, or the id of the alarm that is over. */
  readonly by: string;
  /** True when a person decides: its alarms start no other lockdown before they have been OK. */
  readonly isPerson: boolean;
  readonly deadlineAt: number;
}

const NET_MS = 10_000;
const GROUPS_AT_ONCE = 256;

/**
 * Lifts it; lifting again goes on or changes nothing. What is no person's word lifts none that still has a cause and time: an alarm may
 * have joined since the last one was over. Of one whose row is lost everything goes that the ledger still has of it; its row is made anew
 * for that. Throws LOCKDOWN_UNKNOWN.
 */
export async function liftLockdown(app: App, lockdownId: string, options: LiftOptions): Promise<Lockdown> {
  const { lockdown: lifting, isFirst } = await decide(app, lockdownId, options);
  if (lifting.state !== "lifting") return lifting;
  const open = new Map<string, LockdownGroup>();
  // Before the ledger says so: what is granted from then on is let in. Where that fails the groups stay locked down.
  const shut = await emptyLists(app, lifting);
  await inParallel(
    lifting.groups,
    async (it) => {
      if (shut.has(it) || !(await openGroup(app, it, lifting, options))) open.set(it.group.groupId, it);
    },
    GROUPS_AT_ONCE,
  );
  if (open.size > 0) {
    app.log.write("warn", `the lockdown ${lockdownId} is not lifted everywhere yet`, { groups: [...open.keys()] });
    if (isFirst) await hastenLockdown(app, lockdownId);
    return lifting;
  }
  await lookBeside(app, lifting.groups);
  return finish(app, lifting, options);
}

/**
 * What was granted for good, or for hours that are on, and refused behind the drops of these groups, in others of their hosts, is opened with
 * the next tick. Beside a group whose hosts cannot be read it waits for the next full pass.
 */
export async function lookBeside(app: App, groups: readonly LockdownGroup[]): Promise<void> {
  const beside = new Map<string, GroupRef>();
  await inParallel(groups, async ({ group, way }) => {
    const members = way === "drops" ? await membersOf(app, group) : [];
    for (const groupId of members.flatMap(({ groupIds }) => groupIds))
      if (groupId !== group.groupId) beside.set(groupId, { ...group, groupId });
  });
  await inParallel([...beside.values()], async (group) => {
    const { entries } = await listEntries(app.tables, group);
    if (entries.some((it) => isOpening(it, app.clock.now()))) await driftNet(app, group).hold();
  });
}

async function membersOf(app: App, group: GroupRef): Promise<readonly Member[]> {
  try {
    return await app.inventory.members(group, "lockdown");
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    return [];
  }
}

/**
 * Opens what was closed after it had been decided that the lockdown ends: whoever closes groups reads afterwards whether it is still on,
 * and comes here where it is not. The row says `lifting` again until everything is read back, so that the job goes on after a crash.
 */
export async function liftAgain(
  app: App,
  { lockdownId }: Lockdown,
  { policy, deadlineAt }: Pick<LiftOptions, "policy" | "deadlineAt">,
): Promise<Lockdown> {
  for (;;) {
    const row = await getLockdown(app.tables, lockdownId);
    if (row?.state === "lifted") {
      await app.tables.writeAll([dueWrite(dueJob(LOCKDOWN_JOB, lockdownId, app.clock.now() + NET_MS))]);
      if ((await saveLockdown(app.tables, { ...row, state: "lifting" })) === null) continue;
    }
    return liftLockdown(app, lockdownId, { policy, by: row?.endedBy ?? "time", isPerson: false, deadlineAt });
  }
}

/**
 * One cause is over. Answers the lockdown, which goes on while any other cause is left; null when there is none. One without a row has
 * those causes that are left by now.
 */
export async function endCause(app: App, lockdownId: string, cause: string): Promise<Lockdown | null> {
  for (;;) {
    const lockdown = await findLockdown(app, lockdownId);
    if (!lockdown?.causes.some((it) => it.by === cause)) return lockdown;
    const causes = lockdown.causes.filter((it) => it.by !== cause);
    if (lockdown.rev === 0) return { ...lockdown, causes };
    const saved = await saveLockdown(app.tables, { ...lockdown, causes });
    if (saved) return saved;
  }
}

/** From here on it ends, whoever dies: the job goes on. `isFirst` is true for whoever has decided it. */
async function decide(
  app: App,
  lockdownId: string,
  { by, isPerson }: LiftOptions,
): Promise<{ readonly lockdown: Lockdown; readonly isFirst: boolean }> {
  for (;;) {
    const lockdown = await findLockdown(app, lockdownId);
    if (!lockdown) throw fail("LOCKDOWN_UNKNOWN", { lockdown: lockdownId.slice(0, 64) });
    const asIs = { lockdown, isFirst: false };
    if (lockdown.state === "lifted") return asIs;
    const isWanted = lockdown.causes.length > 0 && lockdown.until > app.clock.now();
    if (lockdown.state === "active" && isWanted && !isPerson) return asIs;
    await app.tables.writeAll([dueWrite(dueJob(LOCKDOWN_JOB, lockdownId, app.clock.now() + NET_MS))]);
    if (isPerson) await muteAlarms(app, lockdown);
    if (lockdown.state === "lifting") return asIs;
    if (lockdown.rev === 0) {
      await deleteUnreadableLockdown(app.tables, lockdownId);
      await app.tables.writeAll([listedWrite(lockdown)]);
    }
    const saved = await saveLockdown(app.tables, { ...lockdown, state: "lifting", endedBy: by });
    if (saved) return { lockdown: saved, isFirst: true };
  }
}

/** A person's word outlasts what the alarm goes on saying, until it has been OK. It ends what one has on that cannot be read, but cannot outlast that. */
async function muteAlarms(app: App, { causes }: Lockdown): Promise<void> {
  for (const { by } of causes) {
    for (;;) {
      const row = await readableAlarm(app.tables, by);
      if (!row || row.isMuted || row.alarm.state === "OK") break;
      if (await saveAlarm(app.tables, { ...row, isMuted: true })) break;
    }
  }
}

/** True when a reading has shown that nothing of the lockdown is left in the group. */
export async function openGroup(
  app: App,
  { group: named, way }: LockdownGroup,
  { lockdownId }: Lockdown,
  { policy, by, deadlineAt }: Omit<LiftOptions, "isPerson">,
): Promise<boolean> {
  let group = named;
  try {
    // By what the policy said before somebody may have closed it late, and died.
    if (way === "none" && !(await listEntries(app.tables, group)).entries.some((it) => isOfLockdown(it, lockdownId)))
      return true;
    // It may have been closed by somebody who died before the row said so, and is booked by the name it was asked for.
    if (way === "unread") group = (await findGroup(app, policy, named.groupId, "lockdown")).ref;
    const released = await releaseDrops(app, group, lockdownId, `the lockdown was lifted by ${by}`);
    const resumed = await resumeRules(app, group, lockdownId);
    const rows = [...released.rows, ...resumed.rows];
    const terms = { cause: `lift ${lockdownId}`, actor: by, policy, priority: "lockdown", deadlineAt } as const;
    const report = await lookAtGroup(app, group, { ...terms, rows });
    const entries = [...(report?.entries.values() ?? [])];
    const owed = entries.filter(({ suspension }) => suspension?.by.length === 0);
    // Who was still closing it has booked this since: it is given back at the next try.
    const isClosedSince = entries.some(({ suspension }) => suspension?.by.some((it) => it.itemId === lockdownId));
    const isOpen = report !== null && report.rowsLeft === 0 && owed.length === 0 && !isClosedSince;
    // What was kept of wider accepts goes when these stand again: core ports and operators are let in all the time.
    if (isOpen && keepsAny(report, lockdownId)) {
      const kept = await releaseAccepts(app, group, lockdownId, `the lockdown was lifted by ${by}`);
      const last = await lookAtGroup(app, group, { ...terms, rows: kept.rows });
      return last?.rowsLeft === 0;
    }
    // What the recycling gives back it goes on with by itself, however long the cloud refuses it.
    const isLetGo = !entries.some(({ holders }) => holders.some((it) => it.holderId === lockdownId));
    if (report !== null && owed.length > 0 && isLetGo && (await isRecyclings(app, owed))) return true;
    // In a group that is gone nothing can be given back, and nothing is closed.
    return isOpen || (await app.inventory.group(group, "lockdown")) === null;
  } catch (error) {
    if (way === "unread" && error instanceof AppError) return true;
    if (!(error instanceof CloudFailure) && !(error instanceof StoreFailure)) throw error;
    app.log.write("error", `the group ${group.groupId} is still locked down`, { cause: error });
    return false;
  }
}

/** True where all of them are rules that the recycling is about to give back. */
async function isRecyclings(app: App, owed: readonly Entry[]): Promise<boolean> {
  const items = await Promise.all(
    owed.map(async ({ group: { groupId }, entryId }) => {
      const item = getRecyclingItem(app.tables, recyclingIdOf(groupId, entryId));
      return item.catch((error: unknown) => {
        if (!isUnreadable(error)) throw error;
        return null;
      });
    }),
  );
  return items.every((item) => item !== null && item.step !== null);
}

/** True where the lockdown holds or suspends anything of the entry. */
export const isOfLockdown = ({ holders, suspension }: Entry, lockdownId: string): boolean =>
  holders.some((it) => it.holderId === lockdownId && it.ended === null) ||
  suspension?.by.some((it) => it.itemId === lockdownId) === true;

const keepsAny = ({ entries }: PassReport, lockdownId: string): boolean =>
  [...entries.values()].some((it) => it.holders.some((own) => own.holderId === lockdownId && own.ended === null));

async function finish(app: App, lifting: Lockdown, { policy, by, isPerson }: LiftOptions): Promise<Lockdown> {
  const { lockdownId, groups } = lifting;
  const at = app.clock.now();
  const cause = `lift ${lockdownId}`;
  const lines = [`the lockdown of ${groups.length} groups has ended by ${by}: they are as they were`];
  const changes = [{ what: `lockdown ${lockdownId}`, before: lifting.state, after: "lifted" }];
  const decidedBy = isPerson
    ? "lockdown:change, a person's word"
    : by === "time"
      ? "its time, lockdown.period"
      : "OK of its alarm";
  const record = { at, group: null, cause, actor: by, policyVersion: policy.version, decidedBy, lines, changes };
  const notice = noticeOf("lockdownEnded", {
    at,
    group: null,
    to: [
      { kind: "role", role: "operator" },
      { kind: "role", role: "admin" },
    ],
    dedupe: lockdownId,
    data: { lockdown: lockdownId, cause: by, groups: groups.length },
  });
  await writeRecord(app, record, noticeWrites(notice));
  for (;;) {
    const row = await getLockdown(app.tables, lockdownId);
    if (!row || row.state === "lifted") return row ?? lifting;
    const saved = await saveLockdown(app.tables, { ...row, state: "lifted", endedAt: at });
    if (saved) return saved;
  }
}
