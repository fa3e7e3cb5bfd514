// Takes the suspensions of one lockdown or recycling item off a group's accepts.
import type { GroupRef } from "../../domain/ids.ts";
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
    await changeEntry(app, group, entryId, (entry) => {
      if (!entry?.suspension?.by.some((it) => it.itemId === itemId)) return null;
      const by = entry.suspension.by.filter((it) => it.itemId !== itemId);
      return { ...entry, suspension: { ...entry.suspension, by } };
    });
  });
  await net.hold();
  return { entryIds: closed.map((entry) => entry.entryId), rows: net.booked };
}
