// CreateSecurityGroup: an empty group.
import { refusal } from "../errors.ts";
import { isGroupText } from "../group-texts.ts";
import { newId, type Operation, requireRegion, timestamp } from "../operation.ts";
import { readTags } from "../tags.ts";

/** The operation `CreateSecurityGroup`. */
export const createSecurityGroup: Operation = {
  takesClientToken: true,
  run: (context) => {
    const { params, draft, account, limits, random, now } = context;
    const regionId = requireRegion(context);
    const { SecurityGroupName: name = "", Description: description = "", SecurityGroupType: type = "normal" } = params;
    if (!isGroupText(name, 128)) throw refusal("InvalidSecurityGroupName.Malformed");
    if (!isGroupText(description, 256)) throw refusal("InvalidDescription.Malformed");
    if (type !== "normal" && type !== "enterprise") throw refusal("InvalidParams.GroupType");
    if (type === "enterprise" && params.VpcId === undefined) throw refusal("InvalidParams.VpcIdGroupType");
    const vpcId = params.VpcId ?? account.vpcId;
    if (vpcId !== account.vpcId) throw refusal("InvalidVpcId.NotFound");
    // There are no resource groups.
    if ((params.ResourceGroupId ?? "") !== "") throw refusal("InvalidResourceGroup.NotFound");
    const tags = readTags(params);
    if (draft.groups().filter((group) => group.regionId === regionId).length >= limits.groups) {
      throw refusal("QuotaExceed.SecurityGroup");
    }
    const groupId = newId(random, "sg");
    draft.putGroup({
      regionId,
      groupId,
      name,
      description,
      type,
      innerAccessPolicy: type === "normal" ? "Accept" : "Drop",
      vpcId,
      serviceManaged: params.ServiceManaged === "true",
      tags,
      creationTime: timestamp(now),
      rules: [],
    });
    return { SecurityGroupId: groupId };
  },
};
