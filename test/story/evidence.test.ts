// What is known of the use of ports after a window of 21 days: every visit is a real connection through the data plane, unless it says otherwise.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readMetric } from "../../shared/adapters/alibaba/cms-metrics.ts";
import { HOST_METRICS } from "../../shared/adapters/alibaba/cms-traffic.ts";
import { isRecyclable, type UseVerdict } from "../../shared/plan/judge-use.ts";
import { noTrafficAlarm, publishUse } from "../../shared/usecases/recycling/publish-use.ts";
import { type EvidenceCloud, startEvidenceCloud } from "../kit/evidence-cloud.ts";
import { aClosedPort, putFlows } from "../kit/flow-records.ts";

const START = Date.UTC(2026, 8, 1, 10);
/** In days; short, so that the story is. */
const WINDOW = 21;
const DAY = 86_400_000;
const hosts = [
  { name: "idle", port: 5001 },
  { name: "used", port: 5002 },
  { name: "monthly", port: 5003 },
  { name: "scanned", port: 5004 },
  { name: "probed", port: 5005 },
  { name: "mates", port: 5006, mates: 1 },
  { name: "datagrams", port: 5007, isUdp: true },
  { name: "unanswered", port: 5008, isUdp: true },
  { name: "closed", port: 5009 },
  { name: "balanced", port: 5010 },
  { name: "listener", port: 5011 },
  { name: "gap", port: 5012 },
  { name: "lossy", port: 5013 },
  { name: "young-log", port: 5014 },
  { name: "counted", port: 5015 },
];

let world: EvidenceCloud;
const verdicts = new Map<string, UseVerdict>();
const verdict = (name: string): UseVerdict => verdicts.get(name) ?? expect.fail(`no verdict on ${name}`);
const codes = (name: string): string[] => verdict(name).reasons.map(({ code }) => code);

/** Everything that happens to the hosts on one day. */
async function visit(day: number): Promise<void> {
  const { visits, port, network, cloud } = world;
  const stranger = `${network}.240.${1 + (day % 250)}`;
  if (day % 7 === 0) await visits.session(`${network}.200.1`, port("used"));
  if (day === 4) await visits.session(`${network}.200.2`, port("monthly"));
  for (let n = 0; n < 3; n += 1) await visits.scan(stranger, port("scanned"));
  await visits.session(`${network}.210.9`, port("probed"));
  await visits.session(port("mates", 1).address, port("mates"));
  if (day === 8) await visits.datagram(`${network}.200.3`, port("datagrams"));
  await visits.session(`${network}.220.5`, port("balanced"));
  // The data plane of user space does not see what nobody listens to: its record is written by hand.
  const at = cloud.clock.now();
  putFlows(cloud, { project: "safeport", logstore: "flow-log" }, [
    ...aClosedPort({ eniId: world.eniId("closed"), peer: stranger, port: 5009, at }),
    ...aClosedPort({ eniId: world.eniId("unanswered"), peer: stranger, port: 5008, at, protocol: 17 }).slice(0, 1),
  ]);
  if (day === 12) {
    const listener = { instanceId: "lb-1", port: "443", protocol: "tcp" };
    cloud.cms.measure({ namespace: "acs_slb_dashboard", metricName: "NewConnection", dimensions: listener, value: 4 });
    const dimensions = { instanceId: world.instanceId("counted"), protocol: "tcp", port: "5015" };
    const metrics = await world.app.metrics();
    await metrics.publish("cn-hangzhou", [{ name: HOST_METRICS.sessions, dimensions, value: 1, at }], 1);
  }
  if (day % 6 === 5) await world.collect();
}

beforeAll(async () => {
  world = await startEvidenceCloud({
    hosts,
    startMs: START,
    recycling: (network) => ({
      window: WINDOW,
      probes: [`${network}.210.9`],
      balancerSources: [`${network}.220.0/24`],
      balancers: [
        { region: "cn-hangzhou", loadBalancer: "lb-1", listenerPort: 443, hostPort: 5011, instances: ["i-listener"] },
      ],
    }),
  });
  const flowlog = (name: string, kind: "drop-before" | "skip-data", from: number, until: number) =>
    ({ service: "flowlog", match: { eniId: world.eniId(name) }, fault: { kind }, from, until }) as const;
  world.cloud.faults.set([
    flowlog("gap", "drop-before", START + 9 * DAY, START + 11 * DAY),
    flowlog("lossy", "skip-data", START + 9 * DAY, START + 9 * DAY + 1_200_000),
    flowlog("young-log", "drop-before", START, START + 10 * DAY),
  ]);
  await world.days(WINDOW + 2, visit);
  await world.collect();
  for (const { name } of hosts) verdicts.set(name, await world.verdict(name));
}, 120_000);

afterAll(() => world.stop());

describe("after the window", () => {
  test("a port nobody came to is idle, and may be recycled", () => {
    expect(verdict("idle")).toMatchObject({ use: "idle", out: [], lastSession: null });
    expect(verdict("idle").coverage).toBeGreaterThan(99);
    expect(isRecyclable(verdict("idle"))).toBe(true);
  });

  test("ports that were used are used, and it is known by whom and when", () => {
    expect(verdict("used")).toMatchObject({ use: "used", lastSession: { peer: `${world.network}.200.1`, port: 5002 } });
    expect(verdict("monthly")).toMatchObject({ use: "used", lastSession: { peer: `${world.network}.200.2` } });
    expect(verdict("datagrams")).toMatchObject({ use: "used", lastSession: { protocol: "udp", port: 5007 } });
    expect(verdict("counted")).toMatchObject({ use: "used", lastSession: { peer: null } });
  });

  test("scans, probes, closed ports and unanswered datagrams are no use", () => {
    for (const name of ["scanned", "probed", "closed", "unanswered"]) {
      expect([name, verdict(name).use]).toEqual([name, "idle"]);
      expect(isRecyclable(verdict(name))).toBe(true);
    }
    expect(codes("scanned")).toContain("scans");
    expect(codes("probed")).toContain("probes");
    expect(codes("closed")).toContain("closed");
  });

  test("what no rule stops stays out: load balancers by address and by metric, and the group's own members", () => {
    expect(verdict("balanced").out).toEqual(["balanced"]);
    expect(verdict("listener").out).toEqual(["balanced"]);
    expect(verdict("mates").out).toEqual(["sameGroup"]);
    for (const name of ["balanced", "listener", "mates"]) expect(isRecyclable(verdict(name))).toBe(false);
  });

  test("a gap, lost records and a young log are unknown, and say why", () => {
    for (const name of ["gap", "lossy", "young-log"]) expect([name, verdict(name).use]).toEqual([name, "unknown"]);
    expect(verdict("gap").reasons[0]?.text).toContain("nothing is known of");
    expect(codes("lossy")).toContain("skipped");
    expect(verdict("young-log").reasons[0]?.text).toContain("its log begins on");
  });

  test("CloudMonitor is told of it", async () => {
    await world.cloud.advance(1000);
    await publishUse(world.app, world.policy);
    const { accountId } = world.cloud.account;
    const rpc = world.cms;
    const now = world.app.clock.now();
    const span = {
      region: "cn-hangzhou",
      namespace: `acs_customMetric_${accountId}`,
      from: now - DAY,
      until: now + DAY,
    };
    const read = async (metric: string) => {
      // So many calls a second and no more.
      await world.cloud.advance(1000);
      return readMetric(rpc, { ...span, metric, dimensions: [] }, { left: 10 });
    };
    // Yesterday's: scans, probes and load balancers are no use of a rule, but a session with a port all the same.
    const peers = (await read("safeport_port_peers")) ?? [];
    expect(peers.map(({ port, Maximum }) => [port, Maximum]).sort()).toEqual([
      ["5002", 1],
      ["5005", 1],
      ["5006", 1],
      ["5010", 1],
    ]);
    const [idle] = (await read("safeport_idle_ports")) ?? [];
    // The datagram of two weeks ago, and what a host counted eleven days ago.
    expect(idle).toMatchObject({ installation: "test", Maximum: 2 });
  });

  test("the alarm that setup can have there tells of ports without traffic for 72 hours", async () => {
    const told: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => told.push(text));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarm`;
    const { operation, parameters } = noTrafficAlarm({
      installation: "test",
      region: "cn-hangzhou",
      contactGroup: "operations",
      webhook,
    });
    await world.cloud.advance(1000);
    const call = { action: operation, region: "cn-hangzhou", priority: "inventory", reading: false } as const;
    await world.cms.call({ ...call, request: () => ({ toMap: () => parameters }) });
    await publishUse(world.app, world.policy);
    await world.cloud.advance(10 * 60_000);
    expect(told.join("")).toContain("safeport-test-no-traffic");
  });
});
