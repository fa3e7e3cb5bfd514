// One function behind both doors of an incident: the webhook of an alarm rule, and system events.

import { expect, it } from "vitest";
import { cmsClient, cpuRule, minuteOf, webOne } from "../cms/world.ts";
import { bundle } from "../functions/kit.ts";
import { aCloud, received } from "./world.ts";

const KEEPER = `exports.handler = async (event) => { console.log(event.toString()); return { statusCode: 200, headers: {}, body: "" }; };`;

it("is given forms as HTTP events and system events as they are", async () => {
  const cloud = await aCloud();
  const pattern = { source: ["acs.ddos"], type: [{ prefix: "ddos:CloudMonitor:" }] };
  cloud.deploy([
    {
      name: "alarm",
      bundle: bundle(KEEPER),
      reservedConcurrency: 10,
      triggers: [{ type: "http" }, { type: "eventbridge", pattern, async: false }],
    },
  ]);
  const call = cmsClient(cloud);
  const webhook = `${cloud.endpoints.api}/alarm/the-secret`;
  await call("PutResourceMetricRule", cpuRule(webhook, { "Escalations.Critical.Times": "1" }));
  await minuteOf(cloud, 95);
  await minuteOf(cloud, 95);
  await call("SendDryRunSystemEvent", { Product: "ddos", EventName: "DdosbgpEventBlackhole", EventContent: "{}" });
  await cloud.advance(1_000);
  const [form, event] = received(cloud);
  expect(form).toMatchObject({
    version: "v1",
    rawPath: "/alarm/the-secret",
    isBase64Encoded: false,
    body: expect.stringContaining(`instanceId%3D${webOne(cloud)}`),
    requestContext: { http: { method: "POST", path: "/alarm/the-secret" } },
  });
  expect(event).toMatchObject({ type: "ddos:CloudMonitor:DdosbgpEventBlackhole", source: "acs.ddos" });
});
