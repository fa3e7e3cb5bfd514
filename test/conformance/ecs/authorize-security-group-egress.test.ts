// AuthorizeSecurityGroupEgress as the official SDK sees it.
import {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressRequestPermissions,
} from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

type Permission = AuthorizeSecurityGroupEgressRequestPermissions;
const none = undefined as never;

const dns = (changes: Partial<Permission> = {}) =>
  new AuthorizeSecurityGroupEgressRequestPermissions({
    policy: "accept",
    priority: "1",
    ipProtocol: "udp",
    portRange: "53/53",
    destCidrIp: "203.0.113.53/32",
    ...changes,
  });

const authorizeEgress = (
  client: Client,
  permissions: Permission[],
  more: { securityGroupId?: string; clientToken?: string } = {},
) =>
  client.authorizeSecurityGroupEgress(
    new AuthorizeSecurityGroupEgressRequest({ regionId, securityGroupId: "sg-web", permissions, ...more }),
  );

const egressOf = async (client: Client, groupId = "sg-web") => (await rulesOf(client, groupId, "egress")).slice(1);

describe("AuthorizeSecurityGroupEgress", () => {
  itEmbedded("adds an egress rule that reads back whole and leaves ingress alone", async () => {
    const { client } = await aWorld();
    const answer = await authorizeEgress(client, [dns({ description: "names", sourceCidrIp: "127.10.0.11" })]);
    expect(Object.keys(answer.body ?? {})).toEqual(["requestId"]);
    expect(await egressOf(client)).toEqual([
      expect.objectContaining({
        direction: "egress",
        policy: "Accept",
        priority: "1",
        ipProtocol: "UDP",
        portRange: "53/53",
        sourceCidrIp: "127.10.0.11",
        destCidrIp: "203.0.113.53/32",
        sourceGroupId: "",
        destGroupId: "",
        description: "names",
      }),
    ]);
    expect(await rulesOf(client)).toHaveLength(2);
  });

  itEmbedded("takes another group as destination, by name", async () => {
    const { client } = await aWorld();
    await authorizeEgress(client, [dns({ destCidrIp: none, destGroupId: "sg-empty" })]);
    expect(await egressOf(client)).toMatchObject([{ destGroupId: "sg-empty", destGroupName: "empty", destCidrIp: "" }]);
  });

  itEmbedded("lets an address win over a group", async () => {
    const { client } = await aWorld();
    await authorizeEgress(client, [dns({ destGroupId: "sg-nobody" })]);
    expect(await egressOf(client)).toMatchObject([{ destCidrIp: "203.0.113.53/32", destGroupId: "" }]);
  });

  itEmbedded("adds nothing when the rule exists", async () => {
    const { client } = await aWorld();
    await authorizeEgress(client, [dns({ description: "first" })]);
    await authorizeEgress(client, [dns({ description: "second" })]);
    expect((await egressOf(client)).map((rule) => rule.description)).toEqual(["first"]);
  });

  itEmbedded("tells an egress rule from the ingress rule of the same address", async () => {
    const { client } = await aWorld();
    const both = { sourceCidrIp: "10.0.0.1", destCidrIp: "10.0.0.2", ipProtocol: "tcp", portRange: "22/22" };
    await authorize(client, [ssh(both)]);
    await authorizeEgress(client, [dns(both)]);
    expect(await egressOf(client)).toHaveLength(1);
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("does not narrow by the switch of ingress destinations", async () => {
    const { client } = await aWorld({ switches: { destCidrIp: "refused" } });
    await authorizeEgress(client, [dns()]);
    expect(await egressOf(client)).toHaveLength(1);
  });

  itEmbedded.each([
    ["no destination", { destCidrIp: none }, 400, "MissingParameter.Dest"],
    ["a bad destination", { destCidrIp: "10.0.0.0/33" }, 400, "InvalidParam.DestCidrIp"],
    ["a bad source", { sourceCidrIp: "x" }, 400, "InvalidParam.SourceCidrIp"],
    ["both families as destination", { ipv6DestCidrIp: "2001:db8::1" }, 400, "InvalidParam.DestIp"],
    ["a bad IPv6 destination", { destCidrIp: none, ipv6DestCidrIp: "x" }, 400, "InvalidParam.Ipv6DestCidrIp"],
    ["itself", { destCidrIp: none, destGroupId: "sg-web" }, 403, "InvalidSecurityGroup.IsSame"],
    ["an unknown group", { destCidrIp: none, destGroupId: "sg-no" }, 404, "InvalidDestGroupId.NotFound"],
    [
      "an enterprise group",
      { destCidrIp: none, destGroupId: "sg-big" },
      400,
      "InvalidGroupAuthParameter.OperationDenied",
    ],
    ["a source group", { destCidrIp: none, sourceGroupId: "sg-empty" } as never, 400, "MissingParameter.Dest"],
    ["no protocol", { ipProtocol: none }, 400, "InvalidIpProtocol.ValueNotSupported"],
    ["priority 101", { priority: "101" }, 400, "InvalidPriority.ValueNotSupported"],
  ])("refuses %s", async (_what, changes: Partial<Permission>, statusCode, code) => {
    const { client, ecs } = await aWorld();
    const before = ecs.groups();
    expect(await refusalOf(authorizeEgress(client, [dns(changes)]))).toEqual({ statusCode, code });
    expect(ecs.groups()).toEqual(before);
  });

  itEmbedded("refuses a permission twice, a managed group and a group that is not there", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(authorizeEgress(client, [dns(), dns()]))).code).toBe("InvalidParam.DuplicatePermissions");
    expect(await refusalOf(authorizeEgress(client, [dns()], { securityGroupId: "sg-managed" }))).toEqual({
      statusCode: 403,
      code: "InvalidOperation.ResourceManagedByCloudProduct",
    });
    expect((await refusalOf(authorizeEgress(client, [dns()], { securityGroupId: "sg-no" }))).code).toBe(
      "InvalidSecurityGroupId.NotFound",
    );
  });

  itEmbedded("counts both directions into one quota, groups as objects too", async () => {
    const { client } = await aWorld({ limits: { rulesPerEni: 4, groupRulesPerGroup: 1 } });
    await authorize(client, [ssh({ sourceCidrIp: none, sourceGroupId: "sg-empty" })]);
    expect(await refusalOf(authorizeEgress(client, [dns()]))).toEqual({
      statusCode: 403,
      code: "AuthorizationLimitExceed",
    });
    const wide = await aWorld({ limits: { groupRulesPerGroup: 1 } });
    await authorize(wide.client, [ssh({ sourceCidrIp: none, sourceGroupId: "sg-empty" })]);
    expect(await refusalOf(authorizeEgress(wide.client, [dns({ destCidrIp: none, destGroupId: "sg-empty" })]))).toEqual(
      {
        statusCode: 400,
        code: "AuthorizedGroupRule.LimitExceed",
      },
    );
  });

  itEmbedded("answers a ClientToken once, apart from that of ingress", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh()], { clientToken: "t" });
    await authorizeEgress(client, [dns()], { clientToken: "t" });
    await authorizeEgress(client, [dns()], { clientToken: "t" });
    expect(await egressOf(client)).toHaveLength(1);
  });
});
