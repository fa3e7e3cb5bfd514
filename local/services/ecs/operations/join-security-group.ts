// JoinSecurityGroup: an instance or interface becomes a member.
import { refusal } from "../errors.ts";
import { requireMember } from "../membership.ts";
import { type Operation, requireOwnGroup } from "../operation.ts";
import { weightOf } from "../rule-quotas.ts";

/** The operation `JoinSecurityGroup`. */
export const joinSecurityGroup: Operation = {
  run: (context) => {
    const { draft, limits } = context;
    const group = requireOwnGroup({ ...context, params: { RegionId: context.account.regionId, ...context.params } });
    const eni = requireMember(context);
    if (eni.groupIds.includes(group.groupId)) throw refusal("InvalidInstanceId.AlreadyExists");
    const joined = eni.groupIds.flatMap((id) => draft.group(id) ?? []);
    if (joined.some((each) => each.type !== group.type)) throw refusal("InvalidOperation.MultiGroupType");
    const members = draft.enis().filter((each) => each.groupIds.includes(group.groupId)).length;
    if (members >= limits.membersPerGroup[group.type]) throw refusal("SecurityGroupInstanceLimitExceeded");
    if (eni.groupIds.length >= limits.groupsPerEni) throw refusal("InstanceSecurityGroupLimitExceeded");
    const rules = [...joined, group].flatMap((each) => each.rules);
    if (weightOf(rules, draft.lists()) > limits.rulesPerEni) throw refusal("AclLimitExceed");
    draft.putEni({ ...eni, groupIds: [...eni.groupIds, group.groupId] });
    return {};
  },
};
