// RevokeSecurityGroupEgress as the official SDK sees it.
import { RevokeSecurityGroupEgressRequest, RevokeSecurityGroupEgressRequestPermissions } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId, rulesOf } from "./world.ts";

const revokeEgress = (client: Client, what: Partial<RevokeSecurityGroupEgressRequest>) =>
  client.revokeSecurityGroupEgress(
    new RevokeSecurityGroupEgressRequest({ regionId, securityGroupId: "sg-web", ...what }),
  );

const mail = (changes: Partial<RevokeSecurityGroupEgressRequestPermissions> = {}) =>
  new RevokeSecurityGroupEgressRequestPermissions({
    policy: "accept",
    priority: "1",
    ipProtocol: "tcp",
    portRange: "25/25",
    destCidrIp: "0.0.0.0/0",
    ...changes,
  });

const idsOf = async (client: Client) =>
  (await rulesOf(client, "sg-web", "all")).map((rule) => rule.securityGroupRuleId);

describe("RevokeSecurityGroupEgress", () => {
  itEmbedded.each([
    ["id", { securityGroupRuleId: ["sgr-out"] }],
    ["permission", { permissions: [mail()] }],
  ])("removes an egress rule by %s", async (_how, what) => {
    const { client } = await aWorld();
    await revokeEgress(client, what);
    expect(await idsOf(client)).toEqual(["sgr-80", "sgr-443"]);
  });

  itEmbedded("takes the id of an ingress rule for unknown", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(revokeEgress(client, { securityGroupRuleId: ["sgr-80"] }))).toEqual({
      statusCode: 400,
      code: "InvalidParam.SecurityGroupRuleId",
    });
    expect(await idsOf(client)).toHaveLength(3);
  });

  itEmbedded("removes nothing and succeeds when nothing agrees, or refuses when switched so", async () => {
    const { client, ecs } = await aWorld();
    await revokeEgress(client, { permissions: [mail({ priority: "2" })] });
    expect(await idsOf(client)).toHaveLength(3);
    ecs.switches.revokePermissionsNoMatch = "InvalidSecurityGroupRule.RuleNotExist";
    expect((await refusalOf(revokeEgress(client, { permissions: [mail({ priority: "2" })] }))).code).toBe(
      "InvalidSecurityGroupRule.RuleNotExist",
    );
  });

  itEmbedded("refuses ids beside permissions, a permission without destination, and a managed group", async () => {
    const { client } = await aWorld();
    const both = { securityGroupRuleId: ["sgr-out"], permissions: [mail()] };
    expect((await refusalOf(revokeEgress(client, both))).code).toBe("InvalidParam.Permissions");
    const bare = { permissions: [mail({ destCidrIp: undefined as never })] };
    expect((await refusalOf(revokeEgress(client, bare))).code).toBe("MissingParameter.Dest");
    const managed = { securityGroupId: "sg-managed", securityGroupRuleId: ["sgr-6443"] };
    expect((await refusalOf(revokeEgress(client, managed))).code).toBe(
      "InvalidOperation.ResourceManagedByCloudProduct",
    );
  });
});
