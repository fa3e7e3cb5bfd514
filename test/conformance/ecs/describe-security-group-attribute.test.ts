// DescribeSecurityGroupAttribute as the official SDK sees it.
import { DescribeSecurityGroupAttributeRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
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
