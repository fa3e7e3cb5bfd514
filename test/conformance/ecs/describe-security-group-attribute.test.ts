// DescribeSecurityGroupAttribute as the official SDK sees it.
import { DescribeSecurityGroupAttributeRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, seed, ssh } from "./world.ts";

const attribute = async (client: Client, more: Partial<DescribeSecurityGroupAttributeRequest> = {}) => {
  const request = new DescribeSecurityGroupAttributeRequest({ regionId, securityGroupId: "sg-web", ...more });
  return (await client.describeSecurityGroupAttribute(request)).body;
};

describe("DescribeSecurityGroupAttribute", () => {
  itEmbedded("answers the group beside its rules of both directions", async () => {
    const { client } = await aWorld();
    const body = await attribute(client);
    expect(body).toMatchObject({
      regionId,
      securityGroupId: "sg-web",
      securityGroupName: "web",
      vpcId: "vpc-1",
      innerAccessPolicy: "Accept",
      nextToken: "",
    });
    expect(body?.permissions?.permission?.map((rule) => rule.direction)).toEqual(["ingress", "ingress", "egress"]);
  });

  itEmbedded("filters by direction", async () => {
    const { client } = await aWorld();
    const body = await attribute(client, { direction: "egress" });
    expect(body?.permissions?.permission?.map((rule) => rule.securityGroupRuleId)).toEqual(["sgr-out"]);
    expect((await refusalOf(attribute(client, { direction: "sideways" }))).code).toBe("InvalidParamter");
  });

  itEmbedded("pages to the last rule, each exactly once", async () => {
    const rules = Array.from({ length: 25 }, (_, n) => ({ ruleId: `sgr-${n}`, portRange: `${n + 1}/${n + 1}` }));
    const { client } = await aWorld({ seed: { ...seed, groups: [{ groupId: "sg-web", name: "web", rules }] } });
    const seen: unknown[] = [];
    let nextToken: string | undefined;
    let pages = 0;
    do {
      const body = await attribute(client, { maxResults: 10, ...(nextToken === undefined ? {} : { nextToken }) });
      seen.push(...(body?.permissions?.permission ?? []).map((rule) => rule.securityGroupRuleId));
      nextToken = body?.nextToken;
      pages++;
    } while (nextToken);
    expect(pages).toBe(3);
    expect(seen).toEqual(rules.map((rule) => rule.ruleId));
  });

  itEmbedded("shows 500 rules a page unless told otherwise", async () => {
    const rules = Array.from({ length: 501 }, (_, n) => ({ portRange: `${n + 1}/${n + 1}` }));
    const { client } = await aWorld({ seed: { ...seed, groups: [{ groupId: "sg-web", name: "web", rules }] } });
    const body = await attribute(client);
    expect(body?.permissions?.permission).toHaveLength(500);
    expect(body?.nextToken).not.toBe("");
  });

  itEmbedded("refuses page sizes out of bounds and tokens of another read", async () => {
    const { client } = await aWorld();
    for (const maxResults of [9, 1001]) {
      expect((await refusalOf(attribute(client, { maxResults }))).code).toBe("InvalidParamter");
    }
    expect((await refusalOf(attribute(client, { nextToken: "bogus" }))).code).toBe("InValidParameter.NextToken");
  });

  itEmbedded.each([
    [{ regionId: "" }, 400, "MissingParameter.RegionId"],
    [{ regionId: "mars-1" }, 404, "InvalidRegionId.NotFound"],
    [{ securityGroupId: "nonsense" }, 400, "InvalidSecurityGroupId.Malformed"],
    [{ securityGroupId: "sg-nobody" }, 404, "InvalidSecurityGroupId.NotFound"],
  ])("refuses %o", async (more, statusCode, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(attribute(client, more))).toEqual({ statusCode, code });
  });

  itEmbedded("shows the state of a while ago when reads lag, and catches up", async () => {
    const { client, clock } = await aWorld({ switches: { readAfterWriteMs: 2_000 } });
    await authorize(client, [ssh()]);
    await clock.advance(1_999);
    expect(await rulesOf(client)).toHaveLength(2);
    await clock.advance(1);
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("knows one attribute beside the rules, and refuses others", async () => {
    const { client } = await aWorld();
    const ask = (attribute: string) =>
      client.describeSecurityGroupAttribute(
        new DescribeSecurityGroupAttributeRequest({ regionId, securityGroupId: "sg-web", attribute }),
      );
    expect((await ask("snapshotPolicyIds")).body?.snapshotPolicyIds?.snapshotPolicyId).toEqual([]);
    expect(await refusalOf(ask("weather"))).toEqual({
      statusCode: 400,
      code: "InvalidParameter.AttributeNotSupported",
    });
  });
});

describe("DescribeSecurityGroupAttribute by bytes", () => {
  interface Body {
    readonly NextToken?: string;
    readonly Permissions: { readonly Permission: readonly Record<string, unknown>[] };
  }

  it("answers every field of a rule, those without a value as empty texts", async () => {
    const { call, client, group, place } = await aTarget();
    const SecurityGroupId = await group();
    await authorize(client, [ssh({ description: "mine" })], { securityGroupId: SecurityGroupId });
    const { status, body } = await call("DescribeSecurityGroupAttribute", { SecurityGroupId });
    expect(status).toBe(200);
    expect(body).toMatchObject({ RegionId: place.regionId, SecurityGroupId, VpcId: place.vpcId, NextToken: "" });
    const [rule = {}] = (body as unknown as Body).Permissions.Permission;
    const { SecurityGroupRuleId, CreateTime, Priority, SourcePortRange, ...rest } = rule;
    expect(SecurityGroupRuleId).toMatch(/^sgr-/);
    expect(CreateTime).toMatch(/^\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z$/);
    expect(Number(Priority)).toBe(1);
    expect(["", "-1/-1"]).toContain(SourcePortRange);
    expect(rest).toEqual({
      Direction: "ingress",
      Policy: "Accept",
      IpProtocol: "TCP",
      PortRange: "22/22",
      SourceCidrIp: "203.0.113.7/32",
      Ipv6SourceCidrIp: "",
      SourceGroupId: "",
      SourceGroupName: "",
      SourceGroupOwnerAccount: "",
      SourcePrefixListId: "",
      SourcePrefixListName: "",
      DestCidrIp: "",
      Ipv6DestCidrIp: "",
      DestGroupId: "",
      DestGroupName: "",
      DestGroupOwnerAccount: "",
      DestPrefixListId: "",
      DestPrefixListName: "",
      PortRangeListId: "",
      PortRangeListName: "",
      NicType: "intranet",
      Description: "mine",
    });
  });

  it("pages by token, and shows each rule once", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    const many = Array.from({ length: 25 }, (_, n) => ssh({ portRange: `${n + 1}/${n + 1}` }));
    await authorize(client, many, { securityGroupId: SecurityGroupId });
    const seen: unknown[] = [];
    let NextToken = "";
    do {
      const query = { SecurityGroupId, MaxResults: "10", ...(NextToken === "" ? {} : { NextToken }) };
      const body = (await call("DescribeSecurityGroupAttribute", query)).body as unknown as Body;
      seen.push(...body.Permissions.Permission.map((rule) => rule["PortRange"]));
      NextToken = body.NextToken ?? "";
    } while (NextToken !== "");
    expect(seen.length).toBe(25);
    expect(new Set(seen).size).toBe(25);
  });

  it("takes the nic type of the other network for its own, and refuses what is none", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    await authorize(client, [ssh()], { securityGroupId: SecurityGroupId });
    const ask = (query: Record<string, string>) =>
      call("DescribeSecurityGroupAttribute", { SecurityGroupId, ...query });
    const internet = (await ask({ NicType: "internet" })).body as unknown as Body;
    expect(internet.Permissions.Permission).toHaveLength(1);
    expect(outcomeOf(await ask({ NicType: "wifi" }))).toBe("400 InvalidNicType.ValueNotSupported");
    expect(outcomeOf(await ask({ Direction: "sideways" }))).toBe("400 InvalidParamter");
    expect(outcomeOf(await ask({ MaxResults: "9" }))).toMatch(/^400/);
    expect(outcomeOf(await ask({ SecurityGroupId: nobody.group }))).toBe("404 InvalidSecurityGroupId.NotFound");
  });

  itEmbedded("shows a priority above 100, as old default rules have it", async () => {
    const old = {
      groupId: "sg-old",
      name: "old",
      rules: [{ portRange: "22/22", sourceCidrIp: "0.0.0.0/0", priority: 110 }],
    };
    const { client } = await aWorld({ seed: { ...seed, groups: [...seed.groups, old] } });
    expect(await rulesOf(client, "sg-old")).toMatchObject([{ priority: "110" }]);
  });
});
