// AuthorizeSecurityGroup as the official SDK sees it.
import { describe, expect, it } from "vitest";
import { authorize, aWorld, refusalOf, rulesOf, seed, ssh } from "./world.ts";

describe("AuthorizeSecurityGroup", () => {
  it("adds a rule that reads back whole, with empty texts for what is unused", async () => {
    const { client } = await aWorld();
    const answer = await authorize(client, [
      ssh({ description: "一小时 for *alice* & (bob)!~'%+=", destCidrIp: "127.10.0.11" }),
    ]);
    expect(Object.keys(answer.body ?? {})).toEqual(["requestId"]);
    expect(answer.body?.requestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    const [, , rule] = await rulesOf(client);
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
      sourcePortRange: "",
      nicType: "intranet",
      description: "一小时 for *alice* & (bob)!~'%+=",
      createTime: "2026-11-20T07:28:38Z",
    });
    expect(rule?.securityGroupRuleId).toMatch(/^sgr-/);
  });

  it("takes an omitted policy for accept and an omitted priority for the strongest", async () => {
    const { client } = await aWorld();
    const { policy: _policy, priority: _priority, ...bare } = ssh();
    await authorize(client, [ssh({ ...bare, policy: undefined, priority: undefined } as never)]);
    expect((await rulesOf(client))[2]).toMatchObject({ policy: "Accept", priority: "1" });
  });

  it("adds nothing and keeps the old description when the rule exists", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh({ description: "first" })]);
    await authorize(client, [ssh({ description: "second" })]);
    const rules = await rulesOf(client);
    expect(rules.slice(2).map((rule) => rule.description)).toEqual(["first"]);
  });

  it.each([
    ["second-rule", ["first", "second"]],
    ["updated", ["second"]],
  ] as const)("treats another description as %s when switched so", async (authorizeDescriptionDiffers, texts) => {
    const { client } = await aWorld({ switches: { authorizeDescriptionDiffers } });
    await authorize(client, [ssh({ description: "first" })]);
    await authorize(client, [ssh({ description: "second" })]);
    await authorize(client, [ssh({ description: "second" })]);
    expect((await rulesOf(client)).slice(2).map((rule) => rule.description)).toEqual(texts);
  });

  it.each([
    ["second-rule", 2],
    ["no-op", 1],
  ] as const)("treats another priority as %s", async (authorizePriorityDiffers, count) => {
    const { client } = await aWorld({ switches: { authorizePriorityDiffers } });
    await authorize(client, [ssh()]);
    await authorize(client, [ssh({ priority: "2" })]);
    expect((await rulesOf(client)).length - 2).toBe(count);
  });

  it.each([
    ["different", 2],
    ["same", 1],
  ] as const)("takes an address and its /32 for %s rules", async (bareVersusSlash32, count) => {
    const { client } = await aWorld({ switches: { bareVersusSlash32 } });
    await authorize(client, [ssh({ sourceCidrIp: "203.0.113.7" })]);
    await authorize(client, [ssh()]);
    expect((await rulesOf(client)).length - 2).toBe(count);
  });

  it.each([
    ["as-sent", "203.0.113.7", "10.1.2.3/8"],
    ["slash-32-added", "203.0.113.7/32", "10.1.2.3/8"],
    ["host-bits-cleared", "203.0.113.7", "10.0.0.0/8"],
  ] as const)("stores IPv4 sources %s", async (ipv4Stored, bare, wide) => {
    const { client } = await aWorld({ switches: { ipv4Stored } });
    await authorize(client, [ssh({ sourceCidrIp: "203.0.113.7" }), ssh({ sourceCidrIp: "10.1.2.3/8" })]);
    expect((await rulesOf(client)).slice(2).map((rule) => rule.sourceCidrIp)).toEqual([bare, wide]);
  });

  it("stores IPv6 sources compressed", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh({ sourceCidrIp: undefined, ipv6SourceCidrIp: "2408:4321:180:0000::/64" } as never)]);
    expect((await rulesOf(client))[2]).toMatchObject({ ipv6SourceCidrIp: "2408:4321:180::/64", sourceCidrIp: "" });
  });

  it.each([
    ["dropped", ""],
    ["ignored", "127.10.0.11"],
  ] as const)("has DestCidrIp %s when switched so", async (destCidrIp, stored) => {
    const { client } = await aWorld({ switches: { destCidrIp } });
    await authorize(client, [ssh({ destCidrIp: "127.10.0.11" })]);
    expect((await rulesOf(client))[2]?.destCidrIp).toBe(stored);
  });

  it("refuses DestCidrIp when switched so", async () => {
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
      { ipProtocol: "gre", portRange: none, portRangeListId: "prl-1" },
      400,
      "InvalidParam.ProtocolNotSupportPortRangeList",
    ],
    ["an unknown port list", { portRange: none, portRangeListId: "prl-1" }, 400, "InvalidPortRangeListId.NotFound"],
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
    ["itself as source", { sourceCidrIp: none, sourceGroupId: "sg-web" }, 403, "InvalidParamter.Conflict"],
    [
      "an unknown group as source",
      { sourceCidrIp: none, sourceGroupId: "sg-nobody" },
      404,
      "InvalidSourceGroupId.NotFound",
    ],
    [
      "an enterprise group as source",
      { sourceCidrIp: none, sourceGroupId: "sg-big" },
      400,
      "InvalidGroupAuthParameter.OperationDenied",
    ],
    ["an unknown prefix list", { sourceCidrIp: none, sourcePrefixListId: "pl-1" }, 404, "InvalidPrefixListId.NotFound"],
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
  ])("refuses %s and changes nothing", async (_what, changes, statusCode, code) => {
    const { client, ecs } = await aWorld();
    const before = ecs.groups();
    expect(await refusalOf(authorize(client, [ssh({ portRange: "23/23" }), ssh(changes)]))).toEqual({
      statusCode,
      code,
    });
    expect(ecs.groups()).toEqual(before);
  });

  it("refuses the same permission twice in one call", async () => {
    const { client } = await aWorld();
    const refused = await refusalOf(authorize(client, [ssh({ description: "a" }), ssh({ description: "b" })]));
    expect(refused).toEqual({ statusCode: 400, code: "InvalidParam.DuplicatePermissions" });
  });

  it("takes 100 permissions with long descriptions in one call and refuses 101", async () => {
    const { client } = await aWorld();
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) =>
        ssh({ portRange: `${n + 1000}/${n + 1000}`, description: "说".repeat(512) }),
      );
    await authorize(client, many(100));
    expect(await rulesOf(client)).toHaveLength(102);
    expect((await refusalOf(authorize(client, many(101)))).statusCode).toBe(400);
  });

  it.each([
    ["sg-nobody", 404, "InvalidSecurityGroupId.NotFound"],
    ["web", 400, "InvalidSecurityGroupId.Malformed"],
    ["sg-managed", 403, "InvalidOperation.ResourceManagedByCloudProduct"],
  ])("refuses group %s", async (securityGroupId, statusCode, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(authorize(client, [ssh()], { securityGroupId }))).toEqual({ statusCode, code });
  });

  it("looks for the group in the region of the call alone", async () => {
    const { client } = await aWorld();
    const refused = await refusalOf(authorize(client, [ssh()], { regionId: "cn-shanghai" }));
    expect(refused).toEqual({ statusCode: 404, code: "InvalidSecurityGroupId.NotFound" });
  });

  it("counts the rules of all groups of an interface against its quota, a repeated rule not at all", async () => {
    const { client } = await aWorld({ limits: { rulesPerEni: 4 } });
    await authorize(client, [ssh()], { securityGroupId: "sg-empty" });
    const refused = await refusalOf(authorize(client, [ssh()]));
    expect(refused).toEqual({ statusCode: 403, code: "AuthorizationLimitExceed" });
    await authorize(client, [ssh()], { securityGroupId: "sg-empty" });
  });

  it("counts group rules against their own quota", async () => {
    const { client } = await aWorld({ limits: { groupRulesPerGroup: 1 } });
    const fromEmpty = (portRange: string) => ssh({ portRange, sourceCidrIp: none, sourceGroupId: "sg-empty" });
    await authorize(client, [fromEmpty("22/22")]);
    const refused = await refusalOf(authorize(client, [fromEmpty("23/23")]));
    expect(refused).toEqual({ statusCode: 400, code: "AuthorizedGroupRule.LimitExceed" });
  });

  it.each([
    ["all-or-nothing", 0],
    ["prefix", 1],
  ] as const)("applies a batch over quota %s", async (authorizeBatch, applied) => {
    const { client } = await aWorld({ limits: { rulesPerGroup: 4 }, switches: { authorizeBatch } });
    const refused = await refusalOf(authorize(client, [ssh(), ssh({ portRange: "23/23" })]));
    expect(refused.code).toBe("AuthorizationLimitExceed");
    expect((await rulesOf(client)).length - 2).toBe(applied);
  });

  it("tells the data plane before it answers", async () => {
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

  it("records the call with its caller and parameters", async () => {
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
