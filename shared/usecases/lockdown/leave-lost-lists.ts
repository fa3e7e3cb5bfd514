// Lists that are filled for a lockdown whose row is lost or cannot be read, or that is over: nobody would empty them any more.
import type { StandbySet } from "../../domain/standby.ts";
import { AppError } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { listEntries } from "../../store/ledger.ts";
import { getLockdown } from "../../store/lockdowns.ts";
import { listStandbySets } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { letGoOfLists } from "./hold-standby.ts";

const AT_ONCE = 32;
/** When ledgers that cannot be read are looked at again. */
const UNREADABLE_AGAIN_MS = 5 * 60_000;

/**
 * Lets go of every set for lockdowns that are lifted, as whoever was frozen while it filled the lists may do that after their end, and for
 * those without a row that can be read; whoever settles the set then empties its lists. An incident is not over because a table is lost: as
 * long as the ledger of a member holds anything for the lockdown, or may, the lists stay filled, as drops over blocks stand. Answers when
 * the first such hold ends; null where nothing waits for one. Reads ledgers only where a row is lost.
 */
export async function leaveLostLists(app: App): Promise<number | null> {
  const ends: number[] = [];
  for (const set of (await listStandbySets(app.tables)).sets)
    for (const lockdownId of set.holders) {
      const state = await stateOf(app, lockdownId);
      if (state === "on") continue;
      const until = state === "lost" ? await heldUntil(app, set, lockdownId) : null;
      if (until !== null) {
        ends.push(until);
        continue;
      }
      app.log.write("warn", `the lockdown ${lockdownId} is ${state}: the lists of ${set.name} are emptied`);
      await letGoOfLists(app, set.name, lockdownId);
    }
  return ends.length === 0 ? null : Math.min(...ends);
}

async function stateOf(app: App, lockdownId: string): Promise<"on" | "lifted" | "lost"> {
  try {
    const lockdown = await getLockdown(app.tables, lockdownId);
    if (lockdown === null) return "lost";
    return lockdown.state === "lifted" ? "lifted" : "on";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return "lost";
  }
}

/**
 * The last end that the ledger of a member has for the lockdown; null where none holds anything for it. What cannot be read may: a person
 * who mends it, or lifts the lockdown, ends that.
 */
async function heldUntil(app: App, { region, members }: StandbySet, lockdownId: string): Promise<number | null> {
  const now = app.clock.now();
  const ends: number[] = [];
  await inParallel(
    members,
    async (groupId) => {
      const { entries, unreadable } = await listEntries(app.tables, { region, groupId });
      if (unreadable.length > 0) ends.push(now + UNREADABLE_AGAIN_MS);
      const held = entries.flatMap(({ holders }) => holders.filter((it) => it.holderId === lockdownId));
      ends.push(...held.flatMap((it) => (isHolding(it, now) ? [it.until] : [])));
    },
    AT_ONCE,
  );
  return ends.length === 0 ? null : Math.max(...ends);
}
