// ModifySecurityGroupAttribute: another name or description.

import { refusal } from "../errors.ts";
import { isGroupText } from "../group-texts.ts";
import { type Operation, requireOwnGroup } from "../operation.ts";

/** The operation `ModifySecurityGroupAttribute`. What is left out stays. */
export const modifySecurityGroupAttribute: Operation = {
  run: (context) => {
    const group = requireOwnGroup(context);
    const { SecurityGroupName: name = group.name, Description: description = group.description } = context.params;
    if (!isGroupText(name, 128)) throw refusal("InvalidSecurityGroupName.Malformed");
    if (!isGroupText(description, 256)) throw refusal("InvalidSecurityGroupDiscription.Malformed", "Description");
    context.draft.putGroup({ ...group, name, description });
    return {};
  },
};
