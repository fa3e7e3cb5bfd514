// The function on the minute timer and behind wake-ups: runs whatever is due.
import { EVERY_SHARD, readSweepEvent } from "../../shared/events/timer.ts";
import { problemOf } from "../../shared/http/problem.ts";
import { beat } from "../../shared/usecases/operation/beat.ts";
import type { Jobs } from "../../shared/usecases/operation/jobs.ts";
import { awaitWakeup, sweep } from "../../shared/usecases/operation/sweep.ts";
import { entry, isDeadLetter } from "../entry.ts";
import { observing } from "./observing.ts";

/** Time kept for the read-back and the records of the last change. */
const STOP_MARGIN_MS = 15_000;

/** Loaded with the first job that is due: most ticks find none, and a wake-up comes to end a lease. */
const allJobs: Jobs = {
  run: async (...words) => (await import("../../shared/usecases/operation/jobs.ts")).runJob(...words),
  book: async (...words) => (await import("../../shared/usecases/operation/jobs.ts")).bookJobs(...words),
};

export const handler = entry(
  "sweep",
  async (event, { app, heartbeat, readPolicyOrDefault, leftMs }) => {
    const { cause, shard, wakeAt, again } = isDeadLetter(event)
      ? { cause: "dead letter", ...EVERY_SHARD }
      : readSweepEvent(event, app.settings.shards);
    const deadlineAt = app.clock.monotonicMs() + Math.max(leftMs / 2, leftMs - STOP_MARGIN_MS);
    if (wakeAt !== null && shard !== null) await awaitWakeup(app, shard, { at: wakeAt, again });
    const options = {
      policy: readPolicyOrDefault,
      cause,
      deadlineAt,
      jobs: allJobs,
      ...(shard === null ? {} : { shard }),
    };
    const report = await sweep(app, options);
    if (heartbeat !== null && shard === null) await beat(app, heartbeat, { report, policy: readPolicyOrDefault });
    return report;
  },
  (error, requestId) => {
    // Another try of the platform helps only where the failure passes by itself.
    if (error.entry.retry !== "never") throw error;
    return { error: problemOf(error, requestId) };
  },
  observing,
);
