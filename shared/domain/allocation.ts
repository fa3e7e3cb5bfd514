// An allocation: the standing permission of a ledger entry, given by a person, beside the holds of leases.

/** `baseline`: stood when the group was adopted; `template`: from a template for new groups; `adopted`: taken over later. */
export type AllocationProvenance = "baseline" | "template" | "adopted";

/** Weekly windows in a time zone; in a gap or overlap of the clock, open at the later and closed at the earlier instant. */
export interface OpenHours {
  /** IANA name, such as `Asia/Shanghai`. */
  readonly zone: string;
  readonly windows: readonly OpenWindow[];
}

/** `22:00` to `06:00` runs across midnight; `00:00` to `24:00` is a whole day. */
export interface OpenWindow {
  /** Days on which the window begins; 1 is Monday, 7 is Sunday. */
  readonly days: readonly number[];
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`, up to `24:00`. */
  readonly to: string;
}

/** Why a rule may stand without a lease. */
export interface Allocation {
  readonly provenance: AllocationProvenance;
  readonly owner: string;
  /** Who stands in for the owner; absent or empty for nobody. */
  readonly backup?: string | undefined;
  readonly application: string;
  readonly reason: string;
  readonly ticket: string;
  /** Blocks that leases and replacements of this rule stay within, as text; empty for the rule's own peer alone. */
  readonly allowedSources: readonly string[];
  /** Null: always. */
  readonly openHours: OpenHours | null;
  /** What the rule's description says while no lease marks it. */
  readonly description: string;
  /** Principal who gave it, and when. */
  readonly by: string;
  readonly at: number;
  /** The event of the call that made the rule theirs, where it was a claim; absent elsewhere, and in rows of earlier versions. */
  readonly eventId?: string;
  /** When its rule was first read since a person has given or restored it; null while the program still owes its opening. */
  readonly seenAt: number | null;
}
