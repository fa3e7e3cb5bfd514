// A rule between our words and the permission fields of ECS, both ways.
import type { AuthorizeSecurityGroupEgressRequestPermissions } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupEgressRequest.js";
import type { AuthorizeSecurityGroupRequestPermissions } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupRequest.js";
import { type Cidr, formatCidr, parseObservedCidr } from "../../domain/cidr.ts";
import type { RuleId } from "../../domain/ids.ts";
import { formatCloudPortRange, parseCloudPortRange } from "../../domain/port-range.ts";
import type { Direction, Peer, Ports, Protocol, Rule, RuleSpec } from "../../domain/rule.ts";
import { CloudFailure, type RuleToWrite } from "../../ports/firewall.ts";
import { type Fields, text, textOrNull } from "./ecs-answers.ts";

/** Fields of one permission by the SDK's property names; ready for the SDK's request models of that direction. */
export type IngressPermission = Partial<Omit<AuthorizeSecurityGroupRequestPermissions, "validate" | "toMap">>;
export type EgressPermission = Partial<Omit<AuthorizeSecurityGroupEgressRequestPermissions, "validate" | "toMap">>;

const PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "gre", "all"] as const;

/** Wire spelling where upper case is not it. */
const PROTOCOL_SPELLING: Readonly<Record<string, string>> = { icmpv6: "ICMPv6" };

/** The strongest priority is what ECS means when it leaves the field out. */
const PRIORITY_WHEN_ABSENT = 1;

/** What to send for an ingress rule. Policy and priority always: left out they mean "accept" and "strongest". */
export function ingressPermission(rule: RuleToWrite): IngressPermission {
  const { peer, dest } = rule.spec;
  return {
    ...commonFields(rule),
    ...(peer.kind === "cidr" &&
      (peer.cidr.family === 4 ? { sourceCidrIp: formatCidr(peer.cidr) } : { ipv6SourceCidrIp: formatCidr(peer.cidr) })),
    ...(peer.kind === "group" && {
      sourceGroupId: peer.groupId,
      sourceGroupOwnerAccount: peer.owner,
      sourceGroupOwnerId: accountNumber(peer.owner),
    }),
    ...(peer.kind === "prefixList" && { sourcePrefixListId: peer.prefixListId }),
    ...(dest !== null && (dest.family === 4 ? { destCidrIp: formatCidr(dest) } : { ipv6DestCidrIp: formatCidr(dest) })),
  };
}

/** What to send for an egress rule. */
export function egressPermission(rule: RuleToWrite): EgressPermission {
  const { peer, dest } = rule.spec;
  return {
    ...commonFields(rule),
    ...(peer.kind === "cidr" &&
      (peer.cidr.family === 4 ? { destCidrIp: formatCidr(peer.cidr) } : { ipv6DestCidrIp: formatCidr(peer.cidr) })),
    ...(peer.kind === "group" && {
      destGroupId: peer.groupId,
      destGroupOwnerAccount: peer.owner,
      destGroupOwnerId: accountNumber(peer.owner),
    }),
    ...(peer.kind === "prefixList" && { destPrefixListId: peer.prefixListId }),
    ...(dest !== null &&
      (dest.family === 4 ? { sourceCidrIp: formatCidr(dest) } : { ipv6SourceCidrIp: formatCidr(dest) })),
  };
}

/** ECS takes an owner by name or by number and shows one text: a number is told as both. */
function accountNumber(owner: string | undefined): number | undefined {
  return owner !== undefined && /^[1-9]\d{0,15}$/.test(owner) && Number.isSafeInteger(Number(owner))
    ? Number(owner)
    : undefined;
}

function commonFields({ spec, description }: RuleToWrite) {
  if (spec.peer.kind === "opaque") {
    throw new CloudFailure("invalid", "write a rule", {
      message: `cannot write a rule with the peer ${spec.peer.text}`,
    });
  }
  return {
    policy: spec.policy,
    priority: `${spec.priority}`,
    ipProtocol: wireProtocol(spec.protocol),
    ...(spec.ports.kind === "list"
      ? { portRangeListId: spec.ports.portRangeListId }
      : { portRange: wirePorts(spec.ports) }),
    ...(spec.sourcePorts.kind === "range" && { sourcePortRange: wirePorts(spec.sourcePorts) }),
    ...(description !== "" && { description }),
  };
}

function wireProtocol(protocol: Protocol): string {
  if (typeof protocol === "object") return protocol.other;
  return PROTOCOL_SPELLING[protocol] ?? protocol.toUpperCase();
}

function wirePorts(ports: Exclude<Ports, { kind: "list" }>): string {
  return formatCloudPortRange(ports.kind === "range" ? ports.range : "any");
}

/**
 * A rule as `DescribeSecurityGroupAttribute` shows it, in any form published answers have had. What cannot be read makes
 * the peer opaque, so that such a rule equals none of ours and is never sent back.
 */
export function ruleFromWire(permission: Fields): Rule {
  const direction: Direction = text(permission["Direction"]).toLowerCase() === "egress" ? "egress" : "ingress";
  const [peerSide, ownSide] = direction === "ingress" ? (["Source", "Dest"] as const) : (["Dest", "Source"] as const);
  const ports = readPorts(permission["PortRange"], permission["PortRangeListId"]);
  const sourcePorts = readPorts(permission["SourcePortRange"], undefined);
  const ownAddress = addressText(permission, ownSide);
  const dest = ownAddress === null ? null : parseObservedCidr(ownAddress);
  const unreadable = ports === null || sourcePorts === null || (ownAddress !== null && dest === null);
  const spec: RuleSpec = {
    direction,
    protocol: readProtocol(permission["IpProtocol"]),
    ports: ports ?? { kind: "any" },
    peer: unreadable
      ? { kind: "opaque", text: opaqueText(permission, peerSide, ownAddress) }
      : readPeer(permission, peerSide),
    policy: text(permission["Policy"]).toLowerCase() === "drop" ? "drop" : "accept",
    priority: readPriority(permission["Priority"]),
    sourcePorts: sourcePorts ?? { kind: "any" },
    dest,
  };
  const createdAt = Date.parse(text(permission["CreateTime"]));
  return {
    ...spec,
    id: textOrNull(permission["SecurityGroupRuleId"]) as RuleId | null,
    description: typeof permission["Description"] === "string" ? permission["Description"] : "",
    createdAt: Number.isNaN(createdAt) ? null : createdAt,
  };
}

type Side = "Source" | "Dest";

function addressText(permission: Fields, side: Side): string | null {
  return textOrNull(permission[`${side}CidrIp`]) ?? textOrNull(permission[`Ipv6${side}CidrIp`]);
}

function readPeer(permission: Fields, side: Side): Peer {
  const address = addressText(permission, side);
  if (address !== null) {
    const cidr: Cidr | null = parseObservedCidr(address);
    return cidr === null ? { kind: "opaque", text: address } : { kind: "cidr", cidr };
  }
  const groupId = textOrNull(permission[`${side}GroupId`]);
  const owner = textOrNull(permission[`${side}GroupOwnerAccount`]) ?? textOrNull(permission[`${side}GroupOwnerId`]);
  if (groupId !== null) return { kind: "group", groupId, ...(owner !== null && { owner }) };
  const prefixListId = textOrNull(permission[`${side}PrefixListId`]);
  return prefixListId === null ? { kind: "opaque", text: "" } : { kind: "prefixList", prefixListId };
}

function opaqueText(permission: Fields, side: Side, ownAddress: string | null): string {
  const parts = [
    addressText(permission, side) ??
      textOrNull(permission[`${side}GroupId`]) ??
      textOrNull(permission[`${side}PrefixListId`]),
    ownAddress,
    textOrNull(permission["PortRange"]),
    textOrNull(permission["SourcePortRange"]),
  ];
  return parts.filter((part) => part !== null).join(" ");
}

function readProtocol(value: unknown): Protocol {
  const name = text(value).toLowerCase();
  return PROTOCOLS.find((known) => known === name) ?? { other: name };
}

/** Null when there is a text that is no port range. */
function readPorts(value: unknown, listId: unknown): Ports | null {
  const portRangeListId = textOrNull(listId);
  if (portRangeListId !== null) return { kind: "list", portRangeListId };
  const written = text(value);
  if (written === "") return { kind: "any" };
  const range = parseCloudPortRange(written);
  if (range === null) return null;
  return range === "any" ? { kind: "any" } : { kind: "range", range };
}

function readPriority(value: unknown): number {
  const priority = Number(text(value) || PRIORITY_WHEN_ABSENT);
  return Number.isInteger(priority) ? priority : PRIORITY_WHEN_ABSENT;
}
