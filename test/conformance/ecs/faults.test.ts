// Faults and throttling as the official SDK meets them.
import { DescribeRegionsRequest, RevokeSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, clientOf, refusalOf, regionId, rulesOf, ssh, until } from "./world.ts";

const onAuthorize = { service: "ecs", operation: "AuthorizeSecurityGroup" } as const;

describe("faults", () => {
  itEmbedded("reject a call without effect, for the given number of times", async () => {
    const { client, ecs } = await aWorld();
    ecs.faults.set([
      { ...onAuthorize, skip: 1, times: 1, fault: { kind: "reject", status: 403, code: "Forbidden.RAM" } },
    ]);
    await authorize(client, [ssh()]);
    expect(await refusalOf(authorize(client, [ssh({ priority: "2" })]))).toEqual({
      statusCode: 403,
      code: "Forbidden.RAM",
    });
    await authorize(client, [ssh({ priority: "3" })]);
    expect((await rulesOf(client)).slice(2).map((rule) => rule.priority)).toEqual(["1", "3"]);
  });

  itEmbedded("hit only the calls they match", async () => {
    const { client, ecs } = await aWorld();
    const fault = { kind: "reject", status: 503, code: "ServiceUnavailable" } as const;
    ecs.faults.set([{ ...onAuthorize, accessKeyId: "AK2", match: { "Permissions.1.PortRange": "22/22" }, fault }]);
    await authorize(client, [ssh()]);
    await authorize(clientOf(ecs, "AK2"), [ssh({ portRange: "23/23" })]);
    expect((await refusalOf(authorize(clientOf(ecs, "AK2"), [ssh()]))).statusCode).toBe(503);
  });

  itEmbedded.each([
    ["drop-before", 0],
    ["drop-after", 1],
  ] as const)("%s loses the reply with the effect of so many rules", async (kind, added) => {
    const { client, ecs, calls } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind } }]);
    expect(await refusalOf(authorize(client, [ssh()]))).toEqual({ statusCode: undefined, code: expect.anything() });
    expect((ecs.groups()[0]?.rules.length ?? 0) - 3).toBe(added);
    expect(calls[0]).toMatchObject({ fault: kind, status: added * 200 });
  });

  itEmbedded("late-effect loses the reply and lets the effect happen later on the clock", async () => {
    const { client, ecs, clock, calls } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, times: 1, fault: { kind: "late-effect", ms: 30_000 } }]);
    await refusalOf(authorize(client, [ssh()]));
    await clock.advance(29_999);
    expect(await rulesOf(client)).toHaveLength(2);
    await clock.advance(1);
    await until(() => calls.some((call) => call.operation === "AuthorizeSecurityGroup"));
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("delay holds a call back until its time", async () => {
    const { client, ecs, clock } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "delay", ms: 1_000 } }]);
    const call = authorize(client, [ssh()]);
    await until(() => clock.sleeping === 1);
    expect(ecs.groups()[0]?.rules).toHaveLength(3);
    await clock.advance(1_000);
    await call;
    expect(ecs.groups()[0]?.rules).toHaveLength(4);
  });

  itEmbedded("stale-read shows one read what was", async () => {
    const { client, ecs } = await aWorld();
    await authorize(client, [ssh()]);
    ecs.faults.set([
      { service: "ecs", operation: "DescribeSecurityGroupAttribute", times: 1, fault: { kind: "stale-read", ms: 1 } },
    ]);
    expect(await rulesOf(client)).toHaveLength(2);
    expect(await rulesOf(client)).toHaveLength(3);
  });

  itEmbedded("html-502 reaches the SDK as a body that is no JSON", async () => {
    const { client, ecs } = await aWorld();
    ecs.faults.set([{ service: "ecs", fault: { kind: "html-502" } }]);
    await expect(client.describeRegions(new DescribeRegionsRequest({}))).rejects.toThrow(SyntaxError);
  });
});

describe("faults of the way", () => {
  const group = { service: "ecs", operation: "RevokeSecurityGroup" } as const;
  const revoke = (client: ReturnType<typeof clientOf>) =>
    client.revokeSecurityGroup(
      new RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId: ["sgr-80"] }),
    );

  itEmbedded("duplicate delivers a call twice, each with its own request id, and answers the first", async () => {
    const { client, ecs, calls } = await aWorld();
    ecs.faults.set([{ ...group, fault: { kind: "duplicate" } }]);
    const { body } = await revoke(client);
    expect(calls.map(({ status }) => status)).toEqual([200, 400]);
    expect(body?.requestId).toBe(calls[0]?.requestId);
    expect(calls[1]?.requestId).not.toBe(calls[0]?.requestId);
  });

  itEmbedded("duplicate answers the last when asked to, which is a refusal of what the first has done", async () => {
    const { client, ecs } = await aWorld();
    ecs.faults.set([{ ...group, fault: { kind: "duplicate", answer: "last" } }]);
    expect((await refusalOf(revoke(client))).code).toBe("InvalidParam.SecurityGroupRuleId");
    expect((await rulesOf(client)).map(({ portRange }) => portRange)).toEqual(["443/443"]);
  });

  itEmbedded("a ClientToken makes one call of two deliveries", async () => {
    const { client, ecs } = await aWorld({ switches: { authorizeDescriptionDiffers: "second-rule" } });
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "duplicate", times: 3 } }]);
    await authorize(client, [ssh()], { clientToken: "once" });
    expect(ecs.groups()[0]?.rules).toHaveLength(4);
  });

  itEmbedded("reorder holds a call until another that matches has ended", async () => {
    const { client, ecs, clock, calls } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "reorder", ms: 60_000 } }]);
    const early = authorize(client, [ssh({ portRange: "1/1" })]);
    await until(() => clock.sleeping === 1);
    await rulesOf(client);
    expect(ecs.groups()[0]?.rules).toHaveLength(3);
    await authorize(client, [ssh({ portRange: "2/2" })]);
    await early;
    const order = calls.flatMap(({ params }) => params["Permissions.1.PortRange"] ?? []);
    expect([order, clock.sleeping]).toEqual([["2/2", "1/1"], 0]);
  });

  itEmbedded("reorder lets a call go that nothing overtakes, and begins anew with the next", async () => {
    const { client, ecs, clock } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "reorder" } }]);
    for (const portRange of ["1/1", "2/2"]) {
      const call = authorize(client, [ssh({ portRange })]);
      await until(() => clock.sleeping === 1);
      await clock.advance(1_000);
      await call;
    }
    expect(ecs.groups()[0]?.rules).toHaveLength(5);
  });

  itEmbedded("a fault that is taken back lets the call go that it held", async () => {
    const { client, ecs, clock } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "reorder" } }]);
    const call = authorize(client, [ssh()]);
    await until(() => clock.sleeping === 1);
    ecs.faults.set([]);
    await call;
  });

  itEmbedded("skew dates an answer by a clock that is off", async () => {
    const { client, ecs, clock } = await aWorld();
    ecs.faults.set([{ service: "ecs", times: 1, fault: { kind: "skew", ms: -6_000 } }]);
    const dateOf = async () => (await client.describeRegions(new DescribeRegionsRequest({}))).headers?.["date"];
    expect(await dateOf()).toBe(new Date(clock.now() - 6_000).toUTCString());
    expect(await dateOf()).toBe(new Date(clock.now()).toUTCString());
  });
});

describe("throttling", () => {
  itEmbedded("blocks an API of a region for the rest of the minute, for every caller", async () => {
    const { client, ecs, clock } = await aWorld({ limits: { callsPerMinute: { AuthorizeSecurityGroup: 1 } } });
    await authorize(client, [ssh()]);
    expect(await refusalOf(authorize(clientOf(ecs, "AK2"), [ssh()]))).toEqual({
      statusCode: 400,
      code: "Throttling.User",
    });
    await rulesOf(client);
    await clock.advance(60_000);
    await authorize(client, [ssh()]);
  });

  itEmbedded("answers with the status and the header it is switched to", async () => {
    const { client } = await aWorld({
      limits: { callsPerMinute: 0 },
      switches: { throttleAnswer: { status: 429, retryAfterHeader: true } },
    });
    // The account starts 38 seconds into its minute.
    await expect(authorize(client, [ssh()])).rejects.toMatchObject({ statusCode: 429, retryAfter: 22_000 });
  });

  itEmbedded("blocks every API once the account has made its calls of the minute", async () => {
    const { client, clock } = await aWorld({ limits: { callsPerMinuteInAll: 2 } });
    await authorize(client, [ssh()]);
    await rulesOf(client);
    expect(await refusalOf(rulesOf(client))).toEqual({ statusCode: 400, code: "Throttling" });
    await clock.advance(60_000);
    expect(await rulesOf(client)).toHaveLength(3);
  });
});
