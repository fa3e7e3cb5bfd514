// Laws of the plan over groups that people, other installations and forgers have written into.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Allocation } from "../../shared/domain/allocation.ts";
import type { GroupId, LeaseId, RuleId } from "../../shared/domain/ids.ts";
import type { Entry, Holder, Intent, Standing } from "../../shared/domain/ledger-entry.ts";
import { parseMark } from "../../shared/domain/mark.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import { applyPatch } from "../../shared/plan/apply-patch.ts";
import { isAllocatedAlways, openWindow } from "../../shared/plan/open-window.ts";
import { isHolding, type Picture } from "../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../shared/plan/plan-group.ts";
import { anAllocation } from "../kit/drift-pictures.ts";
import { aHolder, aMark, anEntry, aPicture, GROUP, HOUR, LATE_MS, NOW, ruleId } from "../kit/plan-pictures.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../kit/rules.ts";

/** Few rules that differ in one thing each, so that what is generated meets; the last ones are wider than the first. */
const SPECS: readonly RuleSpec[] = [
  aSpec(),
  aSpec({ dest: aCidr("192.168.0.11/32") }),
  aSpec({ ports: somePorts("23/23") }),
  aSpec({ ports: somePorts("1/65535") }),
  aSpec({ peer: fromCidr("0.0.0.0/0") }),
  aSpec({ priority: 100 }),
  aSpec({ policy: "drop" }),
];
const RULE_NAMES = ["a", "b", "c", "d", "e", "f"];

const aReason = fc.oneof(
  fc.constantFrom(
    "",
    "until=2036-01-01T00:00:00Z",
    "k=00000000 until=2020-01-01T00:00:00Z",
    "修复数据库",
    "safeport/1 test",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const anEnd = fc.constantFrom(NOW - HOUR, NOW - 1000, NOW, NOW + 1000, NOW + HOUR, NOW + 2 * HOUR);

/** True marks, copied ones, forged ones and other people's words. */
const descriptionOf = (spec: RuleSpec): fc.Arbitrary<string> =>
  fc.oneof(
    fc.record({ until: anEnd, reason: aReason }).map((it) => aMark(spec, it)),
    fc.tuple(fc.constantFrom(...SPECS), anEnd).map(([other, until]) => aMark(other, { until })),
    anEnd.map((until) => aMark(spec, { until, groupId: "sg-other" as GroupId })),
    anEnd.map((until) => aMark(spec, { until, secret: "guess" })),
    anEnd.map((until) => aMark(spec, { until, installation: "other" })),
    fc
      .tuple(fc.constantFrom(...SPECS), anEnd)
      .map(([other, until]) =>
        aMark(other, { until, secret: "guess", entryId: entryIdOf(GROUP.groupId, ruleKey(spec)) }),
      ),
    anEnd.map((until) => aMark(spec, { until }).replace(/until=\S+/, "until=2020-01-01T00:00:00Z")),
    fc.tuple(aReason, anEnd).map(([words, until]) => `x${words} ${aMark(spec, { until })}`),
    aReason,
  );

const aGroupRule: fc.Arbitrary<Rule> = fc
  .constantFrom(...SPECS)
  .chain((spec) => descriptionOf(spec).map((description) => ({ ...spec, id: null, description, createdAt: null })));

const someHolders: fc.Arbitrary<Holder[]> = fc
  .array(
    fc.record({
      until: anEnd,
      reason: aReason,
      openedAt: fc.constantFrom(null, NOW - HOUR),
      statedUntil: fc.constantFrom(null, NOW + HOUR),
      ended: fc.constantFrom(null, null, { cause: "asked" as const, note: null, detail: null }),
    }),
    { maxLength: 3 },
  )
  .map((all) => all.map((each, index) => aHolder({ ...each, holderId: `ls-${index}` as LeaseId })));

const hours = (day: number) => ({ zone: "UTC", windows: [{ days: [day], from: "07:00", to: "10:00" }] });
/** Always, in a window that is open now or closed; read before or owed; most entries have none. NOW is a Thursday, 08:00. */
const someAllocation: fc.Arbitrary<Allocation | null> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  fc
    .record({
      openHours: fc.constantFrom(null, hours(4), hours(5)),
      seenAt: fc.constantFrom(null, NOW - HOUR),
      description: fc.constantFrom("", "web"),
    })
    .map((it) => anAllocation(it)),
);

interface Choice {
  readonly rules: readonly Rule[];
  readonly standing: readonly Standing["kind"][];
  readonly stood: readonly RuleId[];
  readonly holders: readonly Holder[][];
  readonly allocations: readonly (Allocation | null)[];
  readonly ledger: readonly boolean[];
  readonly missing: readonly (number | null)[];
  readonly refused: readonly boolean[];
  readonly intended: readonly boolean[];
  readonly stateKnown: boolean;
}

const forEach = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(value, { minLength: SPECS.length, maxLength: SPECS.length });
/** Ids that the ledger may have booked: every one at most once, some of them shown by the group and some not. */
const someIds = fc
  .shuffledSubarray([...RULE_NAMES, "gone-1", "gone-2", "gone-3"], { minLength: SPECS.length, maxLength: SPECS.length })
  .map((names) => names.map(ruleId));

const anyPicture: fc.Arbitrary<Picture> = fc
  .record<Choice>({
    rules: fc
      .array(aGroupRule, { maxLength: RULE_NAMES.length })
      .map((rules) => rules.map((rule, index) => ({ ...rule, id: ruleId(RULE_NAMES[index] ?? "") }))),
    standing: forEach(fc.constantFrom("none", "ours", "ours", "preExisting")),
    stood: someIds,
    holders: forEach(someHolders),
    allocations: forEach(someAllocation),
    ledger: forEach(fc.boolean()),
    missing: forEach(fc.constantFrom(null, NOW - LATE_MS, NOW - 1000)),
    refused: forEach(fc.nat(9).map((it) => it === 0)),
    intended: forEach(fc.nat(4).map((it) => it === 0)),
    stateKnown: fc.boolean(),
  })
  .map(pictureOf);

function pictureOf(choice: Choice): Picture {
  const entries: Entry[] = [];
  const intents: Intent[] = [];
  const refusals = new Map<Entry["entryId"], { code: string; detail: object & Record<string, string> }>();
  for (const [index, spec] of SPECS.entries()) {
    if (choice.ledger[index] !== true) continue;
    const kind = choice.standing[index] ?? "none";
    const stood = choice.stood[index];
    const standing: Standing = kind === "none" || stood === undefined ? { kind: "none" } : { kind, ruleId: stood };
    const missingSince = choice.missing[index] ?? null;
    const holders = choice.holders[index] ?? [];
    const allocation = choice.allocations[index] ?? null;
    if (holders.length === 0 && allocation === null) continue;
    const entry = anEntry({ spec, standing, holders, allocation, missingSince });
    entries.push(entry);
    if (choice.refused[index] === true) refusals.set(entry.entryId, { code: "GROUP_PROTECTED", detail: {} });
    if (choice.intended[index] === true) intents.push(intentOf(entry, choice.rules.slice(0, index)));
  }
  const { rules, stateKnown } = choice;
  return aPicture({ rules, entries, intents, refusals, stateKnown });
}

/** A call that was made before the first rules were read: what stood then is in its list. */
function intentOf(entry: Entry, before: readonly Rule[]): Intent {
  const beforeIds = before.flatMap((rule) => (rule.id !== null && ruleKey(rule) === entry.key ? [rule.id] : []));
  const until = Math.max(NOW, ...entry.holders.map((it) => it.until));
  const description = isAllocatedAlways(entry) ? (entry.allocation?.description ?? "") : aMark(entry.spec, { until });
  const rule = { entryId: entry.entryId, spec: entry.spec, description, beforeIds };
  return {
    group: GROUP,
    intentId: entry.entryId,
    call: "authorize",
    token: entry.entryId,
    rules: [rule],
    ruleIds: [],
    cause: "",
    bookedAt: NOW,
    attemptsEndAt: NOW,
  };
}

/** Who holds the rule for a time: leases, and the window that is open now. */
const liveOf = (entry: Entry): Holder[] => {
  const window = openWindow(entry, NOW);
  return [
    ...entry.holders.filter((it) => isHolding(it, NOW)),
    ...(window && !isAllocatedAlways(entry) ? [window] : []),
  ];
};
/** True when somebody is to have the rule now. */
const isWanted = (entry: Entry): boolean => isAllocatedAlways(entry) || liveOf(entry).length > 0;
const bookedId = (entry: Entry): RuleId | null => (entry.standing.kind === "ours" ? entry.standing.ruleId : null);
/** The rule of an allocation that a person wants described as it was: nothing else of it is ever written. */
const describedId = ({ allocation, standing }: Entry): RuleId | null =>
  allocation?.seenAt === null && standing.kind !== "none" ? standing.ruleId : null;
const revokedBy = (plan: Plan): RuleId[] => plan.calls.flatMap((call) => (call.kind === "revoke" ? [call.ruleId] : []));

/** The mark the rule would carry if it were ours, written anew: what its description has to begin with. */
function isTrulyMarked(rule: Rule): boolean {
  const until = parseMark(rule.description)?.until;
  if (until === undefined) return false;
  const mark = aMark(rule, { until });
  return rule.description === mark || rule.description.startsWith(`${mark} `);
}

/** Written by a call of ours whose host the cloud has dropped: the whole description of an open intent, and not there before. */
function isWidened(rule: Rule, { intents }: Picture): boolean {
  return intents.some((intent) =>
    intent.rules.some(
      (it) =>
        it.spec.dest !== null &&
        ruleKey({ ...it.spec, dest: null }) === ruleKey(rule) &&
        it.description === rule.description &&
        rule.id !== null &&
        !it.beforeIds.includes(rule.id),
    ),
  );
}

/** The group after the calls, as the cloud makes it: no two rules with one key are added, and a modify sends the whole rule. */
function perform(rules: readonly Rule[], plan: Plan, round: number): readonly Rule[] {
  let next = [...rules];
  for (const [index, call] of plan.calls.entries()) {
    if (call.kind === "revoke") next = next.filter((rule) => rule.id !== call.ruleId);
    else if (call.kind === "modify")
      next = next.map((rule) =>
        rule.id === call.ruleId ? { ...rule, ...call.entry.spec, description: call.description } : rule,
      );
    else if (!next.some((rule) => ruleKey(rule) === call.entry.key))
      next.push({
        ...call.entry.spec,
        id: ruleId(`new-${round}-${index}`),
        description: call.description,
        createdAt: NOW,
      });
  }
  return next;
}

/** The ledger after the patches: holders that have ended go as soon as nothing of theirs is left to do, and empty rows with them. */
function writeDown(plan: Plan): readonly Entry[] {
  return plan.patches.flatMap((patch) => {
    const next = applyPatch(patch.entry, patch, NOW, new Set());
    const live = next.holders.filter((it) => isHolding(it, NOW));
    const over = patch.settled || next.standing.kind === "preExisting";
    const holders = over || live.length > 0 ? live : next.holders;
    return over && holders.length === 0 && next.allocation === null ? [] : [{ ...next, holders }];
  });
}

/** Plans, performs and writes down until a plan changes nothing; as a pass does, at most six times. */
function converge(picture: Picture): { readonly picture: Picture; readonly plan: Plan; readonly rounds: number } {
  let current = picture;
  for (let round = 0; ; round++) {
    const plan = planGroup(current);
    const entries = writeDown(plan);
    if (round === 6 || (plan.calls.length === 0 && textOf(entries) === textOf(current.entries)))
      return { picture: current, plan, rounds: round };
    const revoked = new Set([...current.revoked, ...revokedBy(plan)]);
    const accepted = new Set([
      ...current.accepted,
      ...plan.calls.flatMap((call) => (call.kind === "authorize" ? [call.entry.entryId] : [])),
    ]);
    const restated = new Set([
      ...current.restated,
      ...plan.calls.flatMap((call) => (call.kind === "modify" ? [call.entry.entryId] : [])),
    ]);
    current = { ...current, rules: perform(current.rules, plan, round), entries, revoked, accepted, restated };
  }
}

const textOf = (entries: readonly Entry[]): string =>
  JSON.stringify(
    entries.map(({ entryId, holders, standing, missingSince, allocation }) => [
      entryId,
      holders,
      standing,
      missingSince,
      allocation?.seenAt,
    ]),
  );

const runs = { numRuns: 300 };

describe("the plan", () => {
  it("converges: carried out and made again, it soon asks for nothing and changes nothing", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const { plan, rounds } = converge(picture);
        expect(plan.calls).toEqual([]);
        expect(rounds).toBeLessThan(6);
      }),
      runs,
    );
  });

  it("is made of the picture alone: twice the same", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        expect(planGroup(picture)).toEqual(planGroup(picture));
      }),
      { numRuns: 200 },
    );
  });

  it("touches no rule that is neither booked nor truly marked", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const booked = new Set(picture.entries.map(bookedId));
        for (const call of planGroup(picture).calls) {
          if (call.kind === "authorize" || booked.has(call.ruleId)) continue;
          const rule = picture.rules.find((it) => it.id === call.ruleId);
          if (call.kind === "modify" && rule && ruleKey(rule) === call.entry.key && describedId(call.entry) === rule.id)
            continue;
          expect(rule, `${call.kind} of a rule nobody has seen or booked`).toBeDefined();
          if (rule) expect(isTrulyMarked(rule) || isWidened(rule, picture), rule.description).toBe(true);
        }
      }),
      runs,
    );
  });

  it("never touches, to the end of the pass, what is neither booked nor truly marked", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const booked = new Set(picture.entries.map(bookedId));
        const { rules } = converge(picture).picture;
        const described = new Set(picture.entries.map(describedId));
        for (const rule of picture.rules)
          if (!booked.has(rule.id) && !isTrulyMarked(rule) && !isWidened(rule, picture))
            expect(rules).toContainEqual(
              described.has(rule.id) ? { ...rule, description: expect.any(String) as string } : rule,
            );
      }),
      runs,
    );
  });

  it("opens what was granted and nothing wider or longer, and nothing that is refused", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        for (const call of planGroup(picture).calls) {
          if (call.kind === "revoke") continue;
          expect(picture.entries).toContain(call.entry);
          expect(ruleKey(call.entry.spec)).toBe(call.entry.key);
          if (call.kind === "authorize") expect(picture.refusals.has(call.entry.entryId)).toBe(false);
          if (isAllocatedAlways(call.entry)) {
            // No call empties a description: what had none says whose mark it was that it carried.
            const words = call.entry.allocation?.description;
            expect(call.description).toBe(words === "" && call.kind === "modify" ? "safeport ledger" : words);
            continue;
          }
          const ends = liveOf(call.entry).map((it) => it.until);
          expect(ends.length).toBeGreaterThan(0);
          const written = { ...call.entry.spec, id: null, description: call.description, createdAt: null };
          expect(isTrulyMarked(written)).toBe(true);
          expect(parseMark(call.description)?.until).toBe(Math.ceil(Math.max(...ends) / 1000) * 1000);
        }
      }),
      runs,
    );
  });

  it("opens no second rule for a lease or an allocation", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        for (const call of planGroup(picture).calls) {
          if (call.kind !== "authorize") continue;
          expect(picture.rules.map(ruleKey)).not.toContain(call.entry.key);
          // Nothing stands, or what stood has been missed for long and nobody who had it open is left.
          const isGone = picture.now - (call.entry.missingSince ?? picture.now) >= picture.lateEffectMaxMs;
          const isOwed = call.entry.allocation?.seenAt === null;
          expect(call.entry.standing.kind === "none" || isGone || isOwed).toBe(true);
        }
      }),
      runs,
    );
  });

  it("leaves the rule of a live holder, and of several with one key all but one", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const plan = planGroup(picture);
        const revoked = revokedBy(plan);
        for (const entry of picture.entries) {
          if (!isWanted(entry)) continue;
          // A rule that is booked to another entry goes with that one, whatever it says by then.
          const others = new Set(picture.entries.filter((it) => it !== entry).map(bookedId));
          const same = picture.rules.filter((rule) => ruleKey(rule) === entry.key && !others.has(rule.id));
          const free = same.filter((rule) => !isWidened(rule, picture));
          if (free.length > 0) expect(free.some((rule) => rule.id !== null && !revoked.includes(rule.id))).toBe(true);
          // Beside a rule that is the allocation's own, a lease's goes.
          const isBeside = (rule: Rule): boolean =>
            entry.allocation !== null && isTrulyMarked(rule) && free.some((it) => !isTrulyMarked(it));
          for (const rule of free)
            if (rule.id === bookedId(entry) && !isBeside(rule)) expect(revoked).not.toContain(rule.id);
        }
      }),
      runs,
    );
  });

  it("revokes every booked rule that nobody holds any more, and lets go of it only then", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const { rules, revoked } = converge(picture).picture;
        const plan = planGroup(picture);
        for (const entry of picture.entries) {
          const id = bookedId(entry);
          if (id === null || isWanted(entry)) continue;
          // A rule that reaches more than was granted goes first, and what is booked with the next plan.
          expect([...revoked]).toContain(id);
          expect(rules.map((rule) => rule.id)).not.toContain(id);
          expect(plan.patches.find((it) => it.entry === entry)).toMatchObject({
            standing: entry.standing,
            settled: false,
          });
        }
      }),
      runs,
    );
  });

  it("closes every truly marked rule past its end, unless somebody holds it or it stood before", () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const { rules } = converge(picture).picture;
        for (const rule of picture.rules) {
          const until = parseMark(rule.description)?.until ?? Number.POSITIVE_INFINITY;
          if (!isTrulyMarked(rule) || until > NOW) continue;
          const entry = picture.entries.find((it) => it.key === ruleKey(rule));
          if (entry !== undefined && isWanted(entry)) continue;
          const stoodBefore =
            (entry?.standing.kind === "preExisting" && entry.standing.ruleId === rule.id) ||
            picture.intents.some((it) => it.rules.some((one) => rule.id !== null && one.beforeIds.includes(rule.id)));
          const booked = picture.entries.some((it) => it !== entry && bookedId(it) === rule.id);
          if (!stoodBefore && !booked) expect(rules.map((it) => it.id)).not.toContain(rule.id);
        }
      }),
      runs,
    );
  });
});
