// ModifySecurityGroupRule as the official SDK sees it.
import { ModifySecurityGroupRuleRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh, startedAt } from "./world.ts";

const modify = (client: Client, what: Partial<ModifySecurityGroupRuleRequest>) =>
  client.modifySecurityGroupRule(
    new ModifySecurityGroupRuleRequest({
      regionId,
      securityGroupId: "sg-web",
      securityGroupRuleId: "sgr-80",
      ...what,
    }),
  );

describe("ModifySecurityGroupRule", () => {
  itEmbedded("changes a rule in place: id, time and position stay", async () => {
    const { client, clock } = await aWorld();
    await clock.advance(60_000);
    await modify(client, {
      policy: "drop",
      priority: "7",
      ipProtocol: "UDP",
      portRange: "53/54",
      sourceCidrIp: "10.0.0.0/8",
      description: "changed",
    });
    expect((await rulesOf(client))[0]).toMatchObject({
      securityGroupRuleId: "sgr-80",
      policy: "Drop",
      priority: "7",
      ipProtocol: "UDP",
      portRange: "53/54",
      sourceCidrIp: "10.0.0.0/8",
      description: "changed",
      createTime: `${new Date(startedAt).toISOString().slice(0, 19)}Z`,
    });
  });

  itEmbedded.each([
    ["keep", { policy: "Drop", priority: "9" }],
    ["reset", { policy: "Accept", priority: "1" }],
  ] as const)("has omitted policy and priority %s", async (modifyOmitted, expected) => {
    const { client } = await aWorld({ switches: { modifyOmitted } });
    await modify(client, { policy: "drop", priority: "9" });
    await modify(client, { description: "new words" });
    expect((await rulesOf(client))[0]).toMatchObject({ ...expected, portRange: "80/80", description: "new words" });
  });

  itEmbedded.each([
    ["another kind of source", { ipv6SourceCidrIp: "2001:db8::1" }, 400, "InvalidOperation.ModifySgRuleEntityType"],
    ["a group as source", { sourceGroupId: "sg-empty" }, 400, "InvalidOperation.ModifySgRuleEntityType"],
    ["a port list", { portRangeListId: "prl-1" }, 400, "InvalidOperation.ModifyPortRangeType"],
    ["another nic type", { nicType: "internet" }, 400, "InvalidOperation.ModifyNicType"],
    ["a blank source", { sourceCidrIp: "" }, 400, "InvalidParam.InvalidModifyRuleRequest"],
    ["no rule id", { securityGroupRuleId: "" }, 400, "InvalidParam.InvalidModifyRuleRequest"],
    ["an unknown rule", { securityGroupRuleId: "sgr-x" }, 404, "InvalidSecurityGroupRuleId.NotFound"],
    ["an egress rule", { securityGroupRuleId: "sgr-out" }, 404, "InvalidSecurityGroupRuleId.NotFound"],
    ["ports that another rule has", { portRange: "443/443" }, 400, "InvalidOperation.RuleDuplicate"],
    ["a protocol without ports", { ipProtocol: "icmp" }, 400, "InvalidParam.ProtocolAndPortRangeMismatch"],
    ["a managed group", { securityGroupId: "sg-managed" }, 403, "InvalidOperation.ResourceManagedByCloudProduct"],
  ])("refuses %s", async (_what, changes, statusCode, code) => {
    const { client, ecs } = await aWorld();
    const before = ecs.groups();
    expect(await refusalOf(modify(client, changes))).toEqual({ statusCode, code });
    expect(ecs.groups()).toEqual(before);
  });

  itEmbedded("rewrites the description of a rule of DestCidrIp without losing it", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh({ destCidrIp: "127.10.0.11", description: "until=1" })]);
    const id = (await rulesOf(client))[2]?.securityGroupRuleId ?? "";
    await modify(client, { securityGroupRuleId: id, description: "until=2" });
    expect((await rulesOf(client))[2]).toMatchObject({ destCidrIp: "127.10.0.11", description: "until=2" });
  });
});
