// CreateSecurityGroup as the official SDK sees it.
import { randomUUID } from "node:crypto";
import { CreateSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const create = async (client: Client, more: Partial<CreateSecurityGroupRequest> = {}) => {
  const request = new CreateSecurityGroupRequest({ regionId, vpcId: "vpc-1", securityGroupName: "new", ...more });
  return (await client.createSecurityGroup(request)).body?.securityGroupId ?? "";
};

describe("CreateSecurityGroup", () => {
  itEmbedded("makes an empty group that takes rules", async () => {
    const { client, ecs } = await aWorld();
    const groupId = await create(client, { securityGroupType: "enterprise" });
    expect(ecs.groups().at(-1)).toMatchObject({ groupId, name: "new", type: "enterprise", innerAccessPolicy: "Drop" });
    expect(await rulesOf(client, groupId)).toEqual([]);
    await authorize(client, [ssh()], { securityGroupId: groupId });
    expect(await rulesOf(client, groupId)).toHaveLength(1);
  });

  itEmbedded("makes one group for one ClientToken", async () => {
    const { client } = await aWorld();
    expect(await create(client, { clientToken: "t" })).toBe(await create(client, { clientToken: "t" }));
  });

  itEmbedded.each([
    [{ securityGroupName: "x" }, 400, "InvalidSecurityGroupName.Malformed"],
    [{ description: "http://a" }, 400, "InvalidDescription.Malformed"],
    [{ securityGroupType: "huge" }, 400, "InvalidParams.GroupType"],
    [{ vpcId: "vpc-2" }, 404, "InvalidVpcId.NotFound"],
  ])("refuses %o", async (more, statusCode, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(create(client, more))).toEqual({ statusCode, code });
  });

  itEmbedded("stops at the quota", async () => {
    const { client } = await aWorld({ limits: { groups: 4 } });
    expect(await refusalOf(create(client))).toEqual({ statusCode: 403, code: "QuotaExceed.SecurityGroup" });
  });
});

describe("CreateSecurityGroup by bytes", () => {
  const found = async (target: Awaited<ReturnType<typeof aTarget>>, SecurityGroupId: unknown) => {
    const answer = await target.call("DescribeSecurityGroups", { SecurityGroupId: String(SecurityGroupId) });
    return (answer.body["SecurityGroups"] as { SecurityGroup: unknown[] }).SecurityGroup[0];
  };

  it("makes a group with name, description and tags, and answers its id", async () => {
    const target = await aTarget();
    const VpcId = target.place.vpcId;
    const { status, body } = await target.call("CreateSecurityGroup", {
      VpcId,
      SecurityGroupName: "by bytes",
      Description: "说 & more",
      "Tag.1.Key": "k",
      "Tag.1.Value": "v",
    });
    expect([status, Object.keys(body).sort()]).toEqual([200, ["RequestId", "SecurityGroupId"]]);
    expect(body["SecurityGroupId"]).toMatch(/^sg-[0-9a-z]+(-?[0-9a-z]+)*$/);
    expect(await found(target, body["SecurityGroupId"])).toMatchObject({
      SecurityGroupName: "by bytes",
      Description: "说 & more",
      SecurityGroupType: "normal",
      VpcId,
      ServiceManaged: false,
      RuleCount: 0,
      Tags: { Tag: [{ TagKey: "k", TagValue: "v" }] },
    });
  });

  it("makes a basic group open inside, and an enterprise group closed", async () => {
    const target = await aTarget();
    const inner = async (SecurityGroupType: string) => {
      const query = { VpcId: target.place.vpcId, SecurityGroupType };
      const { body } = await target.call("CreateSecurityGroup", query);
      const attribute = { SecurityGroupId: String(body["SecurityGroupId"]) };
      return (await target.call("DescribeSecurityGroupAttribute", attribute)).body["InnerAccessPolicy"];
    };
    expect([await inner("normal"), await inner("enterprise")]).toEqual(["Accept", "Drop"]);
  });

  it.each([
    ["a name of one character", { SecurityGroupName: "x" }, "400 InvalidSecurityGroupName.Malformed"],
    ["a name of 129 characters", { SecurityGroupName: "x".repeat(129) }, "400 InvalidSecurityGroupName.Malformed"],
    ["a name like a URL", { SecurityGroupName: "http://x" }, "400 InvalidSecurityGroupName.Malformed"],
    ["a description of 257 characters", { Description: "x".repeat(257) }, "400 InvalidDescription.Malformed"],
    ["a description like a URL", { Description: "https://x" }, "400 InvalidDescription.Malformed"],
    ["an unknown type", { SecurityGroupType: "huge" }, "400 InvalidParams.GroupType"],
    ["a tag twice", { "Tag.1.Key": "a", "Tag.2.Key": "a" }, "400 Duplicate.TagKey"],
    ["a reserved tag", { "Tag.1.Key": "acs:a" }, "400 InvalidTagKey.Malformed"],
    ["a tag like a URL", { "Tag.1.Key": "a", "Tag.1.Value": "http://x" }, "400 InvalidTagValue.Malformed"],
    ["an unknown resource group", { ResourceGroupId: "rg-nobody" }, "404 InvalidResourceGroup.NotFound"],
    ["an unknown network", { VpcId: "vpc-nobody" }, /^40[34] InvalidVpcId\.NotFound$/],
    ["an unknown region", { RegionId: "mars-1" }, "404 InvalidRegionId.NotFound"],
  ] as [string, Record<string, string>, string | RegExp][])("refuses %s", async (_what, query, outcome) => {
    const { call, place } = await aTarget();
    expect(outcomeOf(await call("CreateSecurityGroup", { VpcId: place.vpcId, ...query }))).toMatch(outcome);
  });

  it("makes one group for one ClientToken, and refuses it for another group", async () => {
    const { call, place } = await aTarget();
    const query = { VpcId: place.vpcId, ClientToken: `conformance-${randomUUID()}` };
    const [first, second] = [await call("CreateSecurityGroup", query), await call("CreateSecurityGroup", query)];
    expect(second.body["SecurityGroupId"]).toBe(first.body["SecurityGroupId"]);
    const other = await call("CreateSecurityGroup", { ...query, SecurityGroupName: "another" });
    expect(outcomeOf(other)).toMatch(/^40[03] IdempotentParameterMismatch$/);
  });
});
