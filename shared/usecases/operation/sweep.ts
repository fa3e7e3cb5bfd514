// The sweep: whatever is due now. Finds it with one bounded range read per shard, and makes no ECS call when there is nothing.

import type { GroupRef, LeaseId, RuleId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { type AppError, isUnreadable } from "../../errors/app-error.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { type Due, dueDelete, dueDrift, dueGroup, dueWrite, forgetInstalled, readDue } from "../../store/due.ts";
import { isPart } from "../../store/full-pass.ts";
import { getLease } from "../../store/leases.ts";
import { readMode } from "../../store/mode.ts";
import { schemas } from "../../store/tables.ts";
import type { App } from "../app.ts";
import { openApproved } from "../approval/open-approved.ts";
import { inParallel } from "../in-parallel.ts";
import { dueStart, refusalOf } from "../lease/start-lease.ts";
import { tellOverdue } from "../lease/tell-overdue.ts";
import { bookHolds } from "../ledger/book-holds.ts";
import { lockdownIn } from "../lockdown/require-unlocked.ts";
import { tellOnce } from "../notices/tell.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import type { PassOptions, PassReport } from "../pass/pass-report.ts";
import { beginRecovery, fullPass, isRecovery } from "./full-pass.ts";
import type { LookAt } from "./full-pass-part.ts";
import type { Jobs } from "./jobs.ts";
import { isLongJob } from "./long-jobs.ts";
import { ensureOwnState } from "./own-state.ts";
import { tellSkew } from "./tell-skew.ts";

export interface SweepReport {
  readonly closed: readonly { readonly leaseId: LeaseId; readonly ruleIds: readonly RuleId[] }[];
  readonly opened: readonly string[];
  /** Ids of the groups that were looked at. */
  readonly looked: readonly string[];
  /** Due rows that stay for the next tick. */
  readonly left: number;
  /** Leases that were booked again from the marks of their rules. */
  readonly recovered: number;
}

export interface SweepOptions {
  /** The policy in force, or how to read it: that is asked for only when there is something to do. */
  readonly policy: Policy | (() => Promise<Policy>);
  /** One shard, or all when absent. */
  readonly shard?: number;
  readonly cause: string;
  /** Monotonic instant after which no further group is begun. */
  readonly deadlineAt: number;
  /** What runs jobs that are due; null where they are left to who does. */
  readonly jobs: Jobs | null;
}

/** The options of one run; all shards where `shard` is undefined. */
type SweepWork = Omit<SweepOptions, "shard"> & { readonly shard?: number | undefined };
type Work = SweepWork & { readonly policy: Policy };

const ROWS_MAX = 100_000;
const GROUPS_AT_ONCE = 8;
/** After a pass of the full pass that did not come to its end. */
const LOOK_AGAIN_MS = 60_000;
const JOBS_AT_ONCE = 8;
/** How far ahead of a cut wake-up the due table is read: beyond the longest delay, so that no link of the chain is missed. */
const CHAIN_MS = 2 * 60 * 60_000;
/** A due row whose lease has no row yet may belong to a request that is just being booked. */
const BOOKING_MS = 60_000;

/** How early a wake-up may come and wait for its second. */
const EARLY_MS = 2000;
const AHEAD_MAX = 500;
/** How often one second is asked for anew: where the platform knows no delay, every wake-up comes at once. */
const AGAIN_MAX = 3;

/** The second that a wake-up was asked for, and what is said of it there. */
export interface WakeupCall {
  readonly at: number;
  readonly again: number | null;
}

/**
 * A wake-up that came for `at`: one that is a little early waits. One that is far too early was cut to the platform's longest delay, or
 * came before its time, which the platform does not rule out, and arms what comes next. The minute timer needs none of this.
 */
export async function awaitWakeup(app: App, shard: number, { at, again }: WakeupCall): Promise<void> {
  const early = at - app.clock.now();
  if (early <= 0) return;
  if (early <= EARLY_MS) return app.clock.sleep(early);
  // Wake-ups that were cut to the same minute share one call: each due second ahead is armed anew.
  const ahead = await readDue(app.tables, shard, app.clock.now() + CHAIN_MS, AHEAD_MAX);
  const own = Math.ceil(at / 1000) * 1000;
  const seconds = new Set([own, ...ahead.due.map((row) => Math.ceil(row.at / 1000) * 1000)]);
  if (again === AGAIN_MAX) seconds.delete(own);
  const coming = [...seconds].filter((second) => second > app.clock.now());
  await inParallel(
    coming,
    (second) => app.wakeup.arm(shard, second, second === own && again !== null ? again + 1 : 0),
    8,
  );
}

/**
 * Runs what is due. A missing installation row means lost state: every group is looked at and the marks are believed. So does any
 * missing table, as what it held of a lease is in none of the others.
 */
export async function sweep(app: App, options: SweepOptions): Promise<SweepReport> {
  try {
    return await sweepOnce(app, options);
  } catch (error) {
    if (!(error instanceof StoreFailure) || error.kind !== "tableMissing") throw error;
    // In this order: should the process die in between, the row that is gone says that the looking is still to be done.
    await forgetInstalled(app.tables, app.settings.installation);
    await app.tables.createTables(schemas);
    return await sweepOnce(app, { ...options, shard: undefined });
  }
}

async function sweepOnce(app: App, options: SweepWork): Promise<SweepReport> {
  const tally = new Tally();
  const shards =
    options.shard === undefined ? Array.from({ length: app.settings.shards }, (_, shard) => shard) : [options.shard];
  const now = app.clock.now();
  const found = await Promise.all(shards.map((shard) => readDue(app.tables, shard, now, ROWS_MAX)));
  const due = found.flatMap((it) => it.due);
  const ownership = shards.includes(0) ? found[shards.indexOf(0)]?.ownership : undefined;
  if (ownership !== undefined) await ensureOwnState(app, ownership);
  const lost = ownership !== undefined && !ownership.installations.includes(app.settings.installation);
  if (due.length === 0 && !lost) return tally.report();
  const policy = typeof options.policy === "function" ? await options.policy() : options.policy;
  const work: Work = { ...options, policy };
  if (lost && !due.some(isRecovery)) due.push(await beginRecovery(app, policy));
  const groups = byGroup(due.filter(({ kind }) => kind === "lease" || kind === "group" || kind === "drift"));
  const isLook = (rows: readonly Due[]): boolean => rows.every(({ kind }) => kind === "drift");
  // Side by side: a region that does not answer has its own groups wait, and nothing else.
  const regions = byRegion(groups).map((some) => {
    const isSilent = new Promise<void>((resolve) => tally.onSilence(some[0]?.[0]?.region ?? "", resolve));
    const lookAt = (which: typeof some) =>
      inParallel(which, (rows) => sweepGroup(app, work, rows, now, tally), GROUPS_AT_ONCE);
    const isEnded = lookAt(some.filter((rows) => !isLook(rows)));
    // What only compares groups asks the trail and takes its time: no end of another group waits for it, and no job.
    const isDone = isEnded.then(() => lookAt(some.filter(isLook)));
    return { isDone, isPassable: Promise.race([isEnded, isSilent]) };
  });
  await Promise.all(regions.map(({ isPassable }) => isPassable));
  const jobs = due.filter((row) => row.kind === "job");
  const run = (rows: readonly Due[]) => inParallel(rows, (row) => sweepJob(app, work, row, tally), JOBS_AT_ONCE);
  await run(jobs.filter((row) => !isLongJob(row)));
  // Neither the long ones nor the full pass wait for one another: each may go on until the deadline, tick after tick.
  await Promise.all([run(jobs.filter(isLongJob)), sweepAll(app, work, due, tally)]);
  await Promise.all(regions.map(({ isDone }) => isDone));
  await tellSkew(app);
  // The cloud's failures are for the next tick; any other is the platform's to try again, now that every group has had its turn.
  const failure = tally.failures.find((error) => !(error instanceof CloudFailure));
  if (failure !== undefined) throw failure;
  return tally.report();
}

function byGroup(due: readonly Due[]): readonly (readonly Due[])[] {
  const groups = new Map<string, Due[]>();
  for (const row of due) {
    const group = `${row.region} ${row.groupId}`;
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return [...groups.values()];
}

function byRegion(groups: readonly (readonly Due[])[]): readonly (readonly (readonly Due[])[])[] {
  const regions = new Map<string, (readonly Due[])[]>();
  for (const rows of groups) {
    const region = rows[0]?.region ?? "";
    regions.set(region, [...(regions.get(region) ?? []), rows]);
  }
  return [...regions.values()];
}

class Tally {
  private readonly closed: SweepReport["closed"][number][] = [];
  private readonly opened: string[] = [];
  private readonly looked = new Set<string>();
  private recovered = 0;
  left = 0;
  /** What kept a group from being looked at. */
  readonly failures: unknown[] = [];
  private readonly silence = new Map<string, () => void>();

  /** `act` is called when a group of the region gets no answer for the first time. */
  onSilence(region: string, act: () => void): void {
    this.silence.set(region, act);
  }

  fail(group: GroupRef, error: unknown): void {
    this.failures.push(error);
    if (error instanceof CloudFailure && error.kind === "unknown") this.silence.get(group.region)?.();
  }

  add(group: GroupRef, report: PassReport): void {
    this.looked.add(group.groupId);
    this.closed.push(...report.closed);
    this.opened.push(...report.opened);
    this.recovered += report.recovered;
  }

  report(): SweepReport {
    const { closed, opened, left, recovered } = this;
    return { closed, opened, looked: [...this.looked], left, recovered };
  }
}

/** Whatever goes wrong in one group must not keep the others from their ends: failures come to `tally`. */
async function sweepGroup(app: App, options: Work, rows: readonly Due[], now: number, tally: Tally): Promise<void> {
  const [first] = rows;
  if (!first || app.clock.monotonicMs() >= options.deadlineAt) {
    tally.left += rows.length;
    return;
  }
  const group = { region: first.region, groupId: first.groupId };
  try {
    const drift = rows.some((row) => row.kind === "drift");
    const report = await passOver(app, group, { ...options, rows, drift }, "end");
    if (!report) {
      tally.left += rows.length;
      return;
    }
    tally.add(group, report);
    const unheld = rows.filter((row) => row.kind === "lease" && !report.held.has(row.id as LeaseId));
    const more = unheld.length > 0 ? await sweepUnheld(app, group, unheld, options, now, tally) : 0;
    tally.left += report.rowsLeft - more;
    if (report.endRefused) await overdue(app, group, rows, "the cloud refuses to close it");
  } catch (error) {
    tally.left += rows.length;
    if (isUnreadable(error)) await tellUnreadable(app, `The look at ${group.groupId}`, error, tally);
    else tally.fail(group, error);
    app.log.write("error", `the group ${group.groupId} cannot be looked at; what is due in it stays due`, {
      cause: error,
      ...(error instanceof CloudFailure
        ? { operation: error.operation, kind: error.kind, code: error.cloudCode }
        : undefined),
    });
    const why = error instanceof CloudFailure ? error.message : "the group cannot be looked at";
    await overdue(app, group, rows, why);
  }
}

/** People are told of ends that are late; that they cannot be told is no reason to be later still. */
async function overdue(app: App, group: GroupRef, rows: readonly Due[], why: string): Promise<void> {
  try {
    await tellOverdue(app, group, rows, why);
  } catch (error) {
    app.log.write("error", `nobody can be told of what is overdue in ${group.groupId}`, { cause: error });
  }
}

/**
 * Rows of leases that the ledger does not hold. A lease that was booked and never entered has lost its opener: it is entered now and
 * opened. One that cannot be read, or not be entered, keeps no other from that. Answers how many of the rows are done with.
 */
async function sweepUnheld(
  app: App,
  group: GroupRef,
  rows: readonly Due[],
  options: Work,
  now: number,
  tally: Tally,
): Promise<number> {
  const over: Due[] = [];
  const entered: Due[] = [];
  await inParallel(rows, async (row) => {
    const found = await enterUnheld(app, row, options.policy, now).catch((cause: unknown) => {
      if (!isUnreadable(cause)) throw cause;
      app.log.write("error", `the lease ${row.id} cannot be entered; what stands of it ends by its mark`, { cause });
      return null;
    });
    if (found !== null) (found === "over" ? over : entered).push(row);
  });
  if (over.length > 0) await app.tables.writeAll(over.map(dueDelete));
  if (entered.length === 0) return over.length;
  const report = await passOver(app, group, { ...options, rows: entered }, "end");
  if (report) tally.add(group, report);
  return over.length + entered.length - (report?.rowsLeft ?? entered.length);
}

/** Null for what stays due. */
async function enterUnheld(app: App, row: Due, policy: Policy, now: number): Promise<"over" | "entered" | null> {
  const found = await getLease(app.tables, row.id as LeaseId);
  const resumed = found?.status.state === "approved" ? await resumeApproved(app, found, policy) : found;
  if (resumed === "by job") {
    await app.tables.writeAll([dueWrite(dueStart(row.id as LeaseId, now))]);
    return "over";
  }
  if (resumed === null) return now - row.at > BOOKING_MS ? "over" : null;
  // What waits for approval has a job of its own.
  if (resumed.status.state === "requested" || isFinal(resumed.status.state)) return "over";
  return (await bookHolds(app, resumed)) ? "entered" : null;
}

/**
 * A lease whose approver died before it was opened; where nothing may be opened now, it is left for the next tick. `by job` for what starts
 * later, and for what would not be approved any more: the job that starts leases refuses it and tells whoever asked.
 */
async function resumeApproved(app: App, lease: Lease, policy: Policy): Promise<Lease | "by job"> {
  if (lease.request.startAt !== null) return "by job";
  const { mode } = await readMode(app.tables);
  const { group: ref, groupName: name } = lease.request;
  if (policy.isStandIn || mode !== "normal" || (await lockdownIn(app, policy, { ref, name })) !== null) return lease;
  return (await refusalOf(app, policy, lease)) === null ? openApproved(app, lease, policy) : "by job";
}

/** A job that fails stays due and keeps nothing else from its turn. */
async function sweepJob(app: App, options: Work, row: Due, tally: Tally): Promise<void> {
  if (options.jobs === null) return;
  try {
    const isDone = app.clock.monotonicMs() < options.deadlineAt && (await options.jobs.run(app, row, options));
    if (!isDone) tally.left += 1;
  } catch (error) {
    tally.left += 1;
    app.log.write("error", `the job ${row.id} failed; it is run again at the next tick`, { cause: error });
    if (isUnreadable(error)) await tellUnreadable(app, `The job ${row.id}`, error, tally);
    else tally.failures.push(error);
  }
}

/**
 * What waits for a row that nobody can read is no failure of the tick, which would pass for ends that are late: people are told, once a day. That
 * they cannot be told is one.
 */
async function tellUnreadable(app: App, what: string, { message }: AppError, tally: Tally): Promise<void> {
  const at = app.clock.now();
  const to = [{ kind: "role", role: "operator" }] as const;
  const dedupe = `unreadable/${what}/${formatUtc(at).slice(0, 10)}`;
  const data = { what: `${message} ${what} waits for it.`, since: null };
  await tellOnce(app, [noticeOf("healthAlarm", { at, group: null, to, dedupe, data })]).catch((failure: unknown) =>
    tally.failures.push(failure),
  );
}

/** Full passes go on; what cannot be done now is done at the next tick. */
async function sweepAll(app: App, options: Work, due: readonly Due[], tally: Tally): Promise<void> {
  for (const row of due)
    if (row.kind === "full-pass")
      try {
        const isComplete = await fullPass(app, row, {
          policy: options.policy,
          deadlineAt: options.deadlineAt,
          look: async (group, how) => {
            const rows = how.stateKnown === false && !how.drift ? [] : [await netFor(app, group, how)];
            const report = await passOver(app, group, { ...options, ...how, rows }, "inventory");
            if (report) tally.add(group, report);
            return report !== null;
          },
        });
        if (!isComplete) tally.left += 1;
        else if (!isPart(row)) await options.jobs?.book(app);
      } catch (error) {
        tally.left += 1;
        tally.failures.push(error);
        app.log.write("error", "the full pass stopped; it goes on at the next tick", { cause: error });
      }
}

/**
 * A pass that fails after a call may leave a group that seems to be at rest to the next try: what it booked is settled by this row. A
 * recovery looks at every group until it has seen it, and needs none but where the group is guarded: it compares nothing, and the looks
 * that differences wait for may be lost. The row goes when the pass is at rest, and so is no row that something else of the group waits
 * for: open hours may end in that very minute.
 */
async function netFor(app: App, group: GroupRef, { drift }: LookAt): Promise<Due> {
  const row = (drift ? dueDrift : dueGroup)(group, app.clock.now() + LOOK_AGAIN_MS, app.settings.shards);
  const net: Due = { ...row, id: `${row.id} full-pass` };
  await app.tables.writeAll([dueWrite(net)]);
  return net;
}

const passOver = (
  app: App,
  group: GroupRef,
  options: Work & Pick<PassOptions, "rows" | "stateKnown" | "drift">,
  priority: "end" | "inventory",
): Promise<PassReport | null> => lookAtGroup(app, group, { ...options, actor: "safeport", priority });
