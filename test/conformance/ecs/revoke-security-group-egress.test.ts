// RevokeSecurityGroupEgress as the official SDK sees it.
import { RevokeSecurityGroupEgressRequest, RevokeSecurityGroupEgressRequestPermissions } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
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

describe("RevokeSecurityGroupEgress by bytes", () => {
  const aGroup = async () => {
    const target = await aTarget();
    const SecurityGroupId = await target.group();
    const flat = { IpProtocol: "tcp", PortRange: "25/25", DestCidrIp: "0.0.0.0/0" };
    await target.call("AuthorizeSecurityGroupEgress", { SecurityGroupId, ...flat });
    const rules = () => rulesOf(target.client, SecurityGroupId, "all");
    const id = (await rules())[0]?.securityGroupRuleId ?? "";
    return { ...target, SecurityGroupId, flat, id, rules };
  };

  it("removes an egress rule by id, and by permission", async () => {
    const { call, SecurityGroupId, flat, id, rules } = await aGroup();
    const byId = await call("RevokeSecurityGroupEgress", { SecurityGroupId, "SecurityGroupRuleId.1": id });
    expect([outcomeOf(byId), Object.keys(byId.body)]).toEqual(["200 OK", ["RequestId"]]);
    expect(await rules()).toEqual([]);
    await call("AuthorizeSecurityGroupEgress", { SecurityGroupId, ...flat });
    const permission = Object.entries(flat).map(([name, value]) => [`Permissions.1.${name}`, value]);
    await call("RevokeSecurityGroupEgress", { SecurityGroupId, ...Object.fromEntries(permission) });
    expect(await rules()).toEqual([]);
  });

  it("refuses an id twice, ids beside permissions, and a permission without a destination", async () => {
    const { call, SecurityGroupId, flat, id, rules } = await aGroup();
    const refused = async (query: Record<string, string>) =>
      outcomeOf(await call("RevokeSecurityGroupEgress", { SecurityGroupId, ...query }));
    const once = { "SecurityGroupRuleId.1": id };
    expect(await refused({ ...once, "SecurityGroupRuleId.2": id })).toBe(
      "400 InvalidParam.SecurityGroupRuleIdRepeated",
    );
    expect(await refused({ ...once, ...flat })).toBe("400 InvalidParam.Permissions");
    expect(await refused({ ...flat, DestCidrIp: "" })).toMatch(/^400 MissingParameter/);
    expect(await refused({ SecurityGroupId: nobody.group, ...once })).toMatch(
      /^40[04] InvalidSecurityGroupId\.NotFound$/,
    );
    expect(await rules()).toHaveLength(1);
  });
});
