// DescribeSecurityGroupReferences: which groups have rules that name the given groups.
import { listOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import { groupIdForm, type Operation, requireRegion } from "../operation.ts";

const idsMax = 10;

/** The operation `DescribeSecurityGroupReferences`. */
export const describeSecurityGroupReferences: Operation = {
  run: (context) => {
    const regionId = requireRegion(context);
    const ids = listOf(context.params, "SecurityGroupId");
    if (ids.length === 0) throw refusal("MissingParameter", "SecurityGroupId");
    if (ids.length > idsMax) throw refusal("InvalidParameter", "SecurityGroupId");
    if (ids.some((id) => !groupIdForm.test(id))) throw refusal("InvalidSecurityGroupId.Malformed");
    const groups = context.view.groups().filter((group) => group.regionId === regionId);
    if (ids.some((id) => !groups.some((group) => group.groupId === id))) {
      throw refusal("InvalidSecurityGroupId.NotFound");
    }
    const SecurityGroupReference = ids.map((id) => ({
      SecurityGroupId: id,
      ReferencingSecurityGroups: {
        ReferencingSecurityGroup: groups
          .filter(({ rules }) => rules.some((rule) => rule.sourceGroupId === id || rule.destGroupId === id))
          .map(({ groupId }) => ({ AliUid: context.account.accountId, SecurityGroupId: groupId })),
      },
    }));
    return { SecurityGroupReferences: { SecurityGroupReference } };
  },
};
