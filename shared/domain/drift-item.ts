// One difference between what stands in a group and what the ledger grants, and what has become of it.
import type { EntryId, GroupRef, RuleId, RuleKey } from "./ids.ts";
import type { RuleSpec } from "./rule.ts";

/** `added`: nobody granted it; `removed`: granted and gone; `edited`: granted and changed in place; `guard`: a tag asks for less guarding. */
export type DriftKind = "added" | "removed" | "edited" | "guard";

/** What a rule says and carries. */
export interface KeptRule {
  readonly spec: RuleSpec;
  readonly description: string;
}

/** Whose the difference is. */
export type Verdict =
  /** A cloud service that writes rules of its own. */
  | { readonly kind: "foreign"; readonly writer: string }
  /** Somebody whose changes the policy believes. */
  | { readonly kind: "trusted"; readonly principal: string; readonly treat: "adopt" | "ticket" }
  /** Nobody is known to have written it yet. */
  | { readonly kind: "unknown"; readonly until: number }
  | { readonly kind: "drift"; readonly why: string };

/** `waiting`: for the event; `reported`: a person decides; `held`: reverted too often; the others are final. */
export type DriftState = "waiting" | "reported" | "held" | "rolledBack" | "adopted" | "restored" | "gone";

/** Who did it, from the event. */
export interface Attribution {
  readonly actor: string;
  readonly actorType: string;
  readonly address: string;
  readonly eventId: string;
  readonly requestId: string;
  readonly operation: string;
  readonly at: number;
  readonly confirmed: boolean;
}

export interface DriftItem {
  /** `dr-` and 20 hex digits; the same difference has the same id however often it is looked at. */
  readonly driftId: string;
  readonly group: GroupRef;
  readonly kind: DriftKind;
  readonly key: RuleKey;
  /** The entry that is missing or was changed; null for a rule nobody granted. */
  readonly entryId: EntryId | null;
  readonly ruleId: RuleId | null;
  /** What stands and should not, in full; null for a rule that is gone. */
  readonly found: KeptRule | null;
  /** What should stand, in full; null for a rule nobody granted. */
  readonly wanted: KeptRule | null;
  /** What the change opened or closed, in words. */
  readonly reach: string;
  readonly verdict: Verdict;
  readonly state: DriftState;
  readonly attribution: Attribution | null;
  readonly firstSeenAt: number;
  readonly changedAt: number;
  /** Why it was not rolled back although it is drift: an error code of the catalogue, or null. */
  readonly heldBy: string | null;
  /** Version for compare-and-set; 0 for a row that is not stored yet. */
  readonly rev: number;
}

/** True while something may still become of it. */
export const isOpenDrift = (item: DriftItem): boolean =>
  item.state === "waiting" || item.state === "reported" || item.state === "held";
