// Has a pass carry out a change of the ledger, and says whether what it grants stands by then.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { windowAt } from "../../domain/open-hours.ts";
import { fail } from "../../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../../errors/catalogue.ts";
import type { Refusal } from "../../plan/picture.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { recordDecision } from "../records/record-decision.ts";
import type { LedgerAnswer } from "./allocate-rule.ts";

/** True while a rule that is granted for this hour has not been seen to stand: every look at the group tries again. */
export async function isEntryOwed(app: App, group: GroupRef, entryId: EntryId): Promise<boolean> {
  return isOwedNow(await getEntry(app.tables, group, entryId), app.clock.now());
}

function isOwedNow(entry: Entry | null, now: number): boolean {
  const allocation = entry?.allocation ?? null;
  if (allocation === null || allocation.seenAt !== null) return false;
  return allocation.openHours === null || windowAt(allocation.openHours, now) !== null;
}

/** Why a rule was not opened, in the words of the catalogue. */
export const whyRefused = ({ code, detail }: Refusal): string => catalogue[code as ErrorCode].message(detail);

/**
 * Runs `look`, a pass over the group that answers null where it has to wait, unless nothing has changed. Settled when all that is granted
 * stands, and the entries as they are by then; the next minute goes on where not. Throws ENTRY_OWED where the cloud refuses a rule: the grant stands, with a record that says so.
 */
export async function settleAllocation(
  app: App,
  caller: Caller,
  { group, entries, plan }: Pick<LedgerAnswer, "group" | "entries" | "plan">,
  look: () => Promise<PassReport | null>,
): Promise<Pick<LedgerAnswer, "entries"> & { readonly settled: boolean }> {
  if (plan.length === 0) return { settled: true, entries };
  const report = await look();
  if (report === null) return { settled: false, entries };
  const stored = await Promise.all(entries.map(({ entryId }) => getEntry(app.tables, group, entryId)));
  const now = app.clock.now();
  const owed = entries.filter((_, index) => isOwedNow(stored[index] ?? null, now));
  const refused = owed.flatMap(({ entryId, key }) => {
    const refusal = report.refusals.get(entryId);
    return refusal ? [{ entryId, key, why: whyRefused(refusal) }] : [];
  });
  const [first] = refused;
  // What is taken back leaves no row: it is told as it was then.
  if (!first) return { settled: owed.length === 0, entries: entries.map((entry, index) => stored[index] ?? entry) };
  const lines = refused.map(
    ({ key, why }) => `${key} is granted, and does not stand: ${why} It is owed, and tried again at every look`,
  );
  await recordDecision(app, caller, group, `ledger of ${group.groupId} is owed`, { lines, changes: [] });
  const rules = refused.map(({ key }) => key).join(", ");
  throw fail("ENTRY_OWED", { rules, why: first.why, group: group.groupId, entry: first.entryId });
}
