// The nightly job over unused rules: one run, in as many parts as time and calls make of it.
import type { RecyclingPlace } from "../../domain/recycling-place.ts";
import { writeRecord } from "../../store/records.ts";
import { endRecyclingNight, readRecyclingNight, saveRecyclingNight } from "../../store/recycling-place.ts";
import type { App } from "../app.ts";
import type { JobRun } from "../operation/job-run.ts";
import { recycle } from "./recycle.ts";

const DAY_MS = 86_400_000;
/** In the night of most of our users, and late enough that yesterday's logs are collected. */
const HOUR_OF_DAY_MS = 19 * 3_600_000;

/** When the job runs next: 19:00 UTC, which is 03:00 in China. */
export function nextRecyclingAt(now: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS + HOUR_OF_DAY_MS;
  return today > now ? today : today + DAY_MS;
}

/** Groups that could not be read have their turn again after this, and not only the next night. */
const AGAIN_MS = 3_600_000;

/** Calls that are used up are there again in the next minute. */
const LATER_MS = 60_000;

/**
 * Goes on with the night's run from where it is stored to be, as far as time and calls let it; answers when it runs again. There is one
 * run at a time: a night that comes before the last one is over goes on with that.
 */
export async function runRecycling(app: App, { policy, param, deadlineAt }: JobRun): Promise<number | null> {
  // So the rest of a run was booked before its place was stored.
  if (param !== null) return null;
  const { tables, clock } = app;
  const night = nextRecyclingAt(clock.now());
  // The shipped policy stands in where none can be read. It names no group, and no quarantine is lifted because of that.
  if (policy.version === 0) {
    app.log.write("warn", "unused rules are not looked at: the policy cannot be read");
    return night;
  }
  const begun = await readRecyclingNight(tables);
  const reached = (place: RecyclingPlace): Promise<void> => saveRecyclingNight(tables, { ...begun, place });
  const report = await recycle(app, { policy, deadlineAt, dryRun: false, from: begun.place, reached });
  const { groups, rules, verdicts, failed, next, later } = report;
  const { used, idle, unknown } = verdicts;
  const lines = [
    `${groups} groups, ${rules} rules: ${used} used, ${idle} idle, ${unknown} unknown`,
    ...failed.map(({ group, why }) => `${group} cannot be read: ${why}`),
    ...(later === null ? [] : [`the rest waits: ${later}`]),
  ];
  const record = { at: clock.now(), group: null, cause: "recycling", actor: "safeport" };
  // Waiting for calls is told once, and not every minute.
  if (groups > 0 || later === null) await writeRecord(app, { ...record, policyVersion: policy.version, lines });
  const hasFailed = begun.hasFailed || failed.length > 0;
  if (next !== null) {
    await saveRecyclingNight(tables, { place: next, hasFailed });
    return clock.now() + (later === null ? 1000 : LATER_MS);
  }
  await endRecyclingNight(tables);
  return hasFailed ? Math.min(night, clock.now() + AGAIN_MS) : night;
}
