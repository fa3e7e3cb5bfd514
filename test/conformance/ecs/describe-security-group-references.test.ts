// DescribeSecurityGroupReferences as the official SDK sees it.
import {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressRequestPermissions,
  DescribeSecurityGroupReferencesRequest,
} from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, seed, ssh } from "./world.ts";

const references = async (client: Client, securityGroupId: string[], region = regionId) => {
  const request = new DescribeSecurityGroupReferencesRequest({ regionId: region, securityGroupId });
  const { body } = await client.describeSecurityGroupReferences(request);
  return body?.securityGroupReferences?.securityGroupReference?.map((each) => ({
    of: each.securityGroupId,
    by: each.referencingSecurityGroups?.referencingSecurityGroup?.map((group) => group.securityGroupId),
    accounts: each.referencingSecurityGroups?.referencingSecurityGroup?.map((group) => group.aliUid),
  }));
};

describe("DescribeSecurityGroupReferences", () => {
  itEmbedded("names the groups whose rules of either direction name a group", async () => {
    const third = { groupId: "sg-third", name: "third", rules: [] };
    const { client } = await aWorld({ seed: { ...seed, groups: [...seed.groups, third] } });
    await authorize(client, [ssh({ sourceCidrIp: undefined as never, sourceGroupId: "sg-empty" })]);
    const permission = { ipProtocol: "all", portRange: "-1/-1", destGroupId: "sg-empty" };
    const permissions = [new AuthorizeSecurityGroupEgressRequestPermissions(permission)];
    await client.authorizeSecurityGroupEgress(
      new AuthorizeSecurityGroupEgressRequest({ regionId, securityGroupId: "sg-third", permissions }),
    );
    expect(await references(client, ["sg-empty", "sg-web"])).toEqual([
      { of: "sg-empty", by: ["sg-web", "sg-third"], accounts: [seed.accountId, seed.accountId] },
      { of: "sg-web", by: [], accounts: [] },
    ]);
  });

  itEmbedded("refuses unknown groups, malformed ids, other regions and more than ten", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(references(client, ["sg-web", "sg-no"]))).toEqual({
      statusCode: 404,
      code: "InvalidSecurityGroupId.NotFound",
    });
    expect((await refusalOf(references(client, ["web"]))).code).toBe("InvalidSecurityGroupId.Malformed");
    expect((await refusalOf(references(client, ["sg-web"], "cn-shanghai"))).code).toBe(
      "InvalidSecurityGroupId.NotFound",
    );
    expect((await refusalOf(references(client, ["sg-web"], "mars"))).code).toBe("InvalidRegionId.NotFound");
    expect((await refusalOf(references(client, Array(11).fill("sg-web")))).code).toBe("InvalidParameter");
  });
});

describe("DescribeSecurityGroupReferences by bytes", () => {
  it("names the groups whose rules of either direction name one, each once", async () => {
    const { call, group } = await aTarget();
    const [named, one, two] = [await group(), await group(), await group()];
    const flat = { IpProtocol: "tcp", PortRange: "22/22" };
    await call("AuthorizeSecurityGroup", { SecurityGroupId: one, ...flat, SourceGroupId: named });
    await call("AuthorizeSecurityGroupEgress", { SecurityGroupId: one, ...flat, DestGroupId: named });
    await call("AuthorizeSecurityGroupEgress", { SecurityGroupId: two, ...flat, DestGroupId: named });
    const { body } = await call("DescribeSecurityGroupReferences", { "SecurityGroupId.1": named });
    const { SecurityGroupReference } = body["SecurityGroupReferences"] as {
      SecurityGroupReference: {
        SecurityGroupId: string;
        ReferencingSecurityGroups: { ReferencingSecurityGroup: { SecurityGroupId: string }[] };
      }[];
    };
    expect(SecurityGroupReference.map((each) => each.SecurityGroupId)).toEqual([named]);
    const referring = SecurityGroupReference[0]?.ReferencingSecurityGroups.ReferencingSecurityGroup ?? [];
    expect(referring.map((each) => each.SecurityGroupId).sort()).toEqual([one, two].sort());
  });

  it("refuses a group that is not there, and an id that is none", async () => {
    const { call } = await aTarget();
    const ask = async (id: string) =>
      outcomeOf(await call("DescribeSecurityGroupReferences", { "SecurityGroupId.1": id }));
    expect(await ask(nobody.group)).toBe("404 InvalidSecurityGroupId.NotFound");
    expect(await ask("web")).toBe("400 InvalidSecurityGroupId.Malformed");
  });
});
