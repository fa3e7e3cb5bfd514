// The rows a pass reasons about: ledger entries with their holders, and the intents booked before calls.
import type { Allocation } from "./allocation.ts";
import type { EntryId, GroupRef, LeaseId, RuleId, RuleKey } from "./ids.ts";
import type { RuleSpec } from "./rule.ts";

/** A lease's hold on a rule. */
export interface LeaseHolder extends Hold {
  readonly kind: "lease";
  readonly holderId: LeaseId;
}

/** A hold on a drop, or a lockdown's on an accept that stays of a wider one. `standby`: a drop on a list that is empty until an incident. */
export interface DropHolder extends Hold {
  readonly kind: "quarantine" | "lockdown" | "standby";
  /** Id of the recycling item or of the lockdown; of a standby see `standbyHolder`, of one that was lost `recoveredHolder`. */
  readonly holderId: string;
}

/** Who holds a drop that was booked by its rule's mark, as nobody knows any more who asked for it. */
export const recoveredHolder = (entryId: EntryId): string => `recovered-${entryId}`;

/** Who keeps a rule standing, and until when: a lease an accept, a recycling item in quarantine a drop, a lockdown either. */
export type Holder = LeaseHolder | DropHolder;

interface Hold {
  readonly principal: string;
  readonly reason: string;
  /** Instant of the end, milliseconds. */
  readonly until: number;
  /** When the rule was first seen standing for this holder; null until then. */
  readonly openedAt: number | null;
  /** The end that a lease's row states since the rule carries it in its mark; null before. */
  readonly statedUntil: number | null;
  /** Set when the hold is over, with the cause; never taken back. */
  readonly ended: { readonly cause: EndCause; readonly note: string | null; readonly detail: Detail | null } | null;
}

type Detail = Readonly<Record<string, string | number>>;

/** `time`: its end came; `asked`: somebody ended it early; `removed`: somebody else removed the rule; `refused`: it could not be opened. */
export type EndCause = "time" | "asked" | "removed" | "refused";

/** What stands in the cloud for an entry. */
export type Standing =
  | { readonly kind: "none" }
  | { readonly kind: "ours"; readonly ruleId: RuleId }
  | { readonly kind: "preExisting"; readonly ruleId: RuleId };

/** Who has an accept closed although somebody is granted it. */
export interface Suspender {
  readonly kind: "recycling" | "lockdown";
  /** Id of the recycling item or of the lockdown. */
  readonly itemId: string;
  readonly principal: string;
  readonly reason: string;
  /** Instant at which it ends by itself; null for one that waits to be lifted. */
  readonly until: number | null;
}

/** A rule as it stood before a suspension closed it: with its entry's spec, all that it takes to authorize it again. */
export interface SuspendedRule {
  readonly ruleId: RuleId;
  readonly description: string;
  /** False until a revoke of ours has closed it, or may have; what goes before is not ours to give back. Absent in older rows: true. */
  readonly isClosed?: boolean;
  /** When the cloud created it, by its own clock; absent in older rows, and where nobody knows. */
  readonly createdAt?: number;
}

/** The rules of an entry are closed for a time, and kept. */
export interface Suspension {
  /** The suspension lasts as long as any of them. */
  readonly by: readonly Suspender[];
  readonly since: number;
  /** What stood and was not ours; null until a reading has shown it. Stored before anything is revoked. */
  readonly kept: readonly SuspendedRule[] | null;
  /** When `kept` was last decided by a reading; absent before, and in rows that were written before this was noted. */
  readonly keptAt?: number;
  /** True when it stood by an allocation: one that was taken back meanwhile is not opened again. */
  readonly wasAllocated: boolean;
  /** When the last of `by` was found to be over, and what is kept began to be opened again; null before. */
  readonly liftedAt: number | null;
}

/** One row of the ledger. */
export interface Entry {
  readonly group: GroupRef;
  readonly entryId: EntryId;
  readonly key: RuleKey;
  readonly spec: RuleSpec;
  /** The standing permission of the rule; null when holders alone ask for it. */
  readonly allocation: Allocation | null;
  readonly holders: readonly Holder[];
  readonly standing: Standing;
  /** When the cloud created the rule that is booked as ours, by its own clock; null when none is. */
  readonly createdAt: number | null;
  /** When a reading first missed the standing rule; a stale reading must not end a lease. */
  readonly missingSince: number | null;
  /** Closed for a time whoever is granted it; null for almost every entry. */
  readonly suspension: Suspension | null;
  /** When somebody was found to have undone a drop or a suspension, oldest first; empty for everything else. */
  readonly undoneAt: readonly number[];
  /** Version for compare-and-set; 0 for a row that is not stored yet. */
  readonly rev: number;
}

/** A rule an intent is about to write. */
export interface IntendedRule {
  readonly entryId: EntryId;
  readonly spec: RuleSpec;
  /** The description the rule carries, its mark. */
  readonly description: string;
  /** Ids of the rules with the same key that stood before: never ours by this intent. */
  readonly beforeIds: readonly RuleId[];
}

export interface Intent {
  readonly group: GroupRef;
  readonly intentId: string;
  readonly call: "authorize" | "modify" | "revoke";
  readonly token: string;
  readonly rules: readonly IntendedRule[];
  /** Ids to revoke, or the one to modify. */
  readonly ruleIds: readonly RuleId[];
  readonly cause: string;
  readonly bookedAt: number;
  /** No attempt starts after this instant: the end of the booking pass's lock, or the last attempt when it is known. */
  readonly attemptsEndAt: number;
}
