// LeaveSecurityGroup, by SDK and by bytes.
import { LeaveSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld, refusalOf, regionId } from "./world.ts";

describe("LeaveSecurityGroup", () => {
  itEmbedded("takes an instance out of one of its groups, and no other", async () => {
    const { client, ecs } = await aWorld();
    const from = (securityGroupId: string) =>
      client.leaveSecurityGroup(new LeaveSecurityGroupRequest({ regionId, securityGroupId, instanceId: "i-web-2" }));
    await from("sg-web");
    expect(ecs.enis().find((eni) => eni.eniId === "eni-web-2")?.groupIds).toEqual(["sg-empty"]);
    expect(await refusalOf(from("sg-empty"))).toEqual({ statusCode: 403, code: "InstanceLastSecurityGroup" });
  });
});

describe("LeaveSecurityGroup by bytes", () => {
  itEmbedded("answers a request id alone, and refuses in the documented statuses", async () => {
    const { call } = await aWorld();
    const leave = (query: Record<string, string>) =>
      call("LeaveSecurityGroup", { SecurityGroupId: "sg-web", InstanceId: "i-web-2", ...query });
    const refused = async (query: Record<string, string> = {}) => outcomeOf(await leave(query));
    const left = await leave({});
    expect([left.status, Object.keys(left.body)]).toEqual([200, ["RequestId"]]);
    expect(await refused()).toBe("403 InstanceNotInSecurityGroup");
    expect(await refused({ SecurityGroupId: "sg-empty" })).toBe("403 InstanceLastSecurityGroup");
    const eni = { NetworkInterfaceId: "eni-second", SecurityGroupId: "sg-empty" };
    expect(await refused(eni)).toBe("403 InvalidOperation.AtLeastInOneGroup");
    expect(await refused({ SecurityGroupId: "sg-nobody" })).toBe("404 InvalidSecurityGroupId.NotFound");
    expect(await refused({ InstanceId: "i-nobody" })).toBe("404 InvalidInstanceId.NotFound");
  });
});
