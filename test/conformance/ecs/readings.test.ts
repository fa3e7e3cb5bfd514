// What public documents leave open, under each reading, where no operation's own test says it.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { defaultSwitches, otherReadings } from "../../../local/services/ecs/switches.ts";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, type Client, rawCall, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const base = { regionId, securityGroupId: "sg-web" };
const revoke = (client: Client, more: Partial<sdk.RevokeSecurityGroupRequest>) =>
  client.revokeSecurityGroup(new sdk.RevokeSecurityGroupRequest({ ...base, ...more }));
const codeOf = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "taken",
    (error: { code?: unknown }) => error.code,
  );

describe("the list of readings", () => {
  itEmbedded("names other values than the default for every switch", () => {
    for (const [name, readings] of Object.entries(otherReadings)) {
      expect(readings.length, name).toBeGreaterThan(0);
      expect(readings).not.toContainEqual(defaultSwitches[name as keyof typeof defaultSwitches]);
    }
    expect(Object.keys(otherReadings).sort()).toEqual(Object.keys(defaultSwitches).sort());
  });
});

describe("readings", () => {
  itEmbedded.each([
    ["api", "taken"],
    ["account", "IdempotentParameterMismatch"],
  ] as const)("of a ClientToken used by two APIs: by %s", async (clientTokenScope, code) => {
    const { client } = await aWorld({ switches: { clientTokenScope } });
    await authorize(client, [ssh()], { clientToken: "t" });
    expect(await codeOf(revoke(client, { securityGroupRuleId: ["sgr-80"], clientToken: "t" }))).toBe(code);
  });

  itEmbedded.each([
    ["unknown-id", "InvalidParam.SecurityGroupRuleId", 1],
    ["revoked", "taken", 0],
  ] as const)("of the id of an egress rule in RevokeSecurityGroup: %s", async (revokeOtherDirection, code, left) => {
    const { client } = await aWorld({ switches: { revokeOtherDirection } });
    expect(await codeOf(revoke(client, { securityGroupRuleId: ["sgr-out"] }))).toBe(code);
    expect(await rulesOf(client, "sg-web", "egress")).toHaveLength(left);
  });

  itEmbedded.each([
    ["matched", 1],
    ["ignored", 0],
  ] as const)("of the priority in a revoke by permissions: %s", async (revokePriority, left) => {
    const { client } = await aWorld({ switches: { revokePriority } });
    await authorize(client, [ssh({ priority: "9" })]);
    await revoke(client, { permissions: [ssh()] as never });
    expect((await rulesOf(client)).length - 2).toBe(left);
  });

  itEmbedded.each([
    ["same-rule", "InvalidParam.DuplicatePermissions"],
    ["same-rule-and-description", "taken"],
  ] as const)("of permissions that differ by description: %s", async (duplicatePermissions, code) => {
    const { client } = await aWorld({ switches: { duplicatePermissions } });
    expect(await codeOf(authorize(client, [ssh({ description: "a" }), ssh({ description: "b" })]))).toBe(code);
  });

  itEmbedded.each(["InvalidSecurityGroupRuleId.NotFound", "SecurityGroupRule.NotFound"] as const)(
    "of a rule that is not there to modify: %s",
    async (modifyMissingId) => {
      const { client } = await aWorld({ switches: { modifyMissingId } });
      const request = new sdk.ModifySecurityGroupRuleRequest({ ...base, securityGroupRuleId: "sgr-no" });
      expect(await refusalOf(client.modifySecurityGroupRule(request))).toEqual({
        statusCode: 404,
        code: modifyMissingId,
      });
    },
  );

  itEmbedded.each([
    ["same-id", true],
    ["new-id", false],
  ] as const)("of the id of a modified rule: %s", async (modifiedRule, isKept) => {
    const { client } = await aWorld({ switches: { modifiedRule } });
    const request = { ...base, securityGroupRuleId: "sgr-80", description: "new" };
    await client.modifySecurityGroupRule(new sdk.ModifySecurityGroupRuleRequest(request));
    const rule = (await rulesOf(client)).find((each) => each.portRange === "80/80");
    expect(rule?.description).toBe("new");
    expect(rule?.securityGroupRuleId === "sgr-80").toBe(isKept);
  });

  itEmbedded.each([
    ["refused", "OperationDenied"],
    ["accepted", "taken"],
  ] as const)("of every port of TCP: %s", async (allPortsOfTcp, code) => {
    const { client } = await aWorld({ switches: { allPortsOfTcp } });
    expect(await codeOf(authorize(client, [ssh({ portRange: "-1/-1" })]))).toBe(code);
    expect(await codeOf(authorize(client, [ssh({ ipProtocol: "icmp", portRange: "-1/-1" })]))).toBe("taken");
  });

  itEmbedded.each([
    ["accepted", "taken"],
    ["refused", "InvalidIpProtocol.ValueNotSupported"],
  ] as const)("of ICMPv6: %s", async (icmpv6, code) => {
    const { client } = await aWorld({ switches: { icmpv6 } });
    const permission = { ipProtocol: "icmpv6", portRange: "-1/-1", ipv6SourceCidrIp: "::/0" };
    expect(await codeOf(authorize(client, [ssh({ ...permission, sourceCidrIp: undefined as never })]))).toBe(code);
  });

  itEmbedded.each([
    ["accepted", "taken"],
    ["refused", "InvalidGroupParameter.OperationDenied"],
  ] as const)("of a Drop in an enterprise group: %s", async (enterpriseDrop, code) => {
    const { client } = await aWorld({ switches: { enterpriseDrop } });
    const at = { securityGroupId: "sg-big" };
    expect(await codeOf(authorize(client, [ssh({ policy: "drop" })], at))).toBe(code);
    expect(await codeOf(authorize(client, [ssh({ policy: "accept" })], at))).toBe("taken");
  });

  itEmbedded.each([
    ["empty", "taken"],
    ["InvalidSecurityGroupId.NotFound", "InvalidSecurityGroupId.NotFound"],
  ] as const)("of a list by an unknown group: %s", async (listUnknownGroup, code) => {
    const { client } = await aWorld({ switches: { listUnknownGroup } });
    const request = new sdk.DescribeSecurityGroupsRequest({ regionId, securityGroupId: "sg-nobody" });
    expect(await codeOf(client.describeSecurityGroups(request))).toBe(code);
  });

  itEmbedded.each([
    ["oldest-first", ["sgr-80", "sgr-443"]],
    ["newest-first", ["sgr-443", "sgr-80"]],
  ] as const)("of the order of rules: %s", async (ruleOrder, ids) => {
    const { client } = await aWorld({ switches: { ruleOrder } });
    expect((await rulesOf(client)).map((rule) => rule.securityGroupRuleId)).toEqual(ids);
  });

  itEmbedded("of the form of priorities and unused source ports in an answer", async () => {
    const read = async (client: Client): Promise<unknown> => {
      const body = await rawCall(client, "DescribeSecurityGroupAttribute", {
        RegionId: regionId,
        SecurityGroupId: "sg-web",
      });
      return (body["Permissions"] as { Permission: unknown[] }).Permission[0];
    };
    expect(await read((await aWorld()).client)).toMatchObject({ Priority: 1, SourcePortRange: "" });
    const other = await aWorld({ switches: { priorityForm: "string", unusedSourcePortRange: "-1/-1" } });
    expect(await read(other.client)).toMatchObject({ Priority: "1", SourcePortRange: "-1/-1" });
  });
});
