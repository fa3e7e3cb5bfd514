// The rows a pass reasons about: ledger entries with their holders, and the intents booked before calls.
import type { Allocation } from "./allocation.ts";
import type { EntryId, GroupRef, LeaseId, RuleId, RuleKey } from "./ids.ts";
import type { RuleSpec } from "./rule.ts";

/** A lease's hold on a rule. */
export interface Holder {
  readonly leaseId: LeaseId;
  readonly principal: string;
  readonly reason: string;
  /** Instant of the end, milliseconds. */
  readonly until: number;
  /** When the rule was first seen open for this holder; null until then. */
  readonly openedAt: number | null;
  /** The end that the lease's row states since the rule carries it in its mark; null before. */
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

/** One row of the ledger. */
export interface Entry {
  readonly group: GroupRef;
  readonly entryId: EntryId;
  readonly key: RuleKey;
  readonly spec: RuleSpec;
  /** The standing permission of the rule; null when leases alone ask for it. */
  readonly allocation: Allocation | null;
  readonly holders: readonly Holder[];
  readonly standing: Standing;
  /** When the cloud created the rule that is booked as ours, by its own clock; null when none is. */
  readonly createdAt: number | null;
  /** When a reading first missed the standing rule; a stale reading must not end a lease. */
  readonly missingSince: number | null;
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
