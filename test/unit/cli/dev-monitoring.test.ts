// What watches the seeded account of `npm start`: alarms reach the webhook, flow logs are written, a reset changes neither.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { flowLog, watchAccount } from "../../../cli/dev/monitoring.ts";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { slsClient } from "../../conformance/sls/world.ts";

async function watched(): Promise<{ cloud: Cloud; told: () => (string | null)[][] }> {
  const forms: URLSearchParams[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      forms.push(new URLSearchParams(Buffer.concat(chunks).toString("utf8")));
      response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void receiver.close());
  const cloud = await startCloud({ range: "127.124.0.0/16", engine: "userspace", startMs: Date.UTC(2026, 10, 1) });
  onTestFinished(() => cloud.stop());
  await watchAccount(cloud, `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alarm/secret`);
  const told = () => forms.map((form) => ["alertName", "alertState", "dimensions"].map((name) => form.get(name)));
  return { cloud, told };
}

const flood = (cloud: Cloud): void =>
  cloud.cms.measure({
    namespace: "acs_ecs_dashboard",
    metricName: "VPC_PublicIP_InternetInRate",
    dimensions: { instanceId: cloud.account.instances[0]?.instanceId ?? "" },
    value: 5_000_000_000,
  });

test("a flood of one instance is told to the webhook with that instance, and quiet is not", async () => {
  const { cloud, told } = await watched();
  await cloud.advance(120_000);
  expect(told()).toEqual([]);
  flood(cloud);
  await cloud.advance(60_000);
  await expect.poll(told).toContainEqual(["ddos", "ALERT", expect.stringContaining("instanceId=i-")]);
});

test("flow logs of every interface are written", async () => {
  const { cloud } = await watched();
  await cloud.advance(30 * 60_000);
  const from = String(Date.UTC(2026, 10, 1) / 1_000);
  const to = String(Math.floor(cloud.clock.now() / 1_000));
  const query = { type: "log", from, to, query: "*", line: "100", offset: "0" };
  const { body } = await slsClient(cloud)({ path: `/logstores/${flowLog.logstore}`, query });
  const interfaces = new Set((body as { "eni-id": string }[]).map((log) => log["eni-id"]));
  expect(interfaces.size).toBe(cloud.account.instances.length);
});

test("a reset puts the rule back", async () => {
  const { cloud, told } = await watched();
  await cloud.reset();
  flood(cloud);
  await cloud.advance(60_000);
  await expect.poll(told).toContainEqual(["ddos", "ALERT", expect.anything()]);
});
