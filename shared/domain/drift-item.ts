// One difference between what stands in a group and what the ledger grants, and what has become of it.
import { createHash } from "node:crypto";
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
  /** Nobody is known to have written it yet; `unasked`: an event names somebody trusted, and the trail was not asked about it yet. */
  | { readonly kind: "unknown"; readonly until: number; readonly unasked?: true }
  | { readonly kind: "drift"; readonly why: string };

/**
 * `waiting`: for the event; `reported`: a person decides; `held`: rolled back too often; `rollingBack`: decided, and not read back
 * yet; the others are final.
 */
export type DriftState =
  | "waiting"
  | "reported"
  | "held"
  | "rollingBack"
  | "rolledBack"
  | "adopted"
  | "restored"
  | "gone";

/** What keeps drift from being rolled back. */
export type HeldBy =
  /** The same rule was rolled back too often in a short time. */
  | "hold"
  /** Mode `close-only` or `halt`. */
  | "mode"
  /** The policy's freeze window. */
  | "freeze"
  /** More at once than one pass may change. */
  | "ceiling"
  /** The reading shows no rule at all, or the ledger cannot be read in full. */
  | "reading"
  /** A lockdown keeps the group closed by its accepts, and it would open one of these. */
  | "lockdown"
  /** It would cut a path that must always reach. */
  | "operatorPath"
  /** It would write a drop that may cut Cloud Assistant off. */
  | "cloudAssistant"
  /** The cloud does not let it be restored. */
  | "refused";

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
  /** When the first of several changes of the rule was seen, of which each came while the one before it waited; absent for a first one. */
  readonly chainedSince?: number;
  readonly changedAt: number;
  /** Why it was not rolled back although it is drift in a group where that is done; null otherwise. */
  readonly heldBy: HeldBy | null;
  /** Version for compare-and-set; 0 for a row that is not stored yet. */
  readonly rev: number;
}

/** The id of an item: 20 hex digits of all it is about and when it was first seen. */
export const driftIdOf = (parts: readonly string[]): string =>
  `dr-${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 20)}`;

/** True while something may still become of it. */
export const isOpenDrift = (item: DriftItem): boolean =>
  item.state === "waiting" || item.state === "reported" || item.state === "held" || item.state === "rollingBack";
