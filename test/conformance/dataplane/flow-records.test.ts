// Flow records: what the log of an interface says about real traffic, on both engines.

import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { type DataPlane, type DataPlaneOptions, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import { type FlowDetail, type FlowRecord, flowLogFields } from "../../../local/dataplane/flow-record.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import { seededRandom } from "../../../local/random.ts";
import { aGroup, anEni, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { attempt, ownNet } from "./connect.ts";
import { ask } from "./udp.ts";

const net = ownNet(144);
const tableName = `safeport_flows_${process.pid}`;
const noNft = await nftUnusable(tableName);
const noTcpdump = spawnSync("tcpdump", ["--version"]).error;
if (noNft !== undefined) console.log(`The nft data plane is not tested here: ${noNft}`);
if (noTcpdump !== undefined) console.log("Captured packets are not tested here: tcpdump is not installed.");

const PORT = 5022;
const START_MS = Date.UTC(2026, 10, 20, 7, 28, 38);
const WINDOW_MS = 600_000;
const web = anEni(`${net}.11`, ["sg-web"], { eniId: "eni-web", instanceId: "i-web" });
const quiet = anEni(`${net}.12`, ["sg-web"], { eniId: "eni-quiet", instanceId: "i-quiet" });
const world = aTopology({
  groups: [
    aGroup("sg-web", [
      aRule({ portRange: `${PORT}/${PORT}`, sourceCidrIp: "127.0.0.1" }),
      aRule({ ipProtocol: "UDP", portRange: `${PORT}/${PORT}` }),
    ]),
  ],
  enis: [web, quiet],
  instances: [
    { instanceId: "i-web", name: "web", eniIds: ["eni-web"], listening: [PORT], listeningUdp: [PORT] },
    { instanceId: "i-quiet", name: "quiet", eniIds: ["eni-quiet"], listening: [PORT] },
  ],
});

let plane: DataPlane | undefined;
let clock: CloudClock;
const records: FlowRecord[] = [];
afterEach(async () => {
  await plane?.stop();
  clock.close();
});

async function start(options: Partial<DataPlaneOptions>): Promise<DataPlane> {
  clock = new CloudClock({ startMs: START_MS });
  records.length = 0;
  plane = await startDataPlane({
    clock,
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
    destCidrIp: () => "honoured",
    range: `${net}.0/24`,
    tableName,
    flowWindowMs: WINDOW_MS,
    ...options,
  });
  await plane.apply(world);
  await plane.recordFlows((each) => records.push(...each));
  return plane;
}

/** Records of the port, gathered until the condition holds: what the kernel logs arrives a moment later. */
async function flows(holds: (found: readonly FlowDetail[]) => boolean): Promise<readonly FlowDetail[]> {
  const found = (): readonly FlowDetail[] =>
    records.flatMap(({ flow }) => (flow?.sourcePort === PORT || flow?.destPort === PORT ? [flow] : []));
  await expect
    .poll(() => {
      plane?.flushFlows();
      return holds(found());
    })
    .toBe(true);
  return found();
}

const both = [
  { name: "captured packets", options: { engine: "nft" } as const, origin: "packets", off: noNft ?? noTcpdump },
  { name: "sockets", options: { engine: "userspace" } as const, origin: "derived", off: undefined },
];

describe.each(both)("flow records from $name", ({ options, origin, off }) => {
  test.skipIf(off !== undefined)(
    "a connection becomes two records: both directions, flags, packets, bytes",
    async () => {
      await start(options);
      await attempt(web.privateIp, PORT, "127.0.0.1", "hello");
      const flags = (found: readonly FlowDetail[], direction: string): number =>
        found.filter((flow) => flow.direction === direction).reduce((sum, { tcpFlags }) => sum | tcpFlags, 0);
      const found = await flows((each) => (flags(each, "in") & 1) === 1 && (flags(each, "out") & 1) === 1);
      expect(flags(found, "in") & ~4).toBe(1 | 2 | 8);
      expect(flags(found, "out") & ~4).toBe(1 | 8 | 18);
      const incoming = found.filter(({ direction }) => direction === "in");
      const total = (part: "packets" | "bytes"): number => incoming.reduce((sum, flow) => sum + flow[part], 0);
      expect(total("packets")).toBeGreaterThanOrEqual(3);
      expect(total("bytes")).toBeGreaterThanOrEqual(5 + 40 * 3);
      expect(incoming[0]).toMatchObject({
        type: "IPv4",
        protocol: 6,
        action: "ACCEPT",
        sourceAddress: "127.0.0.1",
        destAddress: web.privateIp,
        destPort: PORT,
        start: START_MS,
      });
      expect(records.find(({ flow }) => flow !== undefined)).toMatchObject({
        origin,
        eniId: "eni-web",
        instanceId: "i-web",
      });
    },
  );

  test.skipIf(off !== undefined)(
    "a dropped connection becomes one record that says REJECT, with a SYN alone",
    async () => {
      await start(options);
      await attempt(web.privateIp, PORT, "127.0.0.2");
      const found = await flows((each) => each.length > 0);
      expect(found[0]).toMatchObject({ direction: "in", action: "REJECT", tcpFlags: 2, sourceAddress: "127.0.0.2" });
      expect(found.every(({ direction, action }) => direction === "in" && action === "REJECT")).toBe(true);
    },
  );

  test.skipIf(off !== undefined)("a datagram and its answer become records without flags", async () => {
    await start(options);
    await ask(web.privateIp, PORT);
    const found = await flows((each) => each.length >= 2);
    expect(found.map(({ direction, protocol, tcpFlags, packets }) => [direction, protocol, tcpFlags, packets])).toEqual(
      [
        ["in", 17, 0, 1],
        ["out", 17, 0, 1],
      ],
    );
    expect(found[0]?.bytes).toBe(28 + "hello".length);
  });

  test.skipIf(off !== undefined)("windows are aligned to the clock, and a quiet interface says so", async () => {
    await start(options);
    await clock.advance(2 * WINDOW_MS);
    const aligned = Math.ceil(START_MS / WINDOW_MS) * WINDOW_MS;
    expect(
      records.map(({ eniId, windowStart, windowEnd, logStatus }) => [eniId, windowStart, windowEnd, logStatus]),
    ).toEqual([
      ["eni-web", START_MS, aligned, "NODATA"],
      ["eni-quiet", START_MS, aligned, "NODATA"],
      ["eni-web", aligned, aligned + WINDOW_MS, "NODATA"],
      ["eni-quiet", aligned, aligned + WINDOW_MS, "NODATA"],
    ]);
  });
});

test.skipIf(noNft !== undefined || noTcpdump !== undefined)(
  "traffic between instances is recorded at both interfaces",
  async () => {
    await start({ engine: "nft" });
    await ask(web.privateIp, PORT, quiet.privateIp);
    await flows((each) => each.length >= 4);
    expect(records.filter(({ flow }) => flow).map(({ eniId, flow }) => [eniId, flow?.direction])).toEqual([
      ["eni-quiet", "out"],
      ["eni-web", "in"],
      ["eni-web", "out"],
      ["eni-quiet", "in"],
    ]);
  },
);

test.skipIf(noNft !== undefined)(
  "without a capture the records are derived, and say that drops may be missing",
  async () => {
    await start({ engine: "nft", capture: false });
    await attempt(web.privateIp, PORT);
    const found = await flows((each) => each.some(({ tcpFlags }) => (tcpFlags & 1) === 1));
    expect(found[0]).toMatchObject({ direction: "in", action: "ACCEPT" });
    expect(records.filter(({ logStatus }) => logStatus === "SKIPDATA")[0]).toMatchObject({ eniId: "eni-web" });
    expect(records.filter(({ logStatus }) => logStatus === "NODATA")).toEqual([]);
  },
);

test("scan noise adds probes of strangers, judged by the rules and marked", async () => {
  await start({ engine: "userspace", scanNoise: { everyMs: 1_000, random: seededRandom("noise") } });
  await clock.advance(2 * WINDOW_MS);
  const noise = records.filter(({ origin }) => origin === "noise");
  expect(noise.length).toBeGreaterThan(500);
  expect(new Set(noise.map(({ flow }) => flow?.action))).toEqual(new Set(["REJECT"]));
  expect(noise.every(({ flow }) => flow?.sourceAddress.startsWith("198.51.100."))).toBe(true);
});

test("the fields of a log line are the service's, all text, times in seconds", async () => {
  await start({ engine: "userspace" });
  await ask(web.privateIp, PORT);
  await flows((each) => each.length > 0);
  const [record] = records;
  const place = { accountId: "1", regionId: "cn-hangzhou", vpcId: "vpc-1", vSwitchId: "vsw-1" };
  expect(record && flowLogFields(record, place)).toEqual({
    version: "1",
    "account-id": "1",
    region: "cn-hangzhou",
    "vpc-id": "vpc-1",
    "vswitch-id": "vsw-1",
    "eni-id": "eni-web",
    "vm-id": "i-web",
    type: "IPv4",
    protocol: "17",
    srcaddr: "127.0.0.1",
    srcport: expect.stringMatching(/^[0-9]+$/),
    dstaddr: web.privateIp,
    dstport: "5022",
    direction: "in",
    action: "ACCEPT",
    packets: "1",
    bytes: "33",
    start: String(START_MS / 1000),
    end: String(START_MS / 1000),
    "tcp-flags": "0",
    traffic_path: "0",
    "log-status": "OK",
  });
});
