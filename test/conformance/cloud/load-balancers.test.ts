// Load balancers: what they forward passes the rules, and is seen in flow logs and in the metrics of each listener.

import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import type { LoadBalancer } from "../../../local/load-balancers.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount } from "../../../local/seed.ts";
import { cmsClient } from "../cms/world.ts";

const NETWORK = "127.129";
const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);
const VIP = "127.101.0.10";

const seeded = seedAccount(seededRandom("safeport seeded account"));
const account = {
  ...seeded,
  instances: seeded.instances.map((each) => ({ ...each, address: each.address.replace("127.10.", `${NETWORK}.`) })),
};
const idOf = (name: string): string => account.instances.find((each) => each.name === name)?.instanceId ?? "";

async function balanced(listener: Partial<LoadBalancer["listeners"][number]> = {}) {
  const listeners = [{ port: 8443, backendPort: 3306, instanceIds: [idOf("web-1"), idOf("lab-1")], ...listener }];
  const cloud = await startCloud({
    ...{ account, range: `${NETWORK}.0.0/16`, engine: "userspace", startMs: START_MS, random: seededRandom("lb") },
    loadBalancers: [{ loadBalancerId: "lb-1", address: VIP, listeners }],
    vpcSwitches: { flowLogActivatingMs: 0 },
  });
  onTestFinished(() => cloud.stop());
  await cloud.recordFlowLogs("net", "flow");
  return cloud;
}

/** What answers behind the load balancer; empty when nobody does. */
const ask = (cloud: Cloud): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(cloud.loadBalancers.mappedPorts()[`${VIP}:8443`] ?? 8443, VIP);
    socket.once("data", (data) => {
      resolve(data.toString("utf8").trim());
      socket.destroy();
    });
    for (const event of ["error", "close"]) socket.once(event, () => resolve(""));
  });

/** The last value of each of the listener's metrics. */
async function metrics(cloud: Cloud): Promise<Record<string, number>> {
  const names = [
    "NewConnection",
    "MaxConnection",
    "DropConnection",
    "TrafficTXNew",
    "HeathyServerCount",
    "UnhealthyServerCount",
  ];
  const values = names.map(async (MetricName) => {
    const query = { Namespace: "acs_slb_dashboard", MetricName, Dimensions: '[{"instanceId":"lb-1","port":"8443"}]' };
    const { Datapoints } = await cmsClient(cloud)("DescribeMetricLast", query);
    const [point] = JSON.parse(String(Datapoints)) as { Maximum: number; vip: string; protocol: string }[];
    expect([point?.vip, point?.protocol]).toEqual([VIP, "tcp"]);
    return [MetricName, point?.Maximum ?? Number.NaN] as const;
  });
  return Object.fromEntries(await Promise.all(values));
}

/** The flow logs of the window that has just ended, without the interfaces that saw nothing. */
async function flows(cloud: Cloud): Promise<readonly Record<string, string>[]> {
  const { slsClient } = await import("../sls/world.ts");
  await cloud.advance(cloud.slsSwitches.slsIndexDelayMs);
  const to = String(Math.ceil(cloud.clock.now() / 1_000));
  const query = { type: "log", from: String(START_MS / 1_000), to, query: "log-status: OK", line: "100" };
  return (await slsClient(cloud)({ path: "/logstores/flow", query })).body as Record<string, string>[];
}

it("forwards past the instances' rules, and says so in flow logs and metrics", async () => {
  const cloud = await balanced({ healthCheckS: 86_400 });
  expect(await ask(cloud)).toBe("web-1 port 3306");
  await expect.poll(() => cloud.loadBalancers.open).toBe(0);
  await cloud.advance(60_000);
  expect(await metrics(cloud)).toMatchObject({
    ...{ NewConnection: 1 / 60, MaxConnection: 1, DropConnection: 0, HeathyServerCount: 1, UnhealthyServerCount: 1 },
    TrafficTXNew: expect.closeTo(("web-1 port 3306\r\n".length * 8) / 60, 0),
  });
  await cloud.advance(9 * 60_000);
  const seen = await flows(cloud);
  expect(seen.map(({ direction, action, srcport, dstport }) => [direction, action, srcport, dstport])).toEqual([
    ["in", "ACCEPT", expect.any(String), "3306"],
    ["out", "ACCEPT", "3306", expect.any(String)],
  ]);
  expect(seen[0]?.["srcaddr"]).toMatch(/^100\.64\./);
  // PSH in the answer: somebody was served.
  expect(Number(seen[1]?.["tcp-flags"]) & 8).toBe(8);
});

it("checks its servers, which no flow log takes for use", async () => {
  const cloud = await balanced({ healthCheckS: 240 });
  await cloud.advance(600_000);
  const seen = await flows(cloud);
  const flags = (port: string) =>
    seen.flatMap((log) => (log["srcport"] === port ? [`${log["vm-id"]} ${log["tcp-flags"]}`] : []));
  expect(flags("3306").sort()).toEqual(
    [idOf("lab-1"), idOf("lab-1"), idOf("web-1"), idOf("web-1")]
      .map((id) => `${id} ${id === idOf("web-1") ? 18 : 4}`)
      .sort(),
  );
  expect(seen.filter((log) => (Number(log["tcp-flags"]) & 8) !== 0)).toEqual([]);
});

it("refuses when nobody serves behind it, and takes other balancers at run time", async () => {
  const cloud = await balanced({ instanceIds: [idOf("lab-1")] });
  expect(await ask(cloud)).toBe("");
  await cloud.advance(60_000);
  expect(await metrics(cloud)).toMatchObject({ DropConnection: 1, NewConnection: 0 });
  await cloud.loadBalancers.set([]);
  expect(cloud.loadBalancers.mappedPorts()).toEqual({});
  const inside = { loadBalancerId: "lb-2", address: `${NETWORK}.0.99`, listeners: [] };
  await expect(cloud.loadBalancers.set([inside])).rejects.toThrow(RangeError);
});
