// Faults and throttling as the official SDK meets them.
import { DescribeRegionsRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { authorize, aWorld, clientOf, refusalOf, rulesOf, ssh, until } from "./world.ts";

const onAuthorize = { service: "ecs", operation: "AuthorizeSecurityGroup" } as const;

describe("faults", () => {
  it("reject a call without effect, for the given number of times", async () => {
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

  it("hit only the calls they match", async () => {
    const { client, ecs } = await aWorld();
    const fault = { kind: "reject", status: 503, code: "ServiceUnavailable" } as const;
    ecs.faults.set([{ ...onAuthorize, accessKeyId: "AK2", match: { "Permissions.1.PortRange": "22/22" }, fault }]);
    await authorize(client, [ssh()]);
    await authorize(clientOf(ecs, "AK2"), [ssh({ portRange: "23/23" })]);
    expect((await refusalOf(authorize(clientOf(ecs, "AK2"), [ssh()]))).statusCode).toBe(503);
  });

  it.each([
    ["drop-before", 0],
    ["drop-after", 1],
  ] as const)("%s loses the reply with the effect of so many rules", async (kind, added) => {
    const { client, ecs, calls } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind } }]);
    expect(await refusalOf(authorize(client, [ssh()]))).toEqual({ statusCode: undefined, code: expect.anything() });
    expect((ecs.groups()[0]?.rules.length ?? 0) - 3).toBe(added);
    expect(calls[0]).toMatchObject({ fault: kind, status: added * 200 });
  });

  it("late-effect loses the reply and lets the effect happen later on the clock", async () => {
    const { client, ecs, clock, calls } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, times: 1, fault: { kind: "late-effect", ms: 30_000 } }]);
    await refusalOf(authorize(client, [ssh()]));
    await clock.advance(29_999);
    expect(await rulesOf(client)).toHaveLength(2);
    await clock.advance(1);
    await until(() => calls.some((call) => call.operation === "AuthorizeSecurityGroup"));
    expect(await rulesOf(client)).toHaveLength(3);
  });

  it("delay holds a call back until its time", async () => {
    const { client, ecs, clock } = await aWorld();
    ecs.faults.set([{ ...onAuthorize, fault: { kind: "delay", ms: 1_000 } }]);
    const call = authorize(client, [ssh()]);
    await until(() => clock.sleeping === 1);
    expect(ecs.groups()[0]?.rules).toHaveLength(3);
    await clock.advance(1_000);
    await call;
    expect(ecs.groups()[0]?.rules).toHaveLength(4);
  });

  it("stale-read shows one read what was", async () => {
    const { client, ecs } = await aWorld();
    await authorize(client, [ssh()]);
    ecs.faults.set([
      { service: "ecs", operation: "DescribeSecurityGroupAttribute", times: 1, fault: { kind: "stale-read", ms: 1 } },
    ]);
    expect(await rulesOf(client)).toHaveLength(2);
    expect(await rulesOf(client)).toHaveLength(3);
  });

  it("html-502 reaches the SDK as a body that is no JSON", async () => {
    const { client, ecs } = await aWorld();
    ecs.faults.set([{ service: "ecs", fault: { kind: "html-502" } }]);
    await expect(client.describeRegions(new DescribeRegionsRequest({}))).rejects.toThrow(SyntaxError);
  });
});

describe("throttling", () => {
  it("blocks an API of a region for the rest of the minute, for every caller", async () => {
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

  it("answers with the status and the header it is switched to", async () => {
    const { client } = await aWorld({
      limits: { callsPerMinute: 0 },
      switches: { throttleAnswer: { status: 429, retryAfterHeader: true } },
    });
    // The account starts 38 seconds into its minute.
    await expect(authorize(client, [ssh()])).rejects.toMatchObject({ statusCode: 429, retryAfter: 22_000 });
  });

  it("blocks every API once the account has made its calls of the minute", async () => {
    const { client, clock } = await aWorld({ limits: { callsPerMinuteInAll: 2 } });
    await authorize(client, [ssh()]);
    await rulesOf(client);
    expect(await refusalOf(rulesOf(client))).toEqual({ statusCode: 400, code: "Throttling" });
    await clock.advance(60_000);
    expect(await rulesOf(client)).toHaveLength(3);
  });
});
