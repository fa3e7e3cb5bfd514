// The control API's answers, good and bad, without the services behind it.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { CallRing } from "../../../local/call-ring.ts";
import { createControl } from "../../../local/control.ts";
import { FaultTable } from "../../../local/faults.ts";
import { type PrincipalSpec, Principals } from "../../../local/principals.ts";
import { Ram } from "../../../local/ram.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount } from "../../../local/seed.ts";
import { defaultTrailSwitches, otherTrailReadings } from "../../../local/services/actiontrail/switches.ts";
import { defaultSwitches, otherReadings } from "../../../local/services/ecs/switches.ts";
import { EventBus } from "../../../local/services/eventbridge/event-bus.ts";
import { Queues } from "../../../local/services/smq/queues.ts";
import { bundle, START_MS, startWorld } from "../functions/kit.ts";

async function startControl() {
  const { fc, clock, advance } = await startWorld();
  const faults = new FaultTable();
  const random = seededRandom("control");
  const principals = new Principals(seedAccount(random), random, () => clock.now());
  const cloud = {
    clock,
    advance,
    functions: fc,
    faults,
    events: new EventBus({
      clock,
      random,
      owner: { accountId: "1000", regionId: "cn-hangzhou" },
      registry: fc.registry,
      faults,
    }),
    cms: { measure: () => undefined, systemEvent: () => undefined },
    addPrincipal: (spec: PrincipalSpec) => principals.add(spec),
    calls: new CallRing(),
    queues: new Queues(),
    ram: new Ram({ accountId: "1000", random, find: () => undefined }),
    switches: [{ mode: "a" }, { ms: 0 }, { ...defaultSwitches }, { ...defaultTrailSwitches }],
    toReal: () => clock.toReal(),
    reset: async () => clock.toReal(),
  };
  const server = createControl(cloud).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const call = async (method: string, path: string, body?: unknown) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: text }),
    });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: JSON.parse(await response.text()),
    };
  };
  return { cloud, fc, call };
}

it("tells and moves the time, and gives it back to the machine", async () => {
  const { call } = await startControl();
  expect((await call("GET", "/clock")).body).toEqual({ now: START_MS, mode: "virtual" });
  expect((await call("POST", "/clock/advance", { ms: 1_500 })).body).toEqual({
    now: START_MS + 1_500,
    mode: "virtual",
  });
  expect((await call("POST", "/clock/real")).body.mode).toBe("real");
});

it("replaces and lists faults and switches", async () => {
  const { cloud, call } = await startControl();
  const faults = [{ service: "ecs", operation: "AuthorizeSecurityGroup", times: 1, fault: { kind: "drop-after" } }];
  expect((await call("PUT", "/faults", { faults })).body).toEqual({ faults });
  expect((await call("GET", "/faults")).body).toEqual({ faults });
  expect(cloud.faults.take({ service: "ecs", operation: "AuthorizeSecurityGroup" })).toEqual({ kind: "drop-after" });
  expect((await call("PUT", "/faults", [])).body).toEqual({ faults: [] });
  expect((await call("PUT", "/switches", { mode: "b" })).body).toMatchObject({ mode: "b", ms: 0 });
  expect((await call("GET", "/switches")).body).toMatchObject({ mode: "b", ms: 0 });
});

it("sets every reading of every switch", async () => {
  const { call } = await startControl();
  for (const [name, others] of Object.entries({ ...otherReadings, ...otherTrailReadings }))
    for (const value of others) {
      const { status, body } = await call("PUT", "/switches", { [name]: value });
      expect([name, status, body[name]]).toEqual([name, 200, value]);
    }
});

it("gives a key to somebody new", async () => {
  const { call } = await startControl();
  const answer = await call("POST", "/principals", { kind: "role", name: "terraform", session: "ci" });
  expect(answer.body).toMatchObject({
    name: "terraform",
    accessKeyId: expect.stringMatching(/^STS\./),
    accessKeySecret: expect.any(String),
    securityToken: expect.any(String),
  });
});

it("delivers a raw event, with its result, its error, or later", async () => {
  const { fc, call } = await startControl();
  const source = `exports.handler = async (event) => { const text = event.toString(); if (text === "bad") throw new Error("bad event"); console.log(text); return { text }; };`;
  fc.registry.deploy({ name: "f", bundle: bundle(source) });
  expect((await call("POST", "/events", { function: "f", event: { a: 1 } })).body.result).toEqual({ text: '{"a":1}' });
  expect((await call("POST", "/events", { function: "f", event: "raw" })).body.result).toEqual({ text: "raw" });
  const failed = (await call("POST", "/events", { function: "f", event: "bad" })).body;
  expect(failed).toMatchObject({ errorType: "HandledInvocationError", error: { errorMessage: "bad event" } });
  expect((await call("POST", "/events", { function: "f", event: "later", async: true })).body).not.toHaveProperty(
    "result",
  );
  const texts = async () => (await call("GET", "/logs")).body.lines.map((line: { text: string }) => line.text);
  await expect.poll(texts).toContain("later");
});

it("kills the instances of a function", async () => {
  const { fc, call } = await startControl();
  fc.registry.deploy({ name: "f", bundle: bundle(`exports.handler = async () => "x";`) });
  await fc.registry.invoke("f", Buffer.from(""));
  expect((await call("POST", "/functions/f/kill")).body).toEqual({ function: "f", killed: 1 });
});

it.each([
  ["POST", "/clock/advance", "{", 400, "INVALID_INPUT"],
  ["POST", "/clock/advance", { ms: -1 }, 400, "INVALID_INPUT"],
  ["POST", "/clock/advance", { ms: "60" }, 400, "INVALID_INPUT"],
  ["POST", "/clock/advance", {}, 400, "INVALID_INPUT"],
  ["POST", "/clock/advance", [1], 400, "INVALID_INPUT"],
  ["PUT", "/faults", { faults: 1 }, 400, "INVALID_INPUT"],
  ["PUT", "/faults", "null", 400, "INVALID_INPUT"],
  ["PUT", "/faults", [null], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "dns", fault: { kind: "delay", ms: 1 } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ots", fault: { kind: "stale-read", ms: 1 } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ecs", fault: { kind: "delay" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ecs", fault: { kind: "reject", status: 200, code: "X" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ecs", times: -1, fault: { kind: "drop-after" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ots", fault: { kind: "incomplete" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "ecs", fault: { kind: "duplicate", answer: "both" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "eventbridge", fault: { kind: "skew" } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "eventbridge", fault: { kind: "duplicate", times: 0 } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "eventbridge", fault: { kind: "reorder", ms: -1 } }], 400, "INVALID_INPUT"],
  ["PUT", "/faults", [{ service: "function", fault: { kind: "crash", when: "now" } }], 400, "INVALID_INPUT"],
  ["PUT", "/switches", { unknown: 1 }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", { ms: "1" }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", { ms: -1 }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", '{"ms": 1e999}', 400, "INVALID_INPUT"],
  ["PUT", "/switches", { icmpv6: "refuse" }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", { eventData: "json" }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", { throttleAnswer: { status: 200, retryAfterHeader: true } }, 400, "INVALID_INPUT"],
  ["PUT", "/switches", { throttleAnswer: { status: 429 } }, 400, "INVALID_INPUT"],
  ["GET", "//", undefined, 404, "NOT_FOUND"],
  ["POST", "/metrics", { namespace: "n", metricName: "m" }, 400, "INVALID_INPUT"],
  ["POST", "/metrics", { namespace: "n", value: 1 }, 400, "INVALID_INPUT"],
  ["POST", "/metrics", { namespace: "n", metricName: "m", value: 1, dimensions: { a: 1 } }, 400, "INVALID_INPUT"],
  ["POST", "/metrics", { namespace: "n", metricName: "m", value: 1, at: "now" }, 400, "INVALID_INPUT"],
  ["POST", "/principals", {}, 400, "INVALID_INPUT"],
  ["POST", "/principals", { kind: "user" }, 400, "INVALID_INPUT"],
  ["POST", "/principals", { kind: "role", name: "terraform" }, 400, "INVALID_INPUT"],
  ["POST", "/principals", { kind: "user", name: "alice", address: 1 }, 400, "INVALID_INPUT"],
  ["POST", "/system-events", { product: "ddos" }, 400, "INVALID_INPUT"],
  ["POST", "/events", { event: 1 }, 400, "INVALID_INPUT"],
  ["POST", "/events", { function: "none" }, 400, "INVALID_INPUT"],
  ["POST", "/events", { function: "none", event: 1 }, 404, "FUNCTION_NOT_FOUND"],
  ["POST", "/functions/none/kill", undefined, 404, "FUNCTION_NOT_FOUND"],
  ["POST", "/functions/%/kill", undefined, 400, "INVALID_INPUT"],
  ["GET", "/calls?since=x", undefined, 400, "INVALID_INPUT"],
  ["DELETE", "/clock", undefined, 405, "METHOD_NOT_ALLOWED"],
  ["GET", "/nothing", undefined, 404, "NOT_FOUND"],
])("answers %s %s with body %j by a problem with a remedy", async (method, path, body, status, code) => {
  const { call } = await startControl();
  const answer = await call(method, path, body);
  expect([answer.status, answer.type, answer.body.code]).toEqual([status, "application/problem+json", code]);
  expect(answer.body.remedy).toMatch(/\w/);
});
