// One permission of a request: from its parameters to the fields of a rule, or to a refusal.
import type { RpcElement, RpcParameters } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { refusal } from "./errors.ts";
import { listNamed } from "./lists.ts";
import type { EcsDirection } from "./model.ts";
import { type Peer, readPeer } from "./permission-peer.ts";
import type { PermissionScope } from "./permission-scope.ts";
import {
  isPortRange,
  readDescription,
  readIpv4,
  readIpv6,
  readPolicy,
  readPriority,
  readProtocol,
  readSourcePortRange,
} from "./permission-values.ts";
import type { RuleFields } from "./rule-identity.ts";

/** The fields of a permission of either direction, with the prefix of a numbered list or without. */
export const permissionFieldNames = [
  "Policy",
  "Priority",
  "IpProtocol",
  "PortRange",
  "PortRangeListId",
  "SourceCidrIp",
  "Ipv6SourceCidrIp",
  "SourceGroupId",
  "SourceGroupOwnerId",
  "SourceGroupOwnerAccount",
  "SourcePrefixListId",
  "SourcePortRange",
  "DestCidrIp",
  "Ipv6DestCidrIp",
  "DestGroupId",
  "DestGroupOwnerId",
  "DestGroupOwnerAccount",
  "DestPrefixListId",
  "NicType",
  "Description",
] as const;

type Ports = Pick<RuleFields, "portRange" | "portRangeListId">;

/** A port range wins over a port list. */
const readPorts = (fields: RpcParameters, protocol: string, path: string, scope: PermissionScope): Ports => {
  const text = fields.PortRange ?? "";
  const hasPorts = protocol === "TCP" || protocol === "UDP";
  if (text === "") {
    const portRangeListId = fields.PortRangeListId ?? "";
    if (portRangeListId === "") throw refusal("InvalidPortRange.Malformed");
    if (!hasPorts) throw refusal("InvalidParam.ProtocolNotSupportPortRangeList");
    const list = listNamed(scope.lists, {
      kind: "port-range",
      listId: portRangeListId,
      regionId: scope.group.regionId,
    });
    if (list === undefined) throw refusal("InvalidPortRangeListId.NotFound");
    return { portRange: "", portRangeListId };
  }
  if (text !== "-1/-1" && !isPortRange(text)) throw refusal("InvalidParam.PortRange", `${path}PortRange`);
  const isAll = text === "-1/-1";
  const isFit = isAll ? !hasPorts || scope.switches.allPortsOfTcp === "accepted" : hasPorts;
  if (!isFit) {
    throw refusal(scope.purpose === "modify" ? "InvalidParam.ProtocolAndPortRangeMismatch" : "OperationDenied");
  }
  return { portRange: text, portRangeListId: "" };
};

/** The private address of the group's own side, which narrows a rule further. */
const readOwnCidrIp = (fields: RpcParameters, path: string, { direction, switches }: PermissionScope): string => {
  if (direction === "egress") return readIpv4(fields.SourceCidrIp ?? "", "SourceCidrIp", path, switches);
  const text = fields.DestCidrIp ?? "";
  if (text === "") return "";
  if (switches.destCidrIp === "refused") throw refusal("InvalidParam.DestCidrIp", `${path}DestCidrIp`);
  const stored = readIpv4(text, "DestCidrIp", path, switches);
  return switches.destCidrIp === "dropped" ? "" : stored;
};

/** The code has this meaning too, and then another status. */
const sameAddress = (): RpcError =>
  new RpcError({
    status: 400,
    code: "InvalidParamter.Conflict",
    message: "The specified SourceCidrIp should be different from the DestCidrIp.",
  });

const checkFamilies = (rule: RuleFields, path: string, scope: PermissionScope): void => {
  if (rule.sourceCidrIp !== "" && rule.ipv6SourceCidrIp !== "") throw refusal("InvalidParam.SourceIp", path);
  if (rule.destCidrIp !== "" && rule.ipv6DestCidrIp !== "") throw refusal("InvalidParam.DestIp", path);
  const listId = rule.sourcePrefixListId + rule.destPrefixListId;
  const list = listNamed(scope.lists, { kind: "prefix", listId, regionId: scope.group.regionId })?.addressFamily;
  const isIpv4 = rule.sourceCidrIp !== "" || rule.destCidrIp !== "";
  const isIpv6 = rule.ipv6SourceCidrIp !== "" || rule.ipv6DestCidrIp !== "";
  if ((isIpv4 && list === "IPv6") || (isIpv6 && list === "IPv4")) {
    throw refusal("InvalidParam.PrefixListAddressFamilyMismatch");
  }
  const hasIpv4 = isIpv4 || list === "IPv4";
  const hasIpv6 = isIpv6 || list === "IPv6";
  if (hasIpv4 && hasIpv6) throw refusal("InvalidParameter.Conflict");
  if (hasIpv6 && rule.ipProtocol === "ICMP") throw refusal("InvalidParam.Ipv4ProtocolConflictWithIpv6Address");
  if (hasIpv4 && rule.ipProtocol === "ICMPv6") throw refusal("InvalidParam.Ipv6ProtocolConflictWithIpv4Address");
};

type Sides = Pick<
  RuleFields,
  | "sourceCidrIp"
  | "ipv6SourceCidrIp"
  | "sourceGroupId"
  | "sourceGroupOwnerAccount"
  | "sourcePrefixListId"
  | "destCidrIp"
  | "ipv6DestCidrIp"
  | "destGroupId"
  | "destGroupOwnerAccount"
  | "destPrefixListId"
>;

const sidesOf = (direction: EcsDirection, peer: Peer, own: Pick<Peer, "cidrIp" | "ipv6CidrIp">): Sides => {
  const bare = { ...own, groupId: "", groupOwnerAccount: "", prefixListId: "" };
  const [source, dest] = direction === "ingress" ? [peer, bare] : [bare, peer];
  return {
    sourceCidrIp: source.cidrIp,
    ipv6SourceCidrIp: source.ipv6CidrIp,
    sourceGroupId: source.groupId,
    sourceGroupOwnerAccount: source.groupOwnerAccount,
    sourcePrefixListId: source.prefixListId,
    destCidrIp: dest.cidrIp,
    ipv6DestCidrIp: dest.ipv6CidrIp,
    destGroupId: dest.groupId,
    destGroupOwnerAccount: dest.groupOwnerAccount,
    destPrefixListId: dest.prefixListId,
  };
};

/** The rule one permission describes. Checks in the order of the fields. */
export const readPermission = ({ path, fields }: RpcElement, scope: PermissionScope): RuleFields => {
  const prefix = path === "" ? "" : `${path}.`;
  const { direction } = scope;
  const policy = readPolicy(fields.Policy);
  if (policy === "Drop" && scope.group.type === "enterprise" && scope.switches.enterpriseDrop === "refused") {
    throw refusal("InvalidGroupParameter.OperationDenied");
  }
  const priority = readPriority(fields.Priority, `${prefix}Priority`);
  const ipProtocol = readProtocol(fields.IpProtocol ?? "", `${prefix}IpProtocol`);
  if (ipProtocol === "ICMPv6" && scope.switches.icmpv6 === "refused") {
    throw refusal("InvalidIpProtocol.ValueNotSupported", `${prefix}IpProtocol`);
  }
  const ports = readPorts(fields, ipProtocol, prefix, scope);
  const peer = readPeer(fields, prefix, scope);
  const description = readDescription(fields.Description, `${prefix}Description`);
  if (!["", "intranet", "internet"].includes(fields.NicType ?? "")) throw refusal("InvalidNicType.ValueNotSupported");
  const sourcePortRange = readSourcePortRange(fields.SourcePortRange ?? "");
  const ownIpv6 = direction === "ingress" ? "Ipv6DestCidrIp" : "Ipv6SourceCidrIp";
  const own = {
    cidrIp: readOwnCidrIp(fields, prefix, scope),
    ipv6CidrIp: readIpv6(fields[ownIpv6] ?? "", ownIpv6, prefix),
  };
  const rule: RuleFields = {
    direction,
    policy,
    priority,
    ipProtocol,
    ...ports,
    sourcePortRange,
    ...sidesOf(direction, peer, own),
    nicType: "intranet",
    description,
  };
  checkFamilies(rule, path, scope);
  const isOneAddress = rule.sourceCidrIp !== "" && rule.sourceCidrIp === rule.destCidrIp;
  if (isOneAddress && scope.purpose !== "revoke") throw sameAddress();
  return rule;
};
