// ListProductQuotas of the quota centre, signed by the official SDK's core.
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { sendParts, signed } from "./raw.ts";
import { authorize, aWorld, type Client, placeOf, rawCall, refusalOf, ssh } from "./world.ts";

const version = "2020-05-10";
const quotas = async (client: Client, query: Readonly<Record<string, string>> = {}) => {
  const asked = { ProductCode: "ecs", QuotaCategory: "FlowControl", ...query };
  const { Quotas } = await rawCall(client, "ListProductQuotas", asked, version);
  return Quotas as Record<string, unknown>[];
};

describe("ListProductQuotas", () => {
  itEmbedded("tells how often an operation may be called and how often it was", async () => {
    const { client } = await aWorld({ limits: { callsPerMinute: { AuthorizeSecurityGroup: 20 } } });
    await authorize(client, [ssh()]);
    expect(await quotas(client)).toEqual([
      {
        ProductCode: "ecs",
        QuotaCategory: "FlowControl",
        QuotaActionCode: "AuthorizeSecurityGroup",
        QuotaName: "AuthorizeSecurityGroup",
        Dimensions: { regionId: "cn-hangzhou" },
        Adjustable: false,
        TotalQuota: 20,
        TotalUsage: 1,
        QuotaUnit: "count",
        Period: { PeriodUnit: "second", PeriodValue: 60 },
      },
    ]);
    const elsewhere = { "Dimensions.1.Key": "regionId", "Dimensions.1.Value": "cn-shanghai" };
    expect(await quotas(client, elsewhere)).toMatchObject([{ TotalUsage: 0, Dimensions: { regionId: "cn-shanghai" } }]);
  });

  itEmbedded("lists every operation when all have a limit, in pages, and none without", async () => {
    const { client } = await aWorld({ limits: { callsPerMinute: 7 } });
    const first = await quotas(client, { MaxResults: "100" });
    expect(first.length).toBeGreaterThan(30);
    expect(await quotas(client, { MaxResults: "2" })).toEqual(first.slice(0, 2));
    expect(await quotas((await aWorld()).client)).toEqual([]);
  });

  itEmbedded("tells the quota of groups", async () => {
    const { client } = await aWorld({ limits: { groups: 9 } });
    const found = await quotas(client, { QuotaCategory: "CommonQuota", QuotaActionCode: "q_security-groups" });
    expect(found).toMatchObject([{ TotalQuota: 9, TotalUsage: 4 }]);
  });

  itEmbedded("is an operation of the quota centre alone, and of this product alone", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(rawCall(client, "ListProductQuotas", { ProductCode: "ecs" }))).code).toBe(
      "InvalidAction.NotFound",
    );
    expect((await refusalOf(quotas(client, { ProductCode: "oss" }))).code).toBe("InvalidParameter");
    expect((await refusalOf(rawCall(client, "DescribeRegions", {}, version))).code).toBe("InvalidAction.NotFound");
  });
});

describe("ListProductQuotas by bytes", () => {
  itEmbedded("answers quotas by category, in pages of documented names", async () => {
    const world = await aWorld({ limits: { callsPerMinute: { DescribeRegions: 5 } } });
    const place = placeOf(world.ecs);
    const ask = (query: Record<string, string>) =>
      sendParts(
        place,
        signed(place, { action: "ListProductQuotas", version, query: { ProductCode: "ecs", ...query } }),
      );
    const { status, body } = await ask({ QuotaCategory: "FlowControl" });
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(["MaxResults", "NextToken", "Quotas", "RequestId", "TotalCount"]);
    expect(body["Quotas"]).toMatchObject([{ QuotaActionCode: "DescribeRegions", TotalQuota: 5, TotalUsage: 0 }]);
    expect((await ask({ ProductCode: "" })).body["Code"]).toMatch(/^MissingParameter/);
  });
});
