// The parts of a rule as text, for people.
import { formatCidr } from "./cidr.ts";
import { formatPortRange } from "./port-range.ts";
import type { Peer, Ports, RuleSpec } from "./rule.ts";

/** `tcp`, or what the cloud calls it. */
export function protocolText({ protocol }: RuleSpec): string {
  return typeof protocol === "string" ? protocol : protocol.other;
}

/** `22`, `8000-8010`, `any`, or the id of a port list. */
export function portsText(ports: Ports): string {
  switch (ports.kind) {
    case "any":
      return "any";
    case "range":
      return formatPortRange(ports.range);
    case "list":
      return ports.portRangeListId;
  }
}

/** A block, or the id of a group or prefix list. */
export function sourceText(peer: Peer): string {
  switch (peer.kind) {
    case "cidr":
      return formatCidr(peer.cidr);
    case "group":
      return peer.groupId;
    case "prefixList":
      return peer.prefixListId;
    case "opaque":
      return peer.text;
  }
}
