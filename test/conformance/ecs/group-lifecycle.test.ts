// CreateSecurityGroup, DeleteSecurityGroup, TagResources, Join, Leave and the inner policy through the official SDK.
import {
  CreateSecurityGroupRequest,
  DeleteSecurityGroupRequest,
  JoinSecurityGroupRequest,
  LeaveSecurityGroupRequest,
  ModifySecurityGroupPolicyRequest,
  TagResourcesRequest,
  TagResourcesRequestTag,
} from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const create = async (client: Client, more: Partial<CreateSecurityGroupRequest> = {}) => {
  const request = new CreateSecurityGroupRequest({ regionId, vpcId: "vpc-1", securityGroupName: "new", ...more });
  return (await client.createSecurityGroup(request)).body?.securityGroupId ?? "";
};
const remove = (client: Client, securityGroupId: string) =>
  client.deleteSecurityGroup(new DeleteSecurityGroupRequest({ regionId, securityGroupId }));
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

describe("CreateSecurityGroup", () => {
  it("makes an empty group that takes rules", async () => {
    const { client, ecs } = await aWorld();
    const groupId = await create(client, { securityGroupType: "enterprise" });
    expect(ecs.groups().at(-1)).toMatchObject({ groupId, name: "new", type: "enterprise", innerAccessPolicy: "Drop" });
    expect(await rulesOf(client, groupId)).toEqual([]);
    await authorize(client, [ssh()], { securityGroupId: groupId });
    expect(await rulesOf(client, groupId)).toHaveLength(1);
  });

  it("makes one group for one ClientToken", async () => {
    const { client } = await aWorld();
    expect(await create(client, { clientToken: "t" })).toBe(await create(client, { clientToken: "t" }));
  });

  it.each([
    [{ securityGroupName: "x" }, 400, "InvalidSecurityGroupName.Malformed"],
    [{ description: "http://a" }, 400, "InvalidDescription.Malformed"],
    [{ securityGroupType: "huge" }, 400, "InvalidParams.GroupType"],
    [{ vpcId: "vpc-2" }, 404, "InvalidVpcId.NotFound"],
  ])("refuses %o", async (more, statusCode, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(create(client, more))).toEqual({ statusCode, code });
  });

  it("stops at the quota", async () => {
    const { client } = await aWorld({ limits: { groups: 4 } });
    expect(await refusalOf(create(client))).toEqual({ statusCode: 403, code: "QuotaExceed.SecurityGroup" });
  });
});

describe("DeleteSecurityGroup", () => {
  it("deletes a group nobody uses, once", async () => {
    const { client } = await aWorld();
    const groupId = await create(client);
    await remove(client, groupId);
    expect(await refusalOf(remove(client, groupId))).toEqual({
      statusCode: 404,
      code: "InvalidSecurityGroup.NotFound",
    });
  });

  it("refuses a group with members, one that a rule refers to, and a managed one", async () => {
    const { client } = await aWorld();
    const groupId = await create(client);
    await authorize(client, [ssh({ sourceCidrIp: undefined as never, sourceGroupId: groupId })]);
    for (const id of ["sg-web", groupId]) {
      expect(await refusalOf(remove(client, id))).toEqual({ statusCode: 403, code: "DependencyViolation" });
    }
    expect((await refusalOf(remove(client, "sg-managed"))).code).toBe("InvalidOperation.ResourceManagedByCloudProduct");
  });
});

describe("TagResources", () => {
  it("adds a tag and keeps the others", async () => {
    const { client, ecs } = await aWorld();
    await tag(client);
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web", safeport: "observe" });
  });

  it("refuses the whole call for one unknown resource, a key twice, and another type", async () => {
    const { client, ecs } = await aWorld();
    const twice = [1, 2].map(() => new TagResourcesRequestTag({ key: "a", value: "b" }));
    expect((await refusalOf(tag(client, { resourceId: ["sg-web", "sg-no"] }))).code).toBe("InvalidResourceId.NotFound");
    expect((await refusalOf(tag(client, { tag: twice }))).code).toBe("Duplicate.TagKey");
    expect((await refusalOf(tag(client, { resourceType: "disk" }))).code).toBe("InvalidResourceType.NotFound");
    expect(ecs.groups()[0]?.tags).toEqual({ team: "web" });
  });
});

describe("JoinSecurityGroup and LeaveSecurityGroup", () => {
  const join = (client: Client, securityGroupId: string, instanceId = "i-web-1") =>
    client.joinSecurityGroup(new JoinSecurityGroupRequest({ regionId, securityGroupId, instanceId }));
  const leave = (client: Client, securityGroupId: string, instanceId = "i-web-1") =>
    client.leaveSecurityGroup(new LeaveSecurityGroupRequest({ regionId, securityGroupId, instanceId }));

  it("move a member and tell the data plane", async () => {
    const { client, ecs } = await aWorld();
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(groupIds.join(",")));
    await join(client, "sg-empty");
    await leave(client, "sg-web");
    expect(ecs.enis().find((eni) => eni.eniId === "eni-web-1")?.groupIds).toEqual(["sg-empty"]);
    expect(told).toEqual(["sg-web,sg-empty", "sg-web,sg-empty"]);
  });

  it("refuse what a member may not do", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(join(client, "sg-web"))).code).toBe("InvalidInstanceId.AlreadyExists");
    expect((await refusalOf(join(client, "sg-big"))).code).toBe("InvalidOperation.MultiGroupType");
    expect((await refusalOf(join(client, "sg-empty", "i-no"))).code).toBe("InvalidInstanceId.NotFound");
    expect((await refusalOf(leave(client, "sg-empty"))).code).toBe("InstanceNotInSecurityGroup");
    expect((await refusalOf(leave(client, "sg-web"))).code).toBe("InstanceLastSecurityGroup");
  });
});

describe("ModifySecurityGroupPolicy", () => {
  const policy = (client: Client, securityGroupId: string, innerAccessPolicy: string) =>
    client.modifySecurityGroupPolicy(
      new ModifySecurityGroupPolicyRequest({ regionId, securityGroupId, innerAccessPolicy }),
    );

  it("changes a basic group, not an enterprise one", async () => {
    const { client, ecs } = await aWorld();
    await policy(client, "sg-web", "drop");
    expect(ecs.groups()[0]?.innerAccessPolicy).toBe("Drop");
    expect((await refusalOf(policy(client, "sg-big", "Accept"))).code).toBe("InvalidParameter.InnerAccessPolicy");
    expect((await refusalOf(policy(client, "sg-web", "maybe"))).code).toBe("InvalidPolicy.Malformed");
  });
});
