// TagResources and UntagResources: tags of security groups come and go.
import { listOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { requireTagged } from "../tagged.ts";
import { mergeTags, readTags } from "../tags.ts";

const tagsMax = 20;

/** The operation `TagResources`. A tag that is there already gets the new value. */
export const tagResources: Operation = {
  run: (context) => {
    const groups = requireTagged(context);
    const tags = readTags(context.params);
    if (Object.keys(tags).length === 0) throw refusal("MissingParameter.Tags");
    for (const group of groups) context.draft.putGroup({ ...group, tags: mergeTags(group.tags, tags) });
    return {};
  },
};

/** The operation `UntagResources`. `All` counts when no key is given; a tag that is not there is no error. */
export const untagResources: Operation = {
  run: (context) => {
    const groups = requireTagged(context);
    const keys = listOf(context.params, "TagKey");
    if (keys.length > tagsMax) throw refusal("NumberExceed.Tags");
    const isAll = keys.length === 0 && context.params.All === "true";
    if (keys.length === 0 && !isAll) throw refusal("MissingParameter.Tags");
    for (const group of groups) {
      const kept = Object.entries(group.tags).filter(([key]) => !isAll && !keys.includes(key));
      context.draft.putGroup({ ...group, tags: Object.fromEntries(kept) });
    }
    return {};
  },
};
