// What is decided about one entry: calls to the cloud, and what becomes of its row.
import type { EntryId, RuleId } from "../domain/ids.ts";
import type { Entry, Holder, Standing, Suspension } from "../domain/ledger-entry.ts";
import type { KnownRule } from "./picture.ts";

/**
 * One change to the cloud, with its cause. `rollback` names the drift it undoes; what we do for leases and allocations has none.
 * `suspends`: what it closes is granted, and not ours. `opens`: a lease is open only once the call has succeeded.
 */
export type PlannedCall =
  | {
      readonly kind: "revoke";
      readonly entryId: EntryId | null;
      readonly ruleId: RuleId;
      readonly seen: boolean;
      readonly cause: string;
      readonly suspends?: true;
      readonly rollback?: string;
    }
  | {
      readonly kind: "authorize";
      readonly entry: Entry;
      readonly description: string;
      readonly beforeIds: readonly RuleId[];
      readonly cause: string;
      readonly rollback?: string;
    }
  | {
      readonly kind: "modify";
      readonly entry: Entry;
      readonly ruleId: RuleId;
      readonly description: string;
      readonly cause: string;
      readonly opens?: true;
      readonly rollback?: string;
    };

/** Some of the live holders: those whose lease has been seen open, those whose lease has not, or both. */
export type Which = "none" | "opened" | "unopened" | "all";

/** What becomes of an entry's row. Applied again to a fresher row when somebody else was faster. */
export interface EntryPatch {
  readonly entry: Entry;
  readonly standing: Standing;
  /** When the cloud created the rule that stands for it and is ours. */
  readonly createdAt: number | null;
  readonly missingSince: number | null;
  readonly suspension: Suspension | null;
  readonly undoneAt: readonly number[];
  /** Whose traffic gets through by what stands; those in `doubted` are not told so. */
  readonly opens: Which;
  readonly doubted: ReadonlySet<string>;
  /** True when what stands carries the end of its last holder, or no mark of ours at all. */
  readonly stated: boolean;
  /** How the holders of `ends` end. Those whose time has come end by themselves. */
  readonly end: Holder["ended"];
  readonly ends: Which;
  /** True when nothing of the entry stands in the cloud or can still appear, or nothing of it is ours to remove. */
  readonly settled: boolean;
  /** When the rule of an allocation was read as it was granted; null where it was not. */
  readonly seenAt: number | null;
}

/** A rule that was granted and is gone, or stands otherwise. */
export interface Difference {
  readonly kind: "removed" | "edited";
  readonly entry: Entry;
  /** The rule as it stands now; null when it is gone. */
  readonly rule: KnownRule | null;
  /** The id under which it stands, or stood. */
  readonly ruleId: RuleId | null;
  /** The id under which it stood before it was changed, where that is known. */
  readonly earlierId: RuleId | null;
  /** What its description should be. */
  readonly description: string;
}

export interface EntryPlan {
  readonly calls: readonly PlannedCall[];
  readonly patch: EntryPatch;
  /** Instants at which the group has to be looked at again. */
  readonly lookAt: readonly number[];
  /** When this pass has to read the group again before it can decide; null where what it has read is enough. */
  readonly readAgainAt: number | null;
  readonly findings: readonly string[];
  readonly differences: readonly Difference[];
}
