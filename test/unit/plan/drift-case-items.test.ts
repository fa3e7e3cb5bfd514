// One difference as a case, asked for by itself: which stored item goes on with it, what would undo and adopt it, and whose calls count.
import { describe, expect, test } from "vitest";
import { type DriftItem, driftIdOf } from "../../../shared/domain/drift-item.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { addedCase, type Case, closedCase, grantedCase, revertsKeptMs } from "../../../shared/plan/drift-case.ts";
import type { Difference } from "../../../shared/plan/entry-plan.ts";
import type { KnownRule, Picture, Watch } from "../../../shared/plan/picture.ts";
import {
  aDriftPolicy,
  anAllocated,
  anAllocation,
  anItem,
  aSighting,
  aWatch,
  terraform,
} from "../../kit/drift-pictures.ts";
import { anEntry, aPicture, HOUR, NOW, ruleId } from "../../kit/plan-pictures.ts";
import { aCidr, somePorts } from "../../kit/rules.ts";
import { bobs, extra, granted, onPort } from "../../kit/watched-pictures.ts";

const known = (name: string, port: number, changes: Partial<KnownRule> = {}): KnownRule =>
  ({ ...extra(name, port), ...changes }) as KnownRule;
const other = { ...onPort(1), priority: 9 };

describe("a rule nobody granted", () => {
  const x = known("x", 8443, { description: "mine" });
  const added = (watch: Partial<Watch> = {}, picture: Partial<Picture> = {}, rule = x): Case =>
    addedCase(aPicture({ rules: [rule], ...picture }), aWatch(watch), rule);
  const stored = anItem({ ruleId: x.id, key: ruleKey(x) });

  test("goes on with the item of the same rule that says the same, and with no other", () => {
    expect(added({ items: [anItem(), stored] })).toMatchObject({ stored, item: { driftId: "dr-1" } });
    for (const changes of [{ kind: "edited" as const }, { ruleId: ruleId("y") }, { key: ruleKey(onPort(1)) }])
      expect(added({ items: [{ ...stored, ...changes }] }).stored).toBeUndefined();
  });

  test("is a new item in full, which waits until something is decided", () => {
    const { item } = added();
    const { description, id: _, createdAt: __, ...spec } = x;
    const parts = ["sg-web", "added", ruleKey(x), "sgr-x", ruleKey(x), "mine", String(NOW)];
    expect(item).toStrictEqual({
      driftId: driftIdOf(parts),
      group: { region: "cn-hangzhou", groupId: "sg-web" },
      kind: "added",
      key: ruleKey(x),
      ruleId: "sgr-x",
      entryId: null,
      found: { spec, description },
      wanted: null,
      reach: "opens tcp 8443 to 203.0.113.7 on every host of the group",
      verdict: { kind: "unknown", until: expect.any(Number) },
      state: "waiting",
      attribution: null,
      firstSeenAt: NOW - 60_000,
      changedAt: NOW,
      heldBy: null,
      rev: 0,
    });
    expect(added({}, {}, { ...x, id: ruleId("y") }).item.driftId).not.toBe(item.driftId);
  });

  test("is revoked by its id, seen as it is, and says where it is kept", () => {
    const { undo, ruleIds, item } = added();
    const cause = `nobody granted it; it is kept as ${item.driftId}`;
    expect(undo).toEqual({
      ...{ kind: "revoke", entryId: null, ruleId: "sgr-x", seen: true, cause, rollback: item.driftId },
    });
    expect(ruleIds).toEqual(["sgr-x"]);
  });

  test.each([
    ["created after the baseline was confirmed", NOW - HOUR + 1, true],
    ["created in the very millisecond", NOW - HOUR, false],
    ["created before", NOW - 2 * HOUR, false],
    ["of which nobody knows when it was created", null, false],
  ])("is surely new or may have been granted: one %s", (_what, createdAt, isNew) => {
    expect(added({}, {}, { ...x, createdAt }).isNew).toBe(isNew);
  });

  test.each([
    ["its creation", NOW - 60_000, [], NOW - 60_000],
    ["now, where nobody knows when it was created", null, [], NOW],
    ["now, where it differed in another way before", NOW - HOUR, [{ ...stored, key: ruleKey(other) }], NOW],
    ["its creation, whatever is known of other rules", NOW - 60_000, [anItem()], NOW - 60_000],
  ] as const)("waits from %s", (_what, createdAt, items, firstSeenAt) => {
    expect(added({ items }, {}, { ...x, createdAt })).toMatchObject({
      ...{ item: { firstSeenAt }, waitsSince: firstSeenAt },
    });
  });

  test("is the work of whoever changed the rule that had its id before, which stands no more", () => {
    const changed = aSighting({ kind: "modify", specs: [x], ruleIds: [ruleId("old")] });
    const old = { ...x, createdAt: NOW - HOUR };
    const by = (item: Partial<DriftItem>, rules: readonly KnownRule[] = [old]) =>
      added({ sightings: [changed], items: [anItem(item)] }, { rules }, old).item.attribution?.actor;
    expect(by({ ruleId: ruleId("old") })).toBe("bob");
    expect(by({ ruleId: ruleId("other") })).toBeUndefined();
    expect(by({ ruleId: ruleId("old"), entryId: anEntry().entryId })).toBeUndefined();
    expect(by({ ruleId: ruleId("old") }, [old, known("old", 7)])).toBeUndefined();
  });

  const byTerraform = { sightings: [aSighting({ actor: terraform, specs: [x] })] };

  test("is adopted from somebody trusted alone, and where the ledger does not allocate just that", () => {
    expect(added(byTerraform).adoption).toMatchObject([{ by: "terraform", standsAs: "sgr-x" }]);
    expect(added({ sightings: [bobs(x)] }).adoption).toBeNull();
    const entry = (allocation = anAllocation(), port = 8443) => anAllocated({ spec: onPort(port), allocation });
    expect(added(byTerraform, { entries: [entry()] }).adoption).toBeNull();
    expect(added(byTerraform, { entries: [entry(anAllocation(), 1)] }).adoption).toHaveLength(1);
    expect(added(byTerraform, { entries: [anEntry({ spec: onPort(8443) })] }).adoption).toHaveLength(1);
  });

  test("is the same case while it is closed for a time, but that no rule stands for what is adopted of it", () => {
    for (const [watch, isAdopted] of [
      [byTerraform, true],
      [{ sightings: [bobs(x)] }, false],
    ] as const) {
      const open = added(watch, { rules: [] });
      const adoption = isAdopted ? [{ ...open.adoption?.[0], standsAs: null }] : null;
      expect(closedCase(aPicture({ rules: [] }), aWatch(watch), x)).toEqual({ ...open, adoption, isClosed: true });
      expect(open.adoption?.[0]?.standsAs).toBe(isAdopted ? "sgr-x" : undefined);
    }
  });
});

describe("a granted rule", () => {
  const { entry, rule } = granted("g", 443);
  const shown = known("g", 443, { priority: 7, description: "mine", createdAt: NOW - 60_000 });
  const edited: Difference = { kind: "edited", entry, rule: shown, ruleId: shown.id, earlierId: null, description: "" };
  const removed: Difference = { ...edited, kind: "removed", rule: null };
  const caseOf = (difference: Difference, watch: Partial<Watch> = {}, picture: Partial<Picture> = {}): Case =>
    grantedCase(aPicture({ rules: difference.rule ? [difference.rule] : [], ...picture }), aWatch(watch), difference);

  test("goes on with the item of the same entry that was found the same, and with no other", () => {
    const { item } = caseOf(edited);
    const gone = caseOf(removed).item;
    for (const [difference, it] of [
      [edited, item],
      [removed, gone],
    ] as const)
      expect(caseOf(difference, { items: [item, gone] }).stored).toBe(it);
    const found = (changes: Partial<KnownRule>) => ({ found: { spec: shown, description: "mine", ...changes } });
    for (const changes of [
      { kind: "added" as const },
      { entryId: null },
      found({ description: "theirs" }),
      { found: { spec: other, description: "mine" } },
    ])
      expect(caseOf(edited, { items: [{ ...item, ...changes }] }).stored).toBeUndefined();
    expect(caseOf(removed, { items: [{ ...gone, kind: "edited" }] }).stored).toBeUndefined();
  });

  test("that was edited says what it opens instead of what, and one that is gone what that closes", () => {
    const wide = { ...edited, rule: { ...shown, ...onPort(8443) } };
    expect(caseOf(wide, { hosts: 2 }).item.reach).toBe(
      "opens tcp 8443 to 203.0.113.7 on 2 hosts, instead of: opens tcp 443 to 203.0.113.7 on 2 hosts",
    );
    expect(caseOf(removed, { hosts: 2 }).item.reach).toBe("closes tcp 443 to 203.0.113.7 on 2 hosts");
  });

  test("has its id by entry, kind and what was found; without an id of a rule too", () => {
    const parts = (id: string) => ["sg-web", "removed", entry.key, id, String(NOW)];
    expect(caseOf(removed).item.driftId).toBe(driftIdOf(parts("sgr-g")));
    expect(caseOf({ ...removed, ruleId: null }).item.driftId).toBe(driftIdOf(parts("")));
  });

  test("names every id that its rule has had and that no rule has now", () => {
    const items = [
      anItem({ entryId: entry.entryId, ruleId: ruleId("old") }),
      anItem({ entryId: entry.entryId, ruleId: null }),
      anItem({ entryId: entry.entryId, ruleId: shown.id }),
      anItem({ entryId: null, ruleId: ruleId("others") }),
    ];
    const idsOf = (difference: Difference) => caseOf(difference, { items }).ruleIds;
    expect(idsOf(edited)).toEqual(["sgr-old", "sgr-g"]);
    expect(idsOf({ ...edited, earlierId: ruleId("before") })).toEqual(["sgr-old", "sgr-before", "sgr-g"]);
    expect(idsOf({ ...removed, ruleId: null })).toEqual(["sgr-old", "sgr-g"]);
  });

  test("is the work of whoever changed it under an earlier id, and is never new", () => {
    const changed = aSighting({ kind: "modify", specs: [shown], ruleIds: [ruleId("before")] });
    const old = { ...edited, rule: { ...shown, createdAt: NOW - HOUR } };
    const by = (earlierId: Difference["earlierId"]) =>
      caseOf({ ...old, earlierId }, { sightings: [changed] }).item.attribution?.actor;
    expect([by(ruleId("before")), by(null)]).toEqual(["bob", undefined]);
    expect(caseOf(edited)).toMatchObject({ isNew: false, item: { firstSeenAt: NOW } });
  });

  test("comes back where it is gone, is made what it was where it stands, and goes where another says that already", () => {
    const { undo, item } = caseOf({ ...removed, description: "the shop" });
    const rollback = item.driftId;
    expect(undo).toEqual({
      ...{ kind: "authorize", entry, description: "the shop", beforeIds: [], cause: "it was removed", rollback },
    });
    const moved = { ...edited, rule: { ...shown, ...onPort(8443) }, description: "the shop" };
    const undoBeside = (...rules: readonly KnownRule[]) => {
      const it = caseOf(moved, {}, { rules: [moved.rule, ...rules] });
      return [it.undo, { cause: "it was changed", ruleId: "sgr-g", rollback: it.item.driftId }] as const;
    };
    for (const beside of [[], [known("y", 80)]]) {
      const [back, same] = undoBeside(...beside);
      expect(back).toEqual({ kind: "modify", entry, description: "the shop", ...same });
    }
    const [away, same] = undoBeside(known("y", 443));
    expect(away).toEqual({ kind: "revoke", entryId: null, seen: true, ...same });
  });

  test("is opened anew where it was narrowed by what no call takes off a rule, and made what it was otherwise", () => {
    const source = somePorts("1024/2000");
    const dest = aCidr("192.168.0.11/32");
    const undoneFrom = (to: Partial<RuleSpec>, from: Partial<RuleSpec> = {}) => {
      const its = anAllocated({ spec: { ...entry.spec, ...from }, standing: entry.standing });
      const { undo, item } = caseOf({ ...edited, entry: its, rule: { ...shown, ...to }, description: "the shop" });
      return { undo, opened: { kind: "authorize", entry: its, rollback: item.driftId } };
    };
    for (const to of [{ sourcePorts: source }, { dest }, { sourcePorts: source, dest }]) {
      const { undo, opened } = undoneFrom(to);
      expect(undo).toEqual({ ...opened, description: "the shop", beforeIds: [], cause: "it was narrowed" });
    }
    for (const [to, from] of [
      [{ sourcePorts: source }, { sourcePorts: somePorts("5/6") }],
      [{ dest }, { dest: aCidr("192.168.0.12/32") }],
      [{}, { sourcePorts: source }],
      [{}, { dest }],
    ])
      expect(undoneFrom(to ?? {}, from).undo).toMatchObject({ kind: "modify", cause: "it was changed" });
  });

  test.each([
    ["before it was granted", { at: NOW - HOUR, seenAt: NOW - HOUR }, -2 * HOUR, undefined],
    ["between its grant and the first reading", { at: NOW - HOUR, seenAt: NOW - 60_000 }, -HOUR / 2, undefined],
    ["between the first reading and a grant anew", { at: NOW - 60_000, seenAt: NOW - HOUR }, -HOUR / 2, undefined],
    ["after both", { at: NOW - HOUR, seenAt: NOW - HOUR }, -HOUR / 2, "bob"],
    ["after a grant that nobody has read yet", { at: NOW - HOUR, seenAt: null }, -HOUR / 2, "bob"],
    ["before a grant that nobody has read yet", { at: NOW - HOUR, seenAt: null }, -2 * HOUR, undefined],
  ])("was removed by no call %s", (_when, times, laterMs, actor) => {
    const sightings = [aSighting({ kind: "revoke", specs: [entry.spec], at: NOW + laterMs })];
    const to = { ...entry, allocation: anAllocation(times) };
    expect(caseOf({ ...removed, entry: to }, { sightings }).item.attribution?.actor).toBe(actor);
  });

  test("is retired where somebody trusted has removed it, and left to a person where it was anybody else", () => {
    const revoke = (actor = terraform) => ({ sightings: [aSighting({ kind: "revoke", actor, specs: [entry.spec] })] });
    const retired = { spec: entry.spec, allocation: null, by: "terraform", standsAs: null };
    expect(caseOf(removed, revoke()).adoption).toEqual([retired]);
    expect(caseOf(removed, { sightings: [aSighting({ kind: "revoke", specs: [entry.spec] })] }).adoption).toBeNull();
    expect(caseOf({ ...edited, rule: { ...rule, id: shown.id } }).adoption).toBeNull();
  });

  const since = NOW - 20 * 60_000;
  const waited = (changes: Partial<DriftItem>): DriftItem =>
    anItem({ verdict: { kind: "unknown", until: NOW }, firstSeenAt: since, ...changes });

  test.each([
    ["of its rule", { ruleId: shown.id, entryId: null }, since],
    ["of its entry", { ruleId: ruleId("old"), entryId: entry.entryId }, since],
    ["that went on from one before", { ruleId: shown.id, chainedSince: since - 1 }, since - 1],
    ["of another rule", { ruleId: ruleId("y"), entryId: null }, undefined],
    ["of which somebody is known", { ruleId: shown.id, verdict: { kind: "drift", why: "" } }, undefined],
  ] as const)("goes on waiting with an item %s", (_what, changes, chainedSince) => {
    const { item, waitsSince } = caseOf(edited, { items: [waited(changes)] });
    expect("chainedSince" in item).toBe(chainedSince !== undefined);
    expect(item.chainedSince).toBe(chainedSince);
    if (chainedSince !== undefined) expect(waitsSince).toBe(Math.min(NOW, chainedSince + 15 * 60_000));
  });

  test("does not go on with what has no rule or no entry either", () => {
    const items = [waited({ ruleId: null, entryId: anEntry({ spec: other }).entryId })];
    expect(caseOf({ ...removed, ruleId: null }, { items }).item.chainedSince).toBeUndefined();
    const x = known("x", 8443);
    const others = [waited({ ruleId: ruleId("y"), entryId: null })];
    const added = addedCase(aPicture({ rules: [x] }), aWatch({ items: others }), x);
    expect(added.item.chainedSince).toBeUndefined();
  });
});

test("a rollback is remembered for as long as it counts, and as long as somebody unknown is waited for", () => {
  expect(revertsKeptMs(aDriftPolicy({ revertsWithinMs: 5, unknownWriterWaitMs: 7 }))).toBe(7);
  expect(revertsKeptMs(aDriftPolicy({ revertsWithinMs: 7, unknownWriterWaitMs: 5 }))).toBe(7);
});
