// Laws of a pass that watches: what it may undo, what it may never touch, and that it comes to rest with what was granted.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OpenHours } from "../../shared/domain/allocation.ts";
import { type DriftItem, isOpenDrift } from "../../shared/domain/drift-item.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Entry, Standing } from "../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { Doubt, Sighting } from "../../shared/domain/sighting.ts";
import { applyPatch } from "../../shared/plan/apply-patch.ts";
import { isAllocatedAlways, openWindow } from "../../shared/plan/open-window.ts";
import { isHolding, type Picture, type Watch } from "../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../shared/plan/plan-group.ts";
import {
  aDriftPolicy,
  anAllocation,
  anItem,
  aSighting,
  aWatch,
  someTerms,
  terraform,
  WAIT_MS,
} from "../kit/drift-pictures.ts";
import { aHolder, aMark, anEntry, aPicture, HOUR, LATE_MS, NOW, ruleId } from "../kit/plan-pictures.ts";
import { aSpec, fromCidr, somePorts } from "../kit/rules.ts";

const SPECS: readonly RuleSpec[] = [
  aSpec(),
  aSpec({ ports: somePorts("23/23") }),
  aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("0.0.0.0/0") }),
  aSpec({ priority: 100 }),
  aSpec({ policy: "drop" }),
  aSpec({ direction: "egress" }),
  aSpec({ peer: fromCidr("100.104.7.0/24") }),
];
const NAMES = ["a", "b", "c", "d", "e", "f", "g"];
const OPEN: OpenHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
const SHUT: OpenHours = { zone: "UTC", windows: [{ days: [5], from: "07:00", to: "10:00" }] };

const anyOf = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);

/** Rules as people and leases have left them; no two say the same, as in the cloud. */
const someRules: fc.Arbitrary<readonly Rule[]> = fc
  .shuffledSubarray(SPECS.map((_, index) => index))
  .chain((chosen) =>
    fc.tuple(
      fc.shuffledSubarray(NAMES, { minLength: chosen.length, maxLength: chosen.length }),
      ...chosen.map((index) => {
        const spec = SPECS[index] ?? aSpec();
        const mark = anyOf(NOW - HOUR, NOW + HOUR).map((until) => aMark(spec, { until }));
        return fc.record({
          spec: fc.constant(spec),
          description: fc.oneof(anyOf("", "", "web", "mine"), mark),
          createdAt: anyOf(null, NOW - 24 * HOUR, NOW - WAIT_MS, NOW - 60_000),
        });
      }),
    ),
  )
  .map(([names, ...rules]) =>
    rules.map(({ spec, ...rest }, index) => ({ ...spec, id: ruleId(names[index] ?? ""), ...rest })),
  );

interface EntryChoice {
  readonly allocation: "none" | "always" | "owed" | "open" | "shut";
  readonly description: string;
  readonly holders: number;
  readonly openedAt: number | null;
  readonly until: number;
  readonly standing: Standing["kind"];
  readonly missingSince: number | null;
}

const anEntryChoice: fc.Arbitrary<EntryChoice> = fc.record({
  allocation: anyOf("none", "always", "always", "owed", "open", "shut"),
  description: anyOf("", "web"),
  holders: fc.nat(2),
  openedAt: anyOf(null, NOW - HOUR),
  until: anyOf(NOW - 1000, NOW + HOUR, NOW + HOUR),
  standing: anyOf("none", "ours", "preExisting"),
  missingSince: anyOf(null, NOW - 1000, NOW - LATE_MS),
});

function entryOf(spec: RuleSpec, choice: EntryChoice, stood: RuleId): Entry | null {
  const { allocation: kind, standing } = choice;
  const hours = { none: null, always: null, owed: null, open: OPEN, shut: SHUT }[kind];
  const seenAt = kind === "owed" ? null : NOW - HOUR;
  const allocation =
    kind === "none" ? null : anAllocation({ description: choice.description, openHours: hours, seenAt });
  const holders = Array.from({ length: choice.holders }, (_, index) =>
    aHolder({ holderId: `ls-${index}` as never, openedAt: choice.openedAt, until: choice.until }),
  );
  if (allocation === null && holders.length === 0) return null;
  return anEntry({
    spec,
    allocation,
    holders,
    standing: standing === "none" ? { kind: "none" } : { kind: standing, ruleId: stood },
    missingSince: choice.missingSince,
  });
}

const aCall: fc.Arbitrary<Sighting> = fc
  .record({
    eventId: fc.string({ minLength: 1, maxLength: 4 }),
    kind: anyOf<Sighting["kind"]>("authorize", "revoke", "modify"),
    at: anyOf(NOW - 24 * HOUR, NOW - WAIT_MS, NOW - 60_000),
    spec: anyOf(...SPECS),
    isTold: fc.boolean(),
    name: anyOf(...NAMES),
    isTrusted: fc.boolean(),
    confirmed: fc.boolean(),
    doubt: fc.option(anyOf<Doubt>("absent", "refused", "unreachable")),
  })
  .map(({ eventId, kind, at, spec, isTold, name, isTrusted, confirmed, doubt }) =>
    aSighting({
      ...(doubt !== null && !confirmed && { doubt }),
      ...{ eventId, kind, at, confirmed },
      ...(isTrusted && { actor: terraform }),
      ...(isTold ? { specs: [spec] } : { rules: null }),
      ruleIds: kind === "authorize" ? [] : [ruleId(name)],
    }),
  );

const anOldItem = (rules: readonly Rule[]): fc.Arbitrary<readonly DriftItem[]> =>
  fc.subarray([...rules]).chain((some) =>
    fc.tuple(
      ...some.map((rule, index) =>
        anyOf("waiting", "reported", "held", "rollingBack" as const).map((state) => {
          const { id: ruleOf, description, createdAt: _, ...spec } = rule;
          return anItem({
            driftId: `dr-old-${index}`,
            firstSeenAt: NOW - HOUR,
            key: ruleKey(rule),
            ruleId: ruleOf,
            found: { spec, description },
            state: state as DriftItem["state"],
          });
        }),
      ),
    ),
  );

const aWatchOf = (rules: readonly Rule[]): fc.Arbitrary<Watch> =>
  fc
    .record({
      acts: anyOf("observe", "enforce" as const),
      treat: anyOf("adopt", "ticket" as const),
      mayAdopt: fc.boolean(),
      sightings: fc.array(aCall, { maxLength: 5 }),
      items: anOldItem(rules),
      held: fc.subarray([...SPECS], { maxLength: 2 }),
      reverted: fc.subarray([...SPECS], { maxLength: 2 }),
      isFrozen: fc.nat(5).map((it) => it === 0),
      isHalfRead: fc.nat(5).map((it) => it === 0),
      changesMax: anyOf(1, 3, 50),
    })
    .map(({ acts, treat, held, reverted, isFrozen, sightings, ...rest }) =>
      aWatch({
        ...rest,
        acts: acts as Watch["acts"],
        sightings: [...sightings].sort((a, b) => a.at - b.at),
        terms: someTerms({ trustedPrincipals: [{ principal: "terraform", treat: treat as "adopt" }] }),
        holds: new Set(held.map(ruleKey)),
        reverts: reverted.flatMap((spec) =>
          [1, 2, 3].map((index) => ({ key: ruleKey(spec), driftId: `dr-${index}`, at: NOW - 1000 })),
        ),
        frozenUntil: isFrozen ? NOW + HOUR : null,
      }),
    );

const anyPicture: fc.Arbitrary<Picture & { readonly watch: Watch }> = someRules.chain((rules) =>
  fc
    .record({
      watch: aWatchOf(rules),
      choices: fc.tuple(...SPECS.map(() => fc.option(anEntryChoice))),
      // Ids that the ledger may have booked: every one at most once, some shown and some not.
      stood: fc.shuffledSubarray([...NAMES, "gone-1", "gone-2", "gone-3"], {
        minLength: SPECS.length,
        maxLength: SPECS.length,
      }),
      // What most entries stand on is the rule that says what they say.
      isOwn: fc.tuple(...SPECS.map(() => fc.nat(2).map((it) => it > 0))),
      stateKnown: fc.boolean(),
    })
    .map(({ watch, choices, stood, isOwn, stateKnown }) => {
      const taken = new Set<RuleId>();
      const entries = SPECS.flatMap((spec, index) => {
        const choice = choices[index];
        if (!choice) return [];
        const own = isOwn[index] ? rules.find((rule) => ruleKey(rule) === ruleKey(spec))?.id : null;
        const id = own ?? ruleId(stood[index] ?? "");
        const entry = entryOf(spec, taken.has(id) ? { ...choice, standing: "none" } : choice, id);
        taken.add(id);
        return entry ?? [];
      });
      return { ...aPicture({ rules, entries, stateKnown }), watch };
    }),
);

const rollbacksOf = (plan: Plan) => plan.calls.filter((call) => call.rollback !== undefined);
const isWanted = (entry: Entry): boolean =>
  isAllocatedAlways(entry) || openWindow(entry, NOW) !== null || entry.holders.some((it) => isHolding(it, NOW));

/** The items after a plan, as they are kept. */
function itemsAfter(plan: Plan, before: readonly DriftItem[]): readonly DriftItem[] {
  const items = new Map(before.map((item) => [item.driftId, item]));
  for (const item of plan.drift.items) items.set(item.driftId, item);
  return [...items.values()];
}

/** The group after the calls, as the cloud makes it: no two rules with one key. */
function perform(rules: readonly Rule[], plan: Plan, round: number): readonly Rule[] {
  let next = [...rules];
  for (const [index, call] of plan.calls.entries()) {
    if (call.kind === "revoke") next = next.filter((rule) => rule.id !== call.ruleId);
    else if (call.kind === "modify") {
      if (next.some((rule) => rule.id !== call.ruleId && ruleKey(rule) === call.entry.key)) continue;
      next = next.map((rule) =>
        rule.id === call.ruleId ? { ...rule, ...call.entry.spec, description: call.description } : rule,
      );
    } else if (!next.some((rule) => ruleKey(rule) === call.entry.key)) {
      const id = ruleId(`new-${round}-${index}`);
      next.push({ ...call.entry.spec, id, description: call.description, createdAt: NOW });
    }
  }
  return next;
}

/** The ledger after the patches and what was adopted. */
function writeDown(plan: Plan): readonly Entry[] {
  const entries = plan.patches.flatMap((patch) => {
    const next = applyPatch(patch.entry, patch, NOW, new Set());
    const live = next.holders.filter((it) => isHolding(it, NOW));
    const isOver = patch.settled || next.standing.kind === "preExisting";
    const holders = isOver || live.length > 0 ? live : next.holders;
    return isOver && holders.length === 0 && next.allocation === null ? [] : [{ ...next, holders }];
  });
  const after = new Map(entries.map((entry) => [entry.key, entry]));
  for (const { spec, allocation } of plan.drift.adoptions) {
    const stored = after.get(ruleKey(spec)) ?? anEntry({ spec, holders: [] });
    after.set(ruleKey(spec), { ...stored, allocation });
  }
  return [...after.values()];
}

interface Rest {
  readonly picture: Picture & { readonly watch: Watch };
  readonly plan: Plan;
  readonly rounds: number;
}

const ROUNDS_MAX = 12;

/** Plans, carries out and writes down until nothing is called and nothing moves. */
function comeToRest(given: Picture & { readonly watch: Watch }): Rest {
  let picture = given;
  for (let rounds = 0; ; rounds++) {
    const plan = planGroup(picture);
    const entries = writeDown(plan);
    const isSame = textOf(entries) === textOf(picture.entries) && plan.drift.items.length === 0;
    if (rounds === ROUNDS_MAX || (plan.calls.length === 0 && isSame)) return { picture, plan, rounds };
    const { watch } = picture;
    const revoked = plan.calls.flatMap((call) => (call.kind === "revoke" ? [call.ruleId] : []));
    const accepted = plan.calls.flatMap((call) => (call.kind === "authorize" ? [call.entry.entryId] : []));
    const restated = plan.calls.flatMap((call) => (call.kind === "modify" ? [call.entry.entryId] : []));
    picture = {
      ...picture,
      entries,
      // What is adopted is written before anything is called, and the plan made again.
      rules: plan.drift.adoptions.length > 0 ? picture.rules : perform(picture.rules, plan, rounds),
      revoked: new Set([...picture.revoked, ...(plan.drift.adoptions.length > 0 ? [] : revoked)]),
      accepted: new Set([...picture.accepted, ...(plan.drift.adoptions.length > 0 ? [] : accepted)]),
      restated: new Set([...picture.restated, ...(plan.drift.adoptions.length > 0 ? [] : restated)]),
      watch: {
        ...watch,
        items: itemsAfter(plan, watch.items).filter(isOpenDrift),
        reverts: [...watch.reverts, ...plan.drift.reverts],
        holds: new Set([...watch.holds, ...plan.drift.holds]),
      },
    };
  }
}

const textOf = (entries: readonly Entry[]): string =>
  JSON.stringify(
    entries.map(({ key, holders, standing, missingSince, allocation }) => [
      key,
      holders,
      standing,
      missingSince,
      allocation,
    ]),
  );

/** Nothing holds a rollback back, and whoever wrote what nobody granted is waited for no longer. */
const unhindered = ({
  watch,
  ...picture
}: Picture & { readonly watch: Watch }): Picture & { readonly watch: Watch } => ({
  ...picture,
  stateKnown: true,
  watch: {
    ...watch,
    acts: "enforce",
    terms: {
      ...watch.terms,
      drift: aDriftPolicy({ unknownWriterWaitMs: 0, percentPerPass: 1000 }),
      trustedPrincipals: [],
    },
    holds: new Set(),
    reverts: [],
    frozenUntil: null,
    isHalfRead: false,
    changesMax: 50,
    confirmedAt: NOW - 48 * HOUR,
  },
});

const runs = { numRuns: 300 };
const always = (law: (picture: Picture & { readonly watch: Watch }) => void, parameters = runs): void => {
  fc.assert(fc.property(anyPicture, law), parameters);
};

describe("a rollback", () => {
  it("is of drift in an enforced group alone, and never in a freeze or of a ledger read in part", () => {
    always((picture) => {
      const plan = planGroup(picture);
      const items = itemsAfter(plan, picture.watch.items);
      const { acts, frozenUntil, isHalfRead } = picture.watch;
      for (const call of rollbacksOf(plan)) {
        expect([acts, frozenUntil, isHalfRead]).toEqual(["enforce", null, false]);
        expect(items.find((it) => it.driftId === call.rollback)?.verdict.kind).toBe("drift");
      }
    });
  });

  it("is one of so many as a pass may make", () => {
    always((picture) => {
      expect(rollbacksOf(planGroup(picture)).length).toBeLessThanOrEqual(picture.watch.changesMax);
    });
  });

  it("has an item that is rolling back and keeps in full what stands and what should", () => {
    always((picture) => {
      const plan = planGroup(picture);
      const items = itemsAfter(plan, picture.watch.items);
      for (const call of rollbacksOf(plan)) {
        const item = items.find((it) => it.driftId === call.rollback);
        expect(item).toMatchObject({ state: "rollingBack", heldBy: null });
        if (call.kind === "authorize") expect(item?.found).toBeNull();
        else {
          const rule = picture.rules.find((it) => it.id === call.ruleId);
          expect(item?.found && ruleKey(item.found.spec)).toBe(rule && ruleKey(rule));
          expect(item?.found?.description).toBe(rule?.description);
        }
        if (call.kind !== "revoke") {
          expect(item?.wanted?.description).toBe(call.description);
          expect(item?.wanted && ruleKey(item.wanted.spec)).toBe(call.entry.key);
        }
      }
      const rolling = items.filter((it) => it.state === "rollingBack").map((it) => it.driftId);
      expect(
        rollbacksOf(plan)
          .map((call) => call.rollback)
          .sort(),
      ).toEqual(rolling.sort());
    });
  });

  it("touches no rule that stands for a lease or an allocation and says what it should", () => {
    always((picture) => {
      const plan = planGroup(picture);
      const touched = new Set(rollbacksOf(plan).flatMap((call) => (call.kind === "authorize" ? [] : [call.ruleId])));
      for (const { entry, standing } of plan.patches) {
        if (standing.kind === "none") continue;
        const rule = picture.rules.find((it) => it.id === standing.ruleId);
        if (!rule || ruleKey(rule) !== entry.key) continue;
        const isDescribed = entry.allocation === null || rule.description === entry.allocation.description;
        if (standing.kind === "ours" || (isWanted(entry) && isDescribed)) expect(touched).not.toContain(rule.id);
        if (isWanted(entry))
          expect(rollbacksOf(plan)).not.toContainEqual(expect.objectContaining({ kind: "revoke", ruleId: rule.id }));
      }
    });
  });

  it("is not what an end is: ends are the same whatever is watched, held or frozen", () => {
    always((picture) => {
      const ends = (plan: Plan) => plan.calls.filter((call) => call.rollback === undefined);
      expect(ends(planGroup(picture))).toEqual(ends(planGroup({ ...picture, watch: null })));
    });
  });
});

describe("a plan", () => {
  it("calls for one thing per rule and entry at most", () => {
    always((picture) => {
      const names = planGroup(picture).calls.map((call) =>
        call.kind === "authorize" ? call.entry.entryId : call.ruleId,
      );
      expect(new Set(names).size).toBe(names.length);
    });
  });

  it("is made of the picture alone: twice the same", () => {
    always((picture) => {
      expect(planGroup(picture)).toEqual(planGroup(picture));
    });
  });

  it("changes the ledger only where it may, for confirmed calls of the trusted, and never what a lease or hours hold", () => {
    always((picture) => {
      const { adoptions, items } = planGroup(picture).drift;
      if (!picture.watch.mayAdopt) expect(adoptions).toEqual([]);
      expect(adoptions.length > 0).toBe(items.some((it) => it.state === "adopted"));
      for (const { by, spec, allocation } of adoptions) {
        expect(by).toBe("terraform");
        const entry = picture.entries.find((it) => it.key === ruleKey(spec));
        if (allocation && entry?.allocation) expect(allocation.owner).toBe(entry.allocation.owner);
        if (!allocation) expect(entry?.allocation).not.toBeNull();
      }
      for (const item of items.filter((it) => it.state === "adopted"))
        expect([item.verdict, item.attribution]).toMatchObject([
          { kind: "trusted", treat: "adopt" },
          { confirmed: true },
        ]);
    });
  });

  it("has each item once, and none that is new and over", () => {
    always((picture) => {
      const { items } = planGroup(picture).drift;
      expect(new Set(items.map((it) => it.driftId)).size).toBe(items.length);
      const known = new Set(picture.watch.items.map((it) => it.driftId));
      for (const item of items) if (!known.has(item.driftId)) expect(["gone", "rolledBack"]).not.toContain(item.state);
    });
  });
});

describe("carried out and made again", () => {
  it("comes to rest", () => {
    always((picture) => {
      const { plan, rounds } = comeToRest(picture);
      expect(plan.calls).toEqual([]);
      expect(plan.drift.adoptions).toEqual([]);
      expect(rounds).toBeLessThan(ROUNDS_MAX);
    });
  });

  it("leaves every granted rule as it was granted, once, and nothing else but what others write", () => {
    always((given) => {
      const { picture, plan, rounds } = comeToRest(unhindered(given));
      expect([plan.calls, rounds < ROUNDS_MAX]).toEqual([[], true]);
      // A group that shows no rule at all is not believed to have lost several.
      if (picture.watch.items.some((it) => it.heldBy === "reading")) return;
      for (const entry of picture.entries) {
        if (!isAllocatedAlways(entry)) continue;
        // Two leases' rules that somebody changed into each other go with their leases.
        if (plan.findings.includes(`${entry.entryId} waits for another lease's rule`)) continue;
        const standing = picture.rules.filter((rule) => ruleKey(rule) === entry.key);
        expect(standing).toHaveLength(1);
        const description = entry.allocation?.description;
        if (description) expect(standing[0]?.description).toBe(description);
      }
      const wanted = new Set(picture.entries.filter(isWanted).map((it) => it.key));
      const stood = new Set(plan.patches.flatMap((it) => (it.standing.kind === "none" ? [] : [it.standing.ruleId])));
      for (const rule of picture.rules) {
        if (wanted.has(ruleKey(rule)) || (rule.id !== null && stood.has(rule.id))) continue;
        expect(rule.peer).toEqual(fromCidr("100.104.7.0/24"));
      }
    });
  });
});
