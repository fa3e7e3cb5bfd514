// Takes a rule's standing permission back. What becomes of the rule is the group's guard to say, and the next pass to do.
import type { Guard } from "../../domain/guard.ts";
import type { EntryId } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { fail } from "../../errors/app-error.ts";
import { effectiveGuard } from "../../plan/effective-guard.ts";
import { isHolding } from "../../plan/picture.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import { listHistory } from "../../store/history.ts";
import { getEntry, listEntries } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { reachOf } from "../lease/lease-answer.ts";
import { recordDecision } from "../records/record-decision.ts";
import type { LedgerAnswer } from "./allocate-rule.ts";
import { changeAllocations } from "./change-allocations.ts";

/** Retires the entry's allocation; its holders stay. Repeating it changes nothing. Throws ENTRY_UNKNOWN. */
export async function retireEntry(
  app: App,
  caller: Caller,
  name: string,
  entryId: EntryId,
  options: { readonly dryRun: boolean },
): Promise<LedgerAnswer> {
  const { policy, principal } = caller;
  const facts = await findGroup(app, policy, name);
  const { ref: group } = facts;
  const [entry, [last], members] = await Promise.all([
    getEntry(app.tables, group, entryId),
    listHistory(app.tables, group, entryId, 1),
    app.inventory.members(group, "drift").catch(() => []),
  ]);
  const spec = entry?.spec ?? last?.spec;
  if (!spec) throw fail("ENTRY_UNKNOWN", { group: name, entry: entryId });
  const reach = reachOf([spec], members);
  if (!entry?.allocation) {
    const notes = ["The entry has no standing permission: there is nothing to retire."];
    return { group, entries: entry ? [entry] : [], reach, plan: [], notes };
  }
  const [row, { entries }] = await Promise.all([getGroupRow(app.tables, group), listEntries(app.tables, group)]);
  const { acts } = effectiveGuard({ policy, facts, row, entries });
  const plan = [`retire ${entry.key}`, fateOf(entry, acts, app.clock.now())];
  if (options.dryRun) return { group, entries: [{ ...entry, allocation: null }], reach, plan, notes: [] };
  await changeAllocations(app, group, principal, [{ spec, allocation: null }]);
  await recordDecision(app, caller, group, `ledger of ${facts.name || group.groupId}`, {
    lines: plan,
    changes: [{ what: `allocation of ${entry.key}`, before: entry.allocation, after: null }],
  });
  const now = await getEntry(app.tables, group, entryId);
  return { group, entries: now ? [now] : [], reach, plan, notes: [] };
}

/** What becomes of the rule once its allocation is retired, in words. */
function fateOf({ holders, standing, allocation }: Entry, acts: Guard, now: number): string {
  const live = holders.filter((holder) => isHolding(holder, now));
  if (live.length > 0) return `the rule stays for ${live.map((it) => it.holderId).join(", ")}`;
  if (standing.kind === "none") return allocation?.seenAt === null ? "it is not opened" : "no rule stands for it";
  if (standing.kind === "ours") return `safeport opened ${standing.ruleId}: it is closed`;
  if (acts === "none") return `${standing.ruleId} stays: the group is not guarded`;
  return acts === "observe"
    ? `${standing.ruleId} stays and is reported as drift`
    : `${standing.ruleId} is drift from then on and is rolled back; its rule is kept and can be restored`;
}
