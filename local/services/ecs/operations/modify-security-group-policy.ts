// ModifySecurityGroupPolicy: whether members of a basic group reach each other whatever the rules say.
import { refusal } from "../errors.ts";
import { type Operation, requireOwnGroup } from "../operation.ts";

/** The operation `ModifySecurityGroupPolicy`. */
export const modifySecurityGroupPolicy: Operation = {
  takesClientToken: true,
  run: (context) => {
    const group = requireOwnGroup(context);
    const policy = (context.params.InnerAccessPolicy ?? "").toLowerCase();
    if (policy !== "accept" && policy !== "drop") throw refusal("InvalidPolicy.Malformed");
    if (group.type === "enterprise") throw refusal("InvalidParameter.InnerAccessPolicy");
    context.draft.putGroup({ ...group, innerAccessPolicy: policy === "accept" ? "Accept" : "Drop" });
    return {};
  },
};
