// DeleteSecurityGroup: only a group without members that no other group refers to.
import { refusal } from "../errors.ts";
import { type Operation, requireOwnGroup } from "../operation.ts";

/** The operation `DeleteSecurityGroup`. */
export const deleteSecurityGroup: Operation = {
  run: (context) => {
    const { draft } = context;
    const { groupId } = requireOwnGroup(context, "InvalidSecurityGroup.NotFound");
    const hasMembers = draft.enis().some((eni) => eni.groupIds.includes(groupId));
    const isReferred = draft
      .groups()
      .some((group) => group.rules.some((rule) => rule.sourceGroupId === groupId || rule.destGroupId === groupId));
    if (hasMembers || isReferred) throw refusal("DependencyViolation");
    draft.deleteGroup(groupId);
    return {};
  },
};
