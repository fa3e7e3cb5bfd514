// How many requests may run at once: in the account, and of a function that has some set apart.

import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { FaultTable } from "../../../local/faults.ts";
import { bundle, KEY, send, startWorld } from "./kit.ts";

const SLOW = `exports.handler = async () => { await new Promise((r) => setTimeout(r, 200)); return { statusCode: 200, body: "ok" }; };`;

// The SDK has no type declarations.
const FcClient = createRequire(__filename)("@alicloud/fc2") as new (
  accountId: string,
  config: Readonly<Record<string, string>>,
) => { version: string; post(path: string, body: unknown, headers?: Record<string, string>): Promise<unknown> };

const sorted = (statuses: readonly number[]) => [...statuses].sort();

it("refuses requests beyond the account's with 429, whatever functions they are for", async () => {
  const { fc } = await startWorld({ concurrencyMax: 3 });
  for (const name of ["api", "alarm"]) fc.registry.deploy({ name, bundle: bundle(SLOW), instancesMax: 1 });
  const paths = ["/", "/", "/alarm", "/", "/alarm/x"];
  const answers = await Promise.all(paths.map((path) => send(fc.gatewayPort, { path })));
  expect(sorted(answers.map(({ status }) => status))).toEqual([200, 200, 200, 429, 429]);
  const refused = answers.find(({ status }) => status === 429);
  expect(JSON.parse(refused?.body ?? "")).toMatchObject({ code: "ResourceThrottled", remedy: expect.any(String) });
  expect((await send(fc.gatewayPort, { path: "/" })).status).toBe(200);
});

it("sets requests of a function apart: others cannot starve it, and it takes no more", async () => {
  const { fc } = await startWorld({ concurrencyMax: 3 });
  fc.registry.deploy({ name: "api", bundle: bundle(SLOW) });
  fc.registry.deploy({ name: "alarm", bundle: bundle(SLOW), reservedConcurrency: 2 });
  const of = (path: string, count: number) => Array.from({ length: count }, () => send(fc.gatewayPort, { path }));
  const api = of("/", 3);
  const alarm = of("/alarm", 3);
  const statuses = async (answers: readonly ReturnType<typeof send>[]) =>
    sorted((await Promise.all(answers)).map(({ status }) => status));
  expect(await statuses(api)).toEqual([200, 429, 429]);
  expect(await statuses(alarm)).toEqual([200, 200, 429]);
});

it("answers 429 to the SDK, and lets an asynchronous call wait 0.5, 1, 2 … s", async () => {
  const { fc, advance } = await startWorld();
  fc.registry.deploy({ name: "x", bundle: bundle(SLOW), reservedConcurrency: 0 });
  const client = new FcClient("1000", {
    accessKeyID: KEY.accessKeyId,
    accessKeySecret: KEY.accessKeySecret,
    region: "cn-hangzhou",
    endpoint: `http://127.0.0.1:${fc.apiPort}`,
  });
  client.version = "2023-03-30";
  await expect(client.post("/functions/x/invocations", "")).rejects.toMatchObject({ code: "ResourceThrottled" });
  await client.post("/functions/x/invocations", "", { "x-fc-invocation-type": "Async" });
  await advance(2_000);
  expect(fc.registry.queued).toBe(1);
  fc.registry.deploy({ name: "x", bundle: bundle(SLOW) });
  await advance(4_000);
  await expect.poll(() => fc.registry.queued).toBe(0);
});

it("counts what waits for a process as running", async () => {
  const { fc } = await startWorld({ concurrencyMax: 4, faults: new FaultTable() });
  fc.registry.deploy({ name: "x", bundle: bundle(SLOW), instancesMax: 1 });
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => fc.registry.invoke("x", Buffer.from("{}"))));
  expect(outcomes.map(({ errorType = "none" }) => errorType)).toEqual([
    ...Array.from({ length: 4 }, () => "none"),
    ...["ResourceThrottled", "ResourceThrottled"],
  ]);
});
