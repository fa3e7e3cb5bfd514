// Where a lease stands, told from the ledger entries that hold it.
import type { LeaseStatus } from "../../domain/lease-record.ts";
import type { Entry, LeaseHolder } from "../../domain/ledger-entry.ts";
import { openWindow } from "../../plan/open-window.ts";

/** One entry's part in a lease. `done` when nothing of it stands for this lease or can still appear. */
export interface LeasePart {
  readonly entry: Entry;
  /** What stood for it before this reading. */
  readonly before: Entry["standing"];
  readonly holder: LeaseHolder;
  readonly done: boolean;
  readonly shared: boolean;
}

/** The note of a live lease whose rule the last reading did not show: nobody may be told that its port is open. */
export const RULE_MISSING = "its rule is not shown by the cloud; it is looked for again";

/** The note of a live lease whose rule is closed for a time by a lockdown or a recycling item. */
export const RULE_SUSPENDED =
  "its rule is closed for the time of a lockdown or recycling item, and opened again after it";

/** The status of a lease from all its parts; at least one. */
export function leaseStatus(parts: readonly LeasePart[], now: number): LeaseStatus {
  const holders = parts.map((part) => part.holder);
  const ended = holders.find((holder) => holder.ended !== null)?.ended ?? null;
  const opened = holders.flatMap((holder) => (holder.openedAt === null ? [] : [holder.openedAt]));
  const allDone = parts.every((part) => part.done);
  const allOpen = opened.length === holders.length;
  const preExisting = parts.every((part) => stoodFor(part).kind === "preExisting");
  return {
    state: ended ? (allDone ? finalState(ended.cause, allOpen) : "closing") : allOpen ? "open" : "opening",
    // Whoever extends it writes one after the other, and may die: it ends in all of them when it ends in the first.
    until: Math.min(...holders.map((holder) => holder.until)),
    openedAt: allOpen ? Math.max(...opened) : null,
    closedAt: ended && allDone ? now : null,
    preExisting,
    ruleIds: parts.flatMap((part) => {
      const standing = stoodFor(part);
      return standing.kind === "none" ? [] : [standing.ruleId];
    }),
    ...(parts.length > 1 && {
      standings: Object.fromEntries(parts.map((part) => [part.entry.entryId, stoodFor(part)])),
    }),
    note: ended ? (ended.note ?? (allDone ? endNote(parts, now) : null)) : keptFrom(parts),
    noteDetail: ended?.detail ?? null,
  };
}

/** Why a live lease lets nobody through at present, or null. */
function keptFrom(parts: readonly LeasePart[]): string | null {
  if (parts.some(({ entry }) => entry.suspension !== null)) return RULE_SUSPENDED;
  return parts.some(({ entry }) => entry.missingSince !== null) ? RULE_MISSING : null;
}

/** What stands for the part, or what did until it ended. */
function stoodFor({ entry, before }: LeasePart): Entry["standing"] {
  return entry.standing.kind === "none" ? before : entry.standing;
}

function finalState(cause: NonNullable<LeaseHolder["ended"]>["cause"], opened: boolean): LeaseStatus["state"] {
  if (opened) return "closed";
  if (cause === "refused") return "failed";
  return cause === "asked" ? "cancelled" : "lapsed";
}

function endNote(parts: readonly LeasePart[], now: number): string | null {
  if (parts.some((part) => stoodFor(part).kind === "preExisting")) {
    return "a rule that stood before the lease allows the same and was left as it is";
  }
  if (parts.some(({ entry }) => openWindow(entry, now) !== null)) return "the rule stays for its open hours";
  return parts.some((part) => part.shared) ? "another lease still holds the rule" : null;
}
