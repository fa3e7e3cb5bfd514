// One permission of a request: from its parameters to the fields of an ingress rule, or to a refusal.
import type { RpcElement, RpcParameters } from "../../protocol/rpc/parameters.ts";
import { compressIpv6, parseIpv4, storedIpv4 } from "./addresses.ts";
import { refusal } from "./errors.ts";
import type { EcsGroup, EcsPolicy } from "./model.ts";
import type { RuleFields } from "./rule-identity.ts";
import type { EcsSwitches } from "./switches.ts";

/** The fields of a permission, with the prefix of a numbered list or without. */
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
  "NicType",
  "Description",
] as const;

/** What a permission is checked against. */
export interface PermissionScope {
  readonly group: EcsGroup;
  readonly groups: readonly EcsGroup[];
  readonly switches: Readonly<EcsSwitches>;
  /** Modify names a protocol and port range that do not match otherwise than Authorize. */
  readonly mismatch: "OperationDenied" | "InvalidParam.ProtocolAndPortRangeMismatch";
}

const protocols: Readonly<Record<string, string>> = {
  TCP: "TCP",
  UDP: "UDP",
  ICMP: "ICMP",
  ICMPV6: "ICMPv6",
  GRE: "GRE",
  ALL: "ALL",
};

const readPolicy = (text: string | undefined): EcsPolicy => {
  const policy = (text ?? "accept").toLowerCase();
  if (policy !== "accept" && policy !== "drop") throw refusal("InvalidPolicy.Malformed");
  return policy === "accept" ? "Accept" : "Drop";
};

const readPriority = (text: string | undefined, path: string): number => {
  if (text === undefined) return 1;
  if (!/^\d{1,9}$/.test(text)) throw refusal("InvalidPriority.Malformed");
  const priority = Number(text);
  if (priority < 1 || priority > 100) throw refusal("InvalidPriority.ValueNotSupported", path);
  return priority;
};

const isPortRange = (text: string): boolean => {
  const found = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const [start, end] = [Number(found?.[1]), Number(found?.[2])];
  return start >= 1 && start <= end && end <= 65_535;
};

const readPortRange = (fields: RpcParameters, protocol: string, path: string, scope: PermissionScope): string => {
  const text = fields.PortRange ?? "";
  const hasPorts = protocol === "TCP" || protocol === "UDP";
  if (text === "") {
    if ((fields.PortRangeListId ?? "") === "") throw refusal("InvalidPortRange.Malformed");
    throw refusal(hasPorts ? "InvalidPortRangeListId.NotFound" : "InvalidParam.ProtocolNotSupportPortRangeList");
  }
  if (text !== "-1/-1" && !isPortRange(text)) throw refusal("InvalidParam.PortRange", `${path}PortRange`);
  if (hasPorts === (text === "-1/-1")) throw refusal(scope.mismatch);
  return text;
};

const readSourcePortRange = (text: string): string => {
  if (text !== "" && text !== "-1/-1" && !isPortRange(text)) throw refusal("InvalidSourcePortRange.Malformed");
  return text;
};

const readIpv6 = (text: string, name: "Ipv6SourceCidrIp" | "Ipv6DestCidrIp", path: string): string => {
  const compressed = text === "" ? "" : compressIpv6(text);
  if (compressed === undefined) throw refusal(`InvalidParam.${name}`, path + name);
  return compressed;
};

const readIpv4 = (text: string, name: "SourceCidrIp" | "DestCidrIp", path: string, scope: PermissionScope): string => {
  if (text !== "" && parseIpv4(text) === undefined) throw refusal(`InvalidParam.${name}`, path + name);
  return storedIpv4(text, scope.switches.ipv4Stored);
};

const readDestCidrIp = (text: string, path: string, scope: PermissionScope): string => {
  if (text !== "" && scope.switches.destCidrIp === "refused") {
    throw refusal("InvalidParam.DestCidrIp", `${path}DestCidrIp`);
  }
  const stored = readIpv4(text, "DestCidrIp", path, scope);
  return scope.switches.destCidrIp === "dropped" ? "" : stored;
};

const readSourceGroup = (groupId: string, isForeign: boolean, scope: PermissionScope): string => {
  if (groupId === "") return "";
  if (scope.group.type === "enterprise") throw refusal("InvalidGroupParameter.OperationDenied");
  if (groupId === scope.group.groupId) throw refusal("InvalidParamter.Conflict");
  if (isForeign) return groupId;
  const source = scope.groups.find((each) => each.groupId === groupId && each.regionId === scope.group.regionId);
  if (source === undefined) throw refusal("InvalidSourceGroupId.NotFound");
  if (source.type === "enterprise") throw refusal("InvalidGroupAuthParameter.OperationDenied");
  if (source.vpcId !== scope.group.vpcId) throw refusal("InvalidSourceGroupId.Mismatch");
  if (source.serviceManaged) throw refusal("InvalidOperation.ResourceManagedByCloudProduct", groupId);
  return groupId;
};

const checkFamilies = (rule: RuleFields, path: string): void => {
  if (rule.sourceCidrIp !== "" && rule.ipv6SourceCidrIp !== "") throw refusal("InvalidParam.SourceIp", path);
  if (rule.destCidrIp !== "" && rule.ipv6DestCidrIp !== "") throw refusal("InvalidParam.DestIp", path);
  const hasIpv4 = rule.sourceCidrIp !== "" || rule.destCidrIp !== "";
  const hasIpv6 = rule.ipv6SourceCidrIp !== "" || rule.ipv6DestCidrIp !== "";
  if (hasIpv4 && hasIpv6) throw refusal("InvalidParameter.Conflict");
  if (hasIpv6 && rule.ipProtocol === "ICMP") throw refusal("InvalidParam.Ipv4ProtocolConflictWithIpv6Address");
  if (hasIpv4 && rule.ipProtocol === "ICMPv6") throw refusal("InvalidParam.Ipv6ProtocolConflictWithIpv4Address");
};

/** The rule one permission describes. Checks in the order of the fields; several sources: CIDR, then group, then list. */
export const readPermission = ({ path, fields }: RpcElement, scope: PermissionScope): RuleFields => {
  const prefix = path === "" ? "" : `${path}.`;
  const field = (name: (typeof permissionFieldNames)[number]): string => fields[name] ?? "";
  const policy = readPolicy(fields.Policy);
  const priority = readPriority(fields.Priority, `${prefix}Priority`);
  const ipProtocol = protocols[field("IpProtocol").toUpperCase()];
  if (ipProtocol === undefined) throw refusal("InvalidIpProtocol.ValueNotSupported", `${prefix}IpProtocol`);
  const portRange = readPortRange(fields, ipProtocol, prefix, scope);
  const sourceCidrIp = readIpv4(field("SourceCidrIp"), "SourceCidrIp", prefix, scope);
  const ipv6SourceCidrIp = readIpv6(field("Ipv6SourceCidrIp"), "Ipv6SourceCidrIp", prefix);
  const isForeign = field("SourceGroupOwnerId") + field("SourceGroupOwnerAccount") !== "";
  const hasCidr = sourceCidrIp !== "" || ipv6SourceCidrIp !== "";
  const sourceGroupId = hasCidr ? "" : readSourceGroup(field("SourceGroupId"), isForeign, scope);
  if (!hasCidr && sourceGroupId === "") {
    if (field("SourcePrefixListId") !== "") throw refusal("InvalidPrefixListId.NotFound");
    throw refusal("MissingParameter.Source", path === "" ? "the request" : path);
  }
  const description = field("Description");
  if (fields.Description !== undefined && (description.length < 1 || description.length > 512)) {
    throw refusal("InvalidSecurityGroupDiscription.Malformed", `${prefix}Description`);
  }
  if (!["", "intranet", "internet"].includes(field("NicType"))) throw refusal("InvalidNicType.ValueNotSupported");
  const rule: RuleFields = {
    direction: "ingress",
    policy,
    priority,
    ipProtocol,
    portRange,
    sourcePortRange: readSourcePortRange(field("SourcePortRange")),
    sourceCidrIp,
    ipv6SourceCidrIp,
    sourceGroupId,
    sourceGroupOwnerAccount: sourceGroupId === "" ? "" : field("SourceGroupOwnerAccount"),
    sourcePrefixListId: "",
    destCidrIp: readDestCidrIp(field("DestCidrIp"), prefix, scope),
    ipv6DestCidrIp: readIpv6(field("Ipv6DestCidrIp"), "Ipv6DestCidrIp", prefix),
    destGroupId: "",
    destGroupOwnerAccount: "",
    destPrefixListId: "",
    portRangeListId: "",
    nicType: "intranet",
    description,
  };
  checkFamilies(rule, path);
  return rule;
};
