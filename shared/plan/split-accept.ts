// What of a wide accept has to stay in a lockdown that closes accepts: core ports, operators' ways, and ping. Pure.
import { containsCidr, overlaps } from "../domain/cidr.ts";
import { parseCorePort } from "../domain/core-port.ts";
import { parseGrant } from "../domain/grant.ts";
import type { OperatorPath } from "../domain/operator-path.ts";
import type { PortRange } from "../domain/port-range.ts";
import type { Peer, Ports, Protocol, Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";

const ALL_PORTS: PortRange = { from: 1, to: 65_535 };
const NO_PORTS: Ports = { kind: "any" };

/**
 * Narrower accepts that together let in what core ports and operators need of this one, at its own priority; null where they cannot be
 * told apart from the rest: ports by a list, a protocol we do not know, operators beside a peer that is no block.
 *
 *     accept                      core 80, operator 22 from 203.0.113.7
 *     tcp 1-65535 from 0.0.0.0/0  tcp 80 from 0.0.0.0/0, tcp 22 from 203.0.113.7
 *     all         from 10.0.0.0/8 tcp 80 from 10.0.0.0/8, icmp from 10.0.0.0/8
 */
export function splitAccept(
  rule: Rule,
  { core, operatorPath }: { readonly core: readonly string[]; readonly operatorPath: readonly OperatorPath[] },
): readonly RuleSpec[] | null {
  const { direction, protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
  if (typeof protocol !== "string" || ports.kind === "list" || peer.kind === "opaque") return null;
  const whole: RuleSpec = { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
  const parts: RuleSpec[] = [];
  for (const text of core) {
    const port = parseCorePort(text);
    if (port === null) return null;
    const both = meet(whole, { protocol: port.protocol, ports: { kind: "range", range: port.range } });
    if (both !== null) parts.push({ ...whole, ...both });
  }
  for (const { protocol: of, port, sources } of operatorPath) {
    const grant = parseGrant({ protocol: of, sources, priority: 1, ...(port === "" ? {} : { port }) });
    if (!grant.ok) return null;
    for (const way of grant.specs) {
      const both = meet(whole, way);
      if (both === null) continue;
      if (peer.kind !== "cidr") return null;
      const from = commonPeer(peer, way.peer);
      if (from !== null) parts.push({ ...whole, ...both, peer: from });
    }
  }
  if (protocol === "all") {
    const isSix = peer.kind === "cidr" && peer.cidr.family === 6;
    parts.push({ ...whole, protocol: isSix ? "icmpv6" : "icmp", ports: NO_PORTS });
  }
  const named = new Map(parts.map((part) => [ruleKey(part), part]));
  return named.has(ruleKey(whole)) ? null : [...named.values()];
}

/** Protocol and ports that two accepts have in common; null for none. */
function meet(
  a: Pick<RuleSpec, "protocol" | "ports">,
  b: Pick<RuleSpec, "protocol" | "ports">,
): { readonly protocol: Protocol; readonly ports: Ports } | null {
  const protocol = a.protocol === "all" ? b.protocol : a.protocol;
  if (b.protocol !== "all" && b.protocol !== protocol) return null;
  if (protocol !== "tcp" && protocol !== "udp") return { protocol, ports: NO_PORTS };
  const [one, other] = [rangeOf(a.ports), rangeOf(b.ports)];
  const range = { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) };
  return range.from > range.to ? null : { protocol, ports: { kind: "range", range } };
}

const rangeOf = (ports: Ports): PortRange => (ports.kind === "range" ? ports.range : ALL_PORTS);

/** Of two blocks that share addresses one holds the other. */
function commonPeer(a: Peer, b: Peer): Peer | null {
  if (a.kind !== "cidr" || b.kind !== "cidr" || !overlaps(a.cidr, b.cidr)) return null;
  return containsCidr(a.cidr, b.cidr) ? b : a;
}
