// CreateSecurityGroup as the official SDK sees it.
import { CreateSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
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
