// Drops on prefix lists: which lists they need, what they weigh, and what they are when the lists are filled.
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../shared/domain/digest.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import type { StandbyList, StandbySet } from "../../../shared/domain/standby.ts";
import {
  besideListed,
  inBlocks,
  isWithin,
  listNamed,
  listsFor,
  onLists,
  resolved,
  standInFor,
  weightOfDrops,
  weightOfRules,
} from "../../../shared/plan/standby-drops.ts";
import { aMark } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const drop = (peer: string, ports = "1/65535", changes: Partial<RuleSpec> = {}): RuleSpec =>
  aSpec({ policy: "drop", ports: somePorts(ports), peer: fromCidr(peer), ...changes });
const onList = (prefixListId: string): RuleSpec =>
  aSpec({ policy: "drop", ports: somePorts("1/65535"), peer: { kind: "prefixList", prefixListId } });
const keyOf = (...blocks: readonly string[]) => sha256Hex(blocks.join()).slice(0, 12);
const list = (listId: string | null, ...blocks: readonly string[]): StandbyList => ({
  ...{ key: keyOf(...blocks), family: 4, blocks, listId },
});
const set = (lists: readonly StandbyList[], changes: Partial<StandbySet> = {}): StandbySet => ({
  ...{ name: "0123456789ab", region: "r", lists, members: [], holders: [], shown: "empty", rev: 1 },
  ...changes,
});
const peers = (specs: readonly RuleSpec[] | null) =>
  specs?.map(({ peer }) =>
    peer.kind === "prefixList" ? peer.prefixListId : peer.kind === "cidr" ? peer.cidr.prefix : peer.kind,
  );

describe("the lists that drops need", () => {
  test("are one for each set of blocks, in their order, everybody in two halves", () => {
    const halves = ["0.0.0.0/1", "128.0.0.0/1"];
    expect(listsFor([drop("0.0.0.0/0", "1/21"), drop("0.0.0.0/0", "23/65535")])).toEqual([list(null, ...halves)]);
    const two = [drop("128.0.0.0/1", "22/22"), drop("10.0.0.0/8", "22/22")];
    expect(listsFor([drop("0.0.0.0/0", "1/21"), ...two])).toEqual([
      list(null, ...halves),
      list(null, "10.0.0.0/8", "128.0.0.0/1"),
    ]);
    expect(listsFor([drop("::/0")])).toEqual([{ ...list(null, "8000::/1", "::/1"), family: 6 }]);
    expect(listsFor([drop("10.0.0.0/8"), drop("10.0.0.0/8")])).toEqual([list(null, "10.0.0.0/8")]);
    expect(listsFor([])).toEqual([]);
  });

  test.each<[string, RuleSpec]>([
    ["protocol", drop("10.0.0.0/8", "1/65535", { protocol: "udp" })],
    ["ports", drop("10.0.0.0/8", "1/2")],
    ["priority", drop("10.0.0.0/8", "1/65535", { priority: 2 })],
    ["family", drop("2001:db8::/32")],
  ])("are another for another %s", (_what, other) => {
    expect(listsFor([drop("11.0.0.0/8"), other])).toHaveLength(2);
  });

  test("are none where a drop names no block, is no drop, or has more blocks than a list takes", () => {
    expect(listsFor([onList("pl-1")])).toBeNull();
    expect(listsFor([drop("10.0.0.0/8"), drop("10.0.0.0/8", "1/2", { policy: "accept" })])).toBeNull();
    const blocks = (count: number) => Array.from({ length: count }, (_, n) => drop(`10.0.${n}.0/24`));
    expect(listsFor(blocks(200))?.[0]?.blocks).toHaveLength(200);
    expect([listsFor(blocks(201)), weightOfDrops(blocks(201)), onLists(blocks(201), [])]).toEqual([null, null, null]);
  });

  test("weigh as much as there is room for in them, each drop by itself", () => {
    expect(weightOfDrops([drop("0.0.0.0/0", "1/21"), drop("0.0.0.0/0", "23/65535"), drop("10.0.0.0/8", "22/22")])).toBe(
      5,
    );
    expect(weightOfDrops([])).toBe(0);
  });
});

describe("drops on lists", () => {
  const drops = [drop("10.0.0.0/8", "1/21"), drop("11.0.0.0/8", "23/65535")];
  const [ten, eleven] = [list("pl-10", "10.0.0.0/8"), list("pl-11", "11.0.0.0/8")];

  test("are the same drops, each on its list", () => {
    expect(onLists(drops, [eleven, ten])).toEqual([
      { ...drops[0], peer: { kind: "prefixList", prefixListId: "pl-10" } },
      { ...drops[1], peer: { kind: "prefixList", prefixListId: "pl-11" } },
    ]);
    expect(
      onLists([drop("10.0.0.0/9"), drop("10.128.0.0/9")], [list("pl-1", "10.0.0.0/9", "10.128.0.0/9")]),
    ).toHaveLength(1);
  });

  test("are none while the cloud lacks one of the lists", () => {
    expect(onLists(drops, [ten])).toBeNull();
    expect(onLists(drops, [ten, { ...eleven, listId: null }])).toBeNull();
    expect(onLists([onList("pl-10")], [ten])).toBeNull();
  });
});

describe("a rule that names a list", () => {
  const [one, two] = [list("pl-1", "10.0.0.0/8", "11.0.0.0/8"), list("pl-2", "12.0.0.0/8")];
  const sets = [set([list(null, "9.0.0.0/8")]), set([two, one])];

  test("is found with set and list, where they are ours", () => {
    expect(listNamed(onList("pl-1"), sets)).toEqual({ set: sets[1], list: one });
    expect([listNamed(onList("pl-3"), sets), listNamed(drop("10.0.0.0/8"), sets)]).toEqual([null, null]);
  });

  test("weighs as much as the list has room for, and one where it is not ours", () => {
    expect(weightOfRules([onList("pl-1"), onList("pl-2"), onList("pl-3"), drop("10.0.0.0/8")], sets)).toBe(5);
    expect(weightOfRules([], sets)).toBe(0);
  });

  test("is spelled out as what it is when the list is filled", () => {
    const spelled = [
      { ...onList("pl-1"), peer: fromCidr("10.0.0.0/8") },
      { ...onList("pl-1"), peer: fromCidr("11.0.0.0/8") },
    ];
    expect(inBlocks([onList("pl-1"), onList("pl-3"), drop("1.0.0.0/8")], sets)).toEqual([
      ...spelled,
      onList("pl-3"),
      drop("1.0.0.0/8"),
    ]);
    expect(inBlocks([onList("pl-9")], [set([list("pl-9", "?", "10.0.0.0/8")])])).toHaveLength(1);
  });

  test("is nothing while its list was shown empty and nobody wants it filled, and all of it otherwise", () => {
    const rule: Rule = aRule(onList("pl-1"));
    const shown = (changes: Partial<StandbySet>) => peers(resolved([rule, aRule()], [set([one], changes)]));
    expect(shown({})).toEqual([32]);
    for (const changes of [{ shown: "filled" }, { shown: null }, { holders: ["ld-1"] }] as const)
      expect(shown(changes)).toEqual([8, 8, 32]);
    expect(resolved([rule], [])).toEqual([rule]);
  });
});

describe("what stays of a drop on a filled list beside an accept", () => {
  const filled = list("pl-1", "10.0.0.0/8", "11.0.0.0/8");
  const through = (peer: string, changes: Partial<RuleSpec> = {}) =>
    besideListed(onList("pl-1"), filled, [aSpec({ ports: somePorts("1/65535"), peer: fromCidr(peer), ...changes })]);

  test("is all but the accept, in pieces", () => {
    expect(peers(through("10.0.0.0/9"))).toEqual([9, 8]);
    expect(peers(through("10.0.0.0/8"))).toEqual([8]);
  });

  test("is nothing new where they have nothing in common", () => {
    expect(through("12.0.0.0/8")).toBeNull();
    expect(besideListed(onList("pl-1"), filled, [])).toBeNull();
  });
});

test("filling lists closes nothing but these groups, once all of them are there", () => {
  const [web, db] = ["sg-web", "sg-db"] as GroupId[] as [GroupId, GroupId];
  const within = (members: readonly GroupId[], lists: readonly StandbyList[], groups: readonly GroupId[]) =>
    isWithin(set(lists, { members }), new Set(groups));
  const there = [list("pl-1", "10.0.0.0/8"), list("pl-2", "11.0.0.0/8")];
  expect(within([web], there, [web, db])).toBe(true);
  expect(within([web, db], there, [web])).toBe(false);
  expect(within([], there, [web])).toBe(false);
  expect(within([web], [...there, list(null, "12.0.0.0/8")], [web])).toBe(false);
});

describe("what stands in for sets that cannot be read", () => {
  const ours = aMark();
  const rule = (prefixListId: string, description: string, changes: Partial<Rule> = {}) =>
    aRule({ ...onList(prefixListId), description, ...changes });

  test("takes each list that a drop of ours names, and no set has, for filled with everybody", () => {
    const others = [set([list("pl-1", "10.0.0.0/8")])];
    const rules = [rule("pl-1", ours), rule("pl-2", ours), rule("pl-2", ours), onList("pl-3"), drop("10.0.0.0/8")];
    const everybody = { key: "", family: 4, blocks: ["0.0.0.0/0", "::/0"] } as const;
    expect(standInFor(rules, others)).toEqual({
      ...{ name: "", region: "", members: [], holders: [], shown: null, rev: 0 },
      lists: ["pl-2", "pl-3"].map((listId) => ({ ...everybody, listId })),
    });
    const all = resolved([rule("pl-1", ours), rule("pl-2", ours)], [...others, standInFor(rules, others)]);
    expect(peers(all)).toEqual([0, 0]);
  });

  test("leaves a customer's drops and accepts as they are", () => {
    const rules = [rule("pl-1", "theirs"), rule("pl-2", ours, { policy: "accept" })];
    expect(standInFor(rules, []).lists).toEqual([]);
    expect(resolved(rules, [standInFor(rules, [])])).toEqual(rules);
  });
});
