// Decides whether a new session may pass the interfaces at both of its ends, as the real service would.

import { type Cidr, contains, parseAddress } from "./cidr.ts";
import { type Policies, type PolicyOptions, type ResolvedRule, resolvePolicies } from "./policy.ts";
import { inPortRange } from "./port-range.ts";
import type { Packet, Topology } from "./topology.ts";

/** The decision about one packet, with what decided it. */
export interface Verdict {
  readonly accept: boolean;
  /** The rule that decided, when one did. */
  readonly ruleId?: string;
  readonly why:
    | "same-group"
    | "rule"
    | "implicit-deny"
    /** The sender's own interface kept it in: an egress rule (named by `ruleId`) or the default of enterprise groups. */
    | "egress"
    | "unknown-destination"
    | "malformed-address";
}

function matches(rule: ResolvedRule, own: Cidr, peer: Cidr, packet: Packet): boolean {
  if (rule.protocol !== "ALL" && rule.protocol !== packet.protocol) return false;
  if (rule.own !== undefined && !contains(rule.own, own)) return false;
  if (!rule.peers.some((block) => contains(block, peer))) return false;
  if (rule.protocol !== "TCP" && rule.protocol !== "UDP") return true;
  const destPort = packet.destPort ?? 0;
  return (
    rule.destPorts.some((range) => inPortRange(range, destPort)) &&
    inPortRange(rule.sourcePorts, packet.sourcePort ?? 0)
  );
}

/** What the sender's own interface says: the strongest egress rule that matches, else the default. Undefined when no interface has the address. */
export function decideEgress(policies: Policies, packet: Packet): { accept: boolean; ruleId?: string } | undefined {
  const source = parseAddress(packet.sourceAddress);
  const dest = parseAddress(packet.destAddress);
  const sender = source && policies.of(source)?.merged;
  if (source === undefined || dest === undefined || sender === undefined) return undefined;
  const rule = sender.egress.find((candidate) => matches(candidate, source, dest, packet));
  return rule === undefined ? { accept: sender.egressElse } : { accept: rule.accept, ruleId: rule.ruleId };
}

/** Decides with policies that are already resolved; use it when many packets meet the same topology. */
export function decide(policies: Policies, packet: Packet): Verdict {
  const source = parseAddress(packet.sourceAddress);
  const dest = parseAddress(packet.destAddress);
  if (source === undefined || dest === undefined) return { accept: false, why: "malformed-address" };
  const receiver = policies.of(dest)?.merged;
  if (receiver === undefined) return { accept: false, why: "unknown-destination" };
  // 1. Members of a shared basic group with inner access reach each other, whatever the rules say.
  if (receiver.peers.some((peer) => contains(peer, source))) return { accept: true, why: "same-group" };
  // 2. A sender that is an interface itself must be let out.
  const out = decideEgress(policies, packet);
  if (out?.accept === false)
    return { accept: false, why: "egress", ...(out.ruleId === undefined ? {} : { ruleId: out.ruleId }) };
  // 3. The strongest ingress rule that matches decides.
  const rule = receiver.ingress.find((candidate) => matches(candidate, dest, source, packet));
  if (rule !== undefined) return { accept: rule.accept, ruleId: rule.ruleId, why: "rule" };
  // 4. Nothing enters unless a rule lets it in.
  return { accept: false, why: "implicit-deny" };
}

/** Decides about the first packet of a new session to an interface of the topology. */
export function verdict(topology: Topology, packet: Packet, options: PolicyOptions): Verdict {
  return decide(resolvePolicies(topology, options), packet);
}
