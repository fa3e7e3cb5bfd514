// UntagResources, by SDK and by bytes.
import { TagResourcesRequest, TagResourcesRequestTag, UntagResourcesRequest } from "@alicloud/ecs20140526";
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

const untag = (client: Client, more: Partial<UntagResourcesRequest>) =>
  client.untagResources(
    new UntagResourcesRequest({ regionId, resourceType: "securitygroup", resourceId: ["sg-web"], ...more }),
  );

describe("UntagResources", () => {
  itEmbedded("takes the named tags off, or all of them", async () => {
    const { client, ecs } = await aWorld();
    await tag(client);
    await untag(client, { tagKey: ["team", "nobody"] });
    expect(ecs.groups()[0]?.tags).toEqual({ safeport: "observe" });
    await untag(client, { all: true });
    expect(ecs.groups()[0]?.tags).toEqual({});
  });

  itEmbedded("has named keys win over all, and wants one of the two", async () => {
    const { client, ecs } = await aWorld();
    await untag(client, { tagKey: ["nobody"], all: true });
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web" });
    expect(await refusalOf(untag(client, {}))).toEqual({ statusCode: 404, code: "MissingParameter.Tags" });
  });

  itEmbedded("refuses the whole call for one unknown resource", async () => {
    const { client, ecs } = await aWorld();
    const refused = await refusalOf(untag(client, { resourceId: ["sg-web", "sg-no"], all: true }));
    expect(refused).toEqual({ statusCode: 404, code: "InvalidResourceId.NotFound" });
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web" });
  });
});

/** The tags of a group, as they are read. */
const tagsOf = async ({ call }: Awaited<ReturnType<typeof aTarget>>, id: string): Promise<unknown> => {
  const { body } = await call("ListTagResources", { ResourceType: "securitygroup", "ResourceId.1": id });
  const lines = (body["TagResources"] as { TagResource: Record<string, string>[] }).TagResource;
  return Object.fromEntries(lines.map((line) => [line["TagKey"], line["TagValue"]]));
};

describe("UntagResources by bytes", () => {
  it("takes named tags off, then all, and wants one of the two", async () => {
    const target = await aTarget();
    const id = await target.group();
    const about = { ResourceType: "securitygroup", "ResourceId.1": id };
    await target.call("TagResources", {
      ...about,
      "Tag.1.Key": "a",
      "Tag.2.Key": "b",
      "Tag.2.Value": "v",
      "Tag.3.Key": "c",
    });
    const answer = await target.call("UntagResources", { ...about, "TagKey.1": "a", "TagKey.2": "nobody" });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(await tagsOf(target, id)).toEqual({ b: "v", c: "" });
    expect(outcomeOf(await target.call("UntagResources", about))).toBe("404 MissingParameter.Tags");
    await target.call("UntagResources", { ...about, All: "true" });
    expect(await tagsOf(target, id)).toEqual({});
    const missing = { ...about, "ResourceId.1": nobody.group, All: "true" };
    expect(outcomeOf(await target.call("UntagResources", missing))).toBe("404 InvalidResourceId.NotFound");
  });
});
