// The job of a lockdown: what is not closed yet is closed, and what is over is lifted.
import { getLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import type { JobRun } from "../operation/job-run.ts";
import { liftLockdown } from "./lift-lockdown.ts";
import { goOnWithLockdown } from "./start-lockdown.ts";

const AGAIN_MS = 30_000;

/** Answers when to look again; null when the lockdown is over, or never was. */
export async function tendLockdown(
  app: App,
  run: Pick<JobRun, "policy" | "param" | "deadlineAt">,
): Promise<number | null> {
  const { policy, param, deadlineAt } = run;
  const lockdown = param === null ? null : await getLockdown(app.tables, param);
  if (!lockdown || lockdown.state === "lifted") return null;
  const { lockdownId, until, causes, endedBy } = lockdown;
  const now = app.clock.now();
  if (lockdown.state === "lifting" || until <= now || causes.length === 0) {
    const by = endedBy ?? (causes.length === 0 ? "the last of its alarms" : "time");
    const { state } = await liftLockdown(app, lockdownId, { policy, by, isPerson: false, deadlineAt });
    return state === "lifted" ? null : now + AGAIN_MS;
  }
  const after = await goOnWithLockdown(app, policy, lockdown, deadlineAt);
  // Ways for break-glass go with their leases, however these end.
  const isClosed = after.groups.every((it) => (it.isClosed || it.way === "none") && !it.passages?.length);
  return isClosed ? until : Math.min(until, app.clock.now() + AGAIN_MS);
}
