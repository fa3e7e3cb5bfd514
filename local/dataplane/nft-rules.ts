// Compiles merged rules into the lines of nftables chains.

import { type Cidr, contains, printCidr } from "./cidr.ts";
import type { MergedRules, ResolvedRule } from "./policy.ts";
import { EVERY_PORT, type PortRange, translateRange } from "./port-range.ts";

/** Ports of one address that are served elsewhere, from the account's port to the real one. */
export interface PortMap {
  readonly TCP: ReadonlyMap<number, number>;
  readonly UDP: ReadonlyMap<number, number>;
}

/** No port is served elsewhere. */
export const UNMAPPED: PortMap = { TCP: new Map(), UDP: new Map() };

/** Blocks of one family. */
function addressMatch(side: "saddr" | "daddr", cidrs: readonly Cidr[]): string {
  // Blocks that lie inside another one, and all but one of equal blocks, would be conflicting set elements.
  const widest = cidrs.filter(
    (cidr, index) =>
      !cidrs.some((other, at) => at !== index && contains(other, cidr) && (at < index || !contains(cidr, other))),
  );
  const [only] = widest;
  const text = widest.length === 1 && only !== undefined ? printCidr(only) : `{ ${widest.map(printCidr).join(", ")} }`;
  return `${cidrs[0]?.family === 6 ? "ip6" : "ip"} ${side} ${text}`;
}

function portText(ranges: readonly PortRange[]): string {
  const texts = mergeRanges(ranges).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return texts.length === 1 ? (texts[0] ?? "") : `{ ${texts.join(", ")} }`;
}

/** The same ports as intervals that neither overlap nor touch, as sets want them. */
function mergeRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous.last + 1)
      merged[merged.length - 1] = { first: previous.first, last: Math.max(previous.last, last) };
    else merged.push({ first, last });
  }
  return merged;
}

const coversEveryPort = (range: PortRange): boolean => range.first <= EVERY_PORT.first && range.last >= EVERY_PORT.last;

function protocolMatches(rule: ResolvedRule, mapped: PortMap): readonly string[] | undefined {
  const { protocol } = rule;
  if (protocol === "ALL") return [];
  if (protocol === "ICMPv6") return ["meta l4proto ipv6-icmp"];
  if (protocol !== "TCP" && protocol !== "UDP") return [`meta l4proto ${protocol.toLowerCase()}`];
  const name = protocol.toLowerCase();
  const destPorts = rule.destPorts.flatMap((range) => translateRange(range, mapped[protocol]));
  if (destPorts.length === 0) return undefined;
  const dest = rule.destPorts.some(coversEveryPort) ? [] : [`${name} dport ${portText(destPorts)}`];
  const source = coversEveryPort(rule.sourcePorts) ? [] : [`${name} sport ${portText([rule.sourcePorts])}`];
  const ported = [...dest, ...source];
  return ported.length === 0 ? [`meta l4proto ${name}`] : ported;
}

type Family = Cidr["family"];

interface Direction {
  readonly own: "saddr" | "daddr";
  readonly peer: "saddr" | "daddr";
  readonly accept: string;
  readonly drop: string;
}

const INGRESS: Direction = { own: "daddr", peer: "saddr", accept: "accept", drop: "goto dropped_in" };
const EGRESS: Direction = { own: "saddr", peer: "daddr", accept: "return", drop: "goto dropped_out" };

function ruleLine(rule: ResolvedRule, mapped: PortMap, direction: Direction, family: Family): readonly string[] {
  const peers = rule.peers.filter((peer) => peer.family === family);
  if (peers.length === 0 || (rule.own !== undefined && rule.own.family !== family)) return [];
  const protocol = protocolMatches(rule, mapped);
  if (protocol === undefined) return [];
  const parts = [
    ...(peers.some(({ prefix }) => prefix === 0) ? [] : [addressMatch(direction.peer, peers)]),
    ...(rule.own === undefined || rule.own.prefix === 0 ? [] : [addressMatch(direction.own, [rule.own])]),
    ...protocol,
  ];
  return [[...parts, rule.accept ? direction.accept : direction.drop].join(" ")];
}

function peerLine(merged: MergedRules, { peer, accept }: Direction, family: Family): readonly string[] {
  const peers = merged.peers.filter((block) => block.family === family);
  return peers.length === 0 ? [] : [`${addressMatch(peer, peers)} ${accept}`];
}

/** What decides about packets of that family to an interface. */
export function ingressLines(merged: MergedRules, mapped: PortMap, family: Family): readonly string[] {
  return [
    ...peerLine(merged, INGRESS, family),
    ...merged.ingress.flatMap((rule) => ruleLine(rule, mapped, INGRESS, family)),
    INGRESS.drop,
  ];
}

/** What decides about packets of that family from an interface to another; none when everything may leave. */
export function egressLines(merged: MergedRules, family: Family): readonly string[] {
  if (merged.egressElse && merged.egress.every(({ accept }) => accept)) return [];
  return [
    ...peerLine(merged, EGRESS, family),
    ...merged.egress.flatMap((rule) => ruleLine(rule, UNMAPPED, EGRESS, family)),
    ...(merged.egressElse ? [] : [EGRESS.drop]),
  ];
}
