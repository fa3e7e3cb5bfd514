// DeleteSecurityGroup as the official SDK sees it.
import { CreateSecurityGroupRequest, DeleteSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
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
