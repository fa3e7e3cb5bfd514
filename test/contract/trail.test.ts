// The trail port on ActionTrail: an event as it is delivered, and the same event as it is looked up.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { otherTrailReadings, type TrailSwitches } from "../../local/services/actiontrail/switches.ts";
import { actionTrail } from "../../shared/adapters/alibaba/action-trail.ts";
import { actionTrailRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { parseCidr } from "../../shared/domain/cidr.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { CloudFailure, type RuleToWrite } from "../../shared/ports/firewall.ts";
import type { RuleCalls, TrailReading } from "../../shared/ports/trail.ts";
import type { App } from "../../shared/usecases/app.ts";
import { region, World } from "../kit/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const cidr = parseCidr("203.0.113.7/32");
if (cidr === null) throw new Error("203.0.113.7/32");
const mysql: RuleSpec = {
  direction: "ingress",
  protocol: "tcp",
  ports: { kind: "range", range: { from: 3306, to: 3306 } },
  peer: { kind: "cidr", cidr },
  policy: "accept",
  priority: 1,
  sourcePorts: { kind: "any" },
  dest: null,
};
const rule: RuleToWrite = { spec: mysql, description: "by hand" };

type Call = Extract<TrailReading, { kind: "call" }>;

function callOf(reading: TrailReading | null): Call {
  if (reading?.kind !== "call") throw new Error(JSON.stringify(reading));
  return reading;
}

/** What the first event that is delivered from now on says. */
async function delivered(act: Promise<unknown>): Promise<Call> {
  world.events.length = 0;
  await world.run(act.catch(() => undefined));
  await world.advance(3_000);
  return callOf(world.process().trail.read(world.events[0], world.clock.now()));
}

const authorize = (app: App, token = "t-1"): Promise<void> => app.firewall.authorize(world.web, [rule], token, "open");

const lookUp = (eventId: string): Promise<TrailReading | null> =>
  world.run(world.process().trail.lookUp(region, eventId));

/** What is the same in a delivered event and in one that was looked up, whoever's account it says it is. */
function content({ accountId: _, ...reading }: Call): unknown {
  const same = { confirmed: null, receivedAt: null };
  const sightings = reading.sightings.map((sighting) => ({ ...sighting, ...same }));
  return { ...reading, call: { ...reading.call, ...same }, sightings };
}

const readings = Object.entries(otherTrailReadings).flatMap(([name, values]) =>
  values.map((value): [string, Partial<TrailSwitches>] => [`${name} ${value}`, { [name]: value }]),
);

describe("a stranger's call", () => {
  it("is read from the event, and found again with the same content once the trail has it", async () => {
    const event = await delivered(authorize(world.process(undefined, "ak-other"), "t-other"));
    expect(event).toMatchObject({
      accountId: "100000000000",
      call: {
        kind: "authorize",
        operation: "AuthorizeSecurityGroup",
        region,
        actor: { type: "ram-user", principalId: "20002", name: "other", accountId: "100000000000" },
        address: "127.0.0.1",
        token: "t-other",
        failed: null,
        rules: [rule],
        receivedAt: world.clock.now(),
        confirmed: false,
      },
      sightings: [{ groupId: "sg-web", rules: [rule], confirmed: false }],
    });
    const { eventId } = event.call;
    expect(await lookUp(eventId)).toBeNull();
    await world.advance(5_000);
    const found = callOf(await lookUp(eventId));
    expect(content(found)).toEqual(content(event));
    expect(found.call).toMatchObject({ confirmed: true, receivedAt: world.clock.now() });
    expect(found.sightings).toMatchObject([{ confirmed: true }]);
  });

  it("is found among the calls to its group of its kind, and nowhere else, with the same content", async () => {
    const event = await delivered(authorize(world.process(undefined, "ak-other"), "t-other"));
    await world.advance(5_000);
    const { trail } = world.process();
    const ask = async (groupId: string, kind: RuleCalls["kind"], direction: RuleCalls["direction"], ago = 60_000) => {
      const group = { region, groupId: groupId as GroupId };
      return world.run(trail.lookUpCalls(group, { kind, direction }, world.clock.now() - ago));
    };
    const [found, ...more] = await ask("sg-web", "authorize", "ingress");
    expect([found?.eventId, found?.confirmed, more]).toEqual([event.call.eventId, true, []]);
    const others = [
      ["sg-web", "authorize", "egress"],
      ["sg-web", "modify", "ingress"],
      ["sg-web", "revoke", "ingress"],
      ["sg-none", "authorize", "ingress"],
      ["sg-web", "authorize", "ingress", 1_000],
    ] as const;
    for (const [groupId, kind, direction, ago] of others) {
      // The trail answers two calls a second.
      await world.advance(1_000);
      expect(await ask(groupId, kind, direction, ago)).toEqual([]);
    }
  });

  it("tells a role's session", async () => {
    const terraform = world.addPrincipal({ kind: "role", name: "terraform", session: "ci-1" });
    const { call } = await delivered(authorize(world.process(undefined, terraform)));
    expect(call.actor).toMatchObject({ type: "assumed-role", name: "terraform:ci-1" });
  });

  it("that failed says how, in both", async () => {
    const event = await delivered(
      world
        .process(undefined, "ak-other")
        .firewall.authorize({ region, groupId: "sg-none" as GroupId }, [rule], "t-2", "open"),
    );
    expect(event.call.failed).toBe("InvalidSecurityGroupId.NotFound");
    await world.advance(5_000);
    expect(content(callOf(await lookUp(event.call.eventId)))).toEqual(content(event));
  });

  it.each(readings)("is the same under %s", async (_name, switches) => {
    Object.assign(world.trailSwitches, { lookupDelayMs: 0, eventDelayMs: 0, ...switches });
    world.events.length = 0;
    await world.run(authorize(world.process(undefined, "ak-other"), "t-other"));
    await world.advance(1_200_000);
    const { trail } = world.process();
    const [record] = world.events;
    for (const given of [record, JSON.stringify(record)]) {
      const { call, sightings } = callOf(trail.read(given, 1));
      expect(call).toMatchObject({ token: "t-other", failed: null, rules: [rule], actor: { name: "other" } });
      expect(sightings.map(({ groupId }) => groupId)).toEqual(["sg-web"]);
      expect(content(callOf(await lookUp(call.eventId)))).toEqual(content(callOf(trail.read(given, 1))));
      await world.advance(1_000);
    }
  });
});

describe("our own call", () => {
  it("carries its token", async () => {
    expect((await delivered(authorize(world.process(), "token-of-an-intent"))).call.token).toBe("token-of-an-intent");
  });

  it("names the rules that it modifies and revokes by their ids", async () => {
    const { firewall } = world.process();
    await world.run(firewall.authorize(world.web, [rule], "t-1", "open"));
    // A cloud that reads late shows the rule by then.
    await world.advance(3_000);
    const { rules } = await world.run(firewall.readGroup(world.web, "open"));
    const id = rules.find(({ description }) => description === "by hand")?.id;
    if (!id) throw new Error("there is no rule");
    const wider = { spec: mysql, description: "longer" };
    const modified = await delivered(firewall.modify(world.web, id, wider, "t-2", "open"));
    expect(modified.call).toMatchObject({ kind: "modify", ruleIds: [id], rules: [wider], token: "t-2" });
    const revoked = await delivered(firewall.revoke(world.web, [id], "t-3", "end"));
    expect(revoked.call).toMatchObject({ kind: "revoke", ruleIds: [id], rules: [], token: "t-3" });
  });
});

describe("a look-up that fails", () => {
  const failureOf = (eventId: string): Promise<unknown> =>
    lookUp(eventId).then(
      () => undefined,
      (error: unknown) => error,
    );

  it("is throttled beyond two calls of a second", async () => {
    await lookUp("e-1");
    await lookUp("e-2");
    const failure = await failureOf("e-3");
    expect(failure).toBeInstanceOf(CloudFailure);
    expect(failure).toMatchObject({ kind: "throttled", operation: "LookupEvents", cloudCode: "Throttling.User" });
  });

  it.each([
    ["refused", { kind: "reject", status: 403, code: "NoPermission" }],
    ["invalid", { kind: "reject", status: 400, code: "InvalidQueryParameter" }],
    ["unknown", { kind: "reject", status: 503, code: "ServiceUnavailable" }],
    ["unknown", { kind: "html-502" }],
    ["unknown", { kind: "drop-before" }],
  ] as const)("is %s after %j", async (kind, fault) => {
    world.faults([{ service: "actiontrail", fault }]);
    const failure = await failureOf("e-1");
    expect(failure).toBeInstanceOf(CloudFailure);
    expect(failure).toMatchObject({ kind, operation: "LookupEvents" });
  });

  it("goes through the hands of the test", async () => {
    world.callNames.length = 0;
    await lookUp("e-1");
    expect(world.callNames).toEqual(["trail LookupEvents"]);
  });
});

describe("what a look-up believes", () => {
  /** A service that answers the bodies one after the other, and what was asked of it. */
  async function answering(bodies: readonly unknown[], asked: string[] = []) {
    const server = http.createServer((request, response) => {
      asked.push(request.url ?? "");
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(bodies[asked.length - 1] ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const rpc = actionTrailRpcClient({
      clock: systemClock,
      credentials: () => ({ accessKeyId: "ak", accessKeySecret: "sk" }),
      endpoint: () => `127.0.0.1:${(server.address() as AddressInfo).port}`,
      protocol: "http",
    });
    try {
      return await actionTrail(rpc, systemClock).lookUp(region, "e-1");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const event = {
    ...{ eventId: "e-1", eventName: "StartInstance", eventTime: "2026-11-01T08:00:00Z", acsRegion: region },
    serviceName: "Ecs",
  };
  const other = { ...event, eventId: "e-2" };

  it("is the event of that id alone, on whichever page it is", async () => {
    const asked: string[] = [];
    const pages = [{ Events: [other], NextToken: "n-1" }, { Events: [], NextToken: "n-2" }, { Events: [event] }];
    expect(await answering(pages, asked)).toEqual({ kind: "other", operation: "StartInstance" });
    expect(asked.map((url) => new URLSearchParams(url.slice(2)).get("NextToken"))).toEqual([null, "n-1", "n-2"]);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.slice(2)))).toEqual({
      "LookupAttribute.1.Key": "EventId",
      "LookupAttribute.1.Value": "e-1",
      MaxResults: "50",
    });
  });

  it("is nothing when only others are there, and pages that never end have an end", async () => {
    const asked: string[] = [];
    expect(await answering([{ Events: [other] }])).toBeNull();
    expect(await answering(Array(100).fill({ Events: [other], NextToken: "n" }), asked)).toBeNull();
    expect(asked).toHaveLength(5);
  });

  it("is no answer without events", async () => {
    await expect(answering([{}])).rejects.toMatchObject({ name: "CloudFailure", kind: "unknown" });
  });
});
