// JoinSecurityGroup and LeaveSecurityGroup as the official SDK sees them.
import { JoinSecurityGroupRequest, LeaveSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId } from "./world.ts";

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
