// ModifySecurityGroupRule as the official SDK sees it.
import { ModifySecurityGroupRuleRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, seed, ssh, startedAt } from "./world.ts";

const port22 = { portRange: "22/22", sourceCidrIp: "0.0.0.0/0" };
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
  itEmbedded("keeps the priority of an old default rule, which nobody may set any more", async () => {
    const old = { groupId: "sg-old", name: "old", rules: [{ ...port22, ruleId: "sgr-old", priority: 110 }] };
    const { client } = await aWorld({ seed: { ...seed, groups: [...seed.groups, old] } });
    const which = { securityGroupId: "sg-old", securityGroupRuleId: "sgr-old" };
    await modify(client, { ...which, description: "of 2019" });
    expect(await rulesOf(client, "sg-old")).toMatchObject([{ priority: "110", description: "of 2019" }]);
    expect(await refusalOf(modify(client, { ...which, priority: "110" }))).toEqual({
      statusCode: 400,
      code: "InvalidPriority.ValueNotSupported",
    });
    await modify(client, { ...which, priority: "100" });
    expect(await rulesOf(client, "sg-old")).toMatchObject([{ priority: "100" }]);
  });

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

/** A group with a rule for each of two ports, and their ids. */
const aGroup = async () => {
  const target = await aTarget();
  const securityGroupId = await target.group();
  await authorize(target.client, [ssh(), ssh({ portRange: "443/443" })], { securityGroupId });
  const rules = () => rulesOf(target.client, securityGroupId);
  const [id = "", other = ""] = (await rules()).map((rule) => rule.securityGroupRuleId ?? "");
  return { ...target, securityGroupId, rules, id, other };
};

describe("ModifySecurityGroupRule in a group of its own", () => {
  it("changes every field of a rule, which keeps its id and time", async () => {
    const { client, securityGroupId, rules, id } = await aGroup();
    const before = (await rules())[0];
    const changes = {
      policy: "drop",
      priority: "7",
      ipProtocol: "UDP",
      portRange: "53/54",
      sourceCidrIp: "10.0.0.0/8",
      description: "changed",
    };
    await modify(client, { securityGroupId, securityGroupRuleId: id, ...changes });
    const after = (await rules()).find((rule) => rule.securityGroupRuleId === id);
    expect(after).toMatchObject({ ...changes, policy: "Drop", createTime: before?.createTime });
  });

  it("refuses another kind of source, ports that another rule has, and a rule that is not there", async () => {
    const { client, securityGroupId, id } = await aGroup();
    const refused = async (changes: Partial<ModifySecurityGroupRuleRequest>) =>
      refusalOf(modify(client, { securityGroupId, securityGroupRuleId: id, ...changes }));
    expect(await refused({ ipv6SourceCidrIp: "2001:db8::1" })).toEqual({
      statusCode: 400,
      code: "InvalidOperation.ModifySgRuleEntityType",
    });
    const twin = { policy: "accept", priority: "1", portRange: "443/443" };
    expect(await refused(twin)).toEqual({ statusCode: 400, code: "InvalidOperation.RuleDuplicate" });
    expect((await refused({ securityGroupRuleId: nobody.rule })).code).toMatch(/NotFound$/);
  });
});

describe("ModifySecurityGroupRule by bytes", () => {
  it("changes a rule and answers a request id alone", async () => {
    const { call, securityGroupId: SecurityGroupId, rules, id } = await aGroup();
    const answer = await call("ModifySecurityGroupRule", {
      SecurityGroupId,
      SecurityGroupRuleId: id,
      Policy: "accept",
      Priority: "2",
      IpProtocol: "tcp",
      PortRange: "22/22",
      SourceCidrIp: "203.0.113.7/32",
      Description: "说 + more",
    });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect((await rules()).find((rule) => rule.securityGroupRuleId === id)).toMatchObject({
      priority: "2",
      description: "说 + more",
    });
  });

  it.each([
    ["a blank source", { SourceCidrIp: "" }, "400 InvalidParam.InvalidModifyRuleRequest"],
    ["a port list", { PortRangeListId: nobody.portList }, "400 InvalidOperation.ModifyPortRangeType"],
    ["another nic type", { NicType: "internet" }, "400 InvalidOperation.ModifyNicType"],
    ["a protocol without ports", { IpProtocol: "icmp" }, "400 InvalidParam.ProtocolAndPortRangeMismatch"],
    ["a priority of 101", { Priority: "101" }, "400 InvalidPriority.ValueNotSupported"],
    ["a policy nobody knows", { Policy: "maybe" }, "400 InvalidPolicy.Malformed"],
    ["a range backwards", { PortRange: "9/8" }, "400 InvalidParam.PortRange"],
    ["one address on both sides", { DestCidrIp: "203.0.113.7/32" }, "400 InvalidParamter.Conflict"],
    [
      "513 characters of description",
      { Description: "x".repeat(513) },
      "400 InvalidSecurityGroupDiscription.Malformed",
    ],
    ["a group for the destination", { DestGroupId: nobody.group }, "400 InvalidSourceOrDestGroupId.DirectionMissmatch"],
    ["a group that is not there", { SecurityGroupId: nobody.group }, "404 InvalidSecurityGroupId.NotFound"],
  ] as [string, Record<string, string>, string][])(
    "refuses %s and changes nothing",
    async (_what, changes, outcome) => {
      const { call, securityGroupId: SecurityGroupId, rules, id: SecurityGroupRuleId } = await aGroup();
      const before = await rules();
      const whole = { Policy: "accept", Priority: "1", SourceCidrIp: "203.0.113.7/32" };
      const query = { SecurityGroupId, SecurityGroupRuleId, ...whole, ...changes };
      expect(outcomeOf(await call("ModifySecurityGroupRule", query))).toBe(outcome);
      expect(await rules()).toEqual(before);
    },
  );
});
