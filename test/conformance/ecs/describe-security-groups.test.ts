// DescribeSecurityGroups as the official SDK sees it.
import {
  CreateSecurityGroupRequestTag,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsRequestTag,
} from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
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

  itEmbedded("answers a dry run by its own code, once nothing else is wrong", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(list(client, { dryRun: true }))).toEqual({ statusCode: 400, code: "DryRunOperation" });
    expect(await refusalOf(list(client, { dryRun: true, maxResults: 101 }))).toMatchObject({
      code: "InvalidParameter",
    });
  });

  itEmbedded("pages by number for older clients, and tells how many there are", async () => {
    const groups = Array.from({ length: 13 }, (_, n) => ({ groupId: `sg-${n}`, name: `g${n}`, rules: [] }));
    const { client, ecs } = await aWorld({ seed: { ...seed, groups } });
    const second = await list(client, { pageNumber: 2, pageSize: 10 });
    expect(second?.securityGroups?.securityGroup?.map((group) => group.securityGroupId)).toHaveLength(3);
    expect(second).toMatchObject({ totalCount: 13, pageNumber: 2, pageSize: 10, nextToken: "" });
    ecs.switches.groupsByPage = "refused";
    const refused = { statusCode: 400, code: "NotSupported.PageNumberAndPageSize" };
    expect(await refusalOf(list(client, { pageNumber: 1 }))).toEqual(refused);
  });

  itEmbedded.each([
    [{ securityGroupIds: "sg-web" }, "InvalidParameter"],
    [{ nextToken: "x" }, "InValidParameter.NextToken"],
    [{ maxResults: 101 }, "InvalidParameter"],
    [{ pageNumber: 0 }, "InvalidParameter"],
    [{ pageSize: 101 }, "InvalidParameter"],
    [{ securityGroupType: "huge" }, "InvalidParameter.SecurityGroupType"],
    [{ securityGroupId: "web" }, "InvalidSecurityGroupId.Malformed"],
  ])("refuses %o", async (more, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(list(client, more))).toEqual({ statusCode: 400, code });
  });
});

describe("DescribeSecurityGroups by bytes", () => {
  const ask = async ({ call }: Awaited<ReturnType<typeof aTarget>>, query: Record<string, string>) => {
    const { body } = await call("DescribeSecurityGroups", query);
    const { SecurityGroup } = body["SecurityGroups"] as { SecurityGroup: Record<string, unknown>[] };
    return { groups: SecurityGroup, ids: SecurityGroup.map((group) => group["SecurityGroupId"]), body };
  };

  it("finds groups by id, ids, name, type and tag", async () => {
    const target = await aTarget();
    const tag = [new CreateSecurityGroupRequestTag({ key: "conformance", value: "yes" })];
    const [one, two] = [
      await target.group({ securityGroupName: "one of two", tag }),
      await target.group({ securityGroupType: "enterprise" }),
    ];
    const both = { SecurityGroupIds: JSON.stringify([one, two, nobody.group]) };
    expect((await ask(target, { SecurityGroupId: one })).ids).toEqual([one]);
    expect((await ask(target, both)).ids.sort()).toEqual([one, two].sort());
    expect((await ask(target, { ...both, SecurityGroupName: "one of two" })).ids).toEqual([one]);
    expect((await ask(target, { ...both, SecurityGroupType: "enterprise" })).ids).toEqual([two]);
    expect((await ask(target, { ...both, "Tag.1.Key": "conformance", "Tag.1.Value": "yes" })).ids).toEqual([one]);
    expect((await ask(target, { ...both, NetworkType: "classic" })).ids).toEqual([]);
    expect((await ask(target, { ...both, ResourceGroupId: "rg-nobody" })).ids).toEqual([]);
  });

  it("counts rules, and those that name a group, in an envelope of documented names", async () => {
    const target = await aTarget();
    const [one, two] = [await target.group(), await target.group()];
    const flat = { IpProtocol: "tcp", PortRange: "22/22" };
    await target.call("AuthorizeSecurityGroup", { SecurityGroupId: one, ...flat, SourceCidrIp: "10.0.0.0/8" });
    await target.call("AuthorizeSecurityGroup", { SecurityGroupId: one, ...flat, SourceGroupId: two });
    const { groups, body } = await ask(target, { SecurityGroupId: one });
    expect(Object.keys(body).sort()).toEqual(["NextToken", "RegionId", "RequestId", "SecurityGroups"]);
    expect(groups).toMatchObject([{ RuleCount: 2, GroupToGroupRuleCount: 1, EcsCount: 0, VpcId: target.place.vpcId }]);
  });

  it("pages by token", async () => {
    const target = await aTarget();
    const made = [await target.group(), await target.group(), await target.group()];
    const SecurityGroupIds = JSON.stringify(made);
    const first = await ask(target, { SecurityGroupIds, MaxResults: "2" });
    expect(first.ids).toHaveLength(2);
    const NextToken = String(first.body["NextToken"]);
    const second = await ask(target, { SecurityGroupIds, MaxResults: "2", NextToken });
    expect([...first.ids, ...second.ids].sort()).toEqual(made.sort());
  });

  it("refuses what no filter is, and 101 ids", async () => {
    const { call } = await aTarget();
    const refused = async (query: Record<string, string>) => outcomeOf(await call("DescribeSecurityGroups", query));
    expect(await refused({ SecurityGroupType: "huge" })).toBe("400 InvalidParameter.SecurityGroupType");
    expect(await refused({ SecurityGroupId: "web" })).toBe("400 InvalidSecurityGroupId.Malformed");
    expect(await refused({ SecurityGroupIds: JSON.stringify(Array(101).fill(nobody.group)) })).toMatch(/^400/);
    expect(await refused({ RegionId: "" })).toBe("400 MissingParameter.RegionId");
    expect(await refused({ NextToken: "bogus" })).toBe("400 InValidParameter.NextToken");
  });
});
