// TagResources, by SDK and by bytes.
import { TagResourcesRequest, TagResourcesRequestTag } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, type Client, refusalOf, regionId } from "./world.ts";

const tag = (client: Client, more: Partial<TagResourcesRequest> = {}) =>
  client.tagResources(
    new TagResourcesRequest({
      regionId,
      resourceType: "securitygroup",
      resourceId: ["sg-web"],
      tag: [new TagResourcesRequestTag({ key: "safeport", value: "observe" })],
      ...more,
    }),
  );

describe("TagResources", () => {
  itEmbedded("adds a tag and keeps the others", async () => {
    const { client, ecs } = await aWorld();
    await tag(client);
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web", safeport: "observe" });
  });

  itEmbedded("refuses the whole call for one unknown resource, a key twice, and another type", async () => {
    const { client, ecs } = await aWorld();
    const twice = [1, 2].map(() => new TagResourcesRequestTag({ key: "a", value: "b" }));
    expect((await refusalOf(tag(client, { resourceId: ["sg-web", "sg-no"] }))).code).toBe("InvalidResourceId.NotFound");
    expect((await refusalOf(tag(client, { tag: twice }))).code).toBe("Duplicate.TagKey");
    expect((await refusalOf(tag(client, { resourceType: "disk" }))).code).toBe("InvalidResourceType.NotFound");
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web" });
  });
});

/** The tags of a group, as they are read. */
const tagsOf = async ({ call }: Awaited<ReturnType<typeof aTarget>>, id: string): Promise<unknown> => {
  const { body } = await call("ListTagResources", { ResourceType: "securitygroup", "ResourceId.1": id });
  const lines = (body["TagResources"] as { TagResource: Record<string, string>[] }).TagResource;
  return Object.fromEntries(lines.map((line) => [line["TagKey"], line["TagValue"]]));
};

describe("TagResources by bytes", () => {
  it("adds tags, and gives one that is there the new value", async () => {
    const target = await aTarget();
    const id = await target.group();
    const put = (value: string) =>
      target.call("TagResources", {
        ResourceType: "securitygroup",
        "ResourceId.1": id,
        "Tag.1.Key": "k",
        "Tag.1.Value": value,
      });
    const answer = await put("one");
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    await put("two");
    expect(await tagsOf(target, id)).toEqual({ k: "two" });
  });

  it("takes keys that mean something elsewhere for keys", async () => {
    const target = await aTarget();
    const id = await target.group();
    const keys = ["constructor", "toString", "__proto__"];
    const filter = async (key: string) => {
      const query = { ResourceType: "securitygroup", "Tag.1.Key": key };
      const { body } = await target.call("ListTagResources", query);
      const lines = (body["TagResources"] as { TagResource: Record<string, string>[] }).TagResource;
      return lines.filter((line) => line["ResourceId"] === id).map((line) => line["TagKey"]);
    };
    expect(await filter("constructor")).toEqual([]);
    const tags = Object.fromEntries(keys.map((key, n) => [`Tag.${n + 1}.Key`, key]));
    const answer = await target.call("TagResources", { ResourceType: "securitygroup", "ResourceId.1": id, ...tags });
    expect(outcomeOf(answer)).toBe("200 OK");
    expect(await filter("__proto__")).toEqual(keys);
  });

  it("stops at 20 tags a call and 20 a resource, and at 50 resources", async () => {
    const target = await aTarget();
    const id = await target.group();
    const tags = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`Tag.${n + 1}.Key`, `${prefix}${n}`]));
    const put = async (query: Record<string, string>) =>
      outcomeOf(await target.call("TagResources", { ResourceType: "securitygroup", "ResourceId.1": id, ...query }));
    expect(await put(tags(21, "a"))).toBe("400 NumberExceed.Tags");
    expect(await put(tags(20, "a"))).toBe("200 OK");
    expect(await put(tags(1, "b"))).toBe("403 QuotaExceed.Tags");
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`ResourceId.${n + 1}`, nobody.group]));
    expect(await put({ ...many, ...tags(1, "a") })).toBe("400 NumberExceed.ResourceIds");
  });

  it.each([
    ["no type", { ResourceType: "" }, "404 MissingParameter.ResourceType"],
    ["no resource", { "ResourceId.1": undefined }, "404 MissingParameter.ResourceIds"],
    ["no tag", { "Tag.1.Key": undefined }, "404 MissingParameter.Tags"],
    ["an empty key", { "Tag.1.Key": "" }, "400 InvalidTagKey.Malformed"],
    ["a key of 129 characters", { "Tag.1.Key": "k".repeat(129) }, "400 InvalidTagKey.Malformed"],
    ["a reserved key", { "Tag.1.Key": "aliyun:k" }, "400 InvalidTagKey.Malformed"],
    ["a key twice", { "Tag.2.Key": "k" }, "400 Duplicate.TagKey"],
    ["a resource that is not there", { "ResourceId.1": nobody.group }, "404 InvalidResourceId.NotFound"],
  ] as [string, Record<string, string | undefined>, string][])("refuses %s", async (_what, changes, outcome) => {
    const { call, group } = await aTarget();
    const query = { ResourceType: "securitygroup", "ResourceId.1": await group(), "Tag.1.Key": "k", ...changes };
    const sent = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
    expect(outcomeOf(await call("TagResources", sent as Record<string, string>))).toBe(outcome);
  });
});
