// Takes the suspensions of one lockdown or recycling item off a group's accepts.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { Suspender } from "../../domain/ledger-entry.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { changeEntry } from "./book-holds.ts";
import type { Booked } from "./hold-drops.ts";
import { groupNet } from "./net.ts";

/** Lifts every suspension of `itemId` in the group; a pass opens what nobody else suspends. Repeating it changes nothing. */
export async function resumeRules(app: App, group: GroupRef, itemId: string): Promise<Booked> {
  const net = groupNet(app, group);
  await net.hold();
  const { entries } = await listEntries(app.tables, group);
  const closed = entries.filter((entry) => entry.suspension?.by.some((it) => it.itemId === itemId));
  await inParallel(closed, async ({ entryId }) => {
    await net.hold();
    await resumeRule(app, group, entryId, (it) => it.itemId === itemId);
  });
  await net.hold();
  return { entryIds: closed.map((entry) => entry.entryId), rows: net.booked };
}

/** Lifts those suspensions of one entry. A look at the group is the caller's to book. */
export const resumeRule = (
  app: App,
  group: GroupRef,
  entryId: EntryId,
  isMeant: (suspender: Suspender) => boolean,
): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    if (!entry?.suspension?.by.some(isMeant)) return null;
    const by = entry.suspension.by.filter((it) => !isMeant(it));
    return { ...entry, suspension: { ...entry.suspension, by } };
  });
