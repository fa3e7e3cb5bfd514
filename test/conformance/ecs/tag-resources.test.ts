// TagResources, UntagResources and ListTagResources as the official SDK sees them.
import {
  ListTagResourcesRequest,
  ListTagResourcesRequestTag,
  TagResourcesRequest,
  TagResourcesRequestTag,
  UntagResourcesRequest,
} from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, rawCall, refusalOf, regionId } from "./world.ts";

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

const listed = async (client: Client, more: Partial<ListTagResourcesRequest>) => {
  const request = new ListTagResourcesRequest({ regionId, resourceType: "securitygroup", ...more });
  const { body } = await client.listTagResources(request);
  const lines = body?.tagResources?.tagResource ?? [];
  return { lines: lines.map((each) => `${each.resourceId} ${each.tagKey}=${each.tagValue}`), next: body?.nextToken };
};

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

describe("ListTagResources", () => {
  itEmbedded("lists by id and by tag", async () => {
    const { client } = await aWorld();
    await tag(client, { resourceId: ["sg-web", "sg-empty"] });
    expect((await listed(client, { resourceId: ["sg-web"] })).lines).toEqual([
      "sg-web team=web",
      "sg-web safeport=observe",
    ]);
    const byTag = { tag: [new ListTagResourcesRequestTag({ key: "safeport", value: "observe" })] };
    expect((await listed(client, byTag)).lines).toEqual([
      "sg-web team=web",
      "sg-web safeport=observe",
      "sg-empty safeport=observe",
    ]);
  });

  itEmbedded("pages by fifty", async () => {
    const { client } = await aWorld();
    for (const group of ["sg-web", "sg-empty", "sg-big"]) {
      const tags = Array.from({ length: 19 }, (_, n) => new TagResourcesRequestTag({ key: `k${n}`, value: "v" }));
      await tag(client, { resourceId: [group], tag: tags });
    }
    const resourceId = ["sg-web", "sg-empty", "sg-big"];
    const first = await listed(client, { resourceId });
    expect(first.lines).toHaveLength(50);
    expect((await listed(client, { resourceId, nextToken: first.next ?? "" })).lines).toHaveLength(8);
  });

  itEmbedded("refuses a call that asks for nothing, or of no type", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(listed(client, {}))).code).toBe("MissingParameter.ResourceIds");
    expect(await refusalOf(rawCall(client, "ListTagResources", { RegionId: regionId }))).toEqual({
      statusCode: 404,
      code: "MissingParameter.ResourceType",
    });
  });
});
