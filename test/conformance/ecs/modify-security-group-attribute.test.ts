// ModifySecurityGroupAttribute as the official SDK sees it.
import { ModifySecurityGroupAttributeRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId } from "./world.ts";

const modify = (client: Client, more: Partial<ModifySecurityGroupAttributeRequest>) =>
  client.modifySecurityGroupAttribute(
    new ModifySecurityGroupAttributeRequest({ regionId, securityGroupId: "sg-web", ...more }),
  );

describe("ModifySecurityGroupAttribute", () => {
  itEmbedded("changes name and description, and keeps what is left out", async () => {
    const { client, ecs } = await aWorld();
    await modify(client, { securityGroupName: "front" });
    await modify(client, { description: "the front" });
    expect(ecs.groups()[0]).toMatchObject({ name: "front", description: "the front" });
    expect(ecs.groups()[0]?.rules).toHaveLength(3);
  });

  itEmbedded.each([
    [{ securityGroupName: "x" }, 400, "InvalidSecurityGroupName.Malformed"],
    [{ description: "https://x" }, 400, "InvalidSecurityGroupDiscription.Malformed"],
    [{ securityGroupId: "sg-no" }, 404, "InvalidSecurityGroupId.NotFound"],
    [{ securityGroupId: "sg-managed" }, 403, "InvalidOperation.ResourceManagedByCloudProduct"],
  ])("refuses %o", async (more, statusCode, code) => {
    const { client, ecs } = await aWorld();
    const before = ecs.groups();
    expect(await refusalOf(modify(client, more))).toEqual({ statusCode, code });
    expect(ecs.groups()).toEqual(before);
  });
});
