// ModifyInstanceAttribute, which can replace the groups of an instance, by SDK and by bytes.
import { ModifyInstanceAttributeRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { outcomeOf } from "./target.ts";
import { aWorld } from "./world.ts";

describe("ModifyInstanceAttribute", () => {
  itEmbedded("replaces the groups of the primary interface alone, and tells the data plane", async () => {
    const { client, ecs } = await aWorld();
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(groupIds.join(",")));
    const request = { instanceId: "i-web-1", securityGroupIds: ["sg-empty"] };
    await client.modifyInstanceAttribute(new ModifyInstanceAttributeRequest(request));
    const groupsOf = (eniId: string) => ecs.enis().find((eni) => eni.eniId === eniId)?.groupIds;
    expect([groupsOf("eni-web-1"), groupsOf("eni-second")]).toEqual([["sg-empty"], ["sg-empty"]]);
    expect(told).toEqual(["sg-web,sg-empty"]);
  });
});

describe("ModifyInstanceAttribute by bytes", () => {
  itEmbedded("answers a request id alone", async () => {
    const { call } = await aWorld();
    const query = { InstanceId: "i-web-1", "SecurityGroupIds.1": "sg-web", "SecurityGroupIds.2": "sg-empty" };
    const { status, body } = await call("ModifyInstanceAttribute", query);
    expect([status, Object.keys(body)]).toEqual([200, ["RequestId"]]);
  });

  itEmbedded("refuses what may not be, and changes nothing then", async () => {
    const { call, ecs } = await aWorld({ limits: { groupsPerEni: 1 } });
    const modify = async (query: Record<string, string>) =>
      outcomeOf(await call("ModifyInstanceAttribute", { InstanceId: "i-web-1", ...query }));
    const to = (...groups: string[]) =>
      modify(Object.fromEntries(groups.map((group, index) => [`SecurityGroupIds.${index + 1}`, group])));
    const before = JSON.stringify(ecs.enis());
    expect(await modify({})).toBe("400 MissingParameter");
    expect(await modify({ InstanceName: "other" })).toBe("400 InvalidParameter.AttributeNotSupported");
    expect(await modify({ InstanceId: "i-nobody", "SecurityGroupIds.1": "sg-web" })).toBe(
      "404 InvalidInstanceId.NotFound",
    );
    expect(await to("sg-nobody")).toBe("404 InvalidSecurityGroupId.NotFound");
    expect(await to("sg-managed")).toBe("403 InvalidOperation.ResourceManagedByCloudProduct");
    expect(await to("sg-web", "sg-big")).toBe("400 InvalidOperation.MultiGroupType");
    expect(await to("sg-web", "sg-empty")).toBe("400 InstanceSecurityGroupLimitExceeded");
    expect(JSON.stringify(ecs.enis())).toBe(before);
  });

  itEmbedded("keeps to the members of a group and the rules of an interface", async () => {
    const few = await aWorld({ limits: { membersPerGroup: { normal: 2, enterprise: 2 } } });
    const query = { InstanceId: "i-web-1", "SecurityGroupIds.1": "sg-empty" };
    expect(outcomeOf(await few.call("ModifyInstanceAttribute", query))).toBe("403 SecurityGroupInstanceLimitExceeded");
    const full = await aWorld({ limits: { rulesPerEni: 2 } });
    const both = { ...query, "SecurityGroupIds.2": "sg-web" };
    expect(outcomeOf(await full.call("ModifyInstanceAttribute", both))).toBe("403 AclLimitExceed");
  });
});
