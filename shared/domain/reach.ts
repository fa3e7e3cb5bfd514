// The reach of a rule in plain words, and whether it is one that must never stand unseen.
import { formatBare } from "./cidr.ts";
import { formatPortRange } from "./port-range.ts";
import type { Peer, Ports, RuleSpec } from "./rule.ts";
import { trafficAtMost } from "./traffic.ts";

/** Blocks with a shorter prefix than this count as the world, in pieces too: a few of them hold as many addresses as `/0`. */
export const WORLD_PREFIX = { 4: 8, 6: 16 } as const;
const TEXT_MAX = 60;

/**
 * What a rule that appears (`opens`) or goes (`closes`) does, in one line for people: `opens tcp 3306 to everybody (0.0.0.0/0) on 3 hosts`.
 * A drop that appears `blocks`, one that goes `stops blocking`. `hosts` counts the members of the group; null where it is
 * not known. What the cloud says in free text is cut and cleaned.
 */
export function reachOf(spec: RuleSpec, hosts: number | null, direction: "opens" | "closes"): string {
  const isDrop = spec.policy === "drop";
  const verb = isDrop ? { opens: "blocks", closes: "stops blocking" }[direction] : direction;
  const own = ownText(spec, hosts);
  const peer = peerText(spec);
  if (spec.direction === "egress") return `${verb} outgoing ${whatText(spec)} from ${own} to ${peer}`;
  return `${verb} ${whatText(spec)} ${isDrop ? "from" : "to"} ${peer} on ${own}`;
}

/**
 * True for an ingress accept whose peer is `0.0.0.0/0`, `::/0` or any block wider than a `/8` of IPv4 or a `/16` of IPv6, whatever its
 * ports. Groups, prefix lists and peers we cannot read are not blocks: nobody can tell here how wide they are.
 */
export function isOpenToWorld(spec: RuleSpec): boolean {
  if (spec.policy !== "accept" || spec.direction !== "ingress" || spec.peer.kind !== "cidr") return false;
  const { family, prefix } = spec.peer.cidr;
  return prefix < WORLD_PREFIX[family];
}

function whatText(spec: RuleSpec): string {
  const { kind } = trafficAtMost(spec);
  if (kind === "tcp" || kind === "udp") return `${portsText(kind, spec.ports)}${sourcePortsText(spec.sourcePorts)}`;
  if (kind === "all") return "all traffic";
  if (kind === "unknown") return `protocol ${quoted(typeof spec.protocol === "string" ? kind : spec.protocol.other)}`;
  return kind.startsWith("ip-") ? `protocol ${kind.slice(3)}` : kind;
}

function portsText(protocol: string, ports: Ports): string {
  if (ports.kind === "list") return `the ${protocol} ports of list ${named(ports.portRangeListId)}`;
  return isEveryPort(ports) ? `every ${protocol} port` : `${protocol} ${formatPortRange(ports.range)}`;
}

function sourcePortsText(ports: Ports): string {
  if (ports.kind === "list") return ` with the source ports of list ${named(ports.portRangeListId)}`;
  return isEveryPort(ports) ? "" : ` with source port ${formatPortRange(ports.range)}`;
}

function isEveryPort(ports: Exclude<Ports, { kind: "list" }>): ports is { readonly kind: "any" } {
  return ports.kind === "any" || (ports.range.from === 1 && ports.range.to === 65_535);
}

function peerText({ peer, direction }: { readonly peer: Peer; readonly direction: RuleSpec["direction"] }): string {
  switch (peer.kind) {
    case "cidr": {
      const block = formatBare(peer.cidr);
      if (peer.cidr.prefix > 0) return block;
      return `${direction === "ingress" ? "everybody" : "everywhere"} (${block})`;
    }
    case "group":
      return `the members of group ${named(peer.groupId)}${peer.owner ? ` of the account ${named(peer.owner)}` : ""}`;
    case "prefixList":
      return `the addresses of prefix list ${named(peer.prefixListId)}`;
    case "opaque":
      return `a peer that reads ${quoted(peer.text)}`;
  }
}

function ownText({ dest }: RuleSpec, hosts: number | null): string {
  if (dest !== null) return `${formatBare(dest)} alone`;
  if (hosts === null) return "every host of the group";
  if (hosts === 0) return "no host yet";
  return hosts === 1 ? "1 host" : `${hosts} hosts`;
}

/** An id as it is, and whatever else was sent in its place as a quotation. */
function named(id: string): string {
  return /^[\w.:-]{1,60}$/.test(id) ? id : quoted(id);
}

function quoted(text: string): string {
  const clean = text.slice(0, TEXT_MAX).replace(/[^ !#-~]/g, "?");
  return `"${clean}${text.length > TEXT_MAX ? "..." : ""}"`;
}
