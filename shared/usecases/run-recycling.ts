// The daily job over unused rules: a run of its own, in as many parts as its time makes of it.
import { dueJob, dueWrite } from "../store/due.ts";
import { writeRecord } from "../store/records.ts";
import type { App } from "./app.ts";
import type { JobRun } from "./jobs.ts";
import { type RecyclingPlace, recycle } from "./recycle.ts";

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

/**
 * Runs the job, or the part of it that `param` names, and books the part that its time leaves. Answers when it runs again; the rest of a
 * run is a run by itself, and over when it is done.
 */
export async function runRecycling(app: App, { policy, param, deadlineAt }: JobRun): Promise<number | null> {
  const night = nextRecyclingAt(app.clock.now());
  // The shipped policy stands in where none can be read. It names no group, and no quarantine is lifted because of that.
  if (policy.version === 0) {
    app.log.write("warn", "unused rules are not looked at: the policy cannot be read");
    return param === null ? night : null;
  }
  const report = await recycle(app, { policy, deadlineAt, dryRun: false, from: placeOf(param) });
  const { groups, rules, verdicts, failed, next } = report;
  if (next !== null)
    await app.tables.writeAll([dueWrite(dueJob("recycling", placeText(next), app.clock.now() + 1000))]);
  const { used, idle, unknown } = verdicts;
  const lines = [
    `${groups} groups, ${rules} rules: ${used} used, ${idle} idle, ${unknown} unknown`,
    ...failed.map(({ group, why }) => `${group} cannot be read: ${why}`),
  ];
  const record = { at: app.clock.now(), group: null, cause: "recycling", actor: "safeport" };
  await writeRecord(app, { ...record, policyVersion: policy.version, lines });
  const again = failed.length > 0 ? Math.min(night, app.clock.now() + AGAIN_MS) : night;
  return param === null || failed.length > 0 ? again : null;
}

/** A place as the parameter of a job; it holds a space. */
export const placeText = ({ region, cursor }: RecyclingPlace): string => `${region} ${cursor ?? ""}`;

/** The place of such a parameter; null for the beginning. */
export function placeOf(param: string | null): RecyclingPlace | null {
  if (param === null) return null;
  const [region = "", cursor = ""] = param.split(" ");
  return { region, cursor: cursor === "" ? null : cursor };
}
