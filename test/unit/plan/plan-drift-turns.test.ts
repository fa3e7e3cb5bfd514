// What becomes of a difference from one pass to the next: when it counts as begun, moved or held, and when the group is looked at again.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { againAt } from "../../../shared/plan/mode-guard.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { NO_DRIFT, planDrift } from "../../../shared/plan/plan-drift.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anItem, aSighting, aWatch, terraform } from "../../kit/drift-pictures.ts";
import { aPicture, HOUR, NOW, preExisting, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const x: Rule = aRule({ id: ruleId("x"), ports: somePorts("8080/8080"), createdAt: NOW - 60_000 });
const bobs = aSighting({ specs: [x] });
/** Bob's rule, which nobody granted, under an enforced guard unless said otherwise. */
const drift = (watch: Partial<Watch> = {}, picture: Partial<Picture> = {}) =>
  planGroup(aPicture({ rules: [x], watch: aWatch({ sightings: [bobs], ...watch }), ...picture })).drift;
/** The item of it as it was stored by an earlier pass. */
const stored = (changes: Partial<DriftItem> = {}): DriftItem => {
  const [item] = drift({ acts: "observe" }).items;
  if (item === undefined) throw new Error("nothing differs");
  return { ...item, ...changes };
};

test("a pass that watches nothing, and one that finds nothing, plan nothing", () => {
  const nothing = { calls: [], items: [], reverts: [], holds: [], adoptions: [], lookAt: [] };
  expect([NO_DRIFT, drift({}, { watch: null })]).toEqual([nothing, nothing]);
  // Nor does a freeze that stops nothing have the group looked at again.
  const frozen = aWatch({ frozenUntil: NOW + HOUR });
  expect(planDrift(aPicture(), frozen, { differences: [], added: [] })).toEqual(nothing);
});

describe("a rollback", () => {
  test("counts as begun where it is done, and not where the difference is only reported", () => {
    expect(drift().reverts).toMatchObject([{ driftId: stored().driftId }]);
    expect(drift({ acts: "observe" }).reverts).toEqual([]);
  });

  test("is held after three others of the rule within the time, its own not counted, nor one that is under way", () => {
    const { key, driftId } = stored();
    const reverts = (ids: readonly string[], firstAt = NOW - 1000) =>
      ids.map((id, index) => ({ key, driftId: id, at: index === 0 ? firstAt : NOW - 1000 }));
    const others = ["dr-1", "dr-2", "dr-3"];
    const states = (watch: Partial<Watch>) => drift(watch).items.map(({ state }) => state);
    expect(states({ reverts: reverts(others) })).toEqual(["held"]);
    expect(states({ reverts: reverts(others, NOW - 600_000) })).toEqual(["rollingBack"]);
    expect(states({ reverts: reverts(others, NOW - 599_999) })).toEqual(["held"]);
    expect(states({ reverts: reverts(["dr-1", "dr-2", driftId]) })).toEqual(["rollingBack"]);
    const begun = drift({ items: [stored({ state: "rollingBack" })], reverts: reverts(others) });
    expect(begun.calls).toMatchObject([{ kind: "revoke", ruleId: ruleId("x") }]);
  });

  test("that the mode stops is planned again soon", () => {
    const plan = drift({}, { mode: "close-only" });
    expect(plan.items).toMatchObject([{ state: "reported", heldBy: "mode" }]);
    expect(plan.lookAt).toEqual([againAt(NOW)]);
  });

  test("is judged together with what still waits for its event: it must not matter in what order events come", () => {
    const entries = [1, 2].map((port) =>
      anAllocated({ spec: aSpec({ ports: somePorts(`${port}/${port}`) }), standing: preExisting(`g${port}`) }),
    );
    const [first] = entries;
    const sightings = [aSighting({ kind: "revoke", specs: first ? [first.spec] : [] })];
    const plan = drift({ sightings }, { rules: [], entries });
    expect(plan.calls).toEqual([]);
    expect(plan.items.map(({ state, heldBy }) => [state, heldBy]).sort()).toEqual([
      ["reported", "reading"],
      ["waiting", null],
    ]);
    expect(drift({ sightings }, { rules: [], entries: entries.slice(0, 1) }).calls).toMatchObject([
      { kind: "authorize" },
    ]);
  });

  test("is not done to a drop that may cut Cloud Assistant off, and is to an accept", () => {
    const out = { direction: "egress", peer: fromCidr("0.0.0.0/0"), ports: somePorts("443/443") } as const;
    const calls = (policy: "accept" | "drop") => {
      const entry = anAllocated({ spec: aSpec({ ...out, policy }), standing: preExisting("g") });
      const sightings = [aSighting({ kind: "revoke", specs: [entry.spec] })];
      return drift({ sightings }, { rules: [], entries: [entry] }).calls.map(({ kind }) => kind);
    };
    expect([calls("drop"), calls("accept")]).toEqual([[], ["authorize"]]);
  });
});

describe("a stored item", () => {
  test("is written anew where what holds it, its verdict or its author is another one, and only then", () => {
    const same = stored({ state: "reported", heldBy: "freeze" });
    const frozen = (changes: Partial<DriftItem>) =>
      drift({ frozenUntil: NOW + HOUR, items: [{ ...same, ...changes }] }).items;
    expect(frozen({})).toEqual([]);
    expect(frozen({ heldBy: "ceiling" })).toMatchObject([{ state: "reported", heldBy: "freeze", changedAt: NOW }]);
    expect(frozen({ verdict: { kind: "drift", why: "as it was" } })).toMatchObject([{ verdict: same.verdict }]);
    expect(frozen({ attribution: null })).toMatchObject([{ attribution: same.attribution }]);
  });

  test("of what is adopted has nothing to be written again for", () => {
    const plan = drift({ sightings: [aSighting({ actor: terraform, specs: [x] })] });
    expect([plan.items.map(({ state }) => state), plan.adoptions.length, plan.lookAt]).toEqual([["adopted"], 1, []]);
  });
});

describe("of a group that is guarded no more", () => {
  const unguarded = (items: readonly DriftItem[], rules: readonly Rule[]) =>
    planGroup(aPicture({ rules, watch: aWatch({ acts: "none", items, sightings: [bobs] }) }));

  test.each(["waiting", "reported", "held"] as const)("what was %s is over, and nothing is found", (state) => {
    const items = [anItem({ state, heldBy: state === "held" ? "hold" : null })];
    const { calls, lookAt, drift: found } = unguarded(items, [x, aRule({ id: ruleId("y"), ports: somePorts("1/1") })]);
    expect([calls, lookAt]).toEqual([[], []]);
    expect(found.items).toEqual([{ ...items[0], state: "gone", heldBy: null, changedAt: NOW }]);
  });

  test.each([
    ["stands still", [x], "gone"],
    ["went", [], "rolledBack"],
  ] as const)("an added rule that was being rolled back and %s is %s", (_, rules, state) => {
    const { drift: found } = unguarded([stored({ state: "rollingBack" })], rules);
    expect(found.items.map((it) => it.state)).toEqual([state]);
  });

  test.each([
    ["is back", "rolledBack"],
    ["is not back", "gone"],
  ] as const)("a granted rule that was to be restored and %s is %s", (what, state) => {
    const item = anItem({ kind: "removed", key: ruleKey(x), ruleId: x.id, state: "rollingBack" });
    const { drift: found } = unguarded([item], what === "is back" ? [{ ...x, id: ruleId("anew") }] : []);
    expect(found.items.map((it) => it.state)).toEqual([state]);
  });
});

test("items of guards are not this plan's", () => {
  expect(drift({ items: [anItem({ kind: "guard", ruleId: null })], sightings: [] }, { rules: [] }).items).toEqual([]);
});
