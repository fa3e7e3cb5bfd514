// Takes the holds of one quarantine or lockdown off a group's rules, before their time.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { Entry, Holder } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/rule.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { changeEntry } from "./book-holds.ts";
import type { Booked } from "./hold-drops.ts";
import { groupNet } from "./net.ts";

/** Ends every hold of `holderId` on drops of the group; a pass takes away what nobody holds then. Repeating it changes nothing. */
export const releaseDrops = (app: App, group: GroupRef, holderId: string, note: string): Promise<Booked> =>
  release(app, group, { holderId, policy: "drop" }, note);

/** The same for the accepts that a lockdown has kept of wider ones. */
export const releaseAccepts = (app: App, group: GroupRef, holderId: string, note: string): Promise<Booked> =>
  release(app, group, { holderId, policy: "accept" }, note);

async function release(
  app: App,
  group: GroupRef,
  { holderId, policy }: { readonly holderId: string; readonly policy: Policy },
  note: string,
): Promise<Booked> {
  const net = groupNet(app, group);
  await net.hold();
  const { entries } = await listEntries(app.tables, group);
  const held = entries.filter(
    (entry) =>
      entry.spec.policy === policy && entry.holders.some((it) => it.holderId === holderId && it.ended === null),
  );
  await inParallel(held, async ({ entryId }) => {
    await net.hold();
    await endHolds(app, group, entryId, holderId, note);
  });
  await net.hold();
  return { entryIds: held.map((entry) => entry.entryId), rows: net.booked };
}

/** Ends the holds of `holderId` on one entry, or with null everybody's. A look at the group is the caller's to book. */
export const endHolds = (
  app: App,
  group: GroupRef,
  entryId: EntryId,
  holderId: string | null,
  note: string,
): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    const isMeant = (it: Holder): boolean => it.ended === null && (holderId === null || it.holderId === holderId);
    if (!entry?.holders.some(isMeant)) return null;
    const ended = { cause: "asked", note, detail: null } as const;
    return { ...entry, holders: entry.holders.map((it) => (isMeant(it) ? { ...it, ended } : it)) } as Entry;
  });
