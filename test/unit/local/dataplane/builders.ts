// Builders of data plane topologies for tests, with a sensible rest.

import type { Eni, Group, Instance, Packet, Rule, Topology } from "../../../../local/dataplane/topology.ts";

/** An ingress rule that accepts TCP 22 from everywhere at priority 1. */
export function aRule(over: Partial<Rule> = {}): Rule {
  return {
    ruleId: "sgr-1",
    direction: "ingress",
    policy: "Accept",
    priority: 1,
    ipProtocol: "TCP",
    portRange: "22/22",
    // A rule has one source, so the default one gives way to any other.
    ...(over.ipv6SourceCidrIp || over.sourceGroupId || over.sourcePrefixListId ? {} : { sourceCidrIp: "0.0.0.0/0" }),
    ...over,
  };
}

/** A basic group whose members are isolated from each other. */
export function aGroup(groupId: string, rules: readonly Rule[], over: Partial<Group> = {}): Group {
  return { groupId, type: "normal", innerAccessPolicy: "Drop", rules, ...over };
}

/** An interface with the address, in the groups. */
export function anEni(privateIp: string, groupIds: readonly string[], over: Partial<Eni> = {}): Eni {
  return { eniId: `eni-${privateIp}`, privateIp, groupIds, ...over };
}

/** An instance that serves the ports on the interface. */
export function anInstance(name: string, eni: Eni, listening: readonly number[]): Instance {
  return { instanceId: `i-${name}`, name, eniIds: [eni.eniId], listening };
}

/** A topology of the parts given. */
export function aTopology(parts: Partial<Topology>): Topology {
  return { groups: [], enis: [], instances: [], ...parts };
}

/** The first packet of a TCP connection from 203.0.113.5 to 10.0.0.1 port 22. */
export function aPacket(over: Partial<Packet> = {}): Packet {
  return {
    sourceAddress: "203.0.113.5",
    destAddress: "10.0.0.1",
    protocol: "TCP",
    sourcePort: 40_000,
    destPort: 22,
    ...over,
  };
}
