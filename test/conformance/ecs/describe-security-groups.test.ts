// DescribeSecurityGroups as the official SDK sees it.
import { DescribeSecurityGroupsRequest, DescribeSecurityGroupsRequestTag } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId, seed } from "./world.ts";

const list = async (client: Client, more: Partial<DescribeSecurityGroupsRequest> = {}) =>
  (await client.describeSecurityGroups(new DescribeSecurityGroupsRequest({ regionId, ...more }))).body;

const idsOf = async (client: Client, more: Partial<DescribeSecurityGroupsRequest>) =>
  (await list(client, more))?.securityGroups?.securityGroup?.map((group) => group.securityGroupId);

describe("DescribeSecurityGroups", () => {
  itEmbedded("describes a group with its counts and tags", async () => {
    const { client } = await aWorld();
    const body = await list(client, { securityGroupId: "sg-web" });
    expect(body?.securityGroups?.securityGroup).toEqual([
      expect.objectContaining({
        securityGroupId: "sg-web",
        securityGroupName: "web",
        securityGroupType: "normal",
        vpcId: "vpc-1",
        serviceManaged: false,
        ecsCount: 3,
        ruleCount: 3,
        groupToGroupRuleCount: 0,
        tags: expect.objectContaining({ tag: [expect.objectContaining({ tagKey: "team", tagValue: "web" })] }),
      }),
    ]);
  });

  itEmbedded.each([
    [{}, ["sg-web", "sg-empty", "sg-managed", "sg-big"]],
    [{ securityGroupIds: '["sg-big","sg-web","sg-nobody"]' }, ["sg-web", "sg-big"]],
    [{ securityGroupId: "sg-nobody" }, []],
    [{ vpcId: "vpc-2" }, []],
    [{ securityGroupType: "enterprise" }, ["sg-big"]],
    [{ serviceManaged: true }, ["sg-managed"]],
    [{ securityGroupName: "empty" }, ["sg-empty"]],
    [{ networkType: "classic" }, []],
    [{ tag: [new DescribeSecurityGroupsRequestTag({ key: "team", value: "web" })] }, ["sg-web"]],
    [{ tag: [new DescribeSecurityGroupsRequestTag({ key: "team", value: "db" })] }, []],
    [{ tag: [new DescribeSecurityGroupsRequestTag({ key: "team" })] }, ["sg-web"]],
    [{ regionId: "cn-shanghai" }, []],
  ])("filters by %o", async (filter, expected) => {
    const { client } = await aWorld();
    expect(await idsOf(client, filter)).toEqual(expected);
  });

  itEmbedded("pages, ten groups at a time unless told otherwise", async () => {
    const groups = Array.from({ length: 13 }, (_, n) => ({ groupId: `sg-${n}`, name: `g${n}`, rules: [] }));
    const { client } = await aWorld({ seed: { ...seed, groups } });
    const first = await list(client);
    expect(first?.securityGroups?.securityGroup).toHaveLength(10);
    expect(await idsOf(client, { nextToken: first?.nextToken ?? "" })).toEqual(["sg-10", "sg-11", "sg-12"]);
    expect(await idsOf(client, { maxResults: 100 })).toHaveLength(13);
  });

  itEmbedded.each([
    [{ securityGroupIds: "sg-web" }, "InvalidParameter"],
    [{ nextToken: "x" }, "InValidParameter.NextToken"],
    [{ maxResults: 101 }, "InvalidParameter"],
    [{ pageNumber: 1 }, "NotSupported.PageNumberAndPageSize"],
    [{ securityGroupType: "huge" }, "InvalidParameter.SecurityGroupType"],
    [{ securityGroupId: "web" }, "InvalidSecurityGroupId.Malformed"],
  ])("refuses %o", async (more, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(list(client, more))).toEqual({ statusCode: 400, code });
  });
});
