// What becomes of a difference from one pass to the next: when it counts as begun, moved or held, and when the group is looked at again.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { againAt } from "../../../shared/plan/mode-guard.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { NO_DRIFT, planDrift } from "../../../shared/plan/plan-drift.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import {
  anAllocated,
  anAllocation,
  anItem,
  aSighting,
  aWatch,
  someTerms,
  terraform,
  WAIT_MS,
} from "../../kit/drift-pictures.ts";
import { anEntry, anIntent, aPicture, HOUR, NOW, preExisting, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { by, keptAs, suspended } from "../../kit/suspended-pictures.ts";

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
  expect(planDrift(aPicture(), frozen, { differences: [], added: [], closed: [] })).toEqual(nothing);
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

  test("is remembered with how long it was waited for, where somebody is known to have made it", () => {
    const { key, driftId } = stored();
    expect(drift().reverts).toEqual([{ key, driftId, at: NOW, since: x.createdAt }]);
    const nobodys = { ...x, createdAt: NOW - WAIT_MS };
    const expired = drift({ sightings: [] }, { rules: [nobodys] }).reverts;
    expect(expired).toMatchObject([{ at: NOW }]);
    expect(expired[0]).not.toHaveProperty("since");
  });

  test("that a lockdown keeps back is planned again soon", () => {
    const closed = suspended(
      { by: [by], kept: [keptAs("closed")] },
      { spec: aSpec({ ports: somePorts("9000/9000") }) },
    );
    const gone = anAllocated({ spec: aSpec({ ports: somePorts("8081/8081") }), standing: preExisting("g") });
    const sightings = [aSighting({ kind: "revoke", specs: [gone.spec] })];
    const plan = drift({ sightings }, { rules: [], entries: [gone, closed], lateEffectMaxMs: 0 });
    expect(plan.items).toMatchObject([{ heldBy: "lockdown" }]);
    expect(plan.lookAt).toEqual([againAt(NOW)]);
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
    const described = same.found && { ...same.found, description: "as it was" };
    expect(frozen({ found: described })).toMatchObject([{ found: same.found }]);
  });

  test("that waits has the group looked at when it has waited", () => {
    const plan = drift({ sightings: [] });
    expect(plan.items).toMatchObject([{ state: "waiting" }]);
    expect(plan.lookAt).toEqual([(x.createdAt ?? 0) + WAIT_MS]);
  });

  test("of somebody trusted is written anew after 300 days, and has the group looked at for that", () => {
    const age = 300 * 24 * HOUR;
    const terms = someTerms({ trustedPrincipals: [{ principal: "terraform", treat: "ticket" }] });
    const ticket = { terms, sightings: [aSighting({ actor: terraform, specs: [x] })] };
    const [item] = drift(ticket).items;
    if (item === undefined) throw new Error("nothing differs");
    const since = (changedAt: number) => drift({ ...ticket, items: [{ ...item, changedAt }] });
    expect(since(NOW - age)).toMatchObject({ items: [{ state: "reported", changedAt: NOW }], lookAt: [NOW + age] });
    expect(since(NOW - age + 1)).toMatchObject({ items: [], lookAt: [NOW + 1] });
  });

  test("of what is not there any more was rolled back where that was begun, or a revoke of ours may have closed it", () => {
    const states = (item: DriftItem, picture: Partial<Picture> = {}) =>
      drift({ items: [item], sightings: [] }, { rules: [], ...picture }).items.map(({ state }) => state);
    const intents = [anIntent(anEntry(), { call: "revoke", rules: [], ruleIds: [ruleId("x")] })];
    expect(states(stored({ state: "rollingBack" }))).toEqual(["rolledBack"]);
    expect(states(stored())).toEqual(["gone"]);
    expect(states(stored(), { intents })).toEqual(["rolledBack"]);
    expect(states(stored({ kind: "removed", found: null }), { intents })).toEqual(["gone"]);
    const moved = { ...x, ports: somePorts("8444/8444") };
    expect(states(stored({ state: "rollingBack" }), { rules: [moved] })).toEqual(["waiting", "gone"]);
  });

  test("of somebody trusted is only reported where the ledger cannot say it by itself", () => {
    const openHours = { zone: "UTC", windows: [{ days: [5], from: "00:00", to: "01:00" }] };
    const closed = anAllocated({ spec: aSpec({ ports: x.ports }), allocation: anAllocation({ openHours }) });
    const plan = drift({ sightings: [aSighting({ actor: terraform, specs: [x] })] }, { entries: [closed] });
    expect([plan.items.map(({ state }) => state), plan.adoptions]).toEqual([["reported"], []]);
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

  test("what a revoke of ours may still close is waited for, and was rolled back once it is gone", () => {
    const intents = [anIntent(anEntry(), { call: "revoke", rules: [], ruleIds: [ruleId("x")] })];
    const states = (rules: readonly Rule[], its = intents) =>
      planGroup(aPicture({ rules, intents: its, watch: aWatch({ acts: "none", items: [stored()] }) })).drift.items.map(
        ({ state }) => state,
      );
    const other = aRule({ id: ruleId("y"), ports: somePorts("1/1") });
    expect(states([x])).toEqual([]);
    expect(states([other])).toEqual(["rolledBack"]);
    expect(states([x], [])).toEqual(["gone"]);
  });

  test("a rollback came about whatever else stands, and the item of its guard is not over", () => {
    const other = aRule({ id: ruleId("y"), ports: somePorts("1/1") });
    const states = (item: DriftItem) => unguarded([item], [other]).drift.items.map(({ state }) => state);
    expect(states(stored({ state: "rollingBack" }))).toEqual(["rolledBack"]);
    const restored = { kind: "removed", key: ruleKey(x), ruleId: x.id, state: "rollingBack" } as const;
    expect(states(anItem(restored))).toEqual(["gone"]);
    expect(states(anItem({ kind: "guard", ruleId: null }))).toEqual([]);
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
