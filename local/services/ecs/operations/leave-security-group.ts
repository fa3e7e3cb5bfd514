// LeaveSecurityGroup: an instance or interface is no longer a member; it keeps at least one group.
import { refusal } from "../errors.ts";
import { requireMember } from "../membership.ts";
import { type Operation, requireOwnGroup } from "../operation.ts";

/** The operation `LeaveSecurityGroup`. */
export const leaveSecurityGroup: Operation = {
  run: (context) => {
    const group = requireOwnGroup({ ...context, params: { RegionId: context.account.regionId, ...context.params } });
    const eni = requireMember(context);
    if (!eni.groupIds.includes(group.groupId)) throw refusal("InstanceNotInSecurityGroup");
    if (eni.groupIds.length === 1) {
      const isInterface = context.params.NetworkInterfaceId !== undefined;
      throw refusal(isInterface ? "InvalidOperation.AtLeastInOneGroup" : "InstanceLastSecurityGroup");
    }
    context.draft.putEni({ ...eni, groupIds: eni.groupIds.filter((id) => id !== group.groupId) });
    return {};
  },
};
