// Asynchronous invocation through the SDK that the product uses: delay, task ids, retries, survival.

import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { FaultTable } from "../../../local/faults.ts";
import type { ApiCall } from "../../../local/services/functions/function-api.ts";
import { bundle, KEY, START_MS, startWorld, temporaryFolder } from "./kit.ts";

const PRINT = `exports.handler = async (event, context) => { console.log(event.toString(), context.retryCount); return "ran"; };`;

// The SDK has no type declarations.
const FcClient = createRequire(__filename)("@alicloud/fc2") as new (
  accountId: string,
  config: Readonly<Record<string, string>>,
) => Client;

interface Client {
  version: string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
}

interface Answer {
  readonly headers: Record<string, string>;
  readonly data: unknown;
}

function client(port: number, secret = KEY.accessKeySecret): Client {
  const made = new FcClient("1000", {
    accessKeyID: KEY.accessKeyId,
    accessKeySecret: secret,
    region: "cn-hangzhou",
    endpoint: `http://127.0.0.1:${port}`,
  });
  made.version = "2023-03-30";
  return made;
}

const texts = (fc: { registry: { logs(): { lines(): readonly { text: string }[] } } }): string[] =>
  fc.registry
    .logs()
    .lines()
    .map((line) => line.text);

it("runs a synchronous call signed as by the SDK of version 2.0", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const answer = await client(fc.apiPort).post("/functions/x/invocations", "hello");
  expect(String(answer.data)).toBe("ran");
});

it("runs a delayed call when its delay is over on the cloud's clock", async () => {
  const calls: ApiCall[] = [];
  const { fc, advance } = await startWorld({ onCall: (call) => calls.push(call) });
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const headers = { "x-fc-invocation-type": "Async", "x-fc-async-delay": "90", "x-fc-async-task-id": "due_1" };
  const answer = await client(fc.apiPort).post("/functions/x/invocations", { lease: 1 }, headers);
  expect(answer.headers["x-fc-async-task-id"]).toBe("due_1");
  expect(calls).toMatchObject([{ operation: "InvokeFunction", accessKeyId: KEY.accessKeyId, status: 202 }]);
  await advance(89_000);
  expect([texts(fc), fc.registry.queued]).toEqual([[], 1]);
  await advance(1_000);
  await expect.poll(() => texts(fc)).toEqual(['{"lease":1} 0']);
  expect(fc.registry.queued).toBe(0);
});

it("refuses a task id that was used before with 409, even after it has run", async () => {
  const { fc, advance } = await startWorld();
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const post = () =>
    client(fc.apiPort).post("/functions/x/invocations", "once", {
      "x-fc-invocation-type": "Async",
      "x-fc-async-task-id": "t1",
    });
  await post();
  await expect(post()).rejects.toMatchObject({ message: expect.stringContaining("failed with 409") });
  await advance(10_000);
  await expect(post()).rejects.toMatchObject({ code: "StatefulAsyncInvocationAlreadyExists" });
  await expect.poll(() => texts(fc)).toEqual(["once 0"]);
});

it.each([
  ["a wrong signature", "x", {}, "wrong", 403],
  ["an unknown function", "y", {}, undefined, 404],
  ["a delay of an hour", "x", { "x-fc-async-delay": "3600" }, undefined, 400],
  ["a delay of nothing", "x", { "x-fc-async-delay": "0" }, undefined, 400],
  ["a broken delay", "x", { "x-fc-async-delay": "1.5" }, undefined, 400],
  ["a task id with a dot", "x", { "x-fc-async-task-id": "a.b" }, undefined, 400],
])("refuses %s", async (_, name, headers, secret, status) => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const call = client(fc.apiPort, secret).post(`/functions/${name}/invocations`, "b", {
    "x-fc-invocation-type": "Async",
    ...(headers as Record<string, string>),
  });
  await expect(call).rejects.toThrow(`failed with ${status}`);
});

it("tries a failing function again with growing waits, and gives up after its retries", async () => {
  const { fc, advance } = await startWorld();
  const source = `exports.handler = async (event, context) => { console.log("try", context.retryCount); throw new Error("no"); };`;
  fc.registry.deploy({ name: "x", bundle: bundle(source) });
  const tries = () => texts(fc).filter((text) => text.startsWith("try"));
  fc.registry.submit("x", Buffer.from("e"), { delayMs: 1_000 });
  await advance(1_000);
  await expect.poll(tries).toEqual(["try 0"]);
  await advance(999);
  expect(tries()).toHaveLength(1);
  await advance(1);
  await expect.poll(tries).toHaveLength(2);
  await advance(2_000 + 4_000);
  await expect.poll(tries).toEqual(["try 0", "try 1", "try 2", "try 3"]);
  expect(fc.registry.queued).toBe(0);
  await advance(3_600_000);
  expect(tries()).toHaveLength(4);
});

it("keeps accepted invocations and used task ids across a restart", async () => {
  const directory = temporaryFolder();
  const first = await startWorld({ directory });
  first.fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const headers = { "x-fc-invocation-type": "Async", "x-fc-async-delay": "60", "x-fc-async-task-id": "t1" };
  await client(first.fc.apiPort).post("/functions/x/invocations", "kept", headers);
  first.fc.registry.deploy({
    name: "hang",
    bundle: bundle(`exports.handler = () => new Promise(() => setInterval(() => 0, 1e3));`),
  });
  first.fc.registry.submit("hang", Buffer.from("interrupted"));
  await first.fc.close();

  const second = await startWorld({ directory }, new CloudClock({ startMs: START_MS + 20_000 }));
  second.fc.registry.deploy({ name: "hang", bundle: bundle(PRINT) });
  second.fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  await second.advance(39_000);
  await expect.poll(() => texts(second.fc)).toEqual(["interrupted 0"]);
  await second.advance(1_000);
  await expect.poll(() => texts(second.fc)).toEqual(["interrupted 0", "kept 0"]);
  await expect(client(second.fc.apiPort).post("/functions/x/invocations", "kept", headers)).rejects.toThrow("409");
});

it("loses the reply but not the invocation under the fault drop-after", async () => {
  const faults = new FaultTable();
  faults.set([{ service: "fc", fault: { kind: "drop-after" } }]);
  const { fc } = await startWorld({ faults });
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  await expect(
    client(fc.apiPort).post("/functions/x/invocations", "kept", { "x-fc-invocation-type": "Async" }),
  ).rejects.toThrow();
  await expect.poll(() => texts(fc)).toEqual(["kept 0"]);
});

it("runs a call twice that reaches the service twice, and answers once", async () => {
  const faults = new FaultTable();
  faults.set([{ service: "fc", fault: { kind: "duplicate" } }]);
  const { fc } = await startWorld({ faults });
  fc.registry.deploy({ name: "x", bundle: bundle(PRINT) });
  const answer = await client(fc.apiPort).post("/functions/x/invocations", "hello");
  expect(String(answer.data)).toBe("ran");
  await expect.poll(() => texts(fc)).toEqual(["hello 0", "hello 0"]);
});

it("tells destinations how an invocation ended", async () => {
  const { fc, advance } = await startWorld();
  const source = `exports.handler = async (event) => { if (event.toString() === "bad") throw new Error("no"); return "good"; };`;
  const destinations = { onSuccess: "told", onFailure: "told" };
  fc.registry.deploy({ name: "x", bundle: bundle(source), asyncRetriesMax: 1, asyncMaxAgeS: 60, destinations });
  fc.registry.deploy({
    name: "told",
    bundle: bundle(`exports.handler = async (event) => { console.log(event.toString()); };`),
  });
  const good = fc.registry.submit("x", Buffer.from("fine"));
  const bad = fc.registry.submit("x", Buffer.from("bad"));
  const old = fc.registry.submit("x", Buffer.from("old"), { delayMs: 61_000 });
  await advance(62_000);
  const functionArn = "acs:fc:cn-hangzhou:1000:functions/x";
  await expect
    .poll(() => texts(fc).flatMap((text) => (text.startsWith("{") ? [JSON.parse(text)] : [])))
    .toMatchObject([
      {
        timestamp: START_MS,
        requestContext: { requestId: good.requestId, functionArn, condition: "", approximateInvokeCount: 1 },
        requestPayload: "fine",
        responseContext: { statusCode: 200, functionError: "" },
        responsePayload: "good",
      },
      {
        requestContext: { requestId: bad.requestId, condition: "HandledInvocationError", approximateInvokeCount: 2 },
        responseContext: { statusCode: 200, functionError: "HandledInvocationError" },
      },
      {
        requestContext: { requestId: old.requestId, condition: "FunctionResourceExhausted" },
        responseContext: { statusCode: 429 },
      },
    ]);
});
