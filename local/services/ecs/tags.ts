// Tags in requests: read, checked, merged and used as filters.
import { type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { refusal } from "./errors.ts";

/** `Tag.N.Key/Value`, checked. */
export const readTags = (params: RpcParameters): Record<string, string> => {
  const tags = new Map<string, string>();
  for (const { fields } of structuresOf(params, "Tag")) {
    const key = fields.Key ?? "";
    const value = fields.Value ?? "";
    if (key === "" || key.length > 128 || /^(aliyun|acs:|https?:\/\/)/i.test(key))
      throw refusal("InvalidTagKey.Malformed");
    if (value.length > 128 || /^https?:\/\//i.test(value)) throw refusal("InvalidTagValue.Malformed");
    if (tags.has(key)) throw refusal("Duplicate.TagKey");
    tags.set(key, value);
  }
  if (tags.size > 20) throw refusal("NumberExceed.Tags");
  return Object.fromEntries(tags);
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
    const key = fields.Key ?? "";
    const found = Object.hasOwn(tags, key) ? tags[key] : undefined;
    return found !== undefined && (fields.Value === undefined || fields.Value === found);
  });

/** Tags as answers carry them. */
export const tagSet = (tags: Readonly<Record<string, string>>): { Tag: { TagKey: string; TagValue: string }[] } => ({
  Tag: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
});
