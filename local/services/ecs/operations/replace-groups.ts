// ModifyInstanceAttribute and ModifyNetworkInterfaceAttribute, as far as they replace the groups of a member.
import { listOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import { requireMember } from "../membership.ts";
import type { EcsEni } from "../model.ts";
import { type Operation, type OperationContext, requireOwnGroup, requireParameter } from "../operation.ts";
import { weightOf } from "../rule-quotas.ts";

const replaceGroups = (context: OperationContext, eni: EcsEni, groupIds: readonly string[]): void => {
  const { draft, limits, account, params } = context;
  const inRegion = { RegionId: account.regionId, ...params };
  const own = (groupId: string) => requireOwnGroup({ ...context, params: { ...inRegion, SecurityGroupId: groupId } });
  const joined = groupIds.filter((groupId) => !eni.groupIds.includes(groupId)).map(own);
  for (const groupId of eni.groupIds) if (!groupIds.includes(groupId)) own(groupId);
  const groups = groupIds.flatMap((groupId) => draft.group(groupId) ?? []);
  if (new Set(groups.map(({ type }) => type)).size > 1) throw refusal("InvalidOperation.MultiGroupType");
  for (const { groupId, type } of joined) {
    const members = draft.enis().filter((each) => each.groupIds.includes(groupId)).length;
    if (members >= limits.membersPerGroup[type]) throw refusal("SecurityGroupInstanceLimitExceeded");
  }
  if (groupIds.length > limits.groupsPerEni) throw refusal("InstanceSecurityGroupLimitExceeded");
  const rules = groups.flatMap((group) => group.rules);
  if (weightOf(rules, draft.lists()) > limits.rulesPerEni) throw refusal("AclLimitExceed");
  draft.putEni({ ...eni, groupIds });
};

/** Only the groups can be changed; a call for another attribute, or for none, is refused. */
const replacing = (memberName: string, listName: string): Operation => ({
  run: (context) => {
    const { params } = context;
    requireParameter(params, memberName);
    const isKnown = (name: string): boolean =>
      name === memberName || name === "RegionId" || name.startsWith(`${listName}.`);
    if (!Object.keys(params).every(isKnown)) throw refusal("InvalidParameter.AttributeNotSupported");
    const groupIds = [...new Set(listOf(params, listName))];
    if (groupIds.length === 0) throw refusal("MissingParameter", `${listName}.1`);
    replaceGroups(context, requireMember(context), groupIds);
    return {};
  },
});

/** The operation `ModifyInstanceAttribute`: new groups of the primary interface. */
export const modifyInstanceAttribute = replacing("InstanceId", "SecurityGroupIds");

/** The operation `ModifyNetworkInterfaceAttribute`: new groups of an interface. */
export const modifyNetworkInterfaceAttribute = replacing("NetworkInterfaceId", "SecurityGroupId");
