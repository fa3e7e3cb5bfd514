// An accept that is closed for a time, step by step: each call in full, what is told, and when the group is looked at again.
import { describe, expect, test } from "vitest";
import type { Entry, Suspension } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { isSuspending, type Picture } from "../../../shared/plan/picture.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { unrestorable } from "../../../shared/plan/plan-suspended.ts";
import { anAllocated, anAllocation } from "../../kit/drift-pictures.ts";
import {
  aHolder,
  aMark,
  anEntry,
  anIntent,
  aPicture,
  HOUR,
  LATE_MS,
  NOW,
  ours,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";
import { aSuspension, by, keptAs, over, suspended } from "../../kit/suspended-pictures.ts";

const web = (name = "1", changes: Partial<Rule> = {}): Rule =>
  aRule({ id: ruleId(name), description: "web", ...changes });
function planned(entry: Entry, rules: readonly Rule[], changes: Partial<Picture> = {}) {
  const { calls, patches, findings, lookAt } = planGroup(aPicture({ entries: [entry], rules, ...changes }));
  return { calls, patch: patches[0], findings, lookAt };
}
const revoke = (entry: Entry, name: string, changes: { seen?: boolean; suspends?: true; cause?: string } = {}) => ({
  ...{ kind: "revoke", entryId: entry.entryId, ruleId: ruleId(name), seen: true, cause: "suspended by ld-1" },
  ...changes,
});
const theirs = { suspends: true } as const;

test("a suspender lasts up to its end, and one without an end for ever", () => {
  expect([NOW + 1, NOW, null].map((until) => isSuspending({ ...by, until }, NOW))).toEqual([true, false, true]);
});

test("a rule could be authorized again unless its peer, its priority or its id say otherwise", () => {
  expect(unrestorable(web("1", { priority: 100 }))).toBeNull();
  expect(unrestorable(web("1", { priority: 101 }))).toBe("the cloud takes no rule of priority 101");
  expect(unrestorable(web("1", { peer: { kind: "opaque", text: "?" } }))).toBe("its peer cannot be written");
  expect(unrestorable({ ...web(), id: null })).toBe("it has no id");
});

describe("closing", () => {
  test("revokes somebody else's rule, keeps it, and looks again when the last of the suspenders ends", () => {
    const later = { ...by, itemId: "ld-2", until: NOW + 2 * HOUR };
    for (const suspenders of [
      [by, later],
      [later, by],
    ]) {
      const entry = suspended({ by: suspenders });
      const cause = `suspended by ${suspenders.map((it) => it.itemId).join(", ")}`;
      const plan = planned(entry, [web()]);
      expect(plan.calls).toEqual([revoke(entry, "1", { ...theirs, cause })]);
      expect([plan.findings, plan.lookAt]).toEqual([[], [NOW + 2 * HOUR]]);
      expect(plan.patch).toMatchObject({
        ...{ standing: { kind: "none" }, settled: true, missingSince: null, undoneAt: [] },
        suspension: { kept: [keptAs("1")], keptAt: NOW, wasAllocated: false },
      });
    }
    expect(planned(suspended({ by: [{ ...by, until: null }] }), [web()]).lookAt).toEqual([]);
  });

  test("looks again for a rule that the first reading did not show, and for calls that may still act", () => {
    const entry = suspended();
    expect(planned(entry, [])).toMatchObject({ lookAt: [NOW + HOUR, NOW + LATE_MS], patch: { settled: true } });
    expect(planned(suspended({ since: NOW - LATE_MS }), []).lookAt).toEqual([NOW + HOUR]);
    const intents = [anIntent(entry, { attemptsEndAt: NOW + 5000 })];
    const kept = suspended({ kept: [keptAs("1")] });
    expect(planned(kept, [], { intents })).toMatchObject({
      ...{ lookAt: [NOW + HOUR, NOW + 5000 + LATE_MS], patch: { settled: false } },
    });
    expect(planned(kept, [])).toMatchObject({ lookAt: [NOW + HOUR], findings: [], patch: { settled: true } });
  });

  test("revokes our own rules by id and by mark, and keeps none of them", () => {
    const marked = web("1", { description: aMark() });
    const entry = suspended({}, { holders: [aHolder({ openedAt: null })] });
    const unbooked = planned(entry, [marked]);
    expect(unbooked.calls).toEqual([revoke(entry, "1")]);
    expect(unbooked.patch).toMatchObject({ standing: ours("1"), settled: false, suspension: { kept: null } });
    expect(planned(entry, [marked, web("3")])).toMatchObject({ calls: [{}, {}], patch: { settled: false } });
    const booked = { ...entry, standing: ours("2") };
    const both = planned(booked, [marked]);
    expect(both.calls).toEqual([revoke(booked, "1"), revoke(booked, "2", { seen: false })]);
    expect(both.patch).toMatchObject({ standing: ours("2") });
  });

  test("keeps no mark, which would end what stands for good", () => {
    const allocated = anAllocated({ allocation: anAllocation({ description: "shop" }), suspension: aSuspension() });
    const marked = web("1", { description: aMark() });
    expect(planned(allocated, [marked]).patch?.suspension).toMatchObject({
      ...{ kept: [keptAs("1", "shop")], wasAllocated: true },
    });
    const ridden = suspended({}, { standing: preExisting("1") });
    expect(planned(ridden, [marked]).patch?.suspension).toMatchObject({ kept: [keptAs("1", "")], wasAllocated: false });
  });

  test("goes on with what is kept already, also where the cloud would not take it any more", () => {
    const entry = suspended({ kept: [keptAs("1")] }, { spec: aSpec({ priority: 110 }) });
    expect(planned(entry, [web("2", { priority: 110 })]).calls).toEqual([revoke(entry, "2", theirs)]);
  });

  test("of what is opened anew is told once, and goes on to its end", () => {
    const entry = suspended({ kept: [keptAs("1")] });
    const finding = `somebody opened ${entry.key} while it is suspended: it is closed again`;
    expect(planned(entry, [web("2")])).toMatchObject({
      ...{ findings: [finding], patch: { suspension: { kept: [keptAs("1")] } } },
    });
    const fought = [NOW - 3000, NOW - 2000, NOW - 1000];
    const noticed = { ...entry, missingSince: NOW - 1000, undoneAt: fought };
    const again = planned(noticed, [web("2")]);
    expect([again.calls, again.findings]).toEqual([[revoke(noticed, "2", theirs)], []]);
    expect(again.patch).toMatchObject({ missingSince: NOW - 1000, undoneAt: fought });
    const slowly = [NOW - 700_000, NOW - 300_000, NOW - 1000];
    expect(planned({ ...entry, undoneAt: slowly }, [web("2")]).patch?.undoneAt).toEqual([...slowly.slice(1), NOW]);
  });

  test("leaves what is opened anew too often, and that alone", () => {
    const undoneAt = [NOW - 3000, NOW - 2000, NOW - 1000];
    const entry = suspended({ kept: [keptAs("1")] }, { undoneAt });
    const plan = planned(entry, [web("1"), web("2")]);
    expect(plan.calls).toEqual([revoke(entry, "1", theirs)]);
    expect(plan.findings).toEqual([
      `${entry.key} was opened 3 times while it is suspended: a person has to decide about it`,
    ]);
    expect(plan.patch).toMatchObject({ missingSince: null, undoneAt });
    expect(planned(entry, [web("1")]).findings).toEqual([]);
  });

  test("keeps what still stands where it was, however late it is", () => {
    const kept = [keptAs("1"), keptAs("2")];
    const late = suspended({ kept, since: NOW - LATE_MS });
    expect(planned(late, [web("1"), web("2")]).patch?.suspension).toEqual(late.suspension);
    const moved = web("1", { ports: somePorts("3309/3309") });
    expect(planned(late, [moved, web("2")]).patch?.suspension?.kept).toEqual([keptAs("2")]);
  });

  test("leaves to each of two entries what both were shown at once", () => {
    const kept = [keptAs("1")];
    const [one, other] = [suspended({ kept }), suspended({ kept }, { spec: aSpec({ ports: somePorts("3309/3309") }) })];
    const free = anEntry({ spec: aSpec({ ports: somePorts("1/1") }) });
    const { patches } = planGroup(aPicture({ entries: [one, other, free] }));
    expect(patches.slice(0, 2)).toMatchObject([{ suspension: { kept } }, { suspension: { kept } }]);
    // Nor does one that has kept nothing take from what was kept before it.
    const earlier = suspended({ kept, since: NOW - 1000 });
    const nothing = suspended({ since: NOW }, { spec: aSpec({ ports: somePorts("3309/3309") }) });
    expect(planGroup(aPicture({ entries: [earlier, nothing] })).patches[0]).toMatchObject({ suspension: { kept } });
  });
});

describe("opening again", () => {
  const lifted = (changes: Partial<Suspension> = {}, more: Partial<Entry> = {}) =>
    suspended({ by: [over], kept: [keptAs("1"), keptAs("2", "web too")], ...changes }, more);
  const authorize = (entry: Entry, description: string) => ({
    ...{ kind: "authorize", entry, description, beforeIds: [], cause: "its suspension is lifted" },
  });

  test("authorizes each rule as it was, books none of them as ours, and looks again when none can act any more", () => {
    const entry = lifted({}, { standing: preExisting("1") });
    const plan = planned(entry, []);
    expect(plan.calls).toEqual([authorize(entry, "web"), authorize(entry, "web too")]);
    expect([plan.findings, plan.lookAt]).toEqual([[], [NOW + LATE_MS]]);
    expect(plan.patch).toMatchObject({ standing: { kind: "none" }, suspension: { liftedAt: NOW } });
  });

  test("authorizes what is not said yet, and is over when all is", () => {
    const entry = lifted();
    expect(planned(entry, [web("3")]).calls).toEqual([authorize(entry, "web too")]);
    const both = [web("3"), web("4", { description: "web too" })];
    expect(planned(entry, both)).toMatchObject({ calls: [], patch: { suspension: null, settled: true } });
  });

  test("is over with one of two where the cloud takes no second, and asks once more where it shows none", () => {
    const entry = lifted();
    const accepted = new Set([entry.entryId]);
    expect(planned(entry, [web("3")], { accepted })).toMatchObject({ calls: [], patch: { suspension: null } });
    expect(planned(entry, [], { accepted }).calls).toHaveLength(2);
    expect(planned(entry, [web("1")], { accepted })).toMatchObject({
      calls: [],
      patch: { suspension: { kept: [{}, {}] } },
    });
  });

  test("is over where another rule says the same as the only one that is kept", () => {
    const entry = lifted({ kept: [keptAs("1")] });
    const others = [web("3", { description: "somebody's" })];
    expect(planned(entry, others)).toMatchObject({ calls: [], patch: { suspension: null } });
  });

  test("goes on however late it is where nothing stands", () => {
    const entry = lifted({ liftedAt: NOW - LATE_MS });
    expect(planned(entry, []).calls).toHaveLength(2);
  });

  test("begins anew for a lease that still holds: what was undone before is forgotten", () => {
    const entry = suspended({ by: [over] }, { holders: [aHolder()], undoneAt: [NOW - 1000], missingSince: NOW - 1000 });
    expect(planned(entry, []).patch).toMatchObject({ undoneAt: [], missingSince: null, suspension: null });
  });
});

describe("a revoke of which nobody knows yet, when the last suspender is over", () => {
  const revoking = (entry: Entry, name: string) =>
    anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId(name)], attemptsEndAt: NOW - 1000 });

  test("keeps what stands anew in the entry: should it go, it is given back", () => {
    const kept = suspended({ by: [over], kept: [keptAs("old")] });
    const plan = planned(kept, [web("new")], { intents: [revoking(kept, "new")] });
    expect([plan.calls, plan.patch?.settled, plan.lookAt]).toEqual([[], false, [NOW + LATE_MS]]);
    expect(plan.patch?.suspension).toMatchObject({ kept: [keptAs("old")], liftedAt: NOW });
    const gone = planned(kept, [], { intents: [revoking(kept, "new")] });
    expect(gone.calls).toMatchObject([{ kind: "authorize", description: "web" }]);
    expect(planned(kept, [web("new")]).patch?.suspension).toBeNull();
  });

  test("keeps the rule of a lease from being missed as if somebody had removed it, and delays no end", () => {
    const lease = suspended({ by: [over] }, { holders: [aHolder()], standing: ours("1") });
    const rule = web("1", { description: aMark() });
    const plan = planned(lease, [rule], { intents: [revoking(lease, "1")] });
    expect([plan.calls, plan.patch?.suspension]).toMatchObject([[], { liftedAt: NOW }]);
    expect(planned(lease, [rule]).patch?.suspension).toBeNull();
    const ended = { ...lease, holders: [aHolder({ ended: { cause: "asked", note: null, detail: null } })] };
    expect(planned(ended, [rule], { intents: [revoking(lease, "1")] }).calls).toMatchObject([{ kind: "revoke" }]);
  });
});
