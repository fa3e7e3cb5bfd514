// DescribeSecurityGroupAttribute: one group and its rules, in pages.
import { refusal } from "../errors.ts";
import type { EcsGroup, EcsRule } from "../model.ts";
import { type Operation, requireGroup } from "../operation.ts";
import { pageOf } from "../paging.ts";
import type { EcsSwitches } from "../switches.ts";

const bounds = { min: 10, max: 1_000, fallback: 500, outOfBounds: "InvalidParamter" } as const;

const itemOf = (
  rule: EcsRule,
  nameOf: (id: string) => string,
  { priorityForm, unusedSourcePortRange }: EcsSwitches,
): Record<string, unknown> => ({
  SecurityGroupRuleId: rule.ruleId,
  Direction: rule.direction,
  Policy: rule.policy,
  Priority: priorityForm === "number" ? rule.priority : String(rule.priority),
  IpProtocol: rule.ipProtocol,
  PortRange: rule.portRange,
  SourcePortRange: rule.sourcePortRange || unusedSourcePortRange,
  SourceCidrIp: rule.sourceCidrIp,
  Ipv6SourceCidrIp: rule.ipv6SourceCidrIp,
  SourceGroupId: rule.sourceGroupId,
  SourceGroupName: nameOf(rule.sourceGroupId),
  SourceGroupOwnerAccount: rule.sourceGroupOwnerAccount,
  SourcePrefixListId: rule.sourcePrefixListId,
  SourcePrefixListName: nameOf(rule.sourcePrefixListId),
  DestCidrIp: rule.destCidrIp,
  Ipv6DestCidrIp: rule.ipv6DestCidrIp,
  DestGroupId: rule.destGroupId,
  DestGroupName: nameOf(rule.destGroupId),
  DestGroupOwnerAccount: rule.destGroupOwnerAccount,
  DestPrefixListId: rule.destPrefixListId,
  DestPrefixListName: nameOf(rule.destPrefixListId),
  PortRangeListId: rule.portRangeListId,
  PortRangeListName: nameOf(rule.portRangeListId),
  NicType: rule.nicType,
  Description: rule.description,
  CreateTime: rule.createTime,
});

const rulesOf = (group: EcsGroup, direction: string): readonly EcsRule[] => {
  if (!["ingress", "egress", "all"].includes(direction)) throw refusal("InvalidParamter", "Direction");
  return group.rules.filter((rule) => direction === "all" || rule.direction === direction);
};

/** The operation `DescribeSecurityGroupAttribute`. */
export const describeSecurityGroupAttribute: Operation = {
  run: (context) => {
    const { params, view, switches } = context;
    const groups = view.groups();
    const group = requireGroup(context, groups);
    if (!["intranet", "internet"].includes(params.NicType ?? "intranet")) {
      throw refusal("InvalidNicType.ValueNotSupported");
    }
    if (!["", "snapshotPolicyIds"].includes(params.Attribute ?? "")) {
      throw refusal("InvalidParameter.AttributeNotSupported");
    }
    const direction = (params.Direction ?? "all").toLowerCase();
    const rules = rulesOf(group, direction);
    const ordered = rules.length < 2 || switches.ruleOrder === "oldest-first" ? rules : rules.toReversed();
    const page = pageOf(ordered, params, `rules ${group.groupId} ${direction}`, bounds);
    const names = new Map([
      ...groups.map((each) => [each.groupId, each.name] as const),
      ...view.lists().map((each) => [each.listId, each.name] as const),
    ]);
    return {
      RegionId: group.regionId,
      SecurityGroupId: group.groupId,
      SecurityGroupName: group.name,
      Description: group.description,
      VpcId: group.vpcId,
      InnerAccessPolicy: group.innerAccessPolicy,
      ...(params.Attribute === "snapshotPolicyIds" ? { SnapshotPolicyIds: { SnapshotPolicyId: [] } } : {}),
      NextToken: page.nextToken,
      Permissions: { Permission: page.items.map((rule) => itemOf(rule, (id) => names.get(id) ?? "", switches)) },
    };
  },
};
