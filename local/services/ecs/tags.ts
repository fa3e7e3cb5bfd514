// Tags in requests: read, checked, merged and used as filters.
import { type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { refusal } from "./errors.ts";

/** `Tag.N.Key/Value`, checked. */
export const readTags = (params: RpcParameters): Record<string, string> => {
  const tags: Record<string, string> = {};
  for (const { fields } of structuresOf(params, "Tag")) {
    const key = fields.Key ?? "";
    const value = fields.Value ?? "";
    if (key === "" || key.length > 128 || /^(aliyun|acs:|https?:\/\/)/i.test(key))
      throw refusal("InvalidTagKey.Malformed");
    if (value.length > 128 || /^https?:\/\//i.test(value)) throw refusal("InvalidTagValue.Malformed");
    if (key in tags) throw refusal("Duplicate.TagKey");
    tags[key] = value;
  }
  if (Object.keys(tags).length > 20) throw refusal("NumberExceed.Tags");
  return tags;
};

/** Tags over tags; a resource holds at most 20. */
export const mergeTags = (
  old: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
): Record<string, string> => {
  const merged = { ...old, ...added };
  if (Object.keys(merged).length > 20) throw refusal("QuotaExceed.Tags");
  return merged;
};

/** Whether a resource carries every tag the request filters by; a filter without value matches any. */
export const hasTags = (tags: Readonly<Record<string, string>>, params: RpcParameters): boolean =>
  structuresOf(params, "Tag").every(({ fields }) => {
    const found = tags[fields.Key ?? ""];
    return found !== undefined && (fields.Value === undefined || fields.Value === found);
  });

/** Tags as answers carry them. */
export const tagSet = (tags: Readonly<Record<string, string>>): { Tag: { TagKey: string; TagValue: string }[] } => ({
  Tag: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
});
