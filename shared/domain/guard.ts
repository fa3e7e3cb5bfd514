// How far a group is guarded: what is done about rules that nobody granted.
import type { GroupRef, RuleKey } from "./ids.ts";

/** `none`: only leases are touched; `observe`: drift is reported; `enforce`: drift is rolled back. */
export type Guard = "none" | "observe" | "enforce";

const STRENGTH = { none: 0, observe: 1, enforce: 2 } as const;

/** The stronger of two. */
export const strongerGuard = (a: Guard, b: Guard): Guard => (STRENGTH[a] >= STRENGTH[b] ? a : b);

/** Who confirmed which ledger of a group. */
export interface Baseline {
  readonly confirmedBy: string;
  readonly confirmedAt: number;
  /** Allocations of the group and a digest of them, as `allocationsDigest` makes it. */
  readonly count: number;
  readonly digest: string;
  /** What a change of the ledger that has begun will make of them; null when none is under way. */
  readonly next: { readonly count: number; readonly digest: string } | null;
  /**
   * What was given back to its owner while the ledger was not the one that was confirmed, or nobody could tell: no digest counts it, and it
   * belongs to the baseline as soon as the rest of the ledger is that of the digest. Absent for nothing.
   */
  readonly givenBack?: readonly GivenBack[];
}

/** An allocation by its rule, and by the digest of it alone. */
export interface GivenBack {
  readonly key: RuleKey;
  readonly digest: string;
}

/** One rollback: of which rule, as which item of drift, and when it began. */
export interface Revert {
  readonly key: RuleKey;
  readonly driftId: string;
  readonly at: number;
  /**
   * Since when the rule had waited for whoever wrote it, where somebody was known in the end: the wait of the next one like it begins
   * then, too. Absent where nobody was known.
   */
  readonly since?: number;
}

/** What is kept of a group that is guarded. */
export interface GroupRow {
  readonly group: GroupRef;
  readonly baseline: Baseline | null;
  /** The strongest guard a tag has asked for; a weaker tag takes effect when a person confirms it. */
  readonly tagGuard: Guard;
  /** The name by which the policy was last found to guard the group: another name takes no guard away. Null for none, or by id. */
  readonly guardName: string | null;
  /** The name by which the policy was last found to deny the group: another name opens nothing in it. Null for none, or by id. */
  readonly deniedName: string | null;
  /** Rollbacks of the last minutes, for the hold after too many of one rule. */
  readonly reverts: readonly Revert[];
  /** Rules that are left alone until a person lets go of the hold. */
  readonly holds: readonly { readonly key: RuleKey; readonly since: number }[];
  /** Digest of the rules and version of the policy with which a pass had nothing to do; null when that is not known. */
  readonly settled: { readonly rules: string; readonly policyVersion: number } | null;
  /** When the last of our own calls to the group was made whose event has come; kept for the canary's group alone, else null. */
  readonly heardAt: number | null;
  /** Version for compare-and-set; 0 for a row that is not stored yet. */
  readonly rev: number;
}

/** The row of a group that nothing is known of. */
export const freshGroupRow = (group: GroupRef): GroupRow => ({
  group,
  baseline: null,
  tagGuard: "none",
  guardName: null,
  deniedName: null,
  reverts: [],
  holds: [],
  settled: null,
  heardAt: null,
  rev: 0,
});
