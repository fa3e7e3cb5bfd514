// Which resources a tagging call is about. Only security groups carry tags here.
import { listOf } from "../../protocol/rpc/parameters.ts";
import { refusal } from "./errors.ts";
import type { EcsGroup } from "./model.ts";
import { type OperationContext, requireRegion } from "./operation.ts";

const idsMax = 50;

/** The groups of the call's region, after a look at `ResourceType`. */
export const taggable = (context: OperationContext, groups: readonly EcsGroup[]): readonly EcsGroup[] => {
  const regionId = requireRegion(context);
  const type = context.params.ResourceType ?? "";
  if (type === "") throw refusal("MissingParameter.ResourceType");
  if (type.toLowerCase() !== "securitygroup") throw refusal("InvalidResourceType.NotFound");
  return groups.filter((group) => group.regionId === regionId);
};

/** `ResourceId.N`, at most 50. */
export const resourceIdsOf = ({ params }: OperationContext): readonly string[] => {
  const ids = listOf(params, "ResourceId");
  if (ids.length > idsMax) throw refusal("NumberExceed.ResourceIds");
  return ids;
};

/** The groups of the call's `ResourceId.N`; refuses the whole call for one that is not there. */
export const requireTagged = (context: OperationContext): readonly EcsGroup[] => {
  const groups = taggable(context, context.draft.groups());
  const ids = resourceIdsOf(context);
  if (ids.length === 0) throw refusal("MissingParameter.ResourceIds");
  return ids.map((id) => {
    const group = groups.find((each) => each.groupId === id);
    if (group === undefined) throw refusal("InvalidResourceId.NotFound", id);
    return group;
  });
};
