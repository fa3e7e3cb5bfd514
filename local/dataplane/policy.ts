// The rules in force on each address: groups merged, sources resolved to address blocks, strongest first.

import { type Cidr, contains, parseAddress, parseCidr } from "./cidr.ts";
import { type PortRange, parsePortRange } from "./port-range.ts";
import type { Eni, Group, Rule, Topology } from "./topology.ts";

/** Switches for behaviour of the real service that is not confirmed. */
export interface PolicyOptions {
  /** Whether the destination address of an ingress rule restricts the match. */
  readonly destCidrIp: "honoured" | "ignored";
}

/** A rule ready to match. */
export interface ResolvedRule {
  readonly ruleId: string;
  readonly accept: boolean;
  readonly protocol: "TCP" | "UDP" | "ICMP" | "ICMPv6" | "GRE" | "ALL";
  readonly sources: readonly Cidr[];
  readonly sourcePorts: PortRange;
  readonly destPorts: PortRange;
}

/** What decides about packets to one address, in order: peers are accepted, the first matching rule decides, else deny. */
export interface AddressPolicy {
  readonly address: Cidr;
  /** Addresses of the members of shared basic groups whose inner policy is Accept. */
  readonly peers: readonly Cidr[];
  readonly rules: readonly ResolvedRule[];
}

const PROTOCOLS = {
  TCP: "TCP",
  UDP: "UDP",
  ICMP: "ICMP",
  ICMPV6: "ICMPv6",
  GRE: "GRE",
  ALL: "ALL",
} as const satisfies Record<string, ResolvedRule["protocol"]>;

const protocolNames: ReadonlyMap<string, ResolvedRule["protocol"]> = new Map(Object.entries(PROTOCOLS));

function addressesOf(eni: Eni): readonly Cidr[] {
  return [eni.privateIp, ...(eni.ipv6 ?? [])].map(parseAddress).filter((address) => address !== undefined);
}

interface Lookup {
  readonly members: ReadonlyMap<string, readonly Cidr[]>;
  readonly prefixLists: ReadonlyMap<string, readonly Cidr[]>;
}

/** The one source that counts when a rule names several: address, IPv6 address, group, prefix list. */
function sourcesOf(rule: Rule, lookup: Lookup): readonly Cidr[] {
  const text = rule.sourceCidrIp || rule.ipv6SourceCidrIp;
  if (text) return [parseCidr(text)].filter((cidr) => cidr !== undefined);
  if (rule.sourceGroupId) return lookup.members.get(rule.sourceGroupId) ?? [];
  if (rule.sourcePrefixListId) return lookup.prefixLists.get(rule.sourcePrefixListId) ?? [];
  return [];
}

function reaches(rule: Rule, address: Cidr, options: PolicyOptions): boolean {
  const text = rule.destCidrIp || rule.ipv6DestCidrIp;
  if (options.destCidrIp === "ignored" || !text) return true;
  const dest = parseCidr(text);
  return dest !== undefined && contains(dest, address);
}

/** A rule as it applies to one address, or undefined when it can match no packet there. */
function resolveRule(rule: Rule, address: Cidr, lookup: Lookup, options: PolicyOptions): ResolvedRule | undefined {
  const protocol = protocolNames.get(rule.ipProtocol.toUpperCase());
  const sourcePorts = parsePortRange(rule.sourcePortRange);
  const destPorts = !rule.portRange && rule.portRangeListId ? undefined : parsePortRange(rule.portRange);
  if (protocol === undefined || sourcePorts === undefined || destPorts === undefined) return undefined;
  const sources = sourcesOf(rule, lookup).filter((source) => source.family === address.family);
  if (sources.length === 0 || !reaches(rule, address, options)) return undefined;
  const accept = rule.policy.toUpperCase() === "ACCEPT";
  return { ruleId: rule.ruleId, accept, protocol, sources, sourcePorts, destPorts };
}

/** Strongest first: lower priority number, then Drop before Accept. */
function compareRules(a: Rule, b: Rule): number {
  const drop = (rule: Rule) => (rule.policy.toUpperCase() === "ACCEPT" ? 1 : 0);
  return a.priority - b.priority || drop(a) - drop(b);
}

function acceptsPeers(group: Group): boolean {
  return group.type.toLowerCase() === "normal" && group.innerAccessPolicy.toUpperCase() === "ACCEPT";
}

/** The policies of every address of the topology, in the order of its interfaces. */
export function resolvePolicies(topology: Topology, options: PolicyOptions): readonly AddressPolicy[] {
  const members = new Map<string, Cidr[]>();
  for (const eni of topology.enis) {
    for (const groupId of new Set(eni.groupIds)) {
      members.set(groupId, [...(members.get(groupId) ?? []), ...addressesOf(eni)]);
    }
  }
  const prefixLists = new Map(
    (topology.prefixLists ?? []).map((list) => [
      list.prefixListId,
      list.entries.map(parseCidr).filter((cidr) => cidr !== undefined),
    ]),
  );
  const groups = new Map(topology.groups.map((group) => [group.groupId, group]));
  return topology.enis.flatMap((eni) => {
    const own = [...new Set(eni.groupIds)].map((id) => groups.get(id)).filter((group) => group !== undefined);
    const rules = own
      .flatMap((group) => group.rules)
      .filter((rule) => rule.direction.toLowerCase() === "ingress")
      .sort(compareRules);
    const peers = own.filter(acceptsPeers).flatMap((group) => members.get(group.groupId) ?? []);
    return addressesOf(eni).map((address) => ({
      address,
      peers: peers.filter((peer) => peer.family === address.family),
      rules: rules
        .map((rule) => resolveRule(rule, address, { members, prefixLists }, options))
        .filter((rule) => rule !== undefined),
    }));
  });
}
