// AuthorizeSecurityGroupEgress as the official SDK sees it.
import {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressRequestPermissions,
} from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
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
  it("adds an egress rule that reads back whole and leaves ingress alone", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const permission = dns({ description: "names", sourceCidrIp: "127.10.0.11" });
    const answer = await authorizeEgress(client, [permission], { securityGroupId });
    expect(Object.keys(answer.body ?? {})).toEqual(["requestId"]);
    expect(await rulesOf(client, securityGroupId, "egress")).toEqual([
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
    expect(await rulesOf(client, securityGroupId)).toEqual([]);
  });

  it("takes another group as destination, by name, and lets an address win over it", async () => {
    const { client, group } = await aTarget();
    const [securityGroupId, destGroupId] = [await group(), await group({ securityGroupName: "elsewhere" })];
    const permissions = [
      dns({ destCidrIp: none, destGroupId }),
      dns({ destGroupId: nobody.group, portRange: "54/54" }),
    ];
    await authorizeEgress(client, permissions, { securityGroupId });
    expect(await rulesOf(client, securityGroupId, "egress")).toMatchObject([
      { destGroupId, destGroupName: "elsewhere", destCidrIp: "" },
      { destCidrIp: "203.0.113.53/32", destGroupId: "" },
    ]);
  });

  it("adds nothing when the rule exists", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    await authorizeEgress(client, [dns({ description: "first" })], { securityGroupId });
    await authorizeEgress(client, [dns({ description: "second" })], { securityGroupId });
    const rules = await rulesOf(client, securityGroupId, "egress");
    expect(rules.map((rule) => rule.description)).toEqual(["first"]);
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

  it.each([
    ["no destination", { destCidrIp: none }, 400, "MissingParameter.Dest"],
    ["a bad destination", { destCidrIp: "10.0.0.0/33" }, 400, "InvalidParam.DestCidrIp"],
    ["a bad source", { sourceCidrIp: "x" }, 400, "InvalidParam.SourceCidrIp"],
    ["both families as destination", { ipv6DestCidrIp: "2001:db8::1" }, 400, "InvalidParam.DestIp"],
    ["a bad IPv6 destination", { destCidrIp: none, ipv6DestCidrIp: "x" }, 400, "InvalidParam.Ipv6DestCidrIp"],
    ["itself", { destCidrIp: none, destGroupId: "itself" }, 403, "InvalidSecurityGroup.IsSame"],
    ["an unknown group", { destCidrIp: none, destGroupId: nobody.group }, 404, "InvalidDestGroupId.NotFound"],
    [
      "an enterprise group",
      { destCidrIp: none, destGroupId: "enterprise" },
      400,
      "InvalidGroupAuthParameter.OperationDenied",
    ],
    ["a source group", { destCidrIp: none, sourceGroupId: nobody.group } as never, 400, "MissingParameter.Dest"],
    ["no protocol", { ipProtocol: none }, 400, "InvalidIpProtocol.ValueNotSupported"],
    ["priority 101", { priority: "101" }, 400, "InvalidPriority.ValueNotSupported"],
    ["one address on both sides", { sourceCidrIp: "203.0.113.53/32" }, 400, "InvalidParamter.Conflict"],
    [
      "an unknown prefix list",
      { destCidrIp: none, destPrefixListId: nobody.prefixList },
      404,
      "InvalidPrefixListId.NotFound",
    ],
    ["families that differ", { ipv6SourceCidrIp: "2001:db8::1" }, 400, "InvalidParameter.Conflict"],
  ])("refuses %s", async (_what, changes: Partial<Permission>, statusCode, code) => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const asked = changes.destGroupId ?? "";
    const enterprise = asked === "enterprise" ? await group({ securityGroupType: "enterprise" }) : "";
    const destGroupId = { itself: securityGroupId, enterprise }[asked] ?? asked;
    const permission = dns({ ...changes, ...(asked === "" ? {} : { destGroupId }) });
    const refused = await refusalOf(authorizeEgress(client, [permission], { securityGroupId }));
    expect(refused).toEqual({ statusCode, code });
    expect(await rulesOf(client, securityGroupId, "egress")).toEqual([]);
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

describe("AuthorizeSecurityGroupEgress by bytes", () => {
  it("adds what the query asks for, and answers a request id alone", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    const answer = await call("AuthorizeSecurityGroupEgress", {
      SecurityGroupId,
      "Permissions.1.IpProtocol": "ALL",
      "Permissions.1.PortRange": "-1/-1",
      "Permissions.1.DestCidrIp": "10.0.0.0/8",
      "Permissions.1.Policy": "drop",
      "Permissions.1.Priority": "100",
    });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(await rulesOf(client, SecurityGroupId, "egress")).toMatchObject([
      { ipProtocol: "ALL", portRange: "-1/-1", destCidrIp: "10.0.0.0/8", policy: "Drop", priority: "100" },
    ]);
  });

  it("names the permission without a destination", async () => {
    const { call, group } = await aTarget();
    const { status, body } = await call("AuthorizeSecurityGroupEgress", {
      SecurityGroupId: await group(),
      "Permissions.1.IpProtocol": "TCP",
      "Permissions.1.PortRange": "22/22",
    });
    expect([status, body["Code"], body["Message"]]).toEqual([
      400,
      "MissingParameter.Dest",
      "One of the parameters DestCidrIp, Ipv6DestCidrIp, DestGroupId or DestPrefixListId in Permissions.1 must be specified.",
    ]);
    const missing = await call("AuthorizeSecurityGroupEgress", { SecurityGroupId: nobody.group });
    expect(outcomeOf(missing)).toBe("404 InvalidSecurityGroupId.NotFound");
  });
});
