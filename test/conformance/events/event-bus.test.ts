// What the default bus delivers, to whom, how often, and how it can go wrong.

import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import type { FaultRule } from "../../../local/faults.ts";
import { START_MS } from "../functions/kit.ts";
import { aCloud, deliveries, deployAudit, eventNames, type Received, received } from "./world.ts";

const event = (eventName: string, more: object = {}) => ({
  id: `id-${eventName}`,
  source: "acs.ecs",
  specversion: "1.0",
  type: "ecs:ActionTrail:ApiCall",
  time: "2026-11-01T08:00:30Z",
  data: { eventName, eventTime: "2026-11-01T08:00:30Z", ...more },
});

async function publish(cloud: Cloud, ...names: string[]): Promise<void> {
  for (const name of names) {
    cloud.events.publish(event(name));
    await cloud.advance(0);
  }
}

async function cloudWith(fault: FaultRule["fault"], times = 1): Promise<Cloud> {
  const cloud = await aCloud();
  deployAudit(cloud);
  cloud.faults.set([{ service: "eventbridge", operation: "A", times, fault }]);
  return cloud;
}

const FAILS = (n: number) =>
  `let n = 0; exports.handler = async (event) => { n += 1; if (n <= ${n}) throw new Error("no"); console.log(event.toString()); };`;

it.each([
  [{ source: ["acs.ecs"] }, true],
  [{ source: ["acs.rds", "acs.ecs"] }, true],
  [{ source: ["acs.rds"] }, false],
  [{ source: [{ prefix: "acs." }], type: [{ suffix: ":ApiCall" }] }, true],
  [{ type: [{ suffix: ":ConsoleOperation" }] }, false],
  [{ data: { eventName: ["RevokeSecurityGroup", "AuthorizeSecurityGroup"] } }, true],
  [{ data: { eventName: ["RevokeSecurityGroup"] } }, false],
  [{ data: { nothing: ["x"] } }, false],
  [{ data: { errorCode: [{ exists: false }] } }, true],
  [{ data: { eventName: [{ exists: false }] } }, false],
  [{ data: { ids: ["sg-2"] } }, true],
  [{ data: { ids: ["sg-3"] } }, false],
  [{ data: { count: [2] } }, true],
  [{ data: { eventName: [{ "anything-but": ["AuthorizeSecurityGroup"] }] } }, false],
  [{ data: { eventName: [{ "anything-but": "Other" }] } }, true],
  ['{"source":["acs.ecs"]}', true],
  [{}, true],
])("the pattern %j decides %s", async (pattern, wanted) => {
  const cloud = await aCloud();
  deployAudit(cloud, { pattern });
  cloud.events.publish(event("AuthorizeSecurityGroup", { ids: ["sg-1", "sg-2"], count: 2 }));
  await cloud.advance(0);
  expect(deliveries(cloud)).toHaveLength(wanted ? 1 : 0);
});

it.each([
  ["[]"],
  ["{"],
  [{ source: "acs.ecs" }],
  [{ source: [] }],
  [{ source: [{ regex: "x" }] }],
  [{ a: { b: [{}] } }],
])("refuses to deploy the pattern %j", async (pattern) => {
  const cloud = await aCloud();
  expect(() => deployAudit(cloud, { pattern })).toThrow(RangeError);
});

it("gives the function one event per call, and says how it went", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  await publish(cloud, "A", "B");
  await expect.poll(() => received(cloud)).toEqual([event("A"), event("B")]);
  const answer = await fetch(`${cloud.endpoints.control}/events?since=2`);
  expect(await answer.json()).toEqual({
    next: 3,
    events: [
      {
        seq: 2,
        at: START_MS,
        event: event("B"),
        deliveries: [{ function: "audit", attempts: 1, state: "delivered" }],
      },
    ],
  });
});

it("takes a raw event for the bus through the control API", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const body = JSON.stringify({ event: event("A") });
  expect((await fetch(`${cloud.endpoints.control}/events`, { method: "POST", body })).status).toBe(200);
  await expect.poll(() => eventNames(cloud)).toEqual(["A"]);
});

it("tries a failed push three times more, 10 to 20 s apart, and then gives up", async () => {
  const cloud = await aCloud();
  deployAudit(cloud, {}, FAILS(9));
  await publish(cloud, "A");
  expect(deliveries(cloud)).toMatchObject([{ attempts: 1, state: "waiting" }]);
  await cloud.advance(9_999);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 1 }]);
  await cloud.advance(10_001);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 2 }]);
  await cloud.advance(86_400_000);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 4, state: "refused" }]);
});

it("tries over a day with growing waits when the trigger says so", async () => {
  const cloud = await aCloud();
  deployAudit(cloud, { retry: "EXPONENTIAL_DECAY_RETRY" }, FAILS(3));
  await publish(cloud, "A");
  await cloud.advance(1_000 + 2_000 + 3_999);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 3 }]);
  await cloud.advance(1);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 4, state: "delivered" }]);
});

it("hands an asynchronous trigger's event to the function's own queue and its retries", async () => {
  const cloud = await aCloud();
  deployAudit(cloud, { async: true }, FAILS(1));
  await publish(cloud, "A");
  expect(deliveries(cloud)).toMatchObject([{ attempts: 1, state: "delivered" }]);
  expect(cloud.functions.registry.queued).toBe(1);
  await cloud.advance(1_000);
  await expect.poll(() => eventNames(cloud)).toEqual(["A"]);
});

it("loses an event", async () => {
  const cloud = await cloudWith({ kind: "drop-before" });
  await publish(cloud, "A", "B");
  await cloud.advance(86_400_000);
  await expect.poll(() => eventNames(cloud)).toEqual(["B"]);
  expect(deliveries(cloud)[0]).toEqual({ function: "audit", fault: "drop-before", attempts: 0, state: "lost" });
});

it("delivers an event five times", async () => {
  const cloud = await cloudWith({ kind: "duplicate", times: 4 });
  await publish(cloud, "A", "B");
  await expect.poll(() => eventNames(cloud)).toEqual(["A", "A", "A", "A", "A", "B"]);
});

it("delivers again what it was not heard to have delivered", async () => {
  const cloud = await cloudWith({ kind: "drop-after" });
  await publish(cloud, "A");
  await cloud.advance(20_000);
  await expect.poll(() => eventNames(cloud)).toEqual(["A", "A"]);
});

it("tries again after a push that was refused on its way", async () => {
  const cloud = await cloudWith({ kind: "reject", status: 503, code: "ServiceUnavailable" });
  await publish(cloud, "A");
  expect(deliveries(cloud)).toMatchObject([{ attempts: 0, state: "waiting" }]);
  await cloud.advance(20_000);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 1, state: "delivered" }]);
});

it("delivers an event twelve minutes late", async () => {
  const cloud = await cloudWith({ kind: "delay", ms: 720_000 });
  await publish(cloud, "A", "B");
  await cloud.advance(719_999);
  await expect.poll(() => eventNames(cloud)).toEqual(["B"]);
  await cloud.advance(1);
  await expect.poll(() => eventNames(cloud)).toEqual(["B", "A"]);
});

it("lets a later event overtake an earlier one", async () => {
  const cloud = await cloudWith({ kind: "reorder" });
  await publish(cloud, "A", "B", "C");
  await expect.poll(() => eventNames(cloud)).toEqual(["B", "A", "C"]);
});

it("delivers an event that nothing overtakes once its wait is over", async () => {
  const cloud = await cloudWith({ kind: "reorder", ms: 5_000 });
  await publish(cloud, "A");
  await cloud.advance(4_999);
  expect(deliveries(cloud)).toMatchObject([{ attempts: 0 }]);
  await cloud.advance(1);
  await expect.poll(() => eventNames(cloud)).toEqual(["A"]);
});

it("tells the time of a clock that is off", async () => {
  const cloud = await cloudWith({ kind: "skew", ms: -60_000 });
  await publish(cloud, "A");
  await expect
    .poll(() => received(cloud))
    .toMatchObject([{ time: "2026-11-01T07:59:30Z", data: { eventTime: "2026-11-01T07:59:30Z" } }]);
});

it("gives several events as one list when they are batched, and tries the list again", async () => {
  const cloud = await aCloud({ eventSwitches: { eventBatchMs: 1_000 } });
  deployAudit(cloud, {}, FAILS(1));
  await publish(cloud, "A", "B");
  expect(deliveries(cloud)).toMatchObject([
    { attempts: 1, state: "waiting" },
    { attempts: 1, state: "waiting" },
  ]);
  await cloud.advance(1_000);
  await cloud.advance(60_000);
  const lists = cloud.functions.registry
    .logs()
    .lines()
    .flatMap(({ text }) => (text.startsWith("[") ? [text] : []));
  const given = lists.flatMap((text) => (JSON.parse(text) as Received[]).map(({ id }) => id));
  expect(given.sort()).toEqual(["id-A", "id-B"]);
  expect(deliveries(cloud)).toMatchObject([{ state: "delivered" }, { state: "delivered" }]);
});

it("spells time and data as the switches say", async () => {
  const cloud = await aCloud({ eventSwitches: { eventTimeZone: "+08:00", eventData: "text" } });
  deployAudit(cloud);
  const told = { source: "acs.ecs", type: "ecs:ActionTrail:ApiCall", subject: "", at: START_MS };
  cloud.events.tell({ ...told, data: { eventName: "A" } });
  await expect
    .poll(() => received(cloud))
    .toMatchObject([{ time: "2026-11-01T16:00:30+08:00", data: '{"eventName":"A"}' }]);
});

it("gives a function the data alone when its trigger asks for that", async () => {
  const cloud = await aCloud();
  deployAudit(cloud, { schema: "RawData" });
  await publish(cloud, "A");
  await expect.poll(() => received(cloud)).toEqual([event("A").data]);
});

it("disturbs the events of one caller and one resource alone", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const fault = { kind: "drop-before" } as const;
  cloud.faults.set([
    { service: "eventbridge", accessKeyId: "AK1", fault },
    { service: "eventbridge", match: { resourceName: "sg-1" }, fault },
  ]);
  cloud.events.publish(event("A", { userIdentity: { accessKeyId: "AK1" } }));
  cloud.events.publish(event("B", { resourceName: "sg-1" }));
  cloud.events.publish(event("C", { userIdentity: { accessKeyId: "AK2" }, resourceName: "sg-2" }));
  await expect.poll(() => eventNames(cloud)).toEqual(["C"]);
});
