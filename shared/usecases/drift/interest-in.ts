// What a group that an event names is to us, and whether it lies where the event says.
import type { GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { effectiveGuard } from "../../plan/effective-guard.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import { regionOfHistory } from "../../store/history.ts";
import { listEntries, pageEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";

/**
 * `present`: something can follow, as the group is guarded, or leases or allocations are or were in it; `nothing`: it is nobody we
 * know; `elsewhere`: we know it, and it is in another region than was said.
 */
export type Interest = "present" | "nothing" | "elsewhere";

/** Rows of one group all name its region; some may not be readable. */
const ROWS_MAX = 20;

/**
 * Before any row is written for a group, its region is proven: by what is stored of it, which a reading in that region has led to,
 * else by the cloud. The id of a group is one region's alone, and all tables but one are keyed by it. Throws CloudFailure where the
 * cloud has to be asked and does not answer.
 */
export async function interestIn(app: App, group: GroupRef, policy: Policy): Promise<Interest> {
  const known = await knownRegions(app, group);
  if (known.length > 0) return known.includes(group.region) ? "present" : "elsewhere";
  const { guards } = policy.groups;
  const isNamed = Object.hasOwn(guards, group.groupId) && guards[group.groupId] !== "none";
  const facts = await app.inventory.group(group, "drift").catch((error: unknown) => {
    // An id that the cloud does not even look up is made up, and no later try makes it a group.
    if (error instanceof CloudFailure && error.kind === "invalid") return null;
    throw error;
  });
  if (facts === null) return isNamed ? "elsewhere" : "nothing";
  if (isNamed) return "present";
  const [{ entries, unreadable }, row] = await Promise.all([
    listEntries(app.tables, group),
    getGroupRow(app.tables, group),
  ]);
  const isGuarded = effectiveGuard({ policy, facts, row, entries }).level !== "none";
  return isGuarded || unreadable.length > 0 ? "present" : "nothing";
}

/** Regions that rows of the ledger name, else those of what has become of rows. */
async function knownRegions({ tables }: App, { groupId }: GroupRef): Promise<readonly string[]> {
  const { entries } = await pageEntries(tables, { groupId, after: null, limit: ROWS_MAX });
  if (entries.length > 0) return entries.map((entry) => entry.group.region);
  const region = await regionOfHistory(tables, groupId);
  return region === null ? [] : [region];
}
