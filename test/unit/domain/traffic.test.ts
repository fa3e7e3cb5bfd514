// Sets of packets: what a rule means at most and at least, and how two of them lie to each other.
import { describe, expect, test } from "vitest";
import type { Protocol, RuleSpec } from "../../../shared/domain/rule.ts";
import {
  covers,
  mayOverlap,
  overlapOf,
  type Traffic,
  trafficAtLeast,
  trafficAtMost,
} from "../../../shared/domain/traffic.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const LIST = { kind: "list", portRangeListId: "prl-1" } as const;
const ALL_PORTS = { first: 1, last: 65_535 };
const V4 = { first: 0n, last: 2n ** 32n - 1n };
const V6 = { first: 0n, last: 2n ** 128n - 1n };
const block = (text: string) => ({ first: aCidr(text).first, last: aCidr(text).last });
const at = (changes: Partial<RuleSpec> = {}): Traffic => trafficAtMost(aSpec(changes));
const told = ({ kind, family, ports, sourcePorts, peer, own }: Traffic) => ({
  ...{ kind, family, ports, sourcePorts },
  ...{ peer: { first: peer.first, last: peer.last }, own: { first: own.first, last: own.last } },
});

describe("a rule means at most", () => {
  const plain = {
    ...{ kind: "tcp", family: 4, ports: { first: 22, last: 22 }, sourcePorts: ALL_PORTS },
    ...{ peer: block("203.0.113.7"), own: V4 },
  };
  test.each<[string, Partial<RuleSpec>, Partial<Record<keyof Traffic, unknown>>]>([
    ["what it says", {}, {}],
    ["a range of ports", { ports: somePorts("22/25") }, { ports: { first: 22, last: 25 } }],
    ["every port of a list", { ports: LIST }, { ports: ALL_PORTS }],
    ["ports of the peer", { sourcePorts: somePorts("53/53") }, { sourcePorts: { first: 53, last: 53 } }],
    [
      "ports of udp",
      { protocol: "udp", sourcePorts: somePorts("53/53") },
      { kind: "udp", sourcePorts: { first: 53, last: 53 } },
    ],
    ["no ports of icmp", { protocol: "icmp", sourcePorts: somePorts("53/53") }, { kind: "icmp", ports: ALL_PORTS }],
    [
      "every address of a list",
      { peer: { kind: "prefixList", prefixListId: "l" } },
      { family: "both", peer: V6, own: V6 },
    ],
    ["IPv6", { peer: fromCidr("2001:db8::/32") }, { family: 6, peer: block("2001:db8::/32"), own: V6 }],
    ["its own address", { dest: aCidr("10.0.0.1") }, { own: block("10.0.0.1") }],
    ["every own address where that is of another family", { dest: aCidr("2001:db8::1") }, {}],
    [
      "every own address where nobody knows the family",
      { dest: aCidr("10.0.0.1"), peer: { kind: "prefixList", prefixListId: "l" } },
      { family: "both", peer: V6, own: V6 },
    ],
  ])("%s", (_what, changes, parts) => {
    expect(told(at(changes))).toEqual({ ...plain, ...parts });
  });

  test.each<[Protocol, string]>([
    ["gre", "gre"],
    ["all", "all"],
    [{ other: "1" }, "icmp"],
    [{ other: "6" }, "tcp"],
    [{ other: "17" }, "udp"],
    [{ other: "47" }, "gre"],
    [{ other: "58" }, "icmpv6"],
    [{ other: "050" }, "ip-50"],
    [{ other: "132" }, "ip-132"],
    [{ other: "1234" }, "unknown"],
    [{ other: "x17" }, "unknown"],
    [{ other: "17x" }, "unknown"],
    [{ other: "" }, "unknown"],
  ])("protocol %j: %s", (protocol, kind) => {
    expect(at({ protocol }).kind).toBe(kind);
  });
});

describe("a rule means at least", () => {
  test.each<[string, Partial<RuleSpec>]>([
    ["what it says", {}],
    ["what it says of one host", { dest: aCidr("10.0.0.1") }],
    ["a protocol by its number", { protocol: { other: "50" }, ports: { kind: "any" } }],
    ["all protocols", { protocol: "all", ports: { kind: "any" } }],
  ])("%s", (_what, changes) => {
    expect(trafficAtLeast(aSpec(changes))).toEqual(at(changes));
  });

  test.each<[string, Partial<RuleSpec>]>([
    ["of an unknown protocol", { protocol: { other: "future" }, ports: { kind: "any" } }],
    ["of a list of addresses", { peer: { kind: "prefixList", prefixListId: "l" } }],
    ["of a host of the other family", { dest: aCidr("2001:db8::1") }],
    ["of a list of ports", { ports: LIST }],
    ["of a list of the peer's ports", { sourcePorts: LIST }],
    ["of ports that its protocol does not have", { protocol: "icmp" }],
    [
      "of ports of the peer that its protocol does not have",
      { protocol: "gre", ports: { kind: "any" }, sourcePorts: somePorts("1/2") },
    ],
  ])("nothing that is known, %s", (_what, changes) => {
    expect(trafficAtLeast(aSpec(changes))).toBeNull();
  });
});

describe("a packet may be in both", () => {
  const list: Partial<RuleSpec> = { peer: { kind: "prefixList", prefixListId: "l" } };
  const all: Partial<RuleSpec> = { protocol: "all" };
  const unknown: Partial<RuleSpec> = { protocol: { other: "future" } };
  test.each<[string, Partial<RuleSpec>, Partial<RuleSpec>, boolean]>([
    ["of the same", {}, {}, true],
    ["of tcp and udp", {}, { protocol: "udp" }, false],
    ["of tcp and all", {}, all, true],
    ["of tcp and what is not known", {}, unknown, true],
    ["of icmp and icmpv6", { protocol: "icmp" }, { protocol: "icmpv6" }, true],
    ["of icmp and gre", { protocol: "icmp" }, { protocol: "gre" }, false],
    ["of icmpv6 and tcp", { protocol: "icmpv6" }, {}, false],
    ["of ranges that share a port", { ports: somePorts("20/22") }, { ports: somePorts("22/25") }, true],
    ["of ranges that share none", { ports: somePorts("20/22") }, { ports: somePorts("23/25") }, false],
    ["of peers' ports that share none", { sourcePorts: somePorts("1/2") }, { sourcePorts: somePorts("3/4") }, false],
    ["of ports beside all protocols", { ports: somePorts("23/25") }, all, true],
    ["of blocks that share nothing", { peer: fromCidr("10.0.0.0/24") }, { peer: fromCidr("10.0.1.0/24") }, false],
    ["of a block in a block", { peer: fromCidr("10.0.0.0/24") }, { peer: fromCidr("10.0.0.255") }, true],
    ["of families", { peer: fromCidr("0.0.0.0/0") }, { peer: fromCidr("::/0") }, false],
    ["of hosts", { dest: aCidr("10.0.0.1") }, { dest: aCidr("10.0.0.2") }, false],
    ["of a host and all", { dest: aCidr("10.0.0.1") }, {}, true],
    ["of a list and a block", list, {}, true],
    ["of a list and a block of IPv6", list, { peer: fromCidr("2001:db8::/32") }, true],
    ["of a list on another port", list, { ports: somePorts("23/23") }, false],
  ])("%s: %s", (_what, one, other, may) => {
    expect([mayOverlap(at(one), at(other)), mayOverlap(at(other), at(one))]).toEqual([may, may]);
  });
});

describe("what is in both", () => {
  test("is the smaller of each part", () => {
    const one = at({ ports: somePorts("20/24"), sourcePorts: somePorts("1/9"), peer: fromCidr("10.0.0.0/8") });
    const other = at({
      ...{ ports: somePorts("22/30"), sourcePorts: somePorts("5/20") },
      ...{ peer: fromCidr("10.1.0.0/16"), dest: aCidr("10.0.0.1") },
    });
    const both = {
      ...{ kind: "tcp", family: 4, ports: { first: 22, last: 24 }, sourcePorts: { first: 5, last: 9 } },
      ...{ peer: block("10.1.0.0/16"), own: block("10.0.0.1") },
    };
    expect(overlapOf(one, other)).toEqual(both);
    expect(overlapOf(other, one)).toEqual(both);
  });

  test("of a list is what the block says of addresses, and either of what it says of ports", () => {
    const list = at({ peer: { kind: "prefixList", prefixListId: "l" }, ports: somePorts("20/24") });
    const other = at({ ports: somePorts("22/30"), dest: aCidr("10.0.0.1") });
    for (const both of [overlapOf(list, other), overlapOf(other, list)])
      expect(both).toEqual({ ...other, ports: { first: 22, last: 24 } });
  });

  test.each<[Protocol, Protocol, string]>([
    ["all", "udp", "udp"],
    ["udp", "all", "udp"],
    ["all", { other: "future" }, "unknown"],
    [{ other: "future" }, "all", "unknown"],
    [{ other: "future" }, "udp", "udp"],
    ["udp", { other: "future" }, "udp"],
    ["all", "all", "all"],
  ])("is of the narrower protocol: %j and %j is %s", (one, other, kind) => {
    expect(overlapOf(at({ protocol: one }), at({ protocol: other })).kind).toBe(kind);
  });
});

describe("one holds another", () => {
  const wide: Partial<RuleSpec> = {
    ...{ ports: somePorts("20/30"), sourcePorts: somePorts("10/20") },
    ...{ peer: fromCidr("10.0.0.0/16"), dest: aCidr("10.0.1.0/24") },
  };
  test.each<[string, Partial<RuleSpec>, Partial<RuleSpec>, boolean]>([
    ["that is the same", wide, wide, true],
    ["of all protocols", { ...wide, protocol: "all" }, { ...wide, ports: { kind: "any" } }, true],
    ["of another protocol", { ...wide, protocol: "udp" }, wide, false],
    ["never all protocols by one", wide, { ...wide, protocol: "all" }, false],
    ["below its ports", wide, { ...wide, ports: somePorts("19/30") }, false],
    ["above its ports", wide, { ...wide, ports: somePorts("20/31") }, false],
    ["within its ports", wide, { ...wide, ports: somePorts("21/29") }, true],
    ["of more of the peer's ports", wide, { ...wide, sourcePorts: somePorts("10/21") }, false],
    ["of more addresses", wide, { ...wide, peer: fromCidr("10.0.0.0/15") }, false],
    ["of fewer addresses", wide, { ...wide, peer: fromCidr("10.0.7.0/24") }, true],
    ["of another host", wide, { ...wide, dest: aCidr("10.0.2.1") }, false],
    ["of a host of its own", wide, { ...wide, dest: aCidr("10.0.1.1") }, true],
    ["of another family", { peer: fromCidr("::/0") }, { peer: fromCidr("0.0.0.0/0") }, false],
    ["of a list", { peer: fromCidr("::/0") }, { peer: { kind: "prefixList", prefixListId: "l" } }, false],
  ])("%s: %s", (_what, outer, inner, is) => {
    expect(covers(at(outer), at(inner))).toBe(is);
  });
});
