// ListTagResources: the tags of security groups, one line each, in pages of 50.
import { refusal } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { pageOf } from "../paging.ts";
import { resourceIdsOf, taggable } from "../tagged.ts";
import { hasTags } from "../tags.ts";

const bounds = { min: 1, max: 50, fallback: 50, outOfBounds: "InvalidParameter" } as const;

/** The operation `ListTagResources`. Asks for ids, for tags, or for both. */
export const listTagResources: Operation = {
  run: (context) => {
    const { params, view } = context;
    const ids = resourceIdsOf(context);
    const groups = taggable(context, view.groups());
    if (ids.length === 0 && params["Tag.1.Key"] === undefined) throw refusal("MissingParameter.ResourceIds");
    const lines = groups
      .filter((group) => (ids.length === 0 || ids.includes(group.groupId)) && hasTags(group.tags, params))
      .flatMap((group) =>
        Object.entries(group.tags).map(([TagKey, TagValue]) => ({
          ResourceType: "securitygroup",
          ResourceId: group.groupId,
          TagKey,
          TagValue,
        })),
      );
    const page = pageOf(lines, params, "tags", bounds);
    return { NextToken: page.nextToken, TagResources: { TagResource: page.items } };
  },
};
