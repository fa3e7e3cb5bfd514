// The decision of a pass: what the ledger wants, what the group shows, and so what to call and what to write down. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { type Mark, parseMark } from "../domain/mark.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import type { EntryPatch, EntryPlan, PlannedCall } from "./entry-plan.ts";
import { closedRules, differencesOf, isWanted } from "./group-differences.ts";
import { againAt, isAllowedIn } from "./mode-guard.ts";
import { isAllocatedAlways, nextWindowChange } from "./open-window.ts";
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
  /** When this pass has to read the group again before it can decide all of it; null where what it has read is enough. */
  readonly readAgainAt: number | null;
  readonly findings: readonly string[];
  /** What becomes of the differences; nothing where the pass does not watch. */
  readonly drift: DriftPlan;
  /**
   * True when a lease has ended and another rule says what its rule said: only who compares the group with its ledger can tell whose
   * that is.
   */
  readonly leftBehind: boolean;
}

const ORDER = { revoke: 0, modify: 1, authorize: 2 } as const;

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
      : planDrift(picture, picture.watch, {
          ...differencesOf(picture, plans, entryCalls, strays.recovered),
          closed: closedRules(plans),
        });
  const calls = [...entryCalls, ...drift.calls].filter((call) => isAllowedIn(picture.mode, call));
  const isKept = calls.length < entryCalls.length + drift.calls.length;
  return {
    // What undoes drift stays behind what entries ask for.
    calls: calls.sort((a, b) => ORDER[a.kind] - ORDER[b.kind]),
    patches: plans.map((plan) => plan.patch),
    recovered: strays.recovered,
    lookAt: [
      ...plans.flatMap((plan) => plan.lookAt),
      ...strays.lookAt,
      ...windowChanges(picture),
      ...drift.lookAt,
      ...(isKept ? [againAt(picture.now)] : []),
    ],
    readAgainAt: plans.reduce<number | null>((at, plan) => plan.readAgainAt ?? at, null),
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
  const drops = free.spec.policy === "drop" ? free.holders.filter((holder) => holder.kind !== "lease") : [];
  // What is granted for good is put back as a drop for as long as somebody holds it so.
  const isDrop = isAllocatedAlways(free) ? drops.some((it) => isHolding(it, picture.now)) : drops.length > 0;
  const decide = isDrop ? planDrop : isAllocatedAlways(free) ? planAllocated : planHeld;
  const plan = decide(picture, free, elsewhere);
  return { ...plan, patch: { ...plan.patch, entry } };
}

const windowChanges = ({ entries, now }: Picture): readonly number[] =>
  entries.flatMap((entry) => nextWindowChange(entry, now) ?? []);

/**
 *     mark       ledger            what happens
 *     not true   cannot be read    revoke where its lease's own row knows the rule, and that it is over: somebody has changed the rule
 *     not true   any               left alone, and reported where there is one: copied or forged
 *     true       cannot be read    past its end: revoke; before: nothing, as the row is there and knows it
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
    if (isBooked(rule)) continue;
    const mark = parseMark(rule.description);
    const isTrue =
      mark !== null &&
      isGenuine(mark, rule, picture) &&
      mark.entryId === entryIdOf(picture.group.groupId, ruleKey(rule));
    if (!isTrue && picture.overdue.has(rule.id)) {
      const cause = "its lease ended, somebody has changed it, and its ledger row cannot be read";
      calls.push({ kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause });
    } else if (mark?.installation !== picture.installation) {
      // Nothing says that it is ours.
    } else if (!isTrue) {
      findings.push(`the rule ${rule.id} carries a mark that is not its own; it is left alone`);
    } else if (known.has(mark.entryId)) {
      // Its entry has decided about it.
    } else if (mark.until <= picture.now) {
      const cause = "its mark ended and no ledger row knows it";
      calls.push({ kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause });
    } else if (picture.unreadable.has(mark.entryId)) {
      lookAt.push(mark.until);
    } else if (picture.stateKnown) {
      findings.push(`the rule ${rule.id} carries our mark, but the ledger does not know it; it is closed at its end`);
      lookAt.push(mark.until);
    } else {
      recovered.push({ rule, mark });
    }
  }
  return { calls, recovered, lookAt, findings };
}
