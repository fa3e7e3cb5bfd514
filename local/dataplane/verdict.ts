// Decides whether a new session may reach an interface, as the real service would.

import { type Cidr, contains, parseAddress } from "./cidr.ts";
import { type AddressPolicy, type PolicyOptions, type ResolvedRule, resolvePolicies } from "./policy.ts";
import { inPortRange } from "./port-range.ts";
import type { Packet, Topology } from "./topology.ts";

/** The decision about one packet, with what decided it. */
export interface Verdict {
  readonly accept: boolean;
  /** The rule that decided, when one did. */
  readonly ruleId?: string;
  readonly why: "same-group" | "rule" | "implicit-deny" | "unknown-destination" | "malformed-address";
}

function matches(rule: ResolvedRule, source: Cidr, packet: Packet): boolean {
  if (rule.protocol !== "ALL" && rule.protocol !== packet.protocol) return false;
  if (!rule.sources.some((block) => contains(block, source))) return false;
  if (rule.protocol !== "TCP" && rule.protocol !== "UDP") return true;
  return inPortRange(rule.destPorts, packet.destPort ?? 0) && inPortRange(rule.sourcePorts, packet.sourcePort ?? 0);
}

/** Decides with policies that are already resolved; use it when many packets meet the same topology. */
export function decide(policies: readonly AddressPolicy[], packet: Packet): Verdict {
  const source = parseAddress(packet.sourceAddress);
  const dest = parseAddress(packet.destAddress);
  if (source === undefined || dest === undefined) return { accept: false, why: "malformed-address" };
  const policy = policies.find(({ address }) => contains(address, dest));
  if (policy === undefined) return { accept: false, why: "unknown-destination" };
  // 1. A peer of a basic group with inner access passes, whatever the rules say.
  if (policy.peers.some((peer) => contains(peer, source))) return { accept: true, why: "same-group" };
  // 2. The strongest rule that matches decides.
  const rule = policy.rules.find((candidate) => matches(candidate, source, packet));
  if (rule !== undefined) return { accept: rule.accept, ruleId: rule.ruleId, why: "rule" };
  // 3. Nothing enters unless a rule lets it in.
  return { accept: false, why: "implicit-deny" };
}

/** Decides about the first packet of a new session to an interface of the topology. */
export function verdict(topology: Topology, packet: Packet, options: PolicyOptions): Verdict {
  return decide(resolvePolicies(topology, options), packet);
}
