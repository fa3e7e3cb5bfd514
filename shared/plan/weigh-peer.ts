// Whether traffic says anything about a rule: whom it may have let in, and to which ports. Pure.
import { type Cidr, containsCidr, overlaps } from "../domain/cidr.ts";
import { cidrOfPeer, type Peer, type PortUse } from "../domain/evidence.ts";
import type { EvidencePolicy } from "../domain/recycling-policy.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { trafficAtMost } from "../domain/traffic.ts";

/** What a peer's traffic says about the rule. */
export type Weight = "counts" | "probe" | "balancer" | "sameGroup" | "others";

/** Weighs peers for one rule; `sameGroup` are addresses that reach each other without any. */
export function weigherOf(
  { rule, sameGroup }: { readonly rule: RuleSpec; readonly sameGroup: readonly string[] },
  { recycling }: { readonly recycling: EvidencePolicy },
): (peer: Peer) => Weight {
  const bypassing = new Set(sameGroup);
  const { peer: wanted } = rule;
  const within = (blocks: readonly Cidr[], cidr: Cidr): boolean => blocks.some((block) => containsCidr(block, cidr));
  return (peer) => {
    const cidr = cidrOfPeer(peer);
    // An address that cannot be read may be anybody's.
    if (cidr === null) return "counts";
    if (within(recycling.probes, cidr)) return "probe";
    if (within(recycling.balancerSources, cidr)) return "balancer";
    if (bypassing.has(peer.block)) return "sameGroup";
    return wanted.kind !== "cidr" || overlaps(wanted.cidr, cidr) ? "counts" : "others";
  };
}

/** True where the rule may let traffic to the port in: several rules may, and each is credited. */
export function coversPort(rule: RuleSpec, { protocol, port }: Pick<PortUse, "protocol" | "port">): boolean {
  const { kind, ports } = trafficAtMost(rule);
  const told = /^\d+$/.test(protocol) ? `ip-${protocol}` : protocol;
  const isPing = (name: string): boolean => name === "icmp" || name === "icmpv6";
  if (kind !== "all" && kind !== "unknown" && kind !== told && !(isPing(kind) && isPing(told))) return false;
  return port === 0 || (ports.first <= port && port <= ports.last);
}
