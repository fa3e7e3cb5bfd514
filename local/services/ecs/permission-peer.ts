// The authorization object of a permission: the one address, group or list a rule lets in or lets out to.
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { refusal } from "./errors.ts";
import { listNamed } from "./lists.ts";
import type { PermissionScope } from "./permission-scope.ts";
import { readIpv4, readIpv6 } from "./permission-values.ts";

/** The object; exactly one of the first four is not empty. */
export interface Peer {
  readonly cidrIp: string;
  readonly ipv6CidrIp: string;
  readonly groupId: string;
  readonly prefixListId: string;
  readonly groupOwnerAccount: string;
}

const groupRefusals = {
  ingress: {
    same: "InvalidParamter.Conflict",
    missing: "InvalidSourceGroupId.NotFound",
    vpc: "InvalidSourceGroupId.Mismatch",
  },
  egress: {
    same: "InvalidSecurityGroup.IsSame",
    missing: "InvalidDestGroupId.NotFound",
    vpc: "InvalidDestGroupId.Mismatch",
  },
} as const;

const readGroup = (groupId: string, isForeign: boolean, scope: PermissionScope): string => {
  if (groupId === "") return "";
  const { group, direction } = scope;
  const codes = groupRefusals[direction];
  if (group.type === "enterprise") throw refusal("InvalidGroupParameter.OperationDenied");
  if (groupId === group.groupId) throw refusal(codes.same);
  // A group of another account is taken at its owner's word.
  if (isForeign) return groupId;
  const peer = scope.groups.find((each) => each.groupId === groupId && each.regionId === group.regionId);
  if (peer === undefined) throw refusal(codes.missing);
  if (peer.type === "enterprise") throw refusal("InvalidGroupAuthParameter.OperationDenied");
  if (peer.vpcId !== group.vpcId) throw refusal(codes.vpc);
  if (peer.serviceManaged) throw refusal("InvalidOperation.ResourceManagedByCloudProduct", groupId);
  return groupId;
};

/** Reads the object on its side. Several given: a CIDR beats a group, both beat a prefix list. */
export const readPeer = (fields: RpcParameters, path: string, scope: PermissionScope): Peer => {
  const side = scope.direction === "ingress" ? "Source" : "Dest";
  const field = (name: string): string => fields[name] ?? "";
  const cidrIp = readIpv4(field(`${side}CidrIp`), `${side}CidrIp`, path, scope.switches);
  const ipv6CidrIp = readIpv6(field(`Ipv6${side}CidrIp`), `Ipv6${side}CidrIp`, path);
  const owner = field(`${side}GroupOwnerAccount`);
  const ownerId = field(`${side}GroupOwnerId`);
  const isForeign = ownerId === "" ? owner !== "" : ownerId !== scope.accountId;
  const hasCidr = cidrIp !== "" || ipv6CidrIp !== "";
  const groupId = hasCidr ? "" : readGroup(field(`${side}GroupId`), isForeign, scope);
  if (!hasCidr && groupId === "") {
    const prefixListId = field(`${side}PrefixListId`);
    if (prefixListId === "") {
      throw refusal(`MissingParameter.${side}`, path === "" ? "the request" : path.slice(0, -1));
    }
    const list = listNamed(scope.lists, { kind: "prefix", listId: prefixListId, regionId: scope.group.regionId });
    if (list === undefined) throw refusal("InvalidPrefixListId.NotFound");
    if (list.entries.length === 0 && scope.switches.emptyPrefixList === "not-named")
      throw refusal("InvalidParameter", "PrefixListId");
    return { cidrIp, ipv6CidrIp, groupId, prefixListId, groupOwnerAccount: "" };
  }
  return { cidrIp, ipv6CidrIp, groupId, prefixListId: "", groupOwnerAccount: groupId === "" ? "" : owner };
};
