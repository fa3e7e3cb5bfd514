// RevokeSecurityGroup as the official SDK sees it.
import { RevokeSecurityGroupRequest, type RevokeSecurityGroupRequestPermissions } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const revoke = (client: Client, what: Partial<RevokeSecurityGroupRequest>) =>
  client.revokeSecurityGroup(new RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", ...what }));

const web = (changes: Partial<RevokeSecurityGroupRequestPermissions> = {}) =>
  ssh({ portRange: "80/80", sourceCidrIp: "0.0.0.0/0", ...changes } as never) as RevokeSecurityGroupRequestPermissions;

const idsOf = async (client: Client) => (await rulesOf(client)).map((rule) => rule.securityGroupRuleId);

describe("RevokeSecurityGroup", () => {
  itEmbedded("removes rules by id", async () => {
    const { client } = await aWorld();
    await revoke(client, { securityGroupRuleId: ["sgr-443", "sgr-80"] });
    expect(await idsOf(client)).toEqual([]);
  });

  itEmbedded.each([
    ["InvalidParam.SecurityGroupRuleId", 400],
    ["InvalidSecurityGroupRuleId.NotFound", 404],
    ["InvalidSecurityGroupRule.RuleNotExist", 400],
  ] as const)("answers %s for an id that is gone", async (revokeMissingId, statusCode) => {
    const { client } = await aWorld({ switches: { revokeMissingId } });
    const refused = await refusalOf(revoke(client, { securityGroupRuleId: ["sgr-gone"] }));
    expect(refused).toEqual({ statusCode, code: revokeMissingId });
  });

  itEmbedded.each([
    ["none-deleted", ["sgr-80", "sgr-443"]],
    ["valid-deleted", ["sgr-443"]],
  ] as const)("with one id missing leaves %s", async (revokeBatchWithMissingId, left) => {
    const { client } = await aWorld({ switches: { revokeBatchWithMissingId } });
    const refused = await refusalOf(revoke(client, { securityGroupRuleId: ["sgr-80", "sgr-gone"] }));
    expect(refused).toEqual({ statusCode: 400, code: "InvalidParam.SecurityGroupRuleId" });
    expect(await idsOf(client)).toEqual(left);
  });

  itEmbedded("takes the id of an egress rule and of another group for unknown", async () => {
    const { client } = await aWorld();
    for (const id of ["sgr-out", "sgr-6443"]) {
      expect((await refusalOf(revoke(client, { securityGroupRuleId: [id] }))).code).toBe(
        "InvalidParam.SecurityGroupRuleId",
      );
    }
    expect(await rulesOf(client, "sg-web", "egress")).toHaveLength(1);
  });

  itEmbedded("refuses an id twice, ids beside permissions, and neither", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(revoke(client, { securityGroupRuleId: ["sgr-80", "sgr-80"] }))).toEqual({
      statusCode: 400,
      code: "InvalidParam.SecurityGroupRuleIdRepeated",
    });
    expect(await refusalOf(revoke(client, { securityGroupRuleId: ["sgr-80"], permissions: [web()] }))).toEqual({
      statusCode: 400,
      code: "InvalidParam.Permissions",
    });
    expect((await refusalOf(revoke(client, {}))).code).toBe("InvalidIpProtocol.ValueNotSupported");
    expect(await idsOf(client)).toEqual(["sgr-80", "sgr-443"]);
  });

  itEmbedded("removes by permissions what agrees in everything but the description", async () => {
    const { client } = await aWorld();
    await revoke(client, { permissions: [web({ portRange: "443/443" })] });
    expect(await idsOf(client)).toEqual(["sgr-80"]);
  });

  itEmbedded.each([{ priority: "2" }, { policy: "drop" }, { ipProtocol: "udp" }, { sourceCidrIp: "0.0.0.0/1" }])(
    "removes nothing and succeeds when no rule has %o",
    async (changes) => {
      const { client } = await aWorld();
      await revoke(client, { permissions: [web(changes)] });
      expect(await idsOf(client)).toEqual(["sgr-80", "sgr-443"]);
    },
  );

  itEmbedded("refuses permissions without a match when switched so", async () => {
    const { client } = await aWorld({
      switches: { revokePermissionsNoMatch: "InvalidSecurityGroupRule.RuleNotExist" },
    });
    expect(await refusalOf(revoke(client, { permissions: [web(), web({ priority: "2" })] }))).toEqual({
      statusCode: 400,
      code: "InvalidSecurityGroupRule.RuleNotExist",
    });
    expect(await idsOf(client)).toEqual(["sgr-80", "sgr-443"]);
  });

  itEmbedded("refuses a group that a product manages", async () => {
    const { client } = await aWorld();
    const refused = await refusalOf(
      revoke(client, { securityGroupId: "sg-managed", securityGroupRuleId: ["sgr-6443"] }),
    );
    expect(refused).toEqual({ statusCode: 403, code: "InvalidOperation.ResourceManagedByCloudProduct" });
  });
});
