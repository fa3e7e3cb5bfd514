// Closes accepts for a time, whoever is granted them, and keeps them to be opened again just as they were.
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry, Suspender } from "../../domain/ledger-entry.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { dueGroup, dueWrite } from "../../store/due.ts";
import type { App } from "../app.ts";
import { freshEntry } from "./book-holds.ts";
import { changeEntries } from "./change-entries.ts";
import type { Booked } from "./hold-drops.ts";
import { groupNet } from "./net.ts";

/**
 * Books a suspension of each accept, due rows first; a pass keeps what stands in full, revokes it, and authorizes it again when nobody
 * suspends it any more. Asking again moves the end, to a later one. Throws RangeError on a spec that is no ingress accept, and as
 * `changeEntries` does.
 */
export async function suspendRules(
  app: App,
  group: GroupRef,
  suspender: Suspender,
  specs: readonly RuleSpec[],
): Promise<Booked> {
  if (specs.some((spec) => spec.policy !== "accept" || spec.direction !== "ingress"))
    throw new RangeError("only what lets traffic in is suspended");
  const { shards } = app.settings;
  const now = app.clock.now();
  const net = groupNet(app, group);
  await net.hold(suspender.until === null ? [] : [dueWrite(dueGroup(group, suspender.until, shards))]);
  const entries = specs.map((spec) => freshEntry(group, spec));
  await changeEntries(app, group, { net, entries }, (stored, fresh) => suspended(stored ?? fresh, suspender, now));
  await net.hold();
  return { entryIds: entries.map((entry) => entry.entryId), rows: net.booked };
}

/** Null when nothing would change. */
function suspended(entry: Entry, suspender: Suspender, now: number): Entry | null {
  const { suspension } = entry;
  const own = suspension?.by.find((it) => it.itemId === suspender.itemId);
  // Whoever asks late may know an end that was moved since.
  const isLater = own === undefined || endOf(suspender) > endOf(own);
  const next = isLater ? suspender : own;
  if (suspension && !isLater && entry.undoneAt.length === 0) return null;
  const others = suspension?.by.filter((it) => it.itemId !== suspender.itemId) ?? [];
  const fresh = { since: now, kept: null, wasAllocated: false };
  return {
    ...entry,
    undoneAt: [],
    suspension: { ...fresh, ...suspension, by: [...others, next], liftedAt: null },
  };
}

const endOf = ({ until }: Suspender): number => until ?? Number.POSITIVE_INFINITY;
