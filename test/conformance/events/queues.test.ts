// Queues: where an event ends that its function did not take, and what became of an asynchronous invocation.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { bundle } from "../functions/kit.ts";
import { aCloud, deployAudit } from "./world.ts";

const QUEUE = "acs:mns:cn-hangzhou:1000:/queues/dead/messages";
const FAILS = `exports.handler = async () => { throw new Error("no"); };`;
const event = {
  id: "1",
  source: "acs.ecs",
  specversion: "1.0",
  type: "ecs:ActionTrail:ApiCall",
  time: "",
  data: { n: 1 },
};

const bodies = (cloud: Awaited<ReturnType<typeof aCloud>>, queue: string) =>
  (cloud.queues.all()[queue] ?? []).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

it("keeps an event that was refused to the end, and not one that was taken", async () => {
  const cloud = await aCloud();
  deployAudit(cloud, { deadLetter: QUEUE }, FAILS);
  cloud.events.publish(event);
  await cloud.advance(30_000);
  expect(bodies(cloud, "dead")).toEqual([]);
  await cloud.advance(60_000);
  expect(bodies(cloud, "dead")).toEqual([event]);
  deployAudit(cloud, { deadLetter: QUEUE });
  cloud.events.publish(event);
  await cloud.advance(120_000);
  expect(bodies(cloud, "dead")).toHaveLength(1);
});

it("refuses a dead letter target that is no queue", async () => {
  const cloud = await aCloud();
  expect(() => deployAudit(cloud, { deadLetter: "audit-dead" })).toThrow("is no queue");
});

it("is told how an asynchronous invocation ended, over a restart too, until reset", async () => {
  const directory = mkdtempSync(join(tmpdir(), "queues-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const cloud = await aCloud({ directory });
  const onFailure = QUEUE.replace("/dead/", "/failed/");
  cloud.deploy([{ name: "x", bundle: bundle(FAILS), asyncRetriesMax: 1, destinations: { onFailure } }]);
  const { requestId } = cloud.functions.registry.submit("x", Buffer.from("payload"));
  await cloud.advance(10_000);
  const told = [{ requestContext: { requestId, approximateInvokeCount: 2 }, requestPayload: "payload" }];
  expect(bodies(cloud, "failed")).toMatchObject(told);
  await cloud.stop();
  const again = await aCloud({ directory });
  const answer = await (await fetch(`${again.endpoints.control}/queues`)).json();
  expect(answer).toMatchObject({
    queues: { failed: [{ at: expect.any(Number), body: expect.stringContaining(requestId) }] },
  });
  await again.reset();
  expect(again.queues.all()).toEqual({});
});
