// The decision of a pass: what the ledger wants, what the group shows, and so what to call and what to write down. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { type Mark, parseMark } from "../domain/mark.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import { isDenied, type Sighting } from "../domain/sighting.ts";
import type { Difference, EntryPatch, EntryPlan, PlannedCall } from "./entry-plan.ts";
import { foreignWriterOf, trustedOf } from "./judge-drift.ts";
import { againAt, isAllowedIn } from "./mode-guard.ts";
import { isAllocatedAlways, nextWindowChange, openWindow } from "./open-window.ts";
import { isGenuine, isHolding, type KnownRule, type Picture, rulesOf } from "./picture.ts";
import { planAllocated } from "./plan-allocated.ts";
import { type DriftPlan, NO_DRIFT, planDrift } from "./plan-drift.ts";
import { planDrop } from "./plan-drop.ts";
import { planHeld } from "./plan-entry.ts";
import { planSuspended, withoutSuspension } from "./plan-suspended.ts";

export interface Plan {
  /** Ends first, then what undoes drift, openings last. */
  readonly calls: readonly PlannedCall[];
  readonly patches: readonly EntryPatch[];
  /** Rules of a lost ledger, to be booked again from their marks. */
  readonly recovered: readonly { readonly rule: KnownRule; readonly mark: Mark }[];
  /** Instants at which the group has to be looked at again. */
  readonly lookAt: readonly number[];
  readonly findings: readonly string[];
  /** What becomes of the differences; nothing where the pass does not watch. */
  readonly drift: DriftPlan;
  /**
   * True when a lease has ended and another rule says what its rule said: only who compares the group with its ledger can tell whose
   * that is.
   */
  readonly leftBehind: boolean;
}

const ORDER = { revoke: 0, modify: 2, authorize: 4 } as const;

const orderOf = (call: PlannedCall): number => ORDER[call.kind] + (call.rollback === undefined ? 0 : 1);

/** Plans every entry of the ledger, then every rule with a mark of ours that no entry accounts for, then the differences. */
export function planGroup(picture: Picture): Plan {
  const bookedBy = new Map(
    picture.entries.flatMap((entry) =>
      entry.standing.kind === "ours" ? [[entry.standing.ruleId, entry.entryId]] : [],
    ),
  );
  const plans = picture.entries.map((entry) => {
    const elsewhere = new Set([...bookedBy].filter(([, entryId]) => entryId !== entry.entryId).map(([id]) => id));
    return planEntry(picture, entry, elsewhere);
  });
  const strays = planStrays(picture, (rule) => bookedBy.has(rule.id));
  const entryCalls = [...plans.flatMap((plan) => plan.calls), ...strays.calls];
  const drift =
    picture.watch === null
      ? NO_DRIFT
      : planDrift(picture, picture.watch, differencesOf(picture, plans, entryCalls, strays.recovered));
  const calls = [...entryCalls, ...drift.calls].filter((call) => isAllowedIn(picture.mode, call));
  const isKept = calls.length < entryCalls.length + drift.calls.length;
  return {
    calls: calls.sort((a, b) => orderOf(a) - orderOf(b)),
    patches: plans.map((plan) => plan.patch),
    recovered: strays.recovered,
    lookAt: [
      ...plans.flatMap((plan) => plan.lookAt),
      ...strays.lookAt,
      ...windowChanges(picture),
      ...drift.lookAt,
      ...(isKept ? [againAt(picture.now)] : []),
    ],
    findings: [...plans.flatMap((plan) => plan.findings), ...strays.findings],
    drift,
    leftBehind: plans.some(({ patch, calls }) => isLeftBehind(picture, patch, calls)),
  };
}

function isLeftBehind(picture: Picture, { entry }: EntryPatch, calls: readonly PlannedCall[]): boolean {
  if (entry.holders.length === 0 || isWanted(entry, picture.now) || calls.length > 0) return false;
  return rulesOf(picture).some((rule) => ruleKey(rule) === entry.key);
}

/** What stands for the patch to be compared with is the entry as it is stored. */
function planEntry(picture: Picture, entry: Entry, elsewhere: ReadonlySet<RuleId>): EntryPlan {
  const suspended = planSuspended(picture, entry, elsewhere);
  if (suspended) return suspended;
  const free = entry.suspension === null ? entry : withoutSuspension(entry);
  // A lockdown holds accepts, too: for what has to stay of a wider one.
  const isDropHeld = free.spec.policy === "drop" && free.holders.some((holder) => holder.kind !== "lease");
  const decide = isAllocatedAlways(free) ? planAllocated : isDropHeld ? planDrop : planHeld;
  const plan = decide(picture, free, elsewhere);
  return { ...plan, patch: { ...plan.patch, entry } };
}

const windowChanges = ({ entries, now }: Picture): readonly number[] =>
  entries.flatMap((entry) => nextWindowChange(entry, now) ?? []);

/** Rules that nobody accounts for, and what the entries miss. */
function differencesOf(
  picture: Picture,
  plans: readonly EntryPlan[],
  calls: readonly PlannedCall[],
  recovered: Plan["recovered"],
) {
  const rules = rulesOf(picture);
  const accounted = plans.flatMap(({ patch: { entry, standing }, patch }) =>
    standing.kind !== "none" && isAccountedFor(patch, picture.now) ? [{ key: entry.key, ruleId: standing.ruleId }] : [],
  );
  const taken = new Set<RuleId>([
    ...calls.flatMap((call) => (call.kind === "authorize" ? [] : [call.ruleId])),
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
  const ids = watch.items.flatMap((item) => (item.entryId === entry.entryId ? (item.ruleId ?? []) : []));
  const names = ({ ruleIds }: Sighting): boolean => [ruleId, ...ids].some((id) => ruleIds.includes(id));
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

const isWanted = (entry: Entry, now: number): boolean =>
  entry.suspension !== null ||
  isAllocatedAlways(entry) ||
  openWindow(entry, now) !== null ||
  entry.holders.some((holder) => isHolding(holder, now));

/**
 *     mark       ledger            what happens
 *     not true   any               left alone and reported: copied or forged
 *     true       does not know it  past its end: revoke; before: booked again when state is lost, else reported
 */
function planStrays(
  picture: Picture,
  isBooked: (rule: KnownRule) => boolean,
): Pick<Plan, "calls" | "recovered" | "lookAt" | "findings"> {
  const known = new Set(picture.entries.map((entry) => entry.entryId));
  const calls: PlannedCall[] = [];
  const recovered: { rule: KnownRule; mark: Mark }[] = [];
  const lookAt: number[] = [];
  const findings: string[] = [];
  for (const rule of rulesOf(picture)) {
    const mark = parseMark(rule.description);
    if (mark?.installation !== picture.installation || isBooked(rule)) continue;
    if (!isGenuine(mark, rule, picture) || mark.entryId !== entryIdOf(picture.group.groupId, ruleKey(rule))) {
      findings.push(`the rule ${rule.id} carries a mark that is not its own; it is left alone`);
    } else if (known.has(mark.entryId)) {
      // Its entry has decided about it.
    } else if (mark.until <= picture.now) {
      const cause = "its mark ended and no ledger row knows it";
      calls.push({ kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause });
    } else if (picture.stateKnown) {
      findings.push(`the rule ${rule.id} carries our mark, but the ledger does not know it; it is closed at its end`);
      lookAt.push(mark.until);
    } else {
      recovered.push({ rule, mark });
    }
  }
  return { calls, recovered, lookAt, findings };
}
