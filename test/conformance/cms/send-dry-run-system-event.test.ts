// SendDryRunSystemEvent: only on the embedded service, because it tells whoever listens in the account.

import { expect } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { deployAudit, received } from "../events/world.ts";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aCloud, cmsClient, rawCms, START_MS } from "./world.ts";

async function listening(): Promise<Cloud> {
  const cloud = await aCloud();
  deployAudit(cloud, { pattern: { type: [{ prefix: "ddos:CloudMonitor:" }] } });
  return cloud;
}

itEmbedded("CMS")("puts an event on the bus, as the product would", async () => {
  const cloud = await listening();
  await cmsClient(cloud)("SendDryRunSystemEvent", {
    Product: "DDOS",
    EventName: "DdosbgpEventClean",
    EventContent: '{"status":"Executed","content":{"ip":"203.0.113.7"}}',
  });
  await expect.poll(() => received(cloud)).toHaveLength(1);
  expect(received(cloud)[0]).toMatchObject({
    type: "ddos:CloudMonitor:DdosbgpEventClean",
    aliyunpublishtime: new Date(START_MS).toISOString(),
    data: { status: "Executed", content: { ip: "203.0.113.7" } },
  });
});

itEmbedded("CMS")("refuses what names no event, by bytes", async () => {
  const cloud = await listening();
  for (const query of [{}, { Product: "DDOS" }, { Product: "DDOS", EventName: "x", EventContent: "no JSON" }])
    expect(outcomeOf(await rawCms(cloud, { action: "SendDryRunSystemEvent", query }))).toBe("400 ParameterInvalid");
  expect(received(cloud)).toEqual([]);
});
