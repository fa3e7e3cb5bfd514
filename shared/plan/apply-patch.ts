// What a patch makes of an entry's row, also of a fresher one than it was planned on. Pure.
import type { LeaseId } from "../domain/ids.ts";
import type { Entry, Holder } from "../domain/ledger-entry.ts";
import type { EntryPatch, Which } from "./entry-plan.ts";

const isAmong = (which: Which, holder: Holder): boolean =>
  which === "all" ||
  (which === "opened" && holder.openedAt !== null) ||
  (which === "unopened" && holder.openedAt === null);

/** The entry after a patch; holders that came in meanwhile stay as they are, and ended ones of leases in `drop` go. */
export function applyPatch(entry: Entry, patch: EntryPatch, now: number, drop: ReadonlySet<LeaseId>): Entry {
  return {
    ...entry,
    standing: patch.standing,
    createdAt: patch.createdAt,
    missingSince: patch.missingSince,
    suspension: patch.suspension,
    undoneAt: patch.undoneAt,
    allocation: entry.allocation?.seenAt === null ? { ...entry.allocation, seenAt: patch.seenAt } : entry.allocation,
    holders: entry.holders
      .filter((it) => !(it.kind === "lease" && drop.has(it.holderId) && it.ended !== null))
      .map((holder) => {
        if (holder.ended !== null) return holder;
        if (holder.until <= now) return { ...holder, ended: { cause: "time", note: null, detail: null } };
        if (!patch.entry.holders.some((it) => it.holderId === holder.holderId)) return holder;
        if (isAmong(patch.ends, holder)) return { ...holder, ended: patch.end };
        if (!isAmong(patch.opens, holder) || patch.doubted.has(holder.holderId)) return holder;
        const statedUntil = patch.stated ? holder.until : holder.statedUntil;
        return { ...holder, openedAt: holder.openedAt ?? now, statedUntil };
      }),
  };
}
