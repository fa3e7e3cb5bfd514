// AuthorizeSecurityGroup as the official SDK sees it.
import type { AuthorizeSecurityGroupRequestPermissions as Permission } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, refusalOf, rulesOf, seed, ssh } from "./world.ts";

describe("AuthorizeSecurityGroup", () => {
  it("adds a rule that reads back whole, with empty texts for what is unused", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const description = "一小时 for *alice* & (bob)!~'%+=";
    const answer = await authorize(client, [ssh({ description, destCidrIp: "127.10.0.11" })], { securityGroupId });
    expect(Object.keys(answer.body ?? {})).toEqual(["requestId"]);
    expect(answer.body?.requestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    const [rule] = await rulesOf(client, securityGroupId);
    expect(rule).toMatchObject({
      direction: "ingress",
      policy: "Accept",
      priority: "1",
      ipProtocol: "TCP",
      portRange: "22/22",
      sourceCidrIp: "203.0.113.7/32",
      destCidrIp: "127.10.0.11",
      ipv6SourceCidrIp: "",
      sourceGroupId: "",
      nicType: "intranet",
      description,
      createTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(rule?.securityGroupRuleId).toMatch(/^sgr-/);
  });

  itEmbedded(
    "stamps a rule with the second of the clock, and leaves a source port range that is not given empty",
    async () => {
      const { client } = await aWorld();
      await authorize(client, [ssh()]);
      expect((await rulesOf(client))[2]).toMatchObject({ createTime: "2026-11-20T07:28:38Z", sourcePortRange: "" });
    },
  );

  it("takes an omitted policy for accept and an omitted priority for the strongest", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const { policy: _policy, priority: _priority, ...bare } = ssh();
    const permission = ssh({ ...bare, policy: undefined, priority: undefined } as never);
    await authorize(client, [permission], { securityGroupId });
    expect(await rulesOf(client, securityGroupId)).toMatchObject([{ policy: "Accept", priority: "1" }]);
  });

  it("adds nothing and keeps the old description when the rule exists", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    await authorize(client, [ssh({ description: "first" })], { securityGroupId });
    await authorize(client, [ssh({ description: "second" })], { securityGroupId });
    expect((await rulesOf(client, securityGroupId)).map((rule) => rule.description)).toEqual(["first"]);
  });

  it("takes every protocol, in any case of letters, and reads it back in capitals", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const permissions = [
      ssh({ ipProtocol: "Tcp", portRange: "1/65535" }),
      ssh({ ipProtocol: "udp", portRange: "53/53" }),
      ...["icmp", "gre", "all"].map((ipProtocol) => ssh({ ipProtocol, portRange: "-1/-1" })),
    ];
    await authorize(client, permissions, { securityGroupId });
    const rules = await rulesOf(client, securityGroupId);
    expect(rules.map((rule) => `${rule.ipProtocol} ${rule.portRange}`).sort()).toEqual([
      "ALL -1/-1",
      "GRE -1/-1",
      "ICMP -1/-1",
      "TCP 1/65535",
      "UDP 53/53",
    ]);
  });

  it("takes twenty rules whose source is a group, and no more", async () => {
    const { client, group } = await aTarget();
    const [securityGroupId, sourceGroupId] = [await group(), await group()];
    const from = (port: number) =>
      ssh({ portRange: `${port}/${port}`, sourceCidrIp: undefined as never, sourceGroupId });
    const twenty = Array.from({ length: 20 }, (_, n) => from(n + 1));
    await authorize(client, twenty, { securityGroupId });
    expect(await refusalOf(authorize(client, [from(21)], { securityGroupId }))).toEqual({
      statusCode: 400,
      code: "AuthorizedGroupRule.LimitExceed",
    });
    expect(await rulesOf(client, securityGroupId)).toHaveLength(20);
  });

  itEmbedded("refuses a group that a product manages as a source", async () => {
    const { client } = await aWorld();
    const managed = ssh({ sourceCidrIp: undefined as never, sourceGroupId: "sg-managed" });
    expect(await refusalOf(authorize(client, [managed]))).toEqual({
      statusCode: 403,
      code: "InvalidOperation.ResourceManagedByCloudProduct",
    });
  });

  it("lets an address win over a group, and both over a prefix list", async () => {
    const { client, group } = await aTarget();
    const [securityGroupId, other] = [await group(), await group()];
    const sources = { sourceCidrIp: "203.0.113.7/32", sourceGroupId: other, sourcePrefixListId: nobody.prefixList };
    const without = { ...sources, sourceCidrIp: undefined as never, portRange: "23/23" };
    await authorize(client, [ssh(sources), ssh(without)], { securityGroupId });
    expect(await rulesOf(client, securityGroupId)).toMatchObject([
      { sourceCidrIp: "203.0.113.7/32", sourceGroupId: "", sourcePrefixListId: "" },
      { sourceCidrIp: "", sourceGroupId: other, sourcePrefixListId: "" },
    ]);
  });

  itEmbedded.each([
    ["second-rule", ["first", "second"]],
    ["updated", ["second"]],
  ] as const)("treats another description as %s when switched so", async (authorizeDescriptionDiffers, texts) => {
    const { client } = await aWorld({ switches: { authorizeDescriptionDiffers } });
    await authorize(client, [ssh({ description: "first" })]);
    await authorize(client, [ssh({ description: "second" })]);
    await authorize(client, [ssh({ description: "second" })]);
    expect((await rulesOf(client)).slice(2).map((rule) => rule.description)).toEqual(texts);
  });

  itEmbedded.each([
    ["second-rule", 2],
    ["no-op", 1],
  ] as const)("treats another priority as %s", async (authorizePriorityDiffers, count) => {
    const { client } = await aWorld({ switches: { authorizePriorityDiffers } });
    await authorize(client, [ssh()]);
    await authorize(client, [ssh({ priority: "2" })]);
    expect((await rulesOf(client)).length - 2).toBe(count);
  });

  itEmbedded.each([
    ["different", 2],
    ["same", 1],
  ] as const)("takes an address and its /32 for %s rules", async (bareVersusSlash32, count) => {
    const { client } = await aWorld({ switches: { bareVersusSlash32 } });
    await authorize(client, [ssh({ sourceCidrIp: "203.0.113.7" })]);
    await authorize(client, [ssh()]);
    expect((await rulesOf(client)).length - 2).toBe(count);
  });

  itEmbedded.each([
    ["as-sent", "203.0.113.7", "10.1.2.3/8"],
    ["slash-32-added", "203.0.113.7/32", "10.1.2.3/8"],
    ["host-bits-cleared", "203.0.113.7", "10.0.0.0/8"],
  ] as const)("stores IPv4 sources %s", async (ipv4Stored, bare, wide) => {
    const { client } = await aWorld({ switches: { ipv4Stored } });
    await authorize(client, [ssh({ sourceCidrIp: "203.0.113.7" }), ssh({ sourceCidrIp: "10.1.2.3/8" })]);
    expect((await rulesOf(client)).slice(2).map((rule) => rule.sourceCidrIp)).toEqual([bare, wide]);
  });

  it("stores IPv6 sources compressed", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const ipv6 = (ipv6SourceCidrIp: string) => ssh({ sourceCidrIp: undefined as never, ipv6SourceCidrIp });
    await authorize(client, [ipv6("2408:4321:180:0000::/64"), ipv6("2408:180:0000::1")], { securityGroupId });
    expect(await rulesOf(client, securityGroupId)).toMatchObject([
      { ipv6SourceCidrIp: "2408:4321:180::/64", sourceCidrIp: "" },
      { ipv6SourceCidrIp: "2408:180::1", sourceCidrIp: "" },
    ]);
  });

  itEmbedded.each([
    ["dropped", ""],
    ["ignored", "127.10.0.11"],
  ] as const)("has DestCidrIp %s when switched so", async (destCidrIp, stored) => {
    const { client } = await aWorld({ switches: { destCidrIp } });
    await authorize(client, [ssh({ destCidrIp: "127.10.0.11" })]);
    expect((await rulesOf(client))[2]?.destCidrIp).toBe(stored);
  });

  itEmbedded("refuses DestCidrIp when switched so", async () => {
    const { client } = await aWorld({ switches: { destCidrIp: "refused" } });
    const refused = await refusalOf(authorize(client, [ssh({ destCidrIp: "127.10.0.11" })]));
    expect(refused).toEqual({ statusCode: 400, code: "InvalidParam.DestCidrIp" });
  });

  const none = undefined as never;
  it.each([
    ["a policy nobody knows", { policy: "allow" }, 400, "InvalidPolicy.Malformed"],
    ["priority 0", { priority: "0" }, 400, "InvalidPriority.ValueNotSupported"],
    ["priority 101", { priority: "101" }, 400, "InvalidPriority.ValueNotSupported"],
    ["a priority in words", { priority: "high" }, 400, "InvalidPriority.Malformed"],
    ["no protocol", { ipProtocol: none }, 400, "InvalidIpProtocol.ValueNotSupported"],
    ["an unknown protocol", { ipProtocol: "sctp" }, 400, "InvalidIpProtocol.ValueNotSupported"],
    ["no port range", { portRange: none }, 400, "InvalidPortRange.Malformed"],
    ["port 0", { portRange: "0/22" }, 400, "InvalidParam.PortRange"],
    ["port 65536", { portRange: "22/65536" }, 400, "InvalidParam.PortRange"],
    ["a range backwards", { portRange: "200/1" }, 400, "InvalidParam.PortRange"],
    ["a single number", { portRange: "22" }, 400, "InvalidParam.PortRange"],
    ["tcp without ports", { portRange: "-1/-1" }, 400, "OperationDenied"],
    ["icmp with ports", { ipProtocol: "icmp" }, 400, "OperationDenied"],
    [
      "a port list for gre",
      { ipProtocol: "gre", portRange: none, portRangeListId: nobody.portList },
      400,
      "InvalidParam.ProtocolNotSupportPortRangeList",
    ],
    [
      "an unknown port list",
      { portRange: none, portRangeListId: nobody.portList },
      400,
      "InvalidPortRangeListId.NotFound",
    ],
    ["an octet of 256", { sourceCidrIp: "256.1.1.1" }, 400, "InvalidParam.SourceCidrIp"],
    ["leading zeros", { sourceCidrIp: "010.0.0.1" }, 400, "InvalidParam.SourceCidrIp"],
    ["a prefix of 33", { sourceCidrIp: "10.0.0.0/33" }, 400, "InvalidParam.SourceCidrIp"],
    ["a zone id", { sourceCidrIp: none, ipv6SourceCidrIp: "fe80::1%eth0" }, 400, "InvalidParam.Ipv6SourceCidrIp"],
    ["an IPv6 prefix of 129", { sourceCidrIp: none, ipv6SourceCidrIp: "::/129" }, 400, "InvalidParam.Ipv6SourceCidrIp"],
    ["both families as source", { ipv6SourceCidrIp: "2001:db8::1" }, 400, "InvalidParam.SourceIp"],
    ["families that differ", { ipv6DestCidrIp: "2001:db8::1" }, 400, "InvalidParameter.Conflict"],
    [
      "both families as destination",
      { destCidrIp: "10.0.0.1", ipv6DestCidrIp: "2001:db8::1" },
      400,
      "InvalidParam.DestIp",
    ],
    [
      "icmp from IPv6",
      { ipProtocol: "icmp", portRange: "-1/-1", sourceCidrIp: none, ipv6SourceCidrIp: "::1" },
      400,
      "InvalidParam.Ipv4ProtocolConflictWithIpv6Address",
    ],
    [
      "icmpv6 from IPv4",
      { ipProtocol: "icmpv6", portRange: "-1/-1" },
      400,
      "InvalidParam.Ipv6ProtocolConflictWithIpv4Address",
    ],
    ["no source", { sourceCidrIp: none }, 400, "MissingParameter.Source"],
    ["itself as source", { sourceCidrIp: none, sourceGroupId: "itself" }, 403, "InvalidParamter.Conflict"],
    [
      "an unknown group as source",
      { sourceCidrIp: none, sourceGroupId: nobody.group },
      404,
      "InvalidSourceGroupId.NotFound",
    ],
    [
      "an enterprise group as source",
      { sourceCidrIp: none, sourceGroupId: "enterprise" },
      400,
      "InvalidGroupAuthParameter.OperationDenied",
    ],
    [
      "an unknown prefix list",
      { sourceCidrIp: none, sourcePrefixListId: nobody.prefixList },
      404,
      "InvalidPrefixListId.NotFound",
    ],
    ["a bad destination", { destCidrIp: "web-1" }, 400, "InvalidParam.DestCidrIp"],
    ["a bad source port range", { sourcePortRange: "x" }, 400, "InvalidSourcePortRange.Malformed"],
    ["an unknown nic type", { nicType: "wifi" }, 400, "InvalidNicType.ValueNotSupported"],
    [
      "513 characters of description",
      { description: "x".repeat(513) },
      400,
      "InvalidSecurityGroupDiscription.Malformed",
    ],
    ["an empty description", { description: "" }, 400, "InvalidSecurityGroupDiscription.Malformed"],
    [
      "one address on both sides",
      { sourceCidrIp: "10.0.0.1/32", destCidrIp: "10.0.0.1/32" },
      400,
      "InvalidParamter.Conflict",
    ],
    [
      "a group of an enterprise group",
      { sourceCidrIp: none, sourceGroupId: "for an enterprise" },
      400,
      "InvalidGroupParameter.OperationDenied",
    ],
    ["a number for a protocol", { ipProtocol: "6" }, 400, "InvalidIpProtocol.ValueNotSupported"],
    ["a source port range backwards", { sourcePortRange: "9/8" }, 400, "InvalidSourcePortRange.Malformed"],
  ])("refuses %s and changes nothing", async (_what, changes: Partial<Permission>, statusCode, code) => {
    const { client, group } = await aTarget();
    const asked = changes.sourceGroupId;
    const enterprise = asked?.includes("enterprise") ? await group({ securityGroupType: "enterprise" }) : "";
    const securityGroupId = asked === "for an enterprise" ? enterprise : await group();
    const sources: Record<string, string> = { itself: securityGroupId, enterprise, "for an enterprise": enterprise };
    const sourceGroupId = sources[asked ?? ""] ?? asked;
    const permission = ssh({ ...changes, ...(sourceGroupId === undefined ? {} : { sourceGroupId }) });
    const refused = await refusalOf(authorize(client, [ssh({ portRange: "23/23" }), permission], { securityGroupId }));
    expect(refused).toEqual({ statusCode, code });
    expect(await rulesOf(client, securityGroupId)).toEqual([]);
  });

  it("refuses the same permission twice in one call", async () => {
    const { client, group } = await aTarget();
    const twice = [ssh({ description: "a" }), ssh({ description: "b" })];
    const refused = await refusalOf(authorize(client, twice, { securityGroupId: await group() }));
    expect(refused).toEqual({ statusCode: 400, code: "InvalidParam.DuplicatePermissions" });
  });

  it("takes 100 permissions with long descriptions in one call and refuses 101", async () => {
    const { client, group } = await aTarget();
    const securityGroupId = await group();
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) =>
        ssh({ portRange: `${n + 1000}/${n + 1000}`, description: "说".repeat(512) }),
      );
    await authorize(client, many(100), { securityGroupId });
    expect(await rulesOf(client, securityGroupId)).toHaveLength(100);
    expect((await refusalOf(authorize(client, many(101), { securityGroupId }))).statusCode).toBe(400);
  });

  itEmbedded.each([
    ["sg-nobody", 404, "InvalidSecurityGroupId.NotFound"],
    ["web", 400, "InvalidSecurityGroupId.Malformed"],
    ["sg-managed", 403, "InvalidOperation.ResourceManagedByCloudProduct"],
  ])("refuses group %s", async (securityGroupId, statusCode, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(authorize(client, [ssh()], { securityGroupId }))).toEqual({ statusCode, code });
  });

  itEmbedded("looks for the group in the region of the call alone", async () => {
    const { client } = await aWorld();
    const refused = await refusalOf(authorize(client, [ssh()], { regionId: "cn-shanghai" }));
    expect(refused).toEqual({ statusCode: 404, code: "InvalidSecurityGroupId.NotFound" });
  });

  itEmbedded(
    "counts the rules of all groups of an interface against its quota, a repeated rule not at all",
    async () => {
      const { client } = await aWorld({ limits: { rulesPerEni: 4 } });
      await authorize(client, [ssh()], { securityGroupId: "sg-empty" });
      const refused = await refusalOf(authorize(client, [ssh()]));
      expect(refused).toEqual({ statusCode: 403, code: "AuthorizationLimitExceed" });
      await authorize(client, [ssh()], { securityGroupId: "sg-empty" });
    },
  );

  itEmbedded("counts group rules against their own quota", async () => {
    const { client } = await aWorld({ limits: { groupRulesPerGroup: 1 } });
    const fromEmpty = (portRange: string) => ssh({ portRange, sourceCidrIp: none, sourceGroupId: "sg-empty" });
    await authorize(client, [fromEmpty("22/22")]);
    const refused = await refusalOf(authorize(client, [fromEmpty("23/23")]));
    expect(refused).toEqual({ statusCode: 400, code: "AuthorizedGroupRule.LimitExceed" });
  });

  itEmbedded.each([
    ["all-or-nothing", 0],
    ["prefix", 1],
  ] as const)("applies a batch over quota %s", async (authorizeBatch, applied) => {
    const { client } = await aWorld({ limits: { rulesPerGroup: 4 }, switches: { authorizeBatch } });
    const refused = await refusalOf(authorize(client, [ssh(), ssh({ portRange: "23/23" })]));
    expect(refused.code).toBe("AuthorizationLimitExceed");
    expect((await rulesOf(client)).length - 2).toBe(applied);
  });

  itEmbedded("tells the data plane before it answers", async () => {
    const { client, ecs } = await aWorld();
    const told: string[][] = [];
    let isDone = false;
    ecs.onRulesChanged(async (groupIds) => {
      told.push([...groupIds, `${ecs.groups().find((group) => group.groupId === "sg-web")?.rules.length}`]);
      await new Promise((resolve) => setImmediate(resolve));
      isDone = true;
    });
    await authorize(client, [ssh()]);
    expect(isDone).toBe(true);
    await authorize(client, [ssh()]);
    expect(told).toEqual([["sg-web", "4"]]);
  });

  itEmbedded("records the call with its caller and parameters", async () => {
    const { client, calls } = await aWorld();
    const answer = await authorize(client, [ssh()], { clientToken: "t-1" });
    expect(calls).toEqual([
      expect.objectContaining({
        service: "ecs",
        operation: "AuthorizeSecurityGroup",
        accessKeyId: "AK1",
        principal: "safeport",
        status: 200,
        regionId: seed.regionId,
        requestId: answer.body?.requestId,
        params: expect.objectContaining({ ClientToken: "t-1", "Permissions.1.PortRange": "22/22" }),
      }),
    ]);
  });
});

describe("AuthorizeSecurityGroup by bytes", () => {
  const one = {
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "203.0.113.7/32",
  };

  it("takes permissions from the query and from a form, and answers a request id alone", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    const byQuery = await call("AuthorizeSecurityGroup", { SecurityGroupId, ...one });
    expect([byQuery.status, Object.keys(byQuery.body)]).toEqual([200, ["RequestId"]]);
    expect(byQuery.headers["content-type"]).toContain("application/json");
    const form = { ...one, "Permissions.1.PortRange": "23/23", "Permissions.1.Description": "a+b c*d~(e)'!/说" };
    expect(outcomeOf(await call("AuthorizeSecurityGroup", { SecurityGroupId }, { form }))).toBe("200 OK");
    const rules = await rulesOf(client, SecurityGroupId);
    expect(rules.map((rule) => [rule.portRange, rule.description])).toEqual([
      ["22/22", ""],
      ["23/23", "a+b c*d~(e)'!/说"],
    ]);
  });

  it("takes one permission in the deprecated form, and not beside the numbered one", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    const flat = { IpProtocol: "udp", PortRange: "53/53", SourceCidrIp: "10.0.0.0/8", Priority: "7", Policy: "Drop" };
    expect(outcomeOf(await call("AuthorizeSecurityGroup", { SecurityGroupId, ...flat }))).toBe("200 OK");
    expect(await rulesOf(client, SecurityGroupId)).toMatchObject([
      { ipProtocol: "UDP", portRange: "53/53", priority: "7", policy: "Drop" },
    ]);
    expect(outcomeOf(await call("AuthorizeSecurityGroup", { SecurityGroupId, ...one, ...flat }))).toBe(
      "400 InvalidParam.Permissions",
    );
  });

  it("names the parameter that is wrong", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const { status, body } = await call("AuthorizeSecurityGroup", {
      SecurityGroupId,
      ...one,
      "Permissions.2.IpProtocol": "TCP",
      "Permissions.2.PortRange": "9/8",
      "Permissions.2.SourceCidrIp": "10.0.0.0/8",
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      Code: "InvalidParam.PortRange",
      Message:
        "The specified parameter Permissions.2.PortRange is not valid. It should be two integers less than 65535 in ?/? format.",
      HostId: expect.any(String),
      RequestId: expect.any(String),
      Recommend: expect.stringContaining("InvalidParam.PortRange"),
    });
  });

  it("refuses a group that is not there, an id that is none, and a call without region or group", async () => {
    const { call } = await aTarget();
    const refused = async (query: Record<string, string>) =>
      outcomeOf(await call("AuthorizeSecurityGroup", { ...one, ...query }));
    expect(await refused({ SecurityGroupId: nobody.group })).toBe("404 InvalidSecurityGroupId.NotFound");
    expect(await refused({ SecurityGroupId: "web" })).toBe("400 InvalidSecurityGroupId.Malformed");
    expect(await refused({ SecurityGroupId: nobody.group, RegionId: "mars-1" })).toBe("404 InvalidRegionId.NotFound");
    expect(await refused({})).toMatch(/^400 MissingParameter/);
  });

  itEmbedded(
    "looks a group up that is said to be of the account itself, and takes one of another at its word",
    async () => {
      const { call, client, group } = await aTarget();
      const SecurityGroupId = await group();
      const from = (owner: string, more: Record<string, string> = {}) =>
        call("AuthorizeSecurityGroup", {
          SecurityGroupId,
          ...one,
          "Permissions.1.SourceCidrIp": "",
          "Permissions.1.SourceGroupId": nobody.group,
          "Permissions.1.SourceGroupOwnerId": owner,
          ...more,
        });
      expect(outcomeOf(await from(seed.accountId))).toBe("404 InvalidSourceGroupId.NotFound");
      const account = { "Permissions.1.SourceGroupOwnerAccount": "other@example.com" };
      expect(outcomeOf(await from("9999999999999999", account))).toBe("200 OK");
      expect(await rulesOf(client, SecurityGroupId)).toMatchObject([
        { sourceGroupId: nobody.group, sourceGroupOwnerAccount: "other@example.com" },
      ]);
    },
  );

  it("takes as same what differs in nothing but case and spelling of the protocol", async () => {
    const { call, client, group } = await aTarget();
    const SecurityGroupId = await group();
    for (const protocol of ["tcp", "TCP", "Tcp"]) {
      await call("AuthorizeSecurityGroup", { SecurityGroupId, ...one, "Permissions.1.IpProtocol": protocol });
    }
    expect(await rulesOf(client, SecurityGroupId)).toHaveLength(1);
  });
});
