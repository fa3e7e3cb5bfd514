import { describe, expect, it } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { letsThrough, mergeRules, shadowOf, unresolvedDrops } from "../../../shared/domain/verdict.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const spec = aSpec({ priority: 50 });
const aDrop = (changes: Partial<Rule> = {}) =>
  aRule({
    policy: "drop",
    priority: 50,
    protocol: "all",
    ports: somePorts("-1/-1"),
    peer: fromCidr("0.0.0.0/0"),
    ...changes,
  });

describe("merging", () => {
  it("puts the strongest priority first and drop before accept", () => {
    const rules = [
      [aRule({ priority: 2, id: "a" as RuleId }), aDrop({ priority: 2, id: "b" as RuleId })],
      [aRule({ priority: 1, id: "c" as RuleId }), aRule({ priority: 2, id: "d" as RuleId })],
    ];
    expect(mergeRules(rules).map((rule) => rule.id)).toEqual(["c", "b", "a", "d"]);
  });
});

describe("a drop that shadows", () => {
  it.each<[string, Partial<Rule>]>([
    ["everything at the same priority", {}],
    ["everything at a stronger one", { priority: 1 }],
    ["the port", { protocol: "tcp", ports: somePorts("1/1024") }],
    ["part of the source", { peer: fromCidr("203.0.113.7") }],
    ["one host of the group", { dest: aCidr("10.0.0.5") }],
    ["some source ports", { protocol: "tcp", sourcePorts: somePorts("1000/2000") }],
    ["tcp by number", { protocol: { other: "6" } }],
    ["a protocol nobody knows", { protocol: { other: "future" } }],
  ])("is named when it drops %s", (_, changes) => {
    const drop = aDrop(changes);
    expect(shadowOf(spec, [aRule(spec), drop])).toBe(drop);
    expect(letsThrough(spec, [aRule(spec), drop])).toBe(false);
  });

  it.each<[string, Partial<Rule>]>([
    ["a weaker priority", { priority: 51 }],
    ["another protocol", { protocol: "udp" }],
    ["ping", { protocol: "icmp" }],
    ["udp by number", { protocol: { other: "17" } }],
    ["another port", { protocol: "tcp", ports: somePorts("23/65535") }],
    ["another source", { peer: fromCidr("203.0.113.8") }],
    ["the other family", { peer: fromCidr("::/0") }],
    ["the other direction", { direction: "egress" }],
  ])("is not one of %s", (_, changes) => {
    expect(shadowOf(spec, [aRule(spec), aDrop(changes)])).toBeNull();
    expect(letsThrough(spec, [aRule(spec), aDrop(changes)])).toBe(true);
  });

  it("is not one for another host than the one asked about", () => {
    const drop = aDrop({ dest: aCidr("10.0.0.5") });
    expect(shadowOf({ ...spec, dest: aCidr("10.0.0.6") }, [drop])).toBeNull();
    expect(shadowOf({ ...spec, dest: aCidr("10.0.0.5") }, [drop])).toBe(drop);
  });

  it("is the strongest of several", () => {
    const strong = aDrop({ priority: 3, id: "strong" as RuleId });
    expect(shadowOf(spec, [aDrop(), strong])).toBe(strong);
  });

  it("does not count behind a stronger accept that covers it, and counts at a tie or when part is left over", () => {
    const drop = aDrop({ priority: 10 });
    expect(shadowOf(spec, [drop, aRule({ priority: 9, protocol: "all", ports: somePorts("-1/-1") })])).toBeNull();
    expect(shadowOf(spec, [drop, aRule({ priority: 10 })])).toBe(drop);
    expect(shadowOf(spec, [drop, aRule({ priority: 9, ports: somePorts("23/23") })])).toBe(drop);
    expect(shadowOf(spec, [drop, aRule({ priority: 9, dest: aCidr("10.0.0.5") })])).toBe(drop);
    expect(shadowOf(spec, [drop, aRule({ priority: 9, sourcePorts: somePorts("1/1024") })])).toBe(drop);
  });

  it("is not lifted by an accept whose extent is unknown", () => {
    const drop = aDrop({ priority: 10 });
    for (const peer of [
      { kind: "group", groupId: "sg-b" },
      { kind: "opaque", text: "?" },
    ] as const) {
      expect(shadowOf(spec, [drop, aRule({ priority: 9, peer })])).toBe(drop);
    }
    expect(shadowOf(spec, [drop, aRule({ priority: 9, protocol: { other: "future" } })])).toBe(drop);
    expect(shadowOf(spec, [drop, aRule({ priority: 9, ports: { kind: "list", portRangeListId: "prl-1" } })])).toBe(
      drop,
    );
    expect(shadowOf(spec, [drop, aRule({ priority: 9, protocol: "all", ports: somePorts("22/22") })])).toBe(drop);
  });

  it("is not lifted by an accept that names a host of the other family, and counts when it names one itself", () => {
    const drop = aDrop({ priority: 10 });
    expect(shadowOf(spec, [drop, aRule({ priority: 9, dest: aCidr("::/0") })])).toBe(drop);
    const odd = aDrop({ dest: aCidr("2001:db8::1") });
    expect(shadowOf({ ...spec, dest: aCidr("10.0.0.5") }, [odd])).toBe(odd);
  });

  it("of a protocol nobody knows is not lifted by an accept of one", () => {
    const drop = aDrop({ priority: 10, protocol: { other: "future" } });
    const accept = aRule({ priority: 9, protocol: { other: "future" }, ports: somePorts("-1/-1") });
    expect(shadowOf(aSpec({ priority: 50, protocol: "all", ports: somePorts("-1/-1") }), [drop, accept])).toBe(drop);
  });

  it("of the other kind of ping counts", () => {
    const drop = aDrop({ protocol: "icmpv6" });
    expect(shadowOf(aSpec({ priority: 50, protocol: "icmp", ports: somePorts("-1/-1") }), [drop])).toBe(drop);
  });

  it("only counts the part it has in common with the grant", () => {
    const all: RuleSpec = { ...spec, protocol: "all", ports: somePorts("-1/-1") };
    const drop = aDrop({ priority: 10, protocol: "tcp", ports: somePorts("20/30") });
    expect(shadowOf(all, [drop, aRule({ priority: 9, ports: somePorts("1/100") })])).toBeNull();
    expect(shadowOf(all, [drop, aRule({ priority: 9, ports: somePorts("25/100") })])).toBe(drop);
  });
});

describe("an accept of the other direction", () => {
  const outgoing = aRule({ priority: 1, direction: "egress", protocol: "all", ports: somePorts("-1/-1") });

  it("lets nothing in", () => {
    expect(letsThrough(spec, [outgoing])).toBe(false);
  });

  it("lifts no drop", () => {
    const drop = aDrop({ priority: 10 });
    expect(shadowOf(spec, [drop, outgoing])).toBe(drop);
  });
});

describe("a drop nobody can resolve", () => {
  it.each<Partial<Rule>>([
    { peer: { kind: "group", groupId: "sg-b" } },
    { peer: { kind: "prefixList", prefixListId: "pl-1" } },
    { peer: { kind: "opaque", text: "?" } },
    { protocol: "tcp", ports: { kind: "list", portRangeListId: "prl-1" } },
    { protocol: "tcp", sourcePorts: { kind: "list", portRangeListId: "prl-1" } },
  ])("is reported apart: %j", (changes) => {
    const drop = aDrop(changes);
    const rules = [aRule(spec), drop];
    expect(shadowOf(spec, rules)).toBeNull();
    expect(unresolvedDrops(spec, rules)).toEqual([drop]);
    expect(letsThrough(spec, rules)).toBe(false);
  });

  it("is reported behind a stronger drop, too: that may go before it", () => {
    const hidden = aDrop({ priority: 20, peer: { kind: "group", groupId: "sg-b" } });
    expect(unresolvedDrops(spec, [aDrop({ priority: 10 }), hidden])).toEqual([hidden]);
  });

  it("is left out where it surely does not matter", () => {
    const peer = { kind: "group", groupId: "sg-b" } as const;
    expect(unresolvedDrops(spec, [aDrop({ peer, priority: 51 })])).toEqual([]);
    expect(unresolvedDrops(spec, [aDrop({ peer, protocol: "udp" })])).toEqual([]);
    expect(unresolvedDrops(spec, [aDrop({ peer }), aRule({ priority: 49 })])).toEqual([]);
  });
});

describe("letting through", () => {
  it("needs an accept: nothing is let through by no rule", () => {
    expect(letsThrough(spec, [])).toBe(false);
    expect(letsThrough(spec, [aRule({ ports: somePorts("23/23") })])).toBe(false);
  });

  it("may be the work of another, wider rule", () => {
    expect(
      letsThrough(spec, [aRule({ priority: 60, peer: fromCidr("203.0.113.0/24"), ports: somePorts("1/100") })]),
    ).toBe(true);
  });

  it("follows the accept that is there, not the priority that was asked for", () => {
    const weak = aRule({ priority: 60 });
    expect(letsThrough(spec, [weak, aDrop({ priority: 55 })])).toBe(false);
    expect(letsThrough(spec, [weak, aDrop({ priority: 55 }), aRule({ priority: 54 })])).toBe(true);
  });
});
