// The account of the tests itself: what they made is theirs alone, and goes with them.
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { aTarget, nobody, outcomeOf } from "./target.ts";

describe("the account of the tests", () => {
  it("changes nothing that the test did not make, by SDK or by bytes", async () => {
    const { client, call, place } = await aTarget();
    const foreign = { regionId: place.regionId, securityGroupId: "sg-web", securityGroupRuleId: ["sgr-80"] };
    await expect(client.revokeSecurityGroup(new RevokeSecurityGroupRequest(foreign))).rejects.toThrow(
      "did not make sg-web",
    );
    await expect(call("DeleteSecurityGroup", { SecurityGroupId: "sg-web" })).rejects.toThrow("did not make sg-web");
    await expect(call("TagResources", { "ResourceId.1": "sg-web" })).rejects.toThrow("did not make sg-web");
    await expect(call("JoinSecurityGroup", { InstanceId: "i-web-1" })).rejects.toThrow("do not call JoinSecurityGroup");
    await expect(call("RunCommand", {})).rejects.toThrow("do not call RunCommand");
  });

  it("may name what nobody has, and change what it made", async () => {
    const { call, group } = await aTarget();
    expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId: nobody.group }))).toBe(
      "404 InvalidSecurityGroup.NotFound",
    );
    expect(outcomeOf(await call("DeleteSecurityGroup", { SecurityGroupId: await group() }))).toBe("200 OK");
  });
});
