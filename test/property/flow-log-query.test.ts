// What the query makes of flow records is what its table says, for any records of one pair of addresses and ports.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser } from "../../local/seed.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import { vpcRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import type { PortUse } from "../../shared/domain/evidence.ts";

const FROM = Date.UTC(2026, 10, 2, 8);
const { recycling } = defaultPolicy("cn-hangzhou");
const [FIN, SYN, RST, PSH, SYN_ACK] = [1, 2, 4, 8, 18];

interface Way {
  readonly isIn: boolean;
  readonly isRefused: boolean;
  readonly packets: number;
  readonly bytes: number;
  readonly flags: number | null;
  readonly startS: number;
}

interface Case {
  readonly protocol: number;
  readonly port: number;
  readonly peerPort: number;
  readonly ways: readonly Way[];
}

const flags = fc.subarray([FIN, SYN, RST, PSH, SYN_ACK]).map((some) => some.reduce((joined, flag) => joined | flag, 0));
const way: fc.Arbitrary<Way> = fc.record({
  isIn: fc.boolean(),
  isRefused: fc.constantFrom(false, false, false, true),
  packets: fc.integer({ min: 1, max: 12 }),
  bytes: fc.constantFrom(60, 400, 501, 9000),
  flags: fc.oneof({ weight: 8, arbitrary: flags }, { weight: 1, arbitrary: fc.constant(null) }),
  startS: fc.integer({ min: 0, max: 3 }),
});
const someCase: fc.Arbitrary<Case> = fc.record({
  protocol: fc.constantFrom(6, 6, 6, 17, 1),
  port: fc.constantFrom(22, 32_767, 32_768),
  peerPort: fc.constantFrom(443, 1023, 1024, 50_000),
  ways: fc.array(way, { minLength: 1, maxLength: 4 }),
});

/** The table over `flowsQuery`, in other words. */
function expected({ protocol, port, peerPort, ways }: Case): string[] {
  const refused = ways.some((it) => it.isRefused && it.isIn) ? ["refused"] : [];
  return [...refused, ...accepted({ protocol, port, peerPort, ways: ways.filter((it) => !it.isRefused) })].sort();
}

function accepted({ protocol, port, peerPort, ways }: Case): string[] {
  const side = (isIn: boolean) => {
    const own = ways.filter((it) => it.isIn === isIn);
    return {
      isThere: own.length > 0,
      packets: own.reduce((sum, it) => sum + it.packets, 0),
      bytes: own.reduce((sum, it) => sum + it.bytes, 0),
      flags: own.reduce((joined, it) => joined | (it.flags ?? 0), 0),
      first: Math.min(...own.map(({ startS }) => startS)),
    };
  };
  const [into, out] = [side(true), side(false)];
  if (!into.isThere) return [];
  const isOwn = port >= 32_768 && peerPort <= 1023;
  const isLarge = [into, out].some(({ packets, bytes }) => packets > 8 || bytes > 500);
  if (protocol !== 6) {
    if (!out.isThere) return [into.packets > 8 ? "unclear" : "silent"];
    const isAsked = port >= 32_768 && [53, 67, 123, 443, 547].includes(peerPort);
    if (out.first < into.first || isAsked) return [];
    return [isOwn ? "unclear" : "real"];
  }
  if (ways.some((it) => it.flags === null)) {
    if (!out.isThere) return [isLarge ? "unclear" : "silent"];
    if (isOwn) return [];
    return [isLarge ? "real" : "unclear"];
  }
  const isReal = ((into.flags & PSH) > 0 && (out.flags & PSH) > 0) || isLarge;
  if ((into.flags & 16) > 0) return [];
  if ((out.flags & 16) > 0) return [isReal ? "real" : "shaken"];
  if ((out.flags & SYN) > 0) return [];
  if (!out.isThere) return [(into.flags & PSH) > 0 && isLarge ? "unclear" : "silent"];
  if ((into.flags & SYN) > 0) return [(out.flags & RST) > 0 ? "closed" : "unclear"];
  if (isOwn) return [];
  return [isReal ? "real" : "shaken"];
}

function told(ports: readonly PortUse[]): string[] {
  return ports
    .flatMap(({ real, shaken, refused, closedAt, silentAt, unclearAt }) => [
      ...(real.list.length > 0 ? ["real"] : []),
      ...(shaken.list.length > 0 ? ["shaken"] : []),
      ...(refused.list.length > 0 ? ["refused"] : []),
      ...(closedAt === null ? [] : ["closed"]),
      ...(silentAt === null ? [] : ["silent"]),
      ...(unclearAt === null ? [] : ["unclear"]),
    ])
    .sort();
}

function recordsOf({ protocol, port, peerPort, ways }: Case, eniId: string): Record<string, string>[] {
  return ways.map(({ isIn, isRefused, packets, bytes, flags: set, startS }) => ({
    ...{ version: "1", "eni-id": eniId, type: "IPv4", protocol: String(protocol), "log-status": "OK" },
    srcaddr: isIn ? "203.0.113.7" : "10.0.0.1",
    srcport: String(isIn ? peerPort : port),
    dstaddr: isIn ? "10.0.0.1" : "203.0.113.7",
    dstport: String(isIn ? port : peerPort),
    direction: isIn ? "in" : "out",
    action: isRefused ? "REJECT" : "ACCEPT",
    packets: String(packets),
    bytes: String(bytes),
    start: String(FROM / 1000 + startS),
    end: String(FROM / 1000 + 599),
    ...(set === null ? {} : { "tcp-flags": String(set) }),
  }));
}

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ range: "127.125.0.0/16", engine: "userspace", startMs: FROM + 3_600_000 });
});
afterAll(() => cloud.stop());

test("four thousand pairs are told as the table says", async () => {
  const cases = fc.sample(someCase, { numRuns: 4000, seed: 20_261_127 });
  cloud.sls.ensure("net", "flow", 60);
  const records = cases.flatMap((it, index) => recordsOf(it, `eni-${index}`));
  cloud.sls.put(
    "net",
    "flow",
    records.map((fields) => ({ at: FROM + 600_000, topic: "flow_log", fields })),
  );
  await cloud.advance(3_000);
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  const common = { clock: cloud.clock, credentials: () => ({ accessKeyId, accessKeySecret }) };
  const traffic = flowLogTraffic({
    clock: cloud.clock,
    sls: slsClient({ ...common, endpoint: `http://${cloud.endpoints.sls}` }),
    vpc: vpcRpcClient({ ...common, endpoint: () => cloud.endpoints.vpc, protocol: "http" }),
    places: [{ region: "cn-hangzhou", project: "net", logstore: "flow" }],
  });
  const span = { region: "cn-hangzhou", from: FROM, until: FROM + 3_600_000, recycling };
  const { kind, members } = await traffic.read(span, 10);
  expect(kind).toBe("complete");
  const byEni = new Map(members.map(({ member, ports }) => [member, told(ports)]));
  for (const [index, it] of cases.entries()) expect([it, byEni.get(`eni-${index}`) ?? []]).toEqual([it, expected(it)]);
  // The cases are many enough to meet every line of the table.
  expect([...new Set([...byEni.values()].flat())].sort()).toEqual([
    "closed",
    "real",
    "refused",
    "shaken",
    "silent",
    "unclear",
  ]);
});
