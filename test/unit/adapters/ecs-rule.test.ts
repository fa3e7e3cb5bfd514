// Rules between our words and ECS's, both ways.
import { describe, expect, it } from "vitest";
import { egressPermission, ingressPermission, ruleFromWire } from "../../../shared/adapters/alibaba/ecs-rule.ts";
import { type Cidr, parseCidr } from "../../../shared/domain/cidr.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

const spec: RuleSpec = {
  direction: "ingress",
  protocol: "tcp",
  ports: { kind: "range", range: { from: 22, to: 22 } },
  peer: { kind: "cidr", cidr: cidr("203.0.113.7/32") },
  policy: "accept",
  priority: 1,
  sourcePorts: { kind: "any" },
  dest: null,
};

/** As current answers show `spec`: empty texts for what is unused. */
const wire = {
  SecurityGroupRuleId: "sgr-1",
  Direction: "ingress",
  Policy: "Accept",
  Priority: 1,
  IpProtocol: "TCP",
  PortRange: "22/22",
  SourcePortRange: "",
  SourceCidrIp: "203.0.113.7/32",
  Ipv6SourceCidrIp: "",
  SourceGroupId: "",
  SourcePrefixListId: "",
  DestCidrIp: "",
  Ipv6DestCidrIp: "",
  DestGroupId: "",
  DestPrefixListId: "",
  PortRangeListId: "",
  NicType: "intranet",
  Description: "a door",
  CreateTime: "2026-11-20T07:28:38Z",
};

describe("a rule read from ECS", () => {
  it("carries its id, description and time of creation", () => {
    expect(ruleFromWire(wire)).toEqual({
      ...spec,
      id: "sgr-1",
      description: "a door",
      createdAt: Date.UTC(2026, 10, 20, 7, 28, 38),
    });
  });

  it.each([
    ["a priority as text", { Priority: "1" }],
    ["source ports as -1/-1", { SourcePortRange: "-1/-1" }],
    ["lower case", { Direction: "INGRESS", Policy: "accept", IpProtocol: "tcp" }],
    ["a bare address", { SourceCidrIp: "203.0.113.7" }],
    ["the class of network internet", { NicType: "internet" }],
  ])("means the same with %s", (_form, odd) => {
    expect(ruleFromWire({ ...wire, ...odd })).toEqual(ruleFromWire(wire));
  });

  it("means the same without the keys that are unused", () => {
    const used = Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== ""));
    expect(ruleFromWire(used)).toEqual(ruleFromWire(wire));
  });

  it.each([
    [
      "host bits are cleared",
      { SourceCidrIp: "10.159.6.18/12" },
      { peer: { kind: "cidr", cidr: cidr("10.144.0.0/12") } },
    ],
    ["a drop is a drop", { Policy: "Drop" }, { policy: "drop" }],
    ["a legacy priority stays", { Priority: 110 }, { priority: 110 }],
    ["an absent priority is the strongest", { Priority: undefined }, { priority: 1 }],
    ["no id is null", { SecurityGroupRuleId: undefined }, { id: null }],
    ["no time is null", { CreateTime: "" }, { createdAt: null }],
    [
      "all protocols have no ports",
      { IpProtocol: "ALL", PortRange: "-1/-1" },
      { protocol: "all", ports: { kind: "any" } },
    ],
    ["ICMPv6 is known", { IpProtocol: "ICMPv6", PortRange: "-1/-1" }, { protocol: "icmpv6" }],
    ["a protocol number is kept", { IpProtocol: "112", PortRange: "-1/-1" }, { protocol: { other: "112" } }],
    [
      "an IPv6 source",
      { SourceCidrIp: "", Ipv6SourceCidrIp: "2001:db8:0:0::/56" },
      { peer: { kind: "cidr", cidr: cidr("2001:db8::/56") } },
    ],
    ["a group", { SourceCidrIp: "", SourceGroupId: "sg-2" }, { peer: { kind: "group", groupId: "sg-2" } }],
    [
      "a prefix list",
      { SourceCidrIp: "", SourcePrefixListId: "pl-2" },
      { peer: { kind: "prefixList", prefixListId: "pl-2" } },
    ],
    ["a port list", { PortRange: "", PortRangeListId: "prl-1" }, { ports: { kind: "list", portRangeListId: "prl-1" } }],
    ["the own address of a quintuple rule", { DestCidrIp: "192.168.0.5/32" }, { dest: cidr("192.168.0.5/32") }],
    [
      "its source ports",
      { SourcePortRange: "1024/65535" },
      { sourcePorts: { kind: "range", range: { from: 1024, to: 65535 } } },
    ],
    ["an address nobody can read", { SourceCidrIp: "256.1.1.1" }, { peer: { kind: "opaque", text: "256.1.1.1" } }],
    ["no peer at all", { SourceCidrIp: "" }, { peer: { kind: "opaque", text: "" } }],
    [
      "ports nobody can read make the rule opaque",
      { PortRange: "many" },
      { ports: { kind: "any" }, peer: { kind: "opaque", text: "203.0.113.7/32 many" } },
    ],
    [
      "an own address nobody can read makes the rule opaque",
      { DestCidrIp: "here" },
      { dest: null, peer: { kind: "opaque", text: "203.0.113.7/32 here 22/22" } },
    ],
  ])("%s", (_what, odd, expected) => {
    expect(ruleFromWire({ ...wire, ...odd })).toMatchObject(expected);
  });

  it("of egress has its peer at the destination and its own address at the source", () => {
    const egress = { ...wire, Direction: "egress", SourceCidrIp: "192.168.0.5", DestCidrIp: "198.51.100.0/24" };
    expect(ruleFromWire(egress)).toMatchObject({
      direction: "egress",
      peer: { kind: "cidr", cidr: cidr("198.51.100.0/24") },
      dest: cidr("192.168.0.5/32"),
    });
  });
});

describe("a rule sent to ECS", () => {
  it("always carries policy and priority", () => {
    expect(ingressPermission({ spec, description: "why" })).toEqual({
      policy: "accept",
      priority: "1",
      ipProtocol: "TCP",
      portRange: "22/22",
      sourceCidrIp: "203.0.113.7/32",
      description: "why",
    });
  });

  it.each([
    ["no description", {}, "", { description: undefined }],
    [
      "an IPv6 peer",
      { peer: { kind: "cidr", cidr: cidr("2001:db8::/56") } },
      "x",
      { ipv6SourceCidrIp: "2001:db8::/56" },
    ],
    ["a group", { peer: { kind: "group", groupId: "sg-2" } }, "x", { sourceGroupId: "sg-2" }],
    [
      "a group of another account by number",
      { peer: { kind: "group", groupId: "sg-2", owner: "1900000000000000" } },
      "x",
      {
        sourceGroupId: "sg-2",
        sourceGroupOwnerAccount: "1900000000000000",
        sourceGroupOwnerId: 1_900_000_000_000_000,
      },
    ],
    [
      "a group of another account by name",
      { peer: { kind: "group", groupId: "sg-2", owner: "partner@example.com" } },
      "x",
      { sourceGroupOwnerAccount: "partner@example.com", sourceGroupOwnerId: undefined },
    ],
    ["a prefix list", { peer: { kind: "prefixList", prefixListId: "pl-2" } }, "x", { sourcePrefixListId: "pl-2" }],
    ["a port list", { ports: { kind: "list", portRangeListId: "prl-1" } }, "x", { portRangeListId: "prl-1" }],
    ["no ports", { protocol: "icmpv6", ports: { kind: "any" } }, "x", { ipProtocol: "ICMPv6", portRange: "-1/-1" }],
    ["an own address", { dest: cidr("192.168.0.5") }, "x", { destCidrIp: "192.168.0.5/32" }],
    ["an own IPv6 address", { dest: cidr("2001:db8::5") }, "x", { ipv6DestCidrIp: "2001:db8::5/128" }],
    ["source ports", { sourcePorts: { kind: "range", range: { from: 1, to: 9 } } }, "x", { sourcePortRange: "1/9" }],
    ["a protocol number", { protocol: { other: "112" } }, "x", { ipProtocol: "112" }],
  ] as const)("can have %s", (_what, change, description, expected) => {
    const sent = ingressPermission({ spec: { ...spec, ...change } as RuleSpec, description });
    expect({ description: undefined, ...sent }).toMatchObject(expected);
  });

  it("of egress swaps the sides", () => {
    const egress: RuleSpec = { ...spec, direction: "egress", dest: cidr("192.168.0.5") };
    const sent = egressPermission({ spec: egress, description: "" });
    expect(sent).toMatchObject({ destCidrIp: "203.0.113.7/32", sourceCidrIp: "192.168.0.5/32" });
  });

  it("is refused when nobody knows what its peer is", () => {
    const opaque: RuleSpec = { ...spec, peer: { kind: "opaque", text: "?" } };
    expect(() => ingressPermission({ spec: opaque, description: "" })).toThrow(CloudFailure);
  });
});
