// The decision of a pass: what the ledger wants, what the group shows, and so what to call and what to write down. Pure.
import { type Mark, parseMark } from "../domain/mark.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import { isGenuine, type KnownRule, type Picture, rulesOf } from "./picture.ts";
import { type EntryPatch, type PlannedCall, planEntry } from "./plan-entry.ts";

export interface Plan {
  /** Ends first, openings last. */
  readonly calls: readonly PlannedCall[];
  readonly patches: readonly EntryPatch[];
  /** Rules of a lost ledger, to be booked again from their marks. */
  readonly recovered: readonly { readonly rule: KnownRule; readonly mark: Mark }[];
  /** Instants at which the group has to be looked at again. */
  readonly lookAt: readonly number[];
  readonly findings: readonly string[];
}

const ORDER = { revoke: 0, modify: 1, authorize: 2 } as const;

/** Plans every entry of the ledger, then every rule with a mark of ours that no entry accounts for. */
export function planGroup(picture: Picture): Plan {
  const bookedBy = new Map(
    picture.entries.flatMap((entry) =>
      entry.standing.kind === "ours" ? [[entry.standing.ruleId, entry.entryId]] : [],
    ),
  );
  const plans = picture.entries.map((entry) => {
    const elsewhere = [...bookedBy].filter(([, entryId]) => entryId !== entry.entryId).map(([ruleId]) => ruleId);
    return planEntry(picture, entry, new Set(elsewhere));
  });
  const strays = planStrays(picture, (rule) => bookedBy.has(rule.id));
  const calls = [...plans.flatMap((plan) => plan.calls), ...strays.calls];
  return {
    calls: calls.sort((a, b) => ORDER[a.kind] - ORDER[b.kind]),
    patches: plans.map((plan) => plan.patch),
    recovered: strays.recovered,
    lookAt: [...plans.flatMap((plan) => plan.lookAt), ...strays.lookAt],
    findings: [...plans.flatMap((plan) => plan.findings), ...strays.findings],
  };
}

/**
 *     mark       ledger            what happens
 *     not true   any               left alone and reported: copied or forged
 *     true       does not know it  past its end: revoke; before: booked again when state is lost, else reported
 */
function planStrays(picture: Picture, isBooked: (rule: KnownRule) => boolean): Omit<Plan, "patches"> {
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
