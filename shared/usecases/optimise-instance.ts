// Judges rules early because an alarm says that nothing comes in: those of one instance's groups, or of all.

import { OPTIMISE_JOB } from "../domain/alarm.ts";
import type { GroupRef } from "../domain/ids.ts";
import type { Policy } from "../domain/policy.ts";
import { placeOf, placeText } from "../domain/recycling-place.ts";
import { dueJob, dueWrite } from "../store/due.ts";
import type { App } from "./app.ts";
import type { JobRun } from "./jobs.ts";
import { recycle } from "./recycle.ts";

/** What is idle for 72 hours of whole evidence enters the queue. */
const WINDOW_DAYS = 3;
/** Calls that are used up are there again in the next minute. */
const LATER_MS = 60_000;

/**
 * The alarm only says where to look: what enters the queue, and goes on there, is idle by evidence, and waits for people as ever.
 * `param` is an instance, null for all groups, or where a run over all of them goes on.
 */
export async function optimiseInstance(
  app: App,
  { policy, param, deadlineAt }: Pick<JobRun, "policy" | "param" | "deadlineAt">,
): Promise<null> {
  // The shipped policy stands in where none can be read.
  if (policy.version === 0) return null;
  const windowDays = Math.min(WINDOW_DAYS, policy.recycling.windowDays);
  const isPlace = param === null || param.includes(" ");
  const only = isPlace ? null : await groupsOf(app, policy, param);
  const terms = { policy, deadlineAt, dryRun: false, early: { windowDays, only } };
  const { failed, next, later } = await recycle(app, { ...terms, from: isPlace ? placeOf(param) : null });
  const again = app.clock.now() + (later === null ? 1000 : LATER_MS);
  if (next !== null) await app.tables.writeAll([dueWrite(dueJob(OPTIMISE_JOB, placeText(next), again))]);
  // The sweep runs a job again that fails.
  if (only !== null) for (const { group, why } of failed) throw new Error(`${group} cannot be judged yet: ${why}`);
  return null;
}

async function groupsOf(app: App, policy: Policy, instanceId: string): Promise<readonly GroupRef[]> {
  for (const region of policy.regions) {
    const members = await app.inventory.instance(region, instanceId, "inventory");
    const ids = new Set(members?.flatMap(({ groupIds }) => groupIds));
    if (ids.size > 0) return [...ids].map((groupId) => ({ region, groupId }));
  }
  return [];
}
