// CloudMonitor both ways: what is published of the use of ports can be read there and alarmed on; what it measures becomes evidence.
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser } from "../../local/seed.ts";
import { cmsMetrics, readMetric, unhurried } from "../../shared/adapters/alibaba/cms-metrics.ts";
import { balancerTraffic, HOST_METRICS, hostTraffic } from "../../shared/adapters/alibaba/cms-traffic.ts";
import { cloudMonitorRpcClient, type RpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import { sizeOf } from "../../shared/domain/evidence.ts";
import type { MetricPoint } from "../../shared/ports/metrics.ts";
import { TrafficFailure } from "../../shared/ports/traffic.ts";

const region = "cn-hangzhou";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const FROM = Date.UTC(2026, 10, 2);
const balancers = [
  {
    region,
    loadBalancerId: "lb-1",
    protocol: "tcp" as const,
    listenerPort: 443,
    hostPort: 8443,
    instances: ["i-1", "i-2"],
  },
  { region, loadBalancerId: "lb-1", protocol: "udp" as const, listenerPort: 53, hostPort: 5353, instances: ["i-1"] },
  {
    region: "cn-beijing",
    loadBalancerId: "lb-2",
    protocol: "tcp" as const,
    listenerPort: 80,
    hostPort: 80,
    instances: ["i-9"],
  },
];
const recycling = { ...defaultPolicy(region).recycling, balancers };
const ask = { region, from: FROM, until: FROM + DAY, recycling };

let cloud: Cloud;
let rpc: RpcClient;

beforeEach(async () => {
  cloud = await startCloud({ range: "127.124.0.0/16", engine: "userspace", startMs: FROM + DAY });
  onTestFinished(() => cloud.stop());
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  rpc = cloudMonitorRpcClient({
    clock: { now: () => cloud.clock.now(), monotonicMs: () => 0, sleep: async () => undefined },
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: () => cloud.endpoints.cms,
    protocol: "http",
  });
});

/** What the load balancer measured on a listener. */
const listener = (metricName: string, port: number, protocol: string, at: number, value: number): void =>
  cloud.cms.measure({
    namespace: "acs_slb_dashboard",
    metricName,
    dimensions: { instanceId: "lb-1", port: String(port), protocol },
    at,
    value,
  });

const host = (name: string, dimensions: Readonly<Record<string, string>>, at: number, value: number): MetricPoint => ({
  name,
  dimensions,
  value,
  at,
});

describe("published metrics", () => {
  test("go out in few calls, in both periods, and are read again", async () => {
    const points = Array.from({ length: 25 }, (_, n) =>
      host("safeport_port_peers", { member: `eni-${n}` }, FROM + DAY, n),
    );
    expect(await cmsMetrics(rpc).publish(region, points, 100)).toEqual({ published: 25, calls: 3 });
    const namespace = `acs_customMetric_${cloud.account.accountId}`;
    const span = { region, namespace, metric: "safeport_port_peers", from: FROM, until: FROM + 2 * DAY };
    const values = await readMetric(rpc, { ...span, dimensions: [{ member: "eni-7" }] }, { left: 5 });
    expect(values).toMatchObject([{ member: "eni-7", Maximum: 7, at: FROM + DAY }]);
    expect(await readMetric(rpc, { ...span, dimensions: [] }, { left: 5 })).toHaveLength(25);
  });

  test("are cut where the calls allowed end", async () => {
    const points = Array.from({ length: 25 }, (_, n) => host("m", { member: `eni-${n}` }, FROM + DAY, n));
    expect(await cmsMetrics(rpc).publish(region, points, 2)).toEqual({ published: 20, calls: 2 });
    expect(await cmsMetrics(rpc).publish(region, [], 2)).toEqual({ published: 0, calls: 0 });
  });
});

test("who is too fast waits and tries again, and not for ever", async () => {
  const waits: number[] = [];
  const clock = { now: () => 0, monotonicMs: () => 0, sleep: async (ms: number) => void waits.push(ms) };
  const slow = unhurried(rpc, clock);
  const refused = { service: "cms", fault: { kind: "reject", status: 400, code: "Throttling.User" } } as const;
  cloud.faults.set([{ ...refused, times: 2 }]);
  await cmsMetrics(slow).publish(region, [host("m", { member: "eni-1" }, FROM + DAY, 1)], 1);
  expect(waits).toEqual([1000, 2000]);
  cloud.faults.set([refused]);
  await expect(
    cmsMetrics(slow).publish(region, [host("m", { member: "eni-1" }, FROM + DAY, 1)], 1),
  ).rejects.toMatchObject({
    kind: "throttled",
  });
  expect(waits).toHaveLength(6);
});

describe("listeners of load balancers", () => {
  test("tell that the hosts behind them are used past their rules", async () => {
    listener("NewConnection", 443, "tcp", FROM + 600 * MINUTE, 3);
    listener("NewConnection", 443, "tcp", FROM + 900 * MINUTE, 0);
    listener("TrafficRXNew", 53, "udp", FROM + 60 * MINUTE, 1000);
    const reading = await balancerTraffic(rpc).read(ask, 10);
    expect(reading).toMatchObject({ kind: "complete", cost: { queries: 3 } });
    expect(
      reading.members.map(({ member, ports }) => [
        member,
        ...ports.map((use) => [use.protocol, use.port, use.balancedAt]),
      ]),
    ).toEqual([
      ["i-1", ["tcp", 8443, FROM + 605 * MINUTE - 1], ["udp", 5353, FROM + 65 * MINUTE - 1]],
      ["i-2", ["tcp", 8443, FROM + 605 * MINUTE - 1]],
    ]);
    expect(reading.members.every(({ seen }) => seen === 0n)).toBe(true);
  });

  test("tell nothing where nobody came, and are incomplete where calls are used up", async () => {
    listener("NewConnection", 443, "tcp", FROM + 600 * MINUTE, 0);
    expect(await balancerTraffic(rpc).read(ask, 10)).toMatchObject({ kind: "complete", members: [] });
    expect(await balancerTraffic(rpc).read(ask, 1)).toMatchObject({ kind: "incomplete", cost: { queries: 1 } });
  });

  test("fail as a source does", async () => {
    cloud.faults.set([{ service: "cms", fault: { kind: "reject", status: 403, code: "AccessForbidden" } }]);
    const failure = await balancerTraffic(rpc)
      .read(ask, 10)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TrafficFailure);
    expect(failure).toMatchObject({ kind: expect.stringMatching(/refused|invalid/), queries: 1 });
  });
});

describe("counters of hosts", () => {
  test("tell of sessions without peers, and of the time in which they counted", async () => {
    const points: MetricPoint[] = [];
    for (let at = FROM; at < FROM + 60 * MINUTE; at += 5 * MINUTE)
      points.push(host(HOST_METRICS.alive, { instanceId: "i-1" }, at, 1));
    points.push(host(HOST_METRICS.alive, { instanceId: "i-2" }, FROM, 1));
    points.push(host(HOST_METRICS.sessions, { instanceId: "i-1", protocol: "tcp", port: "22" }, FROM + 30 * MINUTE, 2));
    points.push(host(HOST_METRICS.sessions, { instanceId: "i-1", protocol: "tcp", port: "80" }, FROM + 30 * MINUTE, 0));
    await cmsMetrics(rpc).publish(region, points, 100);
    const reading = await hostTraffic(rpc, cloud.account.accountId).read(ask, 10);
    const [first, second] = reading.members;
    expect(reading.kind).toBe("complete");
    expect([first?.member, sizeOf(first?.seen ?? 0n), second?.member, second?.seen]).toEqual(["i-1", 6, "i-2", 0n]);
    expect(first?.ports.map(({ port, unnamedAt }) => [port, unnamedAt])).toEqual([[22, FROM + 35 * MINUTE - 1]]);
  });
});
