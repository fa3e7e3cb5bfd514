// Puts holds on drops: for the time of a quarantine or a lockdown the ledger wants them to stand.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { DropHolder } from "../../domain/ledger-entry.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { type Due, dueGroup, dueWrite } from "../../store/due.ts";
import { saveEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { freshEntry } from "./book-holds.ts";
import { changeEntries } from "./change-entries.ts";
import { groupNet } from "./net.ts";

/** Who has drops stand, why, and until when. */
export type DropAsk = Pick<DropHolder, "kind" | "holderId" | "principal" | "reason" | "until">;

/** What was booked: the entries, and the rows that have the sweep look at the group should this process die. Give these to the pass. */
export interface Booked {
  readonly entryIds: readonly EntryId[];
  readonly rows: readonly Due[];
}

/**
 * Books a hold on each drop, due rows first; a pass makes them stand, and takes them away when nobody holds them any more. Asking
 * again moves the end, to a later one, and starts anew what somebody had taken away too often. Throws RangeError on a spec that is no drop,
 * and as `changeEntries` does.
 */
export async function holdDrops(app: App, group: GroupRef, ask: DropAsk, specs: readonly RuleSpec[]): Promise<Booked> {
  if (specs.some((spec) => spec.policy !== "drop")) throw new RangeError("only drops are held this way");
  return hold(app, group, ask, specs);
}

/**
 * What is kept of wide accepts goes when these stand again, by the lift. This is only for the time after that may be needed: a mode may
 * forbid it, the cloud may refuse it, and nobody may be there to do it.
 */
export const KEPT_LONGER_MS = 7 * 24 * 60 * 60_000;

/**
 * As `holdDrops`, for the accepts that a lockdown keeps of wider ones, which it closes. `until` is the lockdown's: the group is looked at
 * then, and the hold lasts longer. Throws RangeError on a spec that is none.
 */
export async function holdAccepts(
  app: App,
  group: GroupRef,
  ask: DropAsk & { readonly kind: "lockdown" },
  specs: readonly RuleSpec[],
): Promise<Booked> {
  if (specs.some((spec) => spec.policy !== "accept" || spec.direction !== "ingress"))
    throw new RangeError("only what lets traffic in is kept of what does");
  return hold(app, group, { ...ask, until: ask.until + KEPT_LONGER_MS }, specs, ask.until);
}

async function hold(
  app: App,
  group: GroupRef,
  ask: DropAsk,
  specs: readonly RuleSpec[],
  lookAt = ask.until,
): Promise<Booked> {
  const net = groupNet(app, group);
  await net.hold([dueWrite(dueGroup(group, lookAt, app.settings.shards))]);
  const fresh: DropHolder = { ...ask, openedAt: null, statedUntil: null, ended: null };
  const entries = specs.map((spec) => freshEntry(group, spec));
  // Mostly nobody holds any of them: then that is one call.
  const isNew = await saveEntries(
    app.tables,
    entries.map((entry) => ({ ...entry, holders: [fresh] })),
  );
  const known = entries.filter((_, index) => isNew[index] !== true);
  await changeEntries(app, group, { net, entries: known }, (stored, entry) => {
    const { holders } = stored ?? entry;
    const own = holders.find((it) => it.holderId === ask.holderId && it.ended === null);
    // Whoever asks late may know an end that was moved since.
    const until = Math.max(ask.until, own?.until ?? 0);
    if (own?.until === until && stored?.undoneAt.length === 0) return null;
    const others = holders.filter((it) => it.holderId !== ask.holderId);
    const next = own?.kind === ask.kind ? { ...own, until } : fresh;
    return { ...(stored ?? entry), holders: [...others, next], undoneAt: [] };
  });
  await net.hold();
  return { entryIds: entries.map((entry) => entry.entryId), rows: net.booked };
}
