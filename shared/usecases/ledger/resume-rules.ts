// Takes the suspensions of one lockdown or recycling item off a group's accepts.
import type { GroupRef } from "../../domain/ids.ts";
import { dueGroup, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { changeEntry, NET_AFTER_MS } from "./book-holds.ts";
import type { Booked } from "./hold-drops.ts";

/** Lifts every suspension of `itemId` in the group; a pass opens what nobody else suspends. Repeating it changes nothing. */
export async function resumeRules(app: App, group: GroupRef, itemId: string): Promise<Booked> {
  const net = dueGroup(group, app.clock.now() + NET_AFTER_MS, app.settings.shards);
  await app.tables.writeAll([dueWrite(net)]);
  const { entries } = await listEntries(app.tables, group);
  const closed = entries.filter((entry) => entry.suspension?.by.some((it) => it.itemId === itemId));
  await inParallel(closed, ({ entryId }) =>
    changeEntry(app, group, entryId, (entry) => {
      if (!entry?.suspension?.by.some((it) => it.itemId === itemId)) return null;
      const by = entry.suspension.by.filter((it) => it.itemId !== itemId);
      return { ...entry, suspension: { ...entry.suspension, by } };
    }),
  );
  return { entryIds: closed.map((entry) => entry.entryId), net };
}
