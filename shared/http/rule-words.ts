// A rule in the words of the API.
import type * as z from "zod";
import { formatCidr } from "../domain/cidr.ts";
import { formatPortRange } from "../domain/port-range.ts";
import type { Peer, Ports, RuleSpec } from "../domain/rule.ts";
import type { ruleView } from "./schemas-ledger.ts";

/** The fields of a rule. */
export function viewRule(spec: RuleSpec): z.output<typeof ruleView> {
  return {
    direction: spec.direction,
    protocol: protocolText(spec),
    ports: portsText(spec.ports),
    peer: sourceText(spec.peer),
    policy: spec.policy,
    priority: spec.priority,
    sourcePorts: portsText(spec.sourcePorts),
    destination: spec.dest && formatCidr(spec.dest),
  };
}

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
