// What a pass sees of one ledger entry: who holds it, and which rules of the group are its own, by id or by mark. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry, Holder, Intent } from "../domain/ledger-entry.ts";
import { parseMark } from "../domain/mark.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { EntryPatch, EntryPlan, PlannedCall } from "./entry-plan.ts";
import { isGenuine, isHolding, type KnownRule, mayStillAct, type Picture, rulesOf } from "./picture.ts";

export interface EntryView {
  readonly live: readonly Holder[];
  /** Open intents of the entry, and those of them whose authorize may still take effect. */
  readonly intents: readonly Intent[];
  readonly attempts: readonly Intent[];
  /** Rules of the group that are booked to no other entry. */
  readonly rules: readonly KnownRule[];
  /** Of those, the ones with the entry's key; and of these, the ones that are ours. */
  readonly same: readonly KnownRule[];
  readonly ours: readonly KnownRule[];
  /** The rule of ours that is booked, unless this pass has revoked it; and as it is read. */
  readonly bookedId: RuleId | null;
  readonly booked: KnownRule | undefined;
  /** A plan that leaves the entry as it is but for the fields given. */
  change(patch: Partial<EntryPatch>, more?: Partial<EntryPlan>): EntryPlan;
  revoke(ruleId: RuleId, cause: string): Extract<PlannedCall, { kind: "revoke" }>;
}

/** `held` is the entry with the hold of its open window, where it has one; `entry` is as stored. */
export function viewEntry(
  picture: Picture,
  entry: Entry,
  held: Entry,
  bookedElsewhere: ReadonlySet<RuleId>,
): EntryView {
  const { now } = picture;
  const { standing } = entry;
  const intents = picture.intents.filter((intent) => intent.rules.some((rule) => rule.entryId === entry.entryId));
  const rules = rulesOf(picture).filter((rule) => !bookedElsewhere.has(rule.id));
  const bookedId = standing.kind === "ours" && !picture.revoked.has(standing.ruleId) ? standing.ruleId : null;
  const booked = rules.find((rule) => rule.id === bookedId);
  const same = rules.filter((rule) => ruleKey(rule) === entry.key);
  return {
    live: held.holders.filter((holder) => isHolding(holder, now)),
    intents,
    attempts: intents.filter(
      (intent) => intent.call === "authorize" && mayStillAct(intent, now, picture.lateEffectMaxMs),
    ),
    rules,
    same,
    ours: same.filter((rule) => rule === booked || isMarkedFor(rule, entry, intents, picture)),
    bookedId,
    booked,
    change: (patch, more = {}) => ({
      calls: [],
      lookAt: [],
      readAgainAt: null,
      findings: [],
      differences: [],
      ...more,
      patch: { ...unchanged(entry, picture), ...patch },
    }),
    revoke: (ruleId, cause) => ({
      kind: "revoke",
      entryId: entry.entryId,
      ruleId,
      seen: rules.some((rule) => rule.id === ruleId),
      cause,
    }),
  };
}

const unchanged = (entry: Entry, { doubted }: Picture): EntryPatch => ({
  entry,
  standing: entry.standing,
  createdAt: entry.createdAt,
  missingSince: null,
  suspension: entry.suspension,
  undoneAt: entry.undoneAt,
  opens: "none",
  doubted,
  stated: true,
  end: null,
  ends: "none",
  settled: false,
  seenAt: null,
});

/** True when the rule carries a true mark of this entry and was not there before us. */
function isMarkedFor(rule: KnownRule, entry: Entry, intents: readonly Intent[], picture: Picture): boolean {
  const mark = parseMark(rule.description);
  if (!mark || mark.entryId !== entry.entryId || !isGenuine(mark, rule, picture)) return false;
  if (entry.standing.kind === "preExisting" && entry.standing.ruleId === rule.id) return false;
  return !intents.some((intent) =>
    intent.rules.some((it) => it.entryId === entry.entryId && it.beforeIds.includes(rule.id)),
  );
}
