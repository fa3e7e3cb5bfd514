// System events reach functions over the default bus.

import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { deployAudit, received } from "../events/world.ts";
import { aCloud } from "./world.ts";

async function listening(): Promise<Cloud> {
  const cloud = await aCloud();
  deployAudit(cloud, { pattern: { type: [{ prefix: "ddos:CloudMonitor:" }] } });
  return cloud;
}

it("come from the control API", async () => {
  const cloud = await listening();
  const event = {
    product: "ddos",
    name: "DdosbgpEventBlackhole",
    resourceId: "acs:ecs:cn-hangzhou:1:instance/i-1",
    content: { ip: "203.0.113.7" },
  };
  const answer = await fetch(`${cloud.endpoints.control}/system-events`, {
    method: "POST",
    body: JSON.stringify(event),
  });
  expect(answer.status).toBe(200);
  await expect.poll(() => received(cloud)).toHaveLength(1);
  expect(received(cloud)[0]).toMatchObject({
    source: "acs.ddos",
    type: "ddos:CloudMonitor:DdosbgpEventBlackhole",
    subject: event.resourceId,
    time: "2026-11-01T08:00:00Z",
    data: {
      product: "ddos",
      name: event.name,
      resourceId: event.resourceId,
      level: "CRITICAL",
      instanceName: "",
      regionId: "cn-hangzhou",
      content: event.content,
      status: "normal",
      eventTime: "2026-11-01T08:00:00Z",
    },
  });
});
