// The traffic a rule speaks of, as intervals that can be compared, from above (at most) and from below (at least).
import { addressBits } from "./cidr.ts";
import type { Ports, Protocol, RuleSpec } from "./rule.ts";

interface Interval<N extends number | bigint> {
  readonly first: N;
  readonly last: N;
}

/** `unknown` may be any protocol; `ip-50` is a protocol known by its number only. */
type Kind = "tcp" | "udp" | "icmp" | "icmpv6" | "gre" | "all" | "unknown" | `ip-${number}`;

/** A set of packets. Family `both` stands for a peer that is not a block; its addresses then mean nothing. */
export interface Traffic {
  readonly kind: Kind;
  readonly family: 4 | 6 | "both";
  readonly ports: Interval<number>;
  readonly sourcePorts: Interval<number>;
  readonly peer: Interval<bigint>;
  readonly own: Interval<bigint>;
}

const ALL_PORTS: Interval<number> = { first: 1, last: 65535 };
const BY_NUMBER: Readonly<Record<number, Kind>> = { 1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6" };

/** The largest set the rule can mean: whatever we cannot tell is taken as everything. */
export function trafficAtMost(rule: RuleSpec): Traffic {
  const kind = kindOf(rule.protocol);
  const family = rule.peer.kind === "cidr" ? rule.peer.cidr.family : "both";
  return {
    kind,
    family,
    ports: hasPorts(kind) ? portsOf(rule.ports) : ALL_PORTS,
    sourcePorts: hasPorts(kind) ? portsOf(rule.sourcePorts) : ALL_PORTS,
    peer: rule.peer.kind === "cidr" ? rule.peer.cidr : everyAddress(6),
    own: rule.dest !== null && rule.dest.family === family ? rule.dest : everyAddress(family),
  };
}

/** A set the rule surely means all of; null when there is none, because its extent is not known here. */
export function trafficAtLeast(rule: RuleSpec): Traffic | null {
  const kind = kindOf(rule.protocol);
  if (kind === "unknown" || rule.peer.kind !== "cidr") return null;
  if (rule.dest !== null && rule.dest.family !== rule.peer.cidr.family) return null;
  const limits = [rule.ports, rule.sourcePorts];
  if (limits.some((ports) => ports.kind === "list" || (ports.kind === "range" && !hasPorts(kind)))) return null;
  return trafficAtMost(rule);
}

/** False only when no packet can be in both. */
export function mayOverlap(a: Traffic, b: Traffic): boolean {
  if (!kindsMeet(a.kind, b.kind)) return false;
  // Ports and source ports tell two rules apart only where both have them: what has none has all of them here.
  if (!meet(a.ports, b.ports) || !meet(a.sourcePorts, b.sourcePorts)) return false;
  if (a.family === "both" || b.family === "both") return true;
  return a.family === b.family && meet(a.peer, b.peer) && meet(a.own, b.own);
}

/** At least the packets in both; only for two sets that `mayOverlap`. */
export function overlapOf(a: Traffic, b: Traffic): Traffic {
  const kind = narrower(a.kind, b.kind);
  const shared = { kind, ports: cut(a.ports, b.ports), sourcePorts: cut(a.sourcePorts, b.sourcePorts) };
  if (a.family === "both") return { ...b, ...shared };
  if (b.family === "both") return { ...a, ...shared };
  return { ...shared, family: a.family, peer: cut(a.peer, b.peer), own: cut(a.own, b.own) };
}

/** True when every packet of `inner` is in `outer`; `outer` comes from `trafficAtLeast`. */
export function covers(outer: Traffic, inner: Traffic): boolean {
  return (
    (outer.kind === "all" || outer.kind === inner.kind) &&
    outer.family === inner.family &&
    within(outer.ports, inner.ports) &&
    within(outer.sourcePorts, inner.sourcePorts) &&
    within(outer.peer, inner.peer) &&
    within(outer.own, inner.own)
  );
}

function kindOf(protocol: Protocol): Kind {
  if (typeof protocol === "string") return protocol;
  if (!/^\d{1,3}$/.test(protocol.other)) return "unknown";
  const number = Number(protocol.other);
  return BY_NUMBER[number] ?? `ip-${number}`;
}

function hasPorts(kind: Kind): boolean {
  return kind === "tcp" || kind === "udp";
}

function isPing(kind: Kind): boolean {
  return kind === "icmp" || kind === "icmpv6";
}

/** icmp and icmpv6 meet, because nobody has shown which of the two the cloud means by `ICMP` for an IPv6 source. */
function kindsMeet(a: Kind, b: Kind): boolean {
  return a === b || a === "all" || b === "all" || a === "unknown" || b === "unknown" || (isPing(a) && isPing(b));
}

function narrower(a: Kind, b: Kind): Kind {
  if (a === "all") return b;
  return a === "unknown" && b !== "all" ? b : a;
}

function portsOf(ports: Ports): Interval<number> {
  return ports.kind === "range" ? { first: ports.range.from, last: ports.range.to } : ALL_PORTS;
}

function everyAddress(family: 4 | 6 | "both"): Interval<bigint> {
  return { first: 0n, last: (1n << BigInt(addressBits(family === 4 ? 4 : 6))) - 1n };
}

function meet<N extends number | bigint>(a: Interval<N>, b: Interval<N>): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function cut<N extends number | bigint>(a: Interval<N>, b: Interval<N>): Interval<N> {
  const lower = a.first > b.first ? a : b;
  const upper = a.last < b.last ? a : b;
  return { first: lower.first, last: upper.last };
}

function within<N extends number | bigint>(outer: Interval<N>, inner: Interval<N>): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
