import { describe, expect, test } from "vitest";
import type { Group, Packet, Rule } from "../../../../local/dataplane/topology.ts";
import { verdict } from "../../../../local/dataplane/verdict.ts";
import { aGroup, anEni, aPacket, aRule, aTopology } from "./builders.ts";

const honoured = { destCidrIp: "honoured" } as const;
const enis = [
  anEni("10.0.0.1", ["sg-a", "sg-b"], { ipv6: ["2001:db8::ff", "2001:db8::1"] }),
  anEni("10.0.0.2", ["sg-a"]),
  anEni("10.0.0.3", ["sg-c"], { ipv6: ["2001:db8::3"] }),
];

function judge(rules: readonly Rule[], packet: Partial<Packet> = {}, groups: readonly Group[] = []) {
  const prefixLists = [{ prefixListId: "pl-1", entries: ["203.0.113.0/28", "198.51.100.7"] }];
  const topology = aTopology({ groups: [aGroup("sg-a", rules), ...groups], enis, prefixLists });
  return verdict(topology, aPacket(packet), honoured);
}

describe("one accept rule", () => {
  const cases: readonly [string, Partial<Rule>, Partial<Packet>, boolean][] = [
    ["lets its port in", {}, {}, true],
    ["keeps other ports out", {}, { destPort: 23 }, false],
    ["keeps other protocols out", {}, { protocol: "UDP" }, false],
    ["counts both ends of its range", { portRange: "20/22" }, { destPort: 20 }, true],
    ["ends at the end of its range", { portRange: "20/21" }, {}, false],
    ["lets every port in with -1/-1", { portRange: "-1/-1" }, { destPort: 65_535 }, true],
    ["matches nothing with a malformed range", { portRange: "22/21" }, {}, false],
    ["matches nothing with a port list that is not known", { portRange: "", portRangeListId: "prl-1" }, {}, false],
    ["reads the protocol in any case", { ipProtocol: "tcp" }, {}, true],
    ["lets every protocol in with ALL", { ipProtocol: "ALL", portRange: "-1/-1" }, { protocol: "GRE" }, true],
    ["does not take ICMP for ICMPv6", { ipProtocol: "ICMP", portRange: "-1/-1" }, { protocol: "ICMPv6" }, false],
    ["restricts the source port", { sourcePortRange: "53/53" }, {}, false],
    ["accepts its source port", { sourcePortRange: "40000/40000" }, {}, true],
    ["accepts a bare source address", { sourceCidrIp: "203.0.113.5" }, {}, true],
    ["clears host bits of its source", { sourceCidrIp: "203.0.113.99/24" }, {}, true],
    ["keeps sources outside its block out", { sourceCidrIp: "203.0.112.0/24" }, {}, false],
    ["matches nothing with a malformed source", { sourceCidrIp: "203.0.113.5/33" }, {}, false],
    ["matches nothing without a source", { sourceCidrIp: "" }, {}, false],
    ["does not let IPv6 in through 0.0.0.0/0", {}, { sourceAddress: "2001:db8::9", destAddress: "2001:db8::1" }, false],
    [
      "accepts an IPv6 block",
      { ipv6SourceCidrIp: "2001:DB8:0::/64" },
      { sourceAddress: "2001:db8::9", destAddress: "2001:db8::1" },
      true,
    ],
    [
      "keeps sources outside its IPv6 block out",
      { ipv6SourceCidrIp: "2001:db8:1::/64" },
      { sourceAddress: "2001:db8::9", destAddress: "2001:db8::1" },
      false,
    ],
    ["accepts members of its source group", { sourceGroupId: "sg-c" }, { sourceAddress: "10.0.0.3" }, true],
    ["keeps others out when it names a group", { sourceGroupId: "sg-c" }, { sourceAddress: "10.0.0.2" }, false],
    ["accepts entries of its prefix list", { sourcePrefixListId: "pl-1" }, {}, true],
    ["keeps others out when it names a list", { sourcePrefixListId: "pl-1" }, { sourceAddress: "203.0.113.16" }, false],
    [
      "prefers its block over its group",
      { sourceGroupId: "sg-c", sourceCidrIp: "192.0.2.0/24" },
      { sourceAddress: "10.0.0.3" },
      false,
    ],
    ["restricts the destination", { destCidrIp: "10.0.0.2" }, {}, false],
    ["accepts its destination", { destCidrIp: "10.0.0.1" }, {}, true],
    ["does not count when it is an egress rule", { direction: "egress" }, {}, false],
  ];
  test.each(cases)("%s", (_name, rule, packet, accept) => {
    expect(judge([aRule(rule)], packet).accept).toBe(accept);
  });
});

test("a destination block does not restrict where the service ignores it", () => {
  const topology = aTopology({ groups: [aGroup("sg-a", [aRule({ destCidrIp: "10.0.0.2" })])], enis });
  expect(verdict(topology, aPacket(), { destCidrIp: "ignored" }).accept).toBe(true);
});

describe("several rules", () => {
  const accept = (priority: number) => aRule({ ruleId: "yes", priority });
  const drop = (priority: number) => aRule({ ruleId: "no", policy: "Drop", priority });

  test("the lower priority number decides, in either order of writing", () => {
    expect(judge([drop(2), accept(1)])).toEqual({ accept: true, ruleId: "yes", why: "rule" });
    expect(judge([accept(2), drop(1)])).toEqual({ accept: false, ruleId: "no", why: "rule" });
  });

  test("priorities compare as numbers", () => {
    expect(judge([drop(10), accept(9)]).ruleId).toBe("yes");
  });

  test("a drop decides in a tie", () => {
    expect(judge([accept(5), drop(5)]).ruleId).toBe("no");
  });

  test("the rules of all groups of an interface count together", () => {
    expect(judge([accept(5)], {}, [aGroup("sg-b", [drop(4)])]).ruleId).toBe("no");
    expect(judge([accept(5)], {}, [aGroup("sg-b", [drop(6)])]).ruleId).toBe("yes");
  });

  test("rules of a group that the interface is not in do not count", () => {
    expect(judge([], {}, [aGroup("sg-c", [accept(1)])])).toEqual({ accept: false, why: "implicit-deny" });
  });
});

describe("members of the same group", () => {
  const fromPeer = aPacket({ sourceAddress: "10.0.0.2" });
  const drop = aRule({ policy: "Drop" });
  const cases: readonly [string, Partial<Group>, Packet, boolean][] = [
    ["reach each other past every rule with inner access", { innerAccessPolicy: "Accept" }, fromPeer, true],
    ["do not without inner access", { innerAccessPolicy: "Drop" }, fromPeer, false],
    ["do not in an enterprise group", { innerAccessPolicy: "Accept", type: "enterprise" }, fromPeer, false],
    ["do not let others in", { innerAccessPolicy: "Accept" }, aPacket({ sourceAddress: "10.0.0.3" }), false],
  ];
  test.each(cases)("%s", (_name, over, packet, accept) => {
    expect(verdict(aTopology({ groups: [aGroup("sg-a", [drop], over)], enis }), packet, honoured).accept).toBe(accept);
  });

  test("reach each other when only one of several shared groups lets them", () => {
    const both = [anEni("10.0.0.1", ["sg-a", "sg-b"]), anEni("10.0.0.2", ["sg-a", "sg-b"])];
    const groups = [aGroup("sg-a", [drop]), aGroup("sg-b", [], { innerAccessPolicy: "Accept" })];
    expect(verdict(aTopology({ groups, enis: both }), fromPeer, honoured).why).toBe("same-group");
  });
});

test("an address that no interface has is never reached", () => {
  expect(judge([aRule()], { destAddress: "10.0.0.9" })).toEqual({ accept: false, why: "unknown-destination" });
});

test("a malformed address is never accepted", () => {
  expect(judge([aRule()], { sourceAddress: "203.0.113.05" }).why).toBe("malformed-address");
});
