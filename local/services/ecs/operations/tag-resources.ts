// TagResources: adds tags to security groups.
import { listOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import { type Operation, requireParameter, requireRegion } from "../operation.ts";
import { mergeTags, readTags } from "../tags.ts";

/** The operation `TagResources`. */
export const tagResources: Operation = {
  run: (context) => {
    const { params, draft } = context;
    const regionId = requireRegion(context);
    if (requireParameter(params, "ResourceType").toLowerCase() !== "securitygroup") {
      throw refusal("InvalidResourceType.NotFound");
    }
    const ids = listOf(params, "ResourceId");
    if (ids.length === 0) throw refusal("MissingParameter", "ResourceId");
    if (ids.length > 50) throw refusal("NumberExceed.ResourceIds");
    const tags = readTags(params);
    if (Object.keys(tags).length === 0) throw refusal("MissingParameter", "Tag");
    for (const id of ids) {
      const group = draft.group(id);
      if (group === undefined || group.regionId !== regionId) throw refusal("InvalidResourceId.NotFound", id);
      draft.putGroup({ ...group, tags: mergeTags(group.tags, tags) });
    }
    return {};
  },
};
