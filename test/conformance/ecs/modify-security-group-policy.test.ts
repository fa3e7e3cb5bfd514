// ModifySecurityGroupPolicy as the official SDK sees it.
import { ModifySecurityGroupPolicyRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, type Client, refusalOf, regionId } from "./world.ts";

describe("ModifySecurityGroupPolicy", () => {
  const policy = (client: Client, securityGroupId: string, innerAccessPolicy: string) =>
    client.modifySecurityGroupPolicy(
      new ModifySecurityGroupPolicyRequest({ regionId, securityGroupId, innerAccessPolicy }),
    );

  itEmbedded("changes a basic group, not an enterprise one", async () => {
    const { client, ecs } = await aWorld();
    await policy(client, "sg-web", "drop");
    expect(ecs.groups()[0]?.innerAccessPolicy).toBe("Drop");
    expect((await refusalOf(policy(client, "sg-big", "Accept"))).code).toBe("InvalidParameter.InnerAccessPolicy");
    expect((await refusalOf(policy(client, "sg-web", "maybe"))).code).toBe("InvalidPolicy.Malformed");
  });
});

describe("ModifySecurityGroupPolicy by bytes", () => {
  const policyOf = async ({ call }: Awaited<ReturnType<typeof aTarget>>, SecurityGroupId: string) =>
    (await call("DescribeSecurityGroupAttribute", { SecurityGroupId })).body["InnerAccessPolicy"];

  it("closes a basic group inside and opens it again, in any case of letters", async () => {
    const target = await aTarget();
    const SecurityGroupId = await target.group();
    const set = (InnerAccessPolicy: string) =>
      target.call("ModifySecurityGroupPolicy", { SecurityGroupId, InnerAccessPolicy });
    expect(outcomeOf(await set("dROP"))).toBe("200 OK");
    expect(await policyOf(target, SecurityGroupId)).toBe("Drop");
    expect(outcomeOf(await set("accept"))).toBe("200 OK");
    expect(await policyOf(target, SecurityGroupId)).toBe("Accept");
    expect(outcomeOf(await set("maybe"))).toBe("400 InvalidPolicy.Malformed");
  });

  it("refuses an enterprise group, and one that is not there", async () => {
    const { call, group } = await aTarget();
    const enterprise = await group({ securityGroupType: "enterprise" });
    const set = async (SecurityGroupId: string) =>
      outcomeOf(await call("ModifySecurityGroupPolicy", { SecurityGroupId, InnerAccessPolicy: "Accept" }));
    expect(await set(enterprise)).toBe("404 InvalidParameter.InnerAccessPolicy");
    expect(await set(nobody.group)).toBe("404 InvalidSecurityGroupId.NotFound");
  });
});
