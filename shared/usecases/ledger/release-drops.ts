// Takes the holds of one quarantine or lockdown off a group's rules, before their time.
import type { GroupRef } from "../../domain/ids.ts";
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
    await changeEntry(app, group, entryId, (entry) => {
      if (!entry?.holders.some((it) => it.holderId === holderId && it.ended === null)) return null;
      const ended = { cause: "asked", note, detail: null } as const;
      const holders = entry.holders.map((it) =>
        it.holderId === holderId && it.ended === null ? { ...it, ended } : it,
      );
      return { ...entry, holders };
    });
  });
  await net.hold();
  return { entryIds: held.map((entry) => entry.entryId), rows: net.booked };
}
