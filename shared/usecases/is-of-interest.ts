// Which groups an event may lead to anything in.
import type { GroupRef } from "../domain/ids.ts";
import type { Policy } from "../domain/policy.ts";
import { effectiveGuard } from "../plan/effective-guard.ts";
import { CloudFailure } from "../ports/firewall.ts";
import { getGroupRow } from "../store/group-rows.ts";
import { hasHistory } from "../store/history.ts";
import { listEntries } from "../store/ledger.ts";
import type { App } from "./app.ts";

/** Whether anything can follow: the group is guarded, or leases or allocations are or were in it. */
export async function isOfInterest(app: App, group: GroupRef, policy: Policy): Promise<boolean> {
  const { guards } = policy.groups;
  if (Object.hasOwn(guards, group.groupId) && guards[group.groupId] !== "none") return true;
  const { entries, unreadable } = await listEntries(app.tables, group);
  if (entries.length + unreadable.length > 0 || (await hasHistory(app.tables, group))) return true;
  const facts = await app.inventory.group(group, "drift").catch((error: unknown) => {
    // An id that the cloud does not even look up is made up, and no later try makes it a group.
    if (error instanceof CloudFailure && error.kind === "invalid") return null;
    throw error;
  });
  if (facts === null) return false;
  const row = await getGroupRow(app.tables, group);
  return effectiveGuard({ policy, facts, row, entries }).level !== "none";
}
