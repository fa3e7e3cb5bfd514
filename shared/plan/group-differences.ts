// What differs between a group and its ledger: which rule is whose, after all that its entries are about to do. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { isDenied, type Sighting } from "../domain/sighting.ts";
import type { Difference, EntryPatch, EntryPlan, PlannedCall } from "./entry-plan.ts";
import { foreignWriterOf, trustedOf } from "./judge-drift.ts";
import { isAllocatedAlways, openWindow } from "./open-window.ts";
import { isHolding, type KnownRule, type Picture, rulesOf } from "./picture.ts";

/**
 * Rules that nobody accounts for, and what the entries miss. `calls` are those of the entries and of strays: what they take away or change
 * is no difference besides; `recovered` are about to be booked.
 */
export function differencesOf(
  picture: Picture,
  plans: readonly EntryPlan[],
  calls: readonly PlannedCall[],
  recovered: readonly { readonly rule: KnownRule }[],
): { readonly differences: readonly Difference[]; readonly added: readonly KnownRule[] } {
  const rules = rulesOf(picture);
  const accounted = plans.flatMap(({ patch: { entry, standing }, patch }) =>
    standing.kind !== "none" && isAccountedFor(patch, picture.now) ? [{ key: entry.key, ruleId: standing.ruleId }] : [],
  );
  const taken = new Set<RuleId>([
    ...calls.flatMap((call) => ("ruleId" in call ? [call.ruleId] : [])),
    ...recovered.map(({ rule }) => rule.id),
  ]);
  const differences = plans
    .flatMap((plan) => plan.differences)
    .map(({ rule, ...difference }): Difference => {
      if (rule === null) return { ...difference, rule };
      const key = ruleKey(rule);
      const isOthers = accounted.some((it) => it.ruleId === rule.id && it.key === key && key !== difference.entry.key);
      // Revoked as it is, or another entry's by now: for this one it is gone.
      if (isOthers || taken.has(rule.id)) return { ...difference, kind: "removed", rule: null };
      taken.add(rule.id);
      return { ...difference, rule };
    });
  for (const { ruleId } of accounted) taken.add(ruleId);
  const keys = new Set(picture.entries.filter((entry) => isWanted(entry, picture.now)).map((entry) => entry.key));
  const free = rules.filter((rule) => !taken.has(rule.id) && !keys.has(ruleKey(rule)));
  const renamed = differences.map((difference) => followed(picture, difference, free, taken));
  const added = free.filter((rule) => !taken.has(rule.id));
  return { differences: renamed, added };
}

/**
 * What suspensions have kept that nobody had granted, as it stood before. Only where it is known when it was made: older calls are about
 * earlier ones.
 */
export const closedRules = (plans: readonly EntryPlan[]): readonly KnownRule[] =>
  plans.flatMap(({ patch: { entry, suspension } }) => {
    if (suspension === null || suspension.kept === null || suspension.wasAllocated) return [];
    return suspension.kept.flatMap(({ ruleId: id, description, createdAt }) =>
      createdAt === undefined ? [] : [{ ...entry.spec, id, description, createdAt }],
    );
  });

/**
 * The cloud may give a changed rule another id. A rule that is gone, and of which somebody's change has made one that stands and that
 * nobody accounts for, was edited.
 */
function followed(
  { watch, rules }: Picture,
  difference: Difference,
  free: readonly KnownRule[],
  taken: Set<RuleId>,
): Difference {
  const { rule, ruleId, entry } = difference;
  if (watch === null || rule !== null || ruleId === null || rules.some(({ id }) => id === ruleId)) return difference;
  const isIts = (id: RuleId): boolean =>
    id === ruleId || watch.items.some((item) => item.entryId === entry.entryId && item.ruleId === id);
  const names = ({ ruleIds }: Sighting): boolean => ruleIds.some(isIts);
  const says = ({ rules: told }: Sighting, it: KnownRule): boolean =>
    told?.some(({ spec }) => ruleKey(spec) === ruleKey(it)) === true;
  const modifies = watch.sightings.filter((it) => it.kind === "modify" && names(it));
  // An event alone may be made up: it takes nothing from a known service, nor from what somebody trusted took away and put there.
  const isSpared = (it: KnownRule): boolean =>
    foreignWriterOf(it, watch.terms) !== null ||
    watch.sightings.some(
      (told) =>
        ((told.kind === "revoke" && names(told)) || (told.kind === "authorize" && says(told, it))) &&
        trustedOf(told.actor, watch.terms) !== null &&
        !isDenied(told),
    );
  const isEdit = (it: KnownRule): boolean =>
    modifies.some((modify) => says(modify, it) && (modify.confirmed || !isSpared(it)));
  const found = free.find((it) => !taken.has(it.id) && isEdit(it));
  if (!found) return difference;
  taken.add(found.id);
  return { ...difference, kind: "edited", rule: found, ruleId: found.id, earlierId: ruleId };
}

/** A rule of ours is its entry's to end; one that was there before is accounted for while somebody wants it. */
const isAccountedFor = (patch: EntryPatch, now: number): boolean =>
  patch.standing.kind === "ours" || isWanted(patch.entry, now);

/** True while somebody is to have the rule: also where it is closed for a time, as what is closed is still granted. */
export const isWanted = (entry: Entry, now: number): boolean =>
  entry.suspension !== null ||
  isAllocatedAlways(entry) ||
  openWindow(entry, now) !== null ||
  entry.holders.some((holder) => isHolding(holder, now));
