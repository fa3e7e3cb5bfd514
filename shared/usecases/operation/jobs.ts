// Jobs: what the program does from time to time beside looking at groups. Run by the sweep when their due rows' time has come.
import { OPTIMISE_JOB } from "../../domain/alarm.ts";
import type { LeaseId } from "../../domain/ids.ts";
import { STANDBY_JOB } from "../../domain/standby.ts";
import { type Due, dueDelete, dueJob, dueWrite, hasDue } from "../../store/due.ts";
import { jobRunsDelete, jobRunsWrite, readJobRuns } from "../../store/job-runs.ts";
import { acquireLock } from "../../store/lock.ts";
import type { App } from "../app.ts";
import { tendApproval } from "../approval/tend-approval.ts";
import { tendJustification } from "../approval/tend-justification.ts";
import { tendCanary } from "../drift/tend-canary.ts";
import { cutSessions } from "../lease/cut-sessions.ts";
import { tellEnding } from "../lease/end-notices.ts";
import { finishFollow } from "../lease/follow-lease.ts";
import { REBOOK_JOB, rebookLease } from "../lease/rebook-leases.ts";
import { startLease } from "../lease/start-lease.ts";
import { actOnAlarm } from "../lockdown/act-on-alarm.ts";
import { prepareLockdowns } from "../lockdown/prepare-lockdowns.ts";
import { prepareStandby, settleAllStandby } from "../lockdown/prepare-standby.ts";
import { tendLockdown } from "../lockdown/tend-lockdown.ts";
import { sendNotices } from "../notices/send-notices.ts";
import { sealRecords } from "../records/seal-records.ts";
import { verifyTrail } from "../records/verify-trail.ts";
import { bookCollections, collectEvidence } from "../recycling/collect-evidence.ts";
import { optimiseInstance } from "../recycling/optimise-instance.ts";
import { nextPublication, publishUse } from "../recycling/publish-use.ts";
import { nextRecyclingAt, runRecycling } from "../recycling/run-recycling.ts";
import { watchRecycling } from "../recycling/watch-recycling.ts";
import type { JobRun } from "./job-run.ts";
import { answerProbe } from "./probe.ts";
import { bookAudit, runAudit } from "./run-audit.ts";

/** A job may be run twice for one instant, after a crash: what it does has to bear that. */
export interface Job {
  /** Of a periodic job: when it runs first, asked where no row of it is found. Null for one that runs when it is booked. */
  readonly beginsAt: ((now: number) => number) | null;
  /** True where it would do what the shipped policy says, or leave undone what the owner's says: it waits until that can be read. */
  readonly waitsForPolicy?: true;
  /** Resolves with the instant of the next run, or null for none. Rejects to be run again at the next tick. */
  run(app: App, run: JobRun): Promise<number | null>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Whoever names a canary in a new policy waits no longer than for its next hour; right after setup there is other work. */
const CANARY_BEGINS_MS = 5 * 60_000;
/** Logs of the first hours are worth little, and after setup there is other work. */
const EVIDENCE_BEGINS_MS = 10 * 60_000;
/** After a loss of rows the audit that is due is found as soon as everything else is back. */
const AUDIT_BEGINS_MS = 20 * 60_000;
/** Somebody else acts on the alarm, or nobody can read it. */
const ALARM_AGAIN_MS = 15_000;
/** There is nothing to seal right after setup. */
const SEAL_BEGINS_MS = 30 * 60_000;
/** How long a lock outlives the deadline of the run that holds it. */
const LOCK_MARGIN_MS = 30_000;

/** Every job by its name, which is in stored rows: a job is renamed under its old name. */
const jobs: Readonly<Record<string, Job>> = {
  approval: {
    beginsAt: null,
    run: (app, { policy, param }) => tendApproval(app, policy, param ?? ""),
  },
  canary: {
    beginsAt: (now) => now + CANARY_BEGINS_MS,
    run: async (app, { policy }) => {
      await tendCanary(app, policy);
      return app.clock.now() + HOUR_MS;
    },
  },
  alarm: {
    beginsAt: null,
    waitsForPolicy: true,
    run: async (app, { policy, param, deadlineAt }) => {
      const terms = { policy, arrivedAt: app.clock.monotonicMs(), deadlineAt };
      const done = param === null ? "" : await actOnAlarm(app, param, terms);
      return done === null ? app.clock.now() + ALARM_AGAIN_MS : null;
    },
  },
  lockdown: { beginsAt: null, run: tendLockdown },
  [OPTIMISE_JOB]: { beginsAt: null, waitsForPolicy: true, run: optimiseInstance },
  "lockdown-plan": {
    // With the tick after setup's own: a lockdown that comes earlier finds out for itself.
    beginsAt: (now) => now,
    waitsForPolicy: true,
    run: async (app, { policy, deadlineAt }) => {
      const next = await prepareLockdowns(app, policy, deadlineAt);
      return Math.min(next, await prepareStandby(app, policy, deadlineAt));
    },
  },
  [STANDBY_JOB]: { beginsAt: null, run: settleAllStandby },
  evidence: {
    beginsAt: (now) => now + EVIDENCE_BEGINS_MS,
    waitsForPolicy: true,
    run: (app, { policy, param, deadlineAt }) =>
      param === null ? bookCollections(app, policy) : collectEvidence(app, { policy, region: param, deadlineAt }),
  },
  // The run without a month finds what is due and was missed; the run with one makes it.
  audit: {
    beginsAt: (now) => now + AUDIT_BEGINS_MS,
    waitsForPolicy: true,
    run: (app, { policy, param, deadlineAt }) =>
      param === null ? bookAudit(app) : runAudit(app, { policy, month: param, deadlineAt }),
  },
  // Booked with every notice; the hourly run is the net for one whose row was lost in a crash.
  notify: {
    beginsAt: (now) => now + HOUR_MS,
    waitsForPolicy: true,
    run: async (app, run) => {
      const { tried, nextAt } = await sendNotices(app, run);
      // Who told of something meanwhile, of a second that was under way, may have lost the row that asked for this job with this run's.
      const latest = app.clock.now() + (tried > 0 ? MINUTE_MS : HOUR_MS);
      const next = Math.min(nextAt ?? latest, latest);
      if (next < app.clock.now() + MINUTE_MS) await app.wakeup.arm(0, next);
      return next;
    },
  },
  follow: { beginsAt: null, run: (app, { policy, param }) => finishFollow(app, policy, param ?? "") },
  // Booked when due rows were lost.
  [REBOOK_JOB]: {
    beginsAt: null,
    run: (app, { policy, param }) => rebookLease(app, policy, (param ?? "") as LeaseId),
  },
  justify: { beginsAt: null, run: (app, { param }) => tendJustification(app, (param ?? "") as LeaseId) },
  sessions: { beginsAt: null, run: cutSessions },
  start: { beginsAt: null, run: startLease },
  ending: { beginsAt: null, run: (app, { param }) => tellEnding(app, param ?? "") },
  // Booked by doctor.
  probe: { beginsAt: null, run: (app, { param }) => answerProbe(app, param ?? "") },
  "use-metrics": { beginsAt: nextPublication, waitsForPolicy: true, run: (app, { policy }) => publishUse(app, policy) },
  "record-seal": {
    beginsAt: (now) => now + SEAL_BEGINS_MS,
    run: async (app, { deadlineAt }) => {
      const isSealed = await sealRecords(app, deadlineAt);
      if (isSealed) await verifyTrail(app, deadlineAt);
      return app.clock.now() + (isSealed ? HOUR_MS : 1000);
    },
  },
  recycling: {
    beginsAt: nextRecyclingAt,
    waitsForPolicy: true,
    run: runRecycling,
  },
  "recycling-watch": {
    beginsAt: null,
    run: (app, { policy, deadlineAt }) => watchRecycling(app, { policy, deadlineAt }),
  },
};

/**
 * Runs the job of a due row and leaves a row for its next run. Answers false when the row stays: somebody else runs the job, this
 * version does not know it, or it waits for a policy that can be read.
 *
 * The next row is written before the old one goes. What dies in between leaves both, and the run that is over is known by
 * `schedule`. A run that was booked meanwhile and comes later than the next makes no second chain of rows.
 */
export async function runJob(
  app: App,
  row: Due,
  options: Omit<JobRun, "param">,
  known: Readonly<Record<string, Job>> = jobs,
): Promise<boolean> {
  const { tables, clock } = app;
  const [name = "", ...rest] = row.id.split("/");
  const job = known[name];
  if (job === undefined) {
    app.log.write("warn", `the job ${row.id} is not known to this version; it waits for one that knows it`);
    return false;
  }
  if (job.waitsForPolicy && options.policy.isStandIn) return false;
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const lockMs = Math.ceil(Math.max(0, options.deadlineAt - clock.monotonicMs())) + LOCK_MARGIN_MS;
  const lock = await acquireLock(tables, clock, `job:${row.id}`, { holder, lockMs, marginMs: 0 });
  if (lock === null) return false;
  try {
    const runs = await readJobRuns(tables, row.id);
    if (runs?.ranAt === row.at) {
      await tables.writeAll([dueDelete(row)]);
      await tables.writeAll([jobRunsWrite(row.id, { ranAt: null, nextAt: runs.nextAt })]);
      return true;
    }
    const param = rest.length > 0 ? rest.join("/") : null;
    const asked = await job.run(app, { ...options, param });
    const waiting = runs?.nextAt != null && runs.nextAt > row.at ? runs.nextAt : null;
    // A row at the very instant of the old one would go with it.
    const own = asked === null ? null : Math.max(asked, row.at + 1);
    const nextAt = own === null ? waiting : Math.min(own, waiting ?? own);
    if (nextAt === null) {
      await tables.writeAll([dueDelete(row)]);
      if (runs !== null) await tables.writeAll([jobRunsDelete(row.id)]);
      return true;
    }
    const rowAt = (at: number): Due => ({ ...row, at });
    // One that waits is written as well: its row may be lost.
    await tables.writeAll([dueWrite(rowAt(nextAt))]);
    await tables.writeAll([jobRunsWrite(row.id, { ranAt: row.at, nextAt })]);
    const over = [row, ...(waiting === null || waiting === nextAt ? [] : [rowAt(waiting)])];
    await tables.writeAll(over.map(dueDelete));
    await tables.writeAll([jobRunsWrite(row.id, { ranAt: null, nextAt })]);
    return true;
  } finally {
    await lock.release().catch(() => undefined);
  }
}

/** Books periodic jobs whose rows are not there: after setup, and whatever was lost. Costs two reads a job, and three where one is lost. */
export async function bookJobs(app: App, known: Readonly<Record<string, Job>> = jobs): Promise<void> {
  for (const [name, { beginsAt }] of Object.entries(known)) {
    if (beginsAt === null) continue;
    const runs = await readJobRuns(app.tables, name);
    const nextAt = runs?.nextAt ?? null;
    if (nextAt !== null && (await hasDue(app.tables, dueJob(name, null, nextAt)))) continue;
    // Whoever has just run it has said so before its row went.
    if (nextAt !== null && (await readJobRuns(app.tables, name))?.nextAt !== nextAt) continue;
    const now = app.clock.now();
    // A run whose row is lost is late, and not the next one's.
    const at = nextAt === null ? beginsAt(now) : Math.min(beginsAt(now), Math.max(nextAt, now));
    await app.tables.writeAll([dueWrite(dueJob(name, null, at))]);
    await app.tables.writeAll([jobRunsWrite(name, { ranAt: runs?.ranAt ?? null, nextAt: at })]);
  }
}

/** What runs jobs, and books those that are missing. */
export interface Jobs {
  readonly run: typeof runJob;
  readonly book: typeof bookJobs;
}

/** Every job of the program. */
export const allJobs: Jobs = {
  run: runJob,
  book: bookJobs,
};
