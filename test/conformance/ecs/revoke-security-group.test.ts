// RevokeSecurityGroup as the official SDK sees it.
import { RevokeSecurityGroupRequest, type RevokeSecurityGroupRequestPermissions } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

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

/** A group with rules for the ports 80 and 443, and the ids of those. */
const aGroup = async () => {
  const target = await aTarget();
  const SecurityGroupId = await target.group();
  const everybody = { sourceCidrIp: "0.0.0.0/0" };
  const permissions = [
    ssh({ ...everybody, portRange: "80/80" }),
    ssh({ ...everybody, portRange: "443/443", priority: "9" }),
  ];
  await authorize(target.client, permissions, { securityGroupId: SecurityGroupId });
  const rules = async () => await rulesOf(target.client, SecurityGroupId);
  const [http = "", https = ""] = (await rules()).map((rule) => rule.securityGroupRuleId ?? "");
  const left = async () => (await rules()).map((rule) => rule.portRange);
  return { ...target, SecurityGroupId, http, https, left };
};

describe("RevokeSecurityGroup in a group of its own", () => {
  it("removes rules by id, once", async () => {
    const { client, SecurityGroupId: securityGroupId, http, left } = await aGroup();
    await revoke(client, { securityGroupId, securityGroupRuleId: [http] });
    expect(await left()).toEqual(["443/443"]);
    const gone = await refusalOf(revoke(client, { securityGroupId, securityGroupRuleId: [http] }));
    expect(gone.code).toMatch(
      /^InvalidParam\.SecurityGroupRuleId$|^InvalidSecurityGroupRule(Id\.NotFound|\.RuleNotExist)$/,
    );
  });

  it("removes by permissions only what agrees in the priority too", async () => {
    const { client, SecurityGroupId: securityGroupId, left } = await aGroup();
    const of443 = (priority: string) => ({ permissions: [web({ portRange: "443/443", priority })] });
    await revoke(client, { securityGroupId, ...of443("1") });
    expect(await left()).toEqual(["80/80", "443/443"]);
    await revoke(client, { securityGroupId, ...of443("9") });
    expect(await left()).toEqual(["80/80"]);
  });
});

describe("RevokeSecurityGroup by bytes", () => {
  it("removes by ids and answers a request id alone", async () => {
    const { call, SecurityGroupId, http, https, left } = await aGroup();
    const ids = { "SecurityGroupRuleId.1": http, "SecurityGroupRuleId.2": https };
    const answer = await call("RevokeSecurityGroup", { SecurityGroupId, ...ids });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(await left()).toEqual([]);
  });

  it("removes by the deprecated form, whose priority is 1 unless told", async () => {
    const { call, SecurityGroupId, left } = await aGroup();
    const flat = (port: string) => ({ IpProtocol: "tcp", PortRange: port, SourceCidrIp: "0.0.0.0/0" });
    await call("RevokeSecurityGroup", { SecurityGroupId, ...flat("443/443") });
    await call("RevokeSecurityGroup", { SecurityGroupId, ...flat("80/80") });
    expect(await left()).toEqual(["443/443"]);
  });

  it("refuses an id twice, ids beside permissions of either form, 101 ids, and neither", async () => {
    const { call, SecurityGroupId, http, left } = await aGroup();
    const refused = async (query: Record<string, string>) =>
      outcomeOf(await call("RevokeSecurityGroup", { SecurityGroupId, ...query }));
    const id = { "SecurityGroupRuleId.1": http };
    expect(await refused({ ...id, "SecurityGroupRuleId.2": http })).toBe(
      "400 InvalidParam.SecurityGroupRuleIdRepeated",
    );
    expect(await refused({ ...id, "Permissions.1.IpProtocol": "tcp" })).toBe("400 InvalidParam.Permissions");
    expect(await refused({ ...id, IpProtocol: "tcp" })).toBe("400 InvalidParam.Permissions");
    const many = Object.fromEntries(
      Array.from({ length: 101 }, (_, n) => [`SecurityGroupRuleId.${n + 1}`, `${nobody.rule}-${n}`]),
    );
    expect(await refused(many)).toMatch(/^400 Invalid/);
    expect(await refused({})).toMatch(/^400 (MissingParameter|InvalidIpProtocol\.ValueNotSupported)/);
    expect(await left()).toHaveLength(2);
  });

  it("refuses a group that is not there", async () => {
    const { call } = await aTarget();
    const query = { SecurityGroupId: nobody.group, "SecurityGroupRuleId.1": nobody.rule };
    expect(outcomeOf(await call("RevokeSecurityGroup", query))).toMatch(/^40[04] InvalidSecurityGroupId\.NotFound$/);
  });
});
