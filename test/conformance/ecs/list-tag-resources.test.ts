// ListTagResources, by SDK and by bytes.
import {
  ListTagResourcesRequest,
  ListTagResourcesRequestTag,
  TagResourcesRequest,
  TagResourcesRequestTag,
} from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
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

const listed = async (client: Client, more: Partial<ListTagResourcesRequest>) => {
  const request = new ListTagResourcesRequest({ regionId, resourceType: "securitygroup", ...more });
  const { body } = await client.listTagResources(request);
  const lines = body?.tagResources?.tagResource ?? [];
  return { lines: lines.map((each) => `${each.resourceId} ${each.tagKey}=${each.tagValue}`), next: body?.nextToken };
};

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

describe("ListTagResources by bytes", () => {
  it("answers a line for each tag of the groups asked for, by id and by tag", async () => {
    const { call, group } = await aTarget();
    const [one, two] = [await group(), await group()];
    const tagged = { ResourceType: "securitygroup", "Tag.1.Key": "conformance", "Tag.1.Value": one };
    await call("TagResources", { ...tagged, "ResourceId.1": one, "ResourceId.2": two });
    const ask = async (query: Record<string, string>) => {
      const { body } = await call("ListTagResources", { ResourceType: "securitygroup", ...query });
      return (body["TagResources"] as { TagResource: Record<string, string>[] }).TagResource;
    };
    const line = { ResourceType: "securitygroup", TagKey: "conformance", TagValue: one };
    expect(await ask({ "ResourceId.1": one })).toEqual([{ ...line, ResourceId: one }]);
    const found = await ask({ "Tag.1.Key": "conformance", "Tag.1.Value": one });
    expect(found.map((each) => each["ResourceId"]).sort()).toEqual([one, two].sort());
    expect(await ask({ "ResourceId.1": nobody.group })).toEqual([]);
    const bare = await call("ListTagResources", { ResourceType: "securitygroup" });
    expect(outcomeOf(bare)).toBe("404 MissingParameter.ResourceIds");
  });
});
