// ModifySecurityGroupPolicy as the official SDK sees it.
import { ModifySecurityGroupPolicyRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
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
