// Has the job of a lockdown go on at once, where whoever asked has to be answered before everything is done.
import { LOCKDOWN_JOB } from "../../domain/lockdown.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import type { App } from "../app.ts";

const SOON_MS = 500;

/** By a wake-up, and at the next tick where none comes. */
export async function hastenLockdown(app: App, lockdownId: string): Promise<void> {
  const due = dueJob(LOCKDOWN_JOB, lockdownId, app.clock.now() + SOON_MS);
  await app.tables.writeAll([dueWrite(due)]);
  await app.wakeup.arm(due.shard, due.at);
}
