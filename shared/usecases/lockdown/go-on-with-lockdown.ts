// Goes on with a lockdown: closes what is not closed yet, or no longer as the policy says.
import {
  hasOperators,
  isAnew,
  type Lockdown,
  type LockdownGroup,
  type Passage,
  type Preparation,
} from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError } from "../../errors/app-error.ts";
import type { App } from "../app.ts";
import { livePassages } from "../pass/passages.ts";
import { chooseLockdown, prepareRows } from "./choose-lockdown.ts";
import { bookGroups, closeGroups, isTakenUp, refusingOf } from "./close-groups.ts";
import { liftAgain } from "./lift-lockdown.ts";
import { tellLockdown } from "./tell-lockdown.ts";

/**
 * By the job, after a crash, where calls failed or something has changed; and where an end was moved. Groups that are closed by what
 * another policy said are closed anew by this one; without operators, and nobody who answers for that, nothing is closed. Nor is anything where
 * it was found to be lifted meanwhile.
 */
export async function goOnWithLockdown(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  deadlineAt: number,
): Promise<Lockdown> {
  if (lockdown.state !== "active") return lockdown;
  if (!hasOperators(policy, lockdown.waivedBy)) {
    app.log.write("error", `the policy names no operators: the lockdown ${lockdown.lockdownId} stays as it is`);
    return lockdown;
  }
  // A way whose lease is over is closed like what was never closed.
  const live = new Map<LockdownGroup, readonly Passage[]>();
  for (const it of lockdown.groups) if (it.passages?.length) live.set(it, await livePassages(app, it));
  const isOver = (it: LockdownGroup) => (live.get(it)?.length ?? 0) < (it.passages?.length ?? 0);
  const open = lockdown.groups.filter(
    (it) => isAnew(it, policy) || (it.way !== "none" && (!it.isClosed || isOver(it))),
  );
  if (open.length === 0) return lockdown;
  const chosen = await chooseLockdown(app, policy, lockdown.scope, refusingOf(lockdown.groups)).catch(
    (error: unknown) => {
      // The instance may be gone, and its groups are closed all the same.
      if (!(error instanceof AppError)) throw error;
      return [];
    },
  );
  // What could not be read was booked by the name it was asked for.
  const rowOf = ({ group, name }: Preparation) =>
    open.find((it) => it.group.groupId === group.groupId || it.group.groupId === name);
  const found = new Set(chosen.map(rowOf));
  // A group may have lost its tag since, or the instance its group.
  const rest = await prepareRows(
    app,
    policy,
    open.filter((it) => !found.has(it)),
  );
  const again = [...chosen, ...rest].filter((it) => rowOf(it) !== undefined);
  const isMore = again.some((it) => isTakenUp(it, rowOf(it)));
  const booked = isMore ? await bookGroups(app, policy, lockdown, again) : lockdown;
  if (booked.state !== "active") return booked;
  const closed = await closeGroups(app, policy, booked, again, deadlineAt);
  const over = again.flatMap((it): readonly Passage[] => {
    const row = rowOf(it);
    if (!row || closed.get(it.group.groupId)?.isClosed !== true) return [];
    return row.passages?.filter((way) => !live.get(row)?.includes(way)) ?? [];
  });
  const told = await tellLockdown(app, policy, booked, closed, [], over);
  return told.state === "active" ? told : liftAgain(app, told, { policy, deadlineAt });
}
