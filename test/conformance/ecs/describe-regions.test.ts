// DescribeRegions, by SDK and by bytes.
import { DescribeRegionsRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget } from "./target.ts";
import { aWorld } from "./world.ts";

describe("DescribeRegions", () => {
  itEmbedded("lists the regions of the account", async () => {
    const { client } = await aWorld();
    const { body } = await client.describeRegions(new DescribeRegionsRequest({}));
    expect(body?.regions?.region?.map((each) => each.regionId)).toEqual(["cn-hangzhou", "cn-shanghai"]);
  });
});

describe("DescribeRegions by bytes", () => {
  it("names the region of the place with its endpoint, by GET as by POST", async () => {
    const { call, place } = await aTarget();
    for (const method of ["POST", "GET"]) {
      const { status, body } = await call("DescribeRegions", {}, { method });
      expect(status).toBe(200);
      const { Region } = body["Regions"] as { Region: Record<string, unknown>[] };
      expect(Region.find((each) => each["RegionId"] === place.regionId)).toMatchObject({
        LocalName: expect.any(String),
        RegionEndpoint: expect.stringContaining("aliyuncs.com"),
        Status: "available",
      });
    }
  });
});
