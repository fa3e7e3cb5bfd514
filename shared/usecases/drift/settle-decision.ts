// Has a pass carry out what a person decided about drift, and says whether the rule stands by then.
import type { DriftItem } from "../../domain/drift-item.ts";
import { fail } from "../../errors/app-error.ts";
import type { App, Caller } from "../app.ts";
import { freshEntry } from "../ledger/book-holds.ts";
import { isEntryOwed, whyRefused } from "../ledger/settle-allocation.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { recordDecision } from "../records/record-decision.ts";
import type { DriftAnswer } from "./decide-drift.ts";
import { shownDriftId } from "./drift-id.ts";

/** The entry of the rule that a decision has stand; null where it has none. */
function entryOf({ group, kind, state, found, wanted }: DriftItem) {
  if (state !== "restored" && state !== "adopted") return null;
  const kept = state === "adopted" || kind === "added" ? found : wanted;
  return kept && freshEntry(group, kept.spec).entryId;
}

/** True while the rule that was decided to stand does not: every look at the group tries again. */
export async function isOwed(app: App, item: DriftItem): Promise<boolean> {
  const entryId = entryOf(item);
  return entryId ? isEntryOwed(app, item.group, entryId) : false;
}

/**
 * Runs `look`, a pass over the group that answers null where it has to wait, unless the decision is carried out. True when it is now; the
 * next minute goes on where not. Throws DRIFT_OWED where the cloud refuses the rule: the decision stands, with a record that says so.
 */
export async function settleDecision(
  app: App,
  caller: Caller,
  { item, plan }: Pick<DriftAnswer, "item" | "plan">,
  look: () => Promise<PassReport | null>,
): Promise<boolean> {
  if (plan.length === 0 && !(await isOwed(app, item))) return true;
  const report = await look();
  if (!(await isOwed(app, item))) return report !== null;
  const entryId = entryOf(item);
  const refusal = entryId && report?.refusals.get(entryId);
  if (!entryId || !refusal) return false;
  const { group, state } = item;
  const drift = shownDriftId(item);
  const why = whyRefused(refusal);
  const lines = [
    `${drift} is ${state} in the ledger, and its rule does not stand: ${why} It is owed, and tried again at every look`,
  ];
  await recordDecision(app, caller, group, `drift ${drift} is owed`, { lines, changes: [] });
  throw fail("DRIFT_OWED", { drift, state, why, group: group.groupId, entry: entryId });
}
