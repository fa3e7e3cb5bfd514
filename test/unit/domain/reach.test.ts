import { describe, expect, it } from "vitest";
import { isOpenToWorld, reachOf } from "../../../shared/domain/reach.ts";
import type { Ports, RuleSpec } from "../../../shared/domain/rule.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const world = fromCidr("0.0.0.0/0");
const list: Ports = { kind: "list", portRangeListId: "prl-1" };

describe("the reach of a rule", () => {
  it.each<[opens: string, closes: string, Partial<RuleSpec>, hosts: number | null]>([
    [
      "opens tcp 3306 to everybody (0.0.0.0/0) on 3 hosts",
      "closes tcp 3306 to everybody (0.0.0.0/0) on 3 hosts",
      { ports: somePorts("3306/3306"), peer: world },
      3,
    ],
    ["opens tcp 22 to 203.0.113.7 on 1 host", "closes tcp 22 to 203.0.113.7 on 1 host", {}, 1],
    [
      "opens udp 8000-8010 to 203.0.113.0/24 on no host yet",
      "closes udp 8000-8010 to 203.0.113.0/24 on no host yet",
      { ports: somePorts("8000/8010"), protocol: "udp", peer: fromCidr("203.0.113.0/24") },
      0,
    ],
    [
      "blocks all traffic from everybody (::/0) on every host of the group",
      "stops blocking all traffic from everybody (::/0) on every host of the group",
      { policy: "drop", peer: fromCidr("::/0"), protocol: "all", ports: somePorts("-1/-1") },
      null,
    ],
    [
      "opens outgoing tcp 443 from 2 hosts to everywhere (0.0.0.0/0)",
      "closes outgoing tcp 443 from 2 hosts to everywhere (0.0.0.0/0)",
      { direction: "egress", ports: somePorts("443/443"), peer: world },
      2,
    ],
    [
      "blocks outgoing tcp 22 from 10.0.0.5 alone to 203.0.113.7",
      "stops blocking outgoing tcp 22 from 10.0.0.5 alone to 203.0.113.7",
      { direction: "egress", policy: "drop", dest: aCidr("10.0.0.5") },
      2,
    ],
    [
      "opens tcp 22 to 203.0.113.7 on 10.0.0.5 alone",
      "closes tcp 22 to 203.0.113.7 on 10.0.0.5 alone",
      { dest: aCidr("10.0.0.5") },
      3,
    ],
  ])("%s; %s", (opens, closes, changes, hosts) => {
    expect(reachOf(aSpec(changes), hosts, "opens")).toBe(opens);
    expect(reachOf(aSpec(changes), hosts, "closes")).toBe(closes);
  });

  it.each<[what: string, Partial<RuleSpec>]>([
    ["icmp", { protocol: "icmp", ports: somePorts("-1/-1") }],
    ["icmpv6", { protocol: "icmpv6", ports: somePorts("-1/-1") }],
    ["gre", { protocol: "gre", ports: somePorts("-1/-1") }],
    ["tcp 22", { protocol: { other: "6" } }],
    ["protocol 50", { protocol: { other: "50" } }],
    ['protocol "future"', { protocol: { other: "future" } }],
    ["every tcp port", { ports: somePorts("-1/-1") }],
    ["every udp port", { ports: somePorts("1/65535"), protocol: "udp" }],
    ["the tcp ports of list prl-1", { ports: list }],
    ["tcp 1-80", { ports: somePorts("1/80") }],
    ["tcp 80-65535", { ports: somePorts("80/65535") }],
    ["tcp 22 with source port 53", { sourcePorts: somePorts("53/53") }],
    ["tcp 22 with the source ports of list prl-1", { sourcePorts: list }],
  ])("names the traffic: %s", (what, changes) => {
    expect(reachOf(aSpec(changes), 1, "opens")).toBe(`opens ${what} to 203.0.113.7 on 1 host`);
  });

  it.each<[RuleSpec["peer"], string]>([
    [{ kind: "group", groupId: "sg-1" }, "the members of group sg-1"],
    [{ kind: "group", groupId: "sg-1", owner: "123" }, "the members of group sg-1 of the account 123"],
    [{ kind: "prefixList", prefixListId: "pl-1" }, "the addresses of prefix list pl-1"],
    [{ kind: "opaque", text: "10.0.0.0/99" }, 'a peer that reads "10.0.0.0/99"'],
    [{ kind: "group", groupId: 'sg-1" on 1 host\n' }, 'the members of group "sg-1? on 1 host?"'],
    [{ kind: "opaque", text: "x".repeat(60) }, `a peer that reads "${"x".repeat(60)}"`],
    [{ kind: "opaque", text: "x".repeat(61) }, `a peer that reads "${"x".repeat(60)}..."`],
  ])("names the peer %j", (peer, words) => {
    expect(reachOf(aSpec({ peer }), 1, "opens")).toBe(`opens tcp 22 to ${words} on 1 host`);
  });
});

describe("open to the world", () => {
  it.each<[string, boolean]>([
    ["0.0.0.0/0", true],
    ["128.0.0.0/1", true],
    ["10.0.0.0/7", true],
    ["10.0.0.0/8", false],
    ["::/0", true],
    ["2000::/15", true],
    ["2000::/16", false],
    ["2001:db8::1", false],
  ])("is an accept from %s: %s", (block, open) => {
    expect(isOpenToWorld(aSpec({ peer: fromCidr(block) }))).toBe(open);
  });

  it.each<[string, Partial<RuleSpec>]>([
    ["a drop", { policy: "drop", peer: world }],
    ["an egress rule", { direction: "egress", peer: world }],
    ["a rule for a group", { peer: { kind: "group", groupId: "sg-1" } }],
    ["a rule for a prefix list", { peer: { kind: "prefixList", prefixListId: "pl-1" } }],
    ["a rule for a peer nobody can read", { peer: { kind: "opaque", text: "0.0.0.0/00" } }],
  ])("is not %s", (_, changes) => {
    expect(isOpenToWorld(aSpec(changes))).toBe(false);
  });
});
