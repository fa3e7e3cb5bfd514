// What a person is shown before a baseline is confirmed: in which list each rule is, and what the digest is of.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { sha256Hex } from "../../../shared/domain/digest.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { type BaselineInput, baselineDiff, sensitiveOf } from "../../../shared/plan/baseline-diff.ts";
import { allocationsDigest } from "../../../shared/plan/effective-guard.ts";
import { anAllocated, anAllocation } from "../../kit/drift-pictures.ts";
import { aMark, anEntry, aPicture, GROUP, ours, preExisting, ruleId } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const { installation, markSecret } = aPicture();
const rule = (name: string, port: number, changes: Partial<Rule> = {}): Rule =>
  aRule({ id: ruleId(name), ports: somePorts(`${port}/${port}`), description: `rule ${name}`, ...changes });
const specOf = ({ id: _id, description: _text, createdAt: _at, ...spec }: Rule): RuleSpec => spec;
const granted = (of: Rule, changes: Partial<Entry> = {}): Entry =>
  anAllocated({ spec: specOf(of), standing: preExisting("1"), ...changes });
const input = (changes: Partial<BaselineInput> = {}): BaselineInput => ({
  ...{ group: GROUP, rules: [], entries: [], source: { kind: "rules" }, policy: defaultPolicy(GROUP.region) },
  ...{ installation, markSecret, lists: new Map() },
  ...changes,
});
const template = (...rules: readonly { readonly spec: RuleSpec; readonly reason: string }[]) =>
  ({ kind: "template", name: "web", rules }) as const;

const LISTS = ["added", "missing", "unchanged", "ours", "foreign", "ungranted"] as const;
/** The lists that have something in them, by the descriptions of their rules. */
function told(changes: Partial<BaselineInput>): Record<string, readonly string[]> {
  const diff = baselineDiff(input(changes));
  const lists = LISTS.map((name) => [name, diff[name].map(({ description }) => description)] as const);
  return Object.fromEntries(lists.filter(([, lines]) => lines.length > 0));
}

const ssh = rule("ssh", 22);
const web = rule("web", 80);

describe("a rule that stands", () => {
  test("is taken in, with all that is said of it", () => {
    const { added } = baselineDiff(input({ rules: [ssh] }));
    expect(added).toEqual([
      {
        ...{ key: ruleKey(ssh), spec: specOf(ssh), description: "rule ssh", stands: true, ruleId: ruleId("ssh") },
        ...{ sensitive: false, blocks: null, writer: null },
      },
    ]);
    expect(added[0]?.spec).not.toHaveProperty("id");
    expect(baselineDiff(input({ rules: [{ ...ssh, id: null }] })).added[0]).toMatchObject({
      stands: true,
      ruleId: null,
    });
  });

  test("stays as it is where it is granted, by what it says now", () => {
    expect(told({ rules: [ssh], entries: [granted(ssh)] })).toEqual({ unchanged: ["rule ssh"] });
  });

  test("is left out where it is ours, booked or by a true mark", () => {
    const booked = anEntry({ spec: specOf(ssh), standing: ours("ssh") });
    expect(told({ rules: [ssh], entries: [booked] })).toEqual({ ours: ["rule ssh"] });
    const marked = rule("1", 22, { description: aMark() });
    expect(told({ rules: [marked] })).toEqual({ ours: [marked.description] });
    expect(told({ rules: [{ ...marked, ports: somePorts("23/23") }] })).toEqual({ added: [marked.description] });
    const ridden = anEntry({ spec: specOf(ssh), standing: preExisting("ssh") });
    expect(told({ rules: [ssh], entries: [ridden] })).toEqual({ added: ["rule ssh"] });
    expect(told({ rules: [web], entries: [booked] })).toEqual({ added: ["rule web"] });
  });

  test("is left to the service that writes it, and said whose it is", () => {
    const policy: BaselineInput["policy"] = {
      ...defaultPolicy(GROUP.region),
      foreignWriters: [{ name: "dts", sources: [aCidr("100.104.0.0/16")], ownerAccounts: [] }],
    };
    const foreign = rule("dts", 22, { peer: fromCidr("100.104.7.0/24") });
    expect(baselineDiff(input({ rules: [foreign, web], policy }))).toMatchObject({
      foreign: [{ description: "rule dts", writer: "dts" }],
      added: [{ description: "rule web", writer: null }],
    });
    const ourOwn = anEntry({ spec: specOf(foreign), standing: ours("dts") });
    expect(told({ rules: [foreign], policy, entries: [ourOwn] })).toEqual({ ours: ["rule dts"] });
  });

  test("is drift where a template is confirmed that has it not", () => {
    const source = template({ spec: specOf(web), reason: "web" });
    expect(told({ rules: [ssh, web], source })).toEqual({ added: ["rule web"], ungranted: ["rule ssh"] });
    expect(told({ rules: [ssh, web], source, entries: [granted(ssh)] })).toEqual({
      added: ["rule web"],
      unchanged: ["rule ssh"],
    });
  });
});

describe("a rule that does not stand", () => {
  const gone = granted(ssh, { allocation: anAllocation({ description: "was ssh" }) });

  test("is retired where it was seen once", () => {
    expect(told({ entries: [gone] })).toEqual({ missing: ["was ssh"] });
    expect(baselineDiff(input({ entries: [gone] })).missing[0]).toMatchObject({ stands: false, ruleId: null });
  });

  test("is kept where it is owed, outside its hours, suspended, or in the template", () => {
    const away = (changes: Partial<Entry>, source: BaselineInput["source"] = { kind: "rules" }) =>
      told({ entries: [{ ...gone, ...changes }], source });
    const openHours = { zone: "UTC", windows: [{ days: [1], from: "09:00", to: "10:00" }] };
    const suspension = { by: [], since: 0, kept: null, wasAllocated: true } as never;
    const description = "was ssh";
    for (const changes of [
      { allocation: anAllocation({ description, seenAt: null }) },
      { allocation: anAllocation({ description, openHours }) },
      { suspension },
    ])
      expect(away(changes)).toEqual({ unchanged: ["was ssh"] });
    expect(away({}, template({ spec: specOf(ssh), reason: "ssh" }))).toEqual({ unchanged: ["was ssh"] });
    expect(away({}, template())).toEqual({ missing: ["was ssh"] });
  });

  test("is a template's, once, with its reason", () => {
    const twice = [
      { spec: specOf(ssh), reason: "first" },
      { spec: specOf(ssh), reason: "ssh for all" },
    ];
    expect(told({ source: template(...twice) })).toEqual({ added: ["ssh for all"] });
    expect(baselineDiff(input({ source: template(...twice) })).added[0]).toMatchObject({ stands: false });
  });

  test("is nobody's where no allocation is left of its entry", () => {
    expect(told({ entries: [anEntry({ spec: specOf(ssh) })] })).toEqual({});
    const source = template({ spec: specOf(ssh), reason: "ssh" });
    expect(told({ entries: [anEntry({ spec: specOf(ssh) })], source })).toEqual({ added: ["ssh"] });
  });
});

test("each list is in the order of its keys, whatever was read first", () => {
  const rules = [rule("c", 23), rule("a", 21), rule("b", 22)];
  const sorted = [...rules].sort((a, b) => (ruleKey(a) < ruleKey(b) ? -1 : 1)).map(({ description }) => description);
  expect(told({ rules })).toEqual({ added: sorted });
  expect(told({ rules: [...rules].reverse() })).toEqual({ added: sorted });
});

describe("sensitive rules", () => {
  const halves = [
    rule("low", 22, { peer: fromCidr("1.0.0.0/8") }),
    rule("high", 22, { peer: fromCidr("3.0.0.0/8") }),
  ] as const;
  const sensitive = (changes: Partial<BaselineInput>) =>
    sensitiveOf(baselineDiff(input(changes))).map(({ description, blocks }) => [description, blocks]);

  test("are those that open a sensitive port to everybody, all together, granted already or not", () => {
    expect(sensitive({ rules: [...halves, web] }).sort()).toEqual([
      ["rule high", null],
      ["rule low", null],
    ]);
    expect(sensitive({ rules: [...halves], entries: [granted(halves[0])] })).toEqual([
      ["rule high", null],
      ["rule low", null],
    ]);
    expect(sensitive({ rules: [halves[0]] })).toEqual([]);
    expect(sensitive({ rules: [...halves], source: template() })).toEqual([]);
  });

  test("name what their list holds, where that is known", () => {
    const listed = rule("list", 22, { peer: { kind: "prefixList", prefixListId: "pl-1" } });
    const lists = new Map([["pl-1", [aCidr("203.0.113.0/24"), aCidr("10.0.0.0/8")]]]);
    expect(sensitive({ rules: [listed], lists })).toEqual([["rule list", ["10.0.0.0/8", "203.0.113.0/24"]]]);
    expect(sensitive({ rules: [listed] })).toEqual([["rule list", null]]);
  });
});

describe("the digest", () => {
  const of = (changes: Partial<BaselineInput> = {}) => baselineDiff(input(changes)).digest;
  const listed = rule("list", 22, { peer: { kind: "prefixList", prefixListId: "pl-1" } });
  const holding = (...blocks: readonly string[]) => new Map([["pl-1", blocks.map(aCidr)]]);

  test("is of what would be confirmed: the group, the source, each list, the ledger, and what lists hold", () => {
    const other = { ...GROUP, groupId: "sg-db" as typeof GROUP.groupId };
    const grantedSsh = granted(ssh);
    const digests = [
      of(),
      of({ group: other }),
      of({ rules: [ssh] }),
      of({ rules: [web] }),
      of({ source: template() }),
      of({ source: { ...template(), name: "db" } }),
      of({ rules: [ssh], source: template() }),
      of({ entries: [grantedSsh] }),
      of({ entries: [grantedSsh], rules: [ssh] }),
      of({ rules: [listed] }),
      of({ rules: [listed], lists: holding("10.0.0.0/8") }),
      of({ rules: [listed], lists: holding("10.0.0.0/7") }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is what a person has confirmed by an earlier version, too", () => {
    const said = (from: string, added: readonly string[], ...more: readonly unknown[]) =>
      sha256Hex(JSON.stringify([GROUP.groupId, from, [added, [], [], []], allocationsDigest([]).digest, ...more]));
    expect(of({ rules: [ssh] })).toBe(said("rules", [ruleKey(ssh)]));
    expect(of({ source: template() })).toBe(said("template web", []));
    const key = ruleKey(listed);
    expect(of({ rules: [listed], lists: holding("10.0.0.0/8") })).toBe(said("rules", [key], [[key, ["10.0.0.0/8"]]]));
  });

  test("is the same whatever was read first, and whatever leases come and go", () => {
    const lease = anEntry({ spec: specOf(web), standing: ours("web") });
    expect(of({ rules: [ssh, web, listed], entries: [lease] })).toBe(of({ rules: [listed, ssh] }));
    expect(of({ rules: [listed], lists: holding("10.0.0.0/8", "172.16.0.0/12") })).toBe(
      of({ rules: [listed], lists: holding("172.16.0.0/12", "10.0.0.0/8") }),
    );
    // What no list of a sensitive rule holds is nobody's business.
    expect(of({ rules: [ssh], lists: holding("10.0.0.0/8") })).toBe(of({ rules: [ssh] }));
  });

  test("names the ledger that it starts from", () => {
    const entries = [granted(ssh)];
    expect(baselineDiff(input({ entries })).ledger).toEqual(allocationsDigest(entries));
  });
});
