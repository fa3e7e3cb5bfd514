// ModifySecurityGroupAttribute as the official SDK sees it.
import { ModifySecurityGroupAttributeRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
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

describe("ModifySecurityGroupAttribute by bytes", () => {
  it("changes name and description, each without the other", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group({ securityGroupName: "before", description: "made by a test" });
    const read = async () => {
      const { body } = await call("DescribeSecurityGroupAttribute", { SecurityGroupId });
      return [body["SecurityGroupName"], body["Description"]];
    };
    const answer = await call("ModifySecurityGroupAttribute", { SecurityGroupId, SecurityGroupName: "after" });
    expect([outcomeOf(answer), Object.keys(answer.body)]).toEqual(["200 OK", ["RequestId"]]);
    expect(await read()).toEqual(["after", "made by a test"]);
    await call("ModifySecurityGroupAttribute", { SecurityGroupId, Description: "changed by a test" });
    expect(await read()).toEqual(["after", "changed by a test"]);
  });

  it("refuses texts that are none, and a group that is not there", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const refused = async (query: Record<string, string>) =>
      outcomeOf(await call("ModifySecurityGroupAttribute", { SecurityGroupId, ...query }));
    expect(await refused({ SecurityGroupName: "x" })).toBe("400 InvalidSecurityGroupName.Malformed");
    expect(await refused({ Description: "http://x" })).toBe("400 InvalidSecurityGroupDiscription.Malformed");
    expect(await refused({ SecurityGroupId: nobody.group, SecurityGroupName: "ok" })).toBe(
      "404 InvalidSecurityGroupId.NotFound",
    );
  });
});
