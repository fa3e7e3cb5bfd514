// DeleteSecurityGroup as the official SDK sees it.
import { CreateSecurityGroupRequest, DeleteSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, ssh } from "./world.ts";

const create = async (client: Client, more: Partial<CreateSecurityGroupRequest> = {}) => {
  const request = new CreateSecurityGroupRequest({ regionId, vpcId: "vpc-1", securityGroupName: "new", ...more });
  return (await client.createSecurityGroup(request)).body?.securityGroupId ?? "";
};
const remove = (client: Client, securityGroupId: string) =>
  client.deleteSecurityGroup(new DeleteSecurityGroupRequest({ regionId, securityGroupId }));

describe("DeleteSecurityGroup", () => {
  itEmbedded("deletes a group nobody uses, once", async () => {
    const { client } = await aWorld();
    const groupId = await create(client);
    await remove(client, groupId);
    expect(await refusalOf(remove(client, groupId))).toEqual({
      statusCode: 404,
      code: "InvalidSecurityGroup.NotFound",
    });
  });

  itEmbedded("refuses a group with members, one that a rule refers to, and a managed one", async () => {
    const { client } = await aWorld();
    const groupId = await create(client);
    await authorize(client, [ssh({ sourceCidrIp: undefined as never, sourceGroupId: groupId })]);
    for (const id of ["sg-web", groupId]) {
      expect(await refusalOf(remove(client, id))).toEqual({ statusCode: 403, code: "DependencyViolation" });
    }
    expect((await refusalOf(remove(client, "sg-managed"))).code).toBe("InvalidOperation.ResourceManagedByCloudProduct");
  });
});

describe("DeleteSecurityGroup by bytes", () => {
  it("deletes a group with its rules, once", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    await authorize(client, [ssh()], { securityGroupId: SecurityGroupId });
    const answer = await call("DeleteSecurityGroup", { SecurityGroupId });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId }))).toBe("404 InvalidSecurityGroup.NotFound");
    expect(outcomeOf(await call("DescribeSecurityGroupAttribute", { SecurityGroupId }))).toBe(
      "404 InvalidSecurityGroupId.NotFound",
    );
  });

  it("keeps a group that a rule of either direction names", async () => {
    const { call, client, group } = await aTarget();
    const [named, namedToo, by] = [await group(), await group(), await group()];
    await authorize(client, [ssh({ sourceCidrIp: undefined as never, sourceGroupId: named })], { securityGroupId: by });
    const egress = { IpProtocol: "tcp", PortRange: "1/1", DestGroupId: namedToo };
    await call("AuthorizeSecurityGroupEgress", { SecurityGroupId: by, ...egress });
    for (const SecurityGroupId of [named, namedToo]) {
      expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId }))).toBe("403 DependencyViolation");
    }
    expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId: by }))).toBe("200 OK");
    expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId: named }))).toBe("200 OK");
  });

  it("refuses a call without a region, and one without a group", async () => {
    const { call } = await aTarget();
    const nowhere = await call("DeleteSecurityGroup", { RegionId: "", SecurityGroupId: nobody.group });
    expect(outcomeOf(nowhere)).toBe("400 MissingParameter.RegionId");
    expect(outcomeOf(await call("DeleteSecurityGroup"))).toMatch(/^400 MissingParameter/);
  });
});
