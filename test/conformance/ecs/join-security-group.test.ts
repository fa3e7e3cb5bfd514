// JoinSecurityGroup, and what it shares with LeaveSecurityGroup, by SDK and by bytes.
import {
  JoinSecurityGroupRequest,
  LeaveSecurityGroupRequest,
  ModifyInstanceAttributeRequest,
} from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld, type Client, refusalOf, regionId, seed } from "./world.ts";

describe("JoinSecurityGroup and LeaveSecurityGroup", () => {
  const join = (client: Client, securityGroupId: string, instanceId = "i-web-1") =>
    client.joinSecurityGroup(new JoinSecurityGroupRequest({ regionId, securityGroupId, instanceId }));
  const leave = (client: Client, securityGroupId: string, instanceId = "i-web-1") =>
    client.leaveSecurityGroup(new LeaveSecurityGroupRequest({ regionId, securityGroupId, instanceId }));

  itEmbedded("move a member and tell the data plane", async () => {
    const { client, ecs } = await aWorld();
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(groupIds.join(",")));
    await join(client, "sg-empty");
    await leave(client, "sg-web");
    expect(ecs.enis().find((eni) => eni.eniId === "eni-web-1")?.groupIds).toEqual(["sg-empty"]);
    expect(told).toEqual(["sg-web,sg-empty", "sg-web,sg-empty"]);
  });

  itEmbedded("refuse what a member may not do", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(join(client, "sg-web"))).code).toBe("InvalidInstanceId.AlreadyExists");
    expect((await refusalOf(join(client, "sg-big"))).code).toBe("InvalidOperation.MultiGroupType");
    expect((await refusalOf(join(client, "sg-empty", "i-no"))).code).toBe("InvalidInstanceId.NotFound");
    expect((await refusalOf(leave(client, "sg-empty"))).code).toBe("InstanceNotInSecurityGroup");
    expect((await refusalOf(leave(client, "sg-web"))).code).toBe("InstanceLastSecurityGroup");
  });

  itEmbedded("know the members of their own region alone", async () => {
    const far = { ...seed.instances[0], instanceId: "i-far", name: "far", address: "127.10.0.31" };
    const groups = [...seed.groups, { groupId: "sg-far", name: "far", regionId: "cn-shanghai", rules: [] }];
    const instances = [...seed.instances, { ...far, regionId: "cn-shanghai", groupIds: ["sg-far"], listening: [] }];
    const { client, ecs } = await aWorld({ seed: { ...seed, groups, instances } });
    const unknown = { statusCode: 404, code: "InvalidInstanceId.NotFound" };
    expect(await refusalOf(join(client, "sg-web", "i-far"))).toEqual(unknown);
    expect(await refusalOf(leave(client, "sg-web", "i-far"))).toEqual(unknown);
    const securityGroupIds = ["sg-web"];
    const replace = new ModifyInstanceAttributeRequest({ regionId, instanceId: "i-far", securityGroupIds });
    expect(await refusalOf(client.modifyInstanceAttribute(replace))).toEqual(unknown);
    expect(ecs.enis().find((eni) => eni.instanceId === "i-far")?.groupIds).toEqual(["sg-far"]);
  });

  itEmbedded(
    "refuse one more member than a group holds, one more group than an interface, one more rule than it",
    async () => {
      const members = { normal: 2, enterprise: 2 };
      const few = await aWorld({ limits: { membersPerGroup: members } });
      expect(await refusalOf(join(few.client, "sg-empty"))).toEqual({
        statusCode: 403,
        code: "SecurityGroupInstanceLimitExceeded",
      });
      const narrow = await aWorld({ limits: { groupsPerEni: 1 } });
      expect(await refusalOf(join(narrow.client, "sg-empty"))).toEqual({
        statusCode: 400,
        code: "InstanceSecurityGroupLimitExceeded",
      });
      const full = await aWorld({ limits: { rulesPerEni: 2 } });
      expect(await refusalOf(join(full.client, "sg-empty"))).toEqual({ statusCode: 403, code: "AclLimitExceed" });
    },
  );

  itEmbedded("move an interface by its own id, and keep it in one group at least", async () => {
    const { client, ecs } = await aWorld();
    const common = { regionId, networkInterfaceId: "eni-second" };
    await client.joinSecurityGroup(new JoinSecurityGroupRequest({ ...common, securityGroupId: "sg-web" }));
    await client.leaveSecurityGroup(new LeaveSecurityGroupRequest({ ...common, securityGroupId: "sg-empty" }));
    expect(ecs.enis().find((eni) => eni.eniId === "eni-second")?.groupIds).toEqual(["sg-web"]);
    const last = new LeaveSecurityGroupRequest({ ...common, securityGroupId: "sg-web" });
    expect(await refusalOf(client.leaveSecurityGroup(last))).toEqual({
      statusCode: 403,
      code: "InvalidOperation.AtLeastInOneGroup",
    });
    const managed = new JoinSecurityGroupRequest({
      ...common,
      networkInterfaceId: "eni-lb",
      securityGroupId: "sg-empty",
    });
    expect((await refusalOf(client.joinSecurityGroup(managed))).code).toBe("InvalidOperation.EniServiceManaged");
  });
});

describe("JoinSecurityGroup by bytes", () => {
  itEmbedded("adds a member, by instance or by interface, and answers a request id alone", async () => {
    const { call, ecs } = await aWorld();
    const byInstance = await call("JoinSecurityGroup", { SecurityGroupId: "sg-empty", InstanceId: "i-web-1" });
    expect([byInstance.status, Object.keys(byInstance.body)]).toEqual([200, ["RequestId"]]);
    await call("JoinSecurityGroup", { SecurityGroupId: "sg-web", NetworkInterfaceId: "eni-second" });
    const groupsOf = (eniId: string) => ecs.enis().find((eni) => eni.eniId === eniId)?.groupIds;
    expect(groupsOf("eni-web-1")).toEqual(["sg-web", "sg-empty"]);
    expect(groupsOf("eni-second")).toEqual(["sg-empty", "sg-web"]);
  });

  itEmbedded("refuses in the documented statuses", async () => {
    const { call } = await aWorld();
    const join = async (query: Record<string, string>) =>
      outcomeOf(await call("JoinSecurityGroup", { SecurityGroupId: "sg-empty", InstanceId: "i-web-1", ...query }));
    expect(await join({ SecurityGroupId: "sg-web" })).toBe("403 InvalidInstanceId.AlreadyExists");
    expect(await join({ SecurityGroupId: "sg-big" })).toBe("400 InvalidOperation.MultiGroupType");
    expect(await join({ SecurityGroupId: "sg-managed" })).toBe("403 InvalidOperation.ResourceManagedByCloudProduct");
    expect(await join({ SecurityGroupId: "sg-nobody" })).toBe("404 InvalidSecurityGroupId.NotFound");
    expect(await join({ InstanceId: "i-nobody" })).toBe("404 InvalidInstanceId.NotFound");
    expect(await join({ NetworkInterfaceId: "eni-lb" })).toBe("403 InvalidOperation.EniServiceManaged");
    expect(await join({ InstanceId: "" })).toMatch(/^400 MissingParameter/);
  });
});
