// DescribeSecurityGroups: the groups of a region, filtered, in pages.
import type { RpcParameters } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import type { EcsLimits } from "../limits.ts";
import type { EcsEni, EcsGroup } from "../model.ts";
import { groupIdForm, jsonListOf, type Operation, requireRegion } from "../operation.ts";
import { numberedPageOf, pageOf } from "../paging.ts";
import { hasTags, tagSet } from "../tags.ts";

const bounds = { min: 1, max: 100, fallback: 10, outOfBounds: "InvalidParameter" } as const;

const itemOf = (group: EcsGroup, enis: readonly EcsEni[], limits: EcsLimits): Record<string, unknown> => {
  const members = enis.filter((eni) => eni.groupIds.includes(group.groupId)).length;
  return {
    SecurityGroupId: group.groupId,
    SecurityGroupName: group.name,
    Description: group.description,
    SecurityGroupType: group.type,
    VpcId: group.vpcId,
    CreationTime: group.creationTime,
    EcsCount: members,
    AvailableInstanceAmount: limits.membersPerGroup[group.type] - members,
    ResourceGroupId: "",
    ServiceManaged: group.serviceManaged,
    ...(group.serviceManaged ? { ServiceID: 0 } : {}),
    RuleCount: group.rules.length,
    GroupToGroupRuleCount: group.rules.filter((rule) => rule.sourceGroupId !== "" || rule.destGroupId !== "").length,
    Tags: tagSet(group.tags),
  };
};

const filterOf = (params: RpcParameters): ((group: EcsGroup) => boolean) => {
  const ids = jsonListOf(params, "SecurityGroupIds", 100);
  const named = [...(ids ?? []), ...(params.SecurityGroupId === undefined ? [] : [params.SecurityGroupId])];
  if (named.some((id) => !groupIdForm.test(id))) throw refusal("InvalidSecurityGroupId.Malformed");
  const type = params.SecurityGroupType;
  if (type !== undefined && type !== "normal" && type !== "enterprise") {
    throw refusal("InvalidParameter.SecurityGroupType");
  }
  return (group) =>
    (params.SecurityGroupId === undefined || group.groupId === params.SecurityGroupId) &&
    (ids === undefined || ids.includes(group.groupId)) &&
    (params.VpcId === undefined || group.vpcId === params.VpcId) &&
    (params.SecurityGroupName === undefined || group.name === params.SecurityGroupName) &&
    (type === undefined || group.type === type) &&
    (params.ResourceGroupId ?? "") === "" &&
    (params.NetworkType === undefined || params.NetworkType === "vpc") &&
    (params.ServiceManaged === undefined || String(group.serviceManaged) === params.ServiceManaged) &&
    hasTags(group.tags, params);
};

/** The operation `DescribeSecurityGroups`. */
export const describeSecurityGroups: Operation = {
  run: (context) => {
    const { params, view, switches } = context;
    const RegionId = requireRegion(context);
    const found = view.groups().filter((group) => group.regionId === RegionId);
    const asked = params.SecurityGroupId;
    const isUnknown = asked !== undefined && !found.some((it) => it.groupId === asked);
    if (isUnknown && switches.listUnknownGroup !== "empty") {
      throw refusal(switches.listUnknownGroup);
    }
    const matching = found.filter(filterOf(params));
    const enis = view.enis();
    const itemsOf = (groups: readonly EcsGroup[]) => ({
      SecurityGroup: groups.map((group) => itemOf(group, enis, context.limits)),
    });
    const numbered = numberedPageOf(matching, params, 100);
    if (numbered !== undefined && switches.groupsByPage === "refused") {
      throw refusal("NotSupported.PageNumberAndPageSize");
    }
    const byToken = () => {
      const { items, nextToken } = pageOf(matching, params, `groups ${RegionId}`, bounds);
      return { items, paging: { NextToken: nextToken } };
    };
    const { items, paging } = numbered ?? byToken();
    if (params.DryRun === "true") throw refusal("DryRunOperation");
    return { RegionId, ...paging, SecurityGroups: itemsOf(items) };
  },
};
