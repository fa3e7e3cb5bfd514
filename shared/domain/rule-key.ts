// The functional identity of a rule as text, from parsed values only, and the ledger entry it belongs to.
import { createHash } from "node:crypto";
import { formatCidr } from "./cidr.ts";
import type { EntryId, GroupId, RuleKey } from "./ids.ts";
import { formatCloudPortRange } from "./port-range.ts";
import type { Peer, Ports, Protocol, RuleSpec } from "./rule.ts";

/**
 * Two rules have the same key exactly when they say the same: `ingress|tcp|22/22|203.0.113.7/32|accept|1|-1/-1|*`.
 * Description, id and network type take no part. Never contains a line break.
 */
export function ruleKey(spec: RuleSpec): RuleKey {
  return keyText(spec, String(spec.priority)) as RuleKey;
}

/** As `ruleKey` without the priority: rules that differ in nothing but their priority share it. */
export function identityWithoutPriority(spec: RuleSpec): string {
  return keyText(spec, "*");
}

/** The id of the ledger entry for this rule of this group: the same whoever computes it, also after the ledger is lost. */
export function entryIdOf(groupId: GroupId, key: RuleKey): EntryId {
  return `e-${createHash("sha256").update(`${groupId}|${key}`).digest("hex").slice(0, 16)}` as EntryId;
}

function keyText(spec: RuleSpec, priority: string): string {
  return [
    spec.direction,
    protocolText(spec.protocol),
    portsText(spec.ports),
    peerText(spec.peer),
    spec.policy,
    priority,
    portsText(spec.sourcePorts),
    spec.dest === null ? "*" : formatCidr(spec.dest),
  ].join("|");
}

// Free text goes in quoted and escaped, so that no text can look like another part of the key.

function protocolText(protocol: Protocol): string {
  return typeof protocol === "string" ? protocol : `other:${JSON.stringify(protocol.other.toLowerCase())}`;
}

function portsText(ports: Ports): string {
  if (ports.kind === "list") return `list:${JSON.stringify(ports.portRangeListId)}`;
  return formatCloudPortRange(ports.kind === "any" ? "any" : ports.range);
}

function peerText(peer: Peer): string {
  switch (peer.kind) {
    case "cidr":
      return formatCidr(peer.cidr);
    case "group":
      return `group:${JSON.stringify(peer.groupId)}`;
    case "prefixList":
      return `prefix:${JSON.stringify(peer.prefixListId)}`;
    case "opaque":
      return `opaque:${JSON.stringify(peer.text)}`;
  }
}
