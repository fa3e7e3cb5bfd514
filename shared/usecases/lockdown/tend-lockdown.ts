// The job of a lockdown: what is not closed is closed, what is over is lifted, and nothing of it is left behind.
import { ALARM_JOB } from "../../domain/alarm.ts";
import { isClosedOrLeft, type Lockdown, type LockdownGroup, parseLockdownId } from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { STANDBY_JOB } from "../../domain/standby.ts";
import { AppError } from "../../errors/app-error.ts";
import { readableAlarm, saveAlarm } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import { getLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { inParallel } from "../in-parallel.ts";
import { KEPT_LONGER_MS } from "../ledger/hold-drops.ts";
import { tellOnce } from "../notices/tell.ts";
import type { JobRun } from "../operation/job-run.ts";
import { goOnWithLockdown } from "./go-on-with-lockdown.ts";
import { keepLists, leaveOtherLists } from "./hold-standby.ts";
import { isOfLockdown, liftAgain, liftLockdown } from "./lift-lockdown.ts";
import { setsThatCanBeRead } from "./sets-that-can-be-read.ts";
import { watchLockdown } from "./watch-lockdown.ts";

const AGAIN_MS = 30_000;
/** By the next tick: what is due a whole minute after a look of this one is found by the tick after that. */
const WATCH_MS = 45_000;
/** Whoever was still closing a group when the lockdown was lifted has finished, or died, by then. */
const LATE_MS = 3 * 60_000;
const AT_ONCE = 32;

/** Answers when to look again; null when the lockdown is over, or never was. */
export async function tendLockdown(
  app: App,
  run: Pick<JobRun, "policy" | "param" | "deadlineAt">,
): Promise<number | null> {
  const { policy, param, deadlineAt } = run;
  const lockdown = param === null || !parseLockdownId(param) ? null : await rowOf(app, param);
  if (lockdown === null || lockdown === "unreadable") {
    // Its row may be lost while lists are filled for it.
    await app.tables.writeAll([dueWrite(dueJob(STANDBY_JOB, "look", app.clock.now()))]);
    return lockdown === null ? null : app.clock.now() + WATCH_MS;
  }
  const { lockdownId, until, causes, endedBy, endedAt } = lockdown;
  const now = app.clock.now();
  if (lockdown.state === "lifted") {
    const { isLeft, isSure } = await isAnythingLeft(app, policy, lockdown);
    if (isLeft) {
      const { state } = await liftAgain(app, lockdown, { policy, deadlineAt });
      return state === "lifted" ? null : now + AGAIN_MS;
    }
    const late = (endedAt ?? 0) + LATE_MS;
    if (now < late) return late;
    // What no lift could read may be closed still, or kept: at its time, which the ledger has as well, it opens or goes by itself.
    return !isSure && now < until + KEPT_LONGER_MS ? now + WATCH_MS : null;
  }
  if (lockdown.state === "lifting" || until <= now || causes.length === 0) {
    const by = endedBy ?? (causes.length === 0 ? "the last of its alarms" : "time");
    const { state } = await liftLockdown(app, lockdownId, { policy, by, isPerson: false, deadlineAt });
    return now + (state === "lifted" ? LATE_MS : AGAIN_MS);
  }
  await keepLists(app, lockdownId);
  const seen = await watchLockdown(app, policy, lockdown, deadlineAt);
  const after = await goOnWithLockdown(app, policy, seen, deadlineAt);
  if (after.state !== "active") return app.clock.now() + AGAIN_MS;
  // Ways for break-glass go with their leases, however these end.
  const isClosed = after.groups.every((it) => isClosedOrLeft(it) && !it.passages?.length);
  if (isClosed) await leaveOtherLists(app, policy, after);
  await hearAgain(app, lockdown);
  return Math.min(until, app.clock.now() + (isClosed ? WATCH_MS : AGAIN_MS));
}

/**
 * An alarm that alerted and was over while this one's row could not be read has had another lockdown of its scope on, and ended that alone. It is
 * acted on once more, for this one, unless it has told something new meanwhile.
 */
async function hearAgain(app: App, { lockdownId, causes }: Lockdown): Promise<void> {
  for (const { by } of causes) {
    const row = await readableAlarm(app.tables, by);
    if (row?.alarm.state !== "OK" || !row.isHandled) continue;
    await app.tables.writeAll([dueWrite(dueJob(ALARM_JOB, by, app.clock.now()))]);
    await saveAlarm(app.tables, { ...row, isHandled: false, lockdownId });
  }
}

/** Of one that cannot be read people are told once: what was closed stays closed until the end that the ledger has, or until they lift it. */
async function rowOf(app: App, lockdownId: string): Promise<Lockdown | "unreadable" | null> {
  try {
    return await getLockdown(app.tables, lockdownId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    app.log.write("error", `the row of ${lockdownId} cannot be read: nobody goes on with it`, { cause: error });
    const what = `the row of the lockdown ${lockdownId} cannot be read: what it has closed opens at its time, or by POST /v1/lockdown/${lockdownId}:lift`;
    const to = [{ kind: "role", role: "operator" }] as const;
    const fact = { at: app.clock.now(), group: null, to, dedupe: lockdownId, data: { what, since: null } };
    await tellOnce(app, [noticeOf("healthAlarm", fact)]);
    return "unreadable";
  }
}

/**
 * Whether lists are still filled for it, or a ledger holds or suspends anything: somebody closed a group after it was given back, and died. Not
 * sure while a row of one cannot be read.
 */
async function isAnythingLeft(
  app: App,
  policy: Policy,
  { lockdownId, groups }: Lockdown,
): Promise<{ readonly isLeft: boolean; readonly isSure: boolean }> {
  const { sets, isWhole } = await setsThatCanBeRead(app);
  let [isLeft, isSure] = [sets.some(({ holders }) => holders.includes(lockdownId)), isWhole];
  const look = async ({ group, way }: LockdownGroup): Promise<void> => {
    if (isLeft) return;
    try {
      // What could not be read is booked by the name it was asked for.
      const ref = way === "unread" ? (await findGroup(app, policy, group.groupId, "lockdown")).ref : group;
      const { entries, unreadable } = await listEntries(app.tables, ref);
      isSure &&= unreadable.length === 0;
      isLeft ||= entries.some((it) => isOfLockdown(it, lockdownId));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  };
  await inParallel(groups, look, AT_ONCE);
  return { isLeft, isSure };
}
