// ModifySecurityGroupEgressRule as the official SDK sees it.
import { ModifySecurityGroupEgressRuleRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, type Client, rawCall, refusalOf, regionId, rulesOf } from "./world.ts";

const modify = (client: Client, what: Partial<ModifySecurityGroupEgressRuleRequest>) =>
  client.modifySecurityGroupEgressRule(
    new ModifySecurityGroupEgressRuleRequest({
      regionId,
      securityGroupId: "sg-web",
      securityGroupRuleId: "sgr-out",
      ...what,
    }),
  );

describe("ModifySecurityGroupEgressRule", () => {
  itEmbedded("changes an egress rule in place", async () => {
    const { client } = await aWorld();
    await modify(client, { policy: "drop", priority: "7", destCidrIp: "10.0.0.0/8", description: "changed" });
    expect(await rulesOf(client, "sg-web", "egress")).toMatchObject([
      { securityGroupRuleId: "sgr-out", policy: "Drop", priority: "7", destCidrIp: "10.0.0.0/8", portRange: "25/25" },
    ]);
  });

  itEmbedded("keeps what is left out", async () => {
    const { client } = await aWorld();
    await modify(client, { sourceCidrIp: "127.10.0.11" });
    await modify(client, { description: "why" });
    expect(await rulesOf(client, "sg-web", "egress")).toMatchObject([
      { sourceCidrIp: "127.10.0.11", destCidrIp: "0.0.0.0/0", description: "why" },
    ]);
  });

  itEmbedded.each([
    ["another kind of destination", { destGroupId: "sg-empty" }, 400, "InvalidOperation.ModifySgRuleEntityType"],
    ["a blank destination", { destCidrIp: "" }, 400, "InvalidParam.InvalidModifyRuleRequest"],
    ["an ingress rule", { securityGroupRuleId: "sgr-80" }, 404, "InvalidSecurityGroupRuleId.NotFound"],
    ["a managed group", { securityGroupId: "sg-managed" }, 403, "InvalidOperation.ResourceManagedByCloudProduct"],
  ])("refuses %s", async (_what, changes: Partial<ModifySecurityGroupEgressRuleRequest>, statusCode, code) => {
    const { client, ecs } = await aWorld();
    const before = ecs.groups();
    expect(await refusalOf(modify(client, changes))).toEqual({ statusCode, code });
    expect(ecs.groups()).toEqual(before);
  });

  itEmbedded("refuses a group on the side of the other direction", async () => {
    const { client } = await aWorld();
    const common = { RegionId: regionId, SecurityGroupId: "sg-web" };
    const code = "InvalidSourceOrDestGroupId.DirectionMissmatch";
    const egress = { ...common, SecurityGroupRuleId: "sgr-out", SourceGroupId: "sg-empty" };
    expect(await refusalOf(rawCall(client, "ModifySecurityGroupEgressRule", egress))).toEqual({
      statusCode: 400,
      code,
    });
    const ingress = { ...common, SecurityGroupRuleId: "sgr-80", DestGroupId: "sg-empty" };
    expect(await refusalOf(rawCall(client, "ModifySecurityGroupRule", ingress))).toEqual({ statusCode: 400, code });
  });
});

describe("ModifySecurityGroupEgressRule by bytes", () => {
  const aGroup = async () => {
    const target = await aTarget();
    const SecurityGroupId = await target.group();
    const flat = { IpProtocol: "tcp", PortRange: "25/25", DestCidrIp: "0.0.0.0/0" };
    await target.call("AuthorizeSecurityGroupEgress", { SecurityGroupId, ...flat });
    const rules = () => rulesOf(target.client, SecurityGroupId, "egress");
    const SecurityGroupRuleId = (await rules())[0]?.securityGroupRuleId ?? "";
    return {
      ...target,
      rules,
      query: { SecurityGroupId, SecurityGroupRuleId, Policy: "accept", Priority: "1", ...flat },
    };
  };

  it("changes a rule, which keeps its id, and answers a request id alone", async () => {
    const { call, rules, query } = await aGroup();
    const answer = await call("ModifySecurityGroupEgressRule", { ...query, Policy: "drop", DestCidrIp: "10.0.0.0/8" });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(await rules()).toMatchObject([
      { securityGroupRuleId: query.SecurityGroupRuleId, policy: "Drop", destCidrIp: "10.0.0.0/8", portRange: "25/25" },
    ]);
  });

  it.each([
    [
      "another kind of destination",
      { DestCidrIp: undefined, DestGroupId: nobody.group },
      "400 InvalidOperation.ModifySgRuleEntityType",
    ],
    ["a blank destination", { DestCidrIp: "" }, "400 InvalidParam.InvalidModifyRuleRequest"],
    ["a group for the source", { SourceGroupId: nobody.group }, "400 InvalidSourceOrDestGroupId.DirectionMissmatch"],
    ["a bad destination", { DestCidrIp: "10.0.0.0/33" }, "400 InvalidParam.DestCidrIp"],
    ["a rule that is not there", { SecurityGroupRuleId: nobody.rule }, /^404 .*NotFound$/],
    ["a group that is not there", { SecurityGroupId: nobody.group }, "404 InvalidSecurityGroupId.NotFound"],
  ] as [string, Record<string, string | undefined>, string | RegExp][])(
    "refuses %s",
    async (_what, changes, outcome) => {
      const { call, rules, query } = await aGroup();
      const before = await rules();
      const changed = Object.entries({ ...query, ...changes }).filter(([, value]) => value !== undefined);
      const answer = await call("ModifySecurityGroupEgressRule", Object.fromEntries(changed) as Record<string, string>);
      expect(outcomeOf(answer)).toMatch(outcome);
      expect(await rules()).toEqual(before);
    },
  );
});
