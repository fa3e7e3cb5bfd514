// The traffic port on flow logs: what the embedded log service has is told as the sheet of flow logs says it must be read.
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser } from "../../local/seed.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import { type RpcClient, vpcRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import { type PortUse, sizeOf } from "../../shared/domain/evidence.ts";
import type { PortSpan } from "../../shared/domain/port-span.ts";
import { MEMBERS_MAX, type Traffic, TrafficFailure } from "../../shared/ports/traffic.ts";
import {
  aBannerScan,
  aClosedPort,
  aLongSession,
  anExchange,
  anOwnSession,
  anUnansweredDatagram,
  aOneSidedSession,
  aOneWaySession,
  aQuietLog,
  aRefusal,
  aScan,
  aSession,
  aSilentPort,
  aSmallSession,
  aStream,
  putFlows,
  type Talk,
  withoutFlags,
} from "../kit/flow-records.ts";

const region = "cn-hangzhou";
const place = { project: "net", logstore: "flow" };
const HOUR_MS = 3_600_000;
const FROM = Date.UTC(2026, 10, 2, 8);
const { recycling } = defaultPolicy(region);
const span = { region, from: FROM, until: FROM + HOUR_MS, recycling };

let cloud: Cloud;
let traffic: Traffic;
let vpc: RpcClient;

async function start(rowsPerPage = 100_000): Promise<void> {
  cloud = await startCloud({ range: "127.123.0.0/16", engine: "userspace", startMs: FROM });
  onTestFinished(() => cloud.stop());
  cloud.sls.ensure(place.project, place.logstore, 60);
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  // A repeat waits for nothing here.
  const clock = { now: () => cloud.clock.now(), monotonicMs: () => 0, sleep: async () => undefined };
  const common = { clock, credentials: () => ({ accessKeyId, accessKeySecret }) };
  vpc = vpcRpcClient({ ...common, endpoint: () => cloud.endpoints.vpc, protocol: "http" });
  traffic = flowLogTraffic({
    clock,
    sls: slsClient({ ...common, endpoint: `http://${cloud.endpoints.sls}` }),
    vpc,
    places: [{ region, ...place }],
    rowsPerPage,
  });
}

const put = (...records: readonly ReturnType<typeof aSession>[]): void => putFlows(cloud, place, records.flat());
const talk = (changes: Partial<Talk> = {}): Talk => ({
  eniId: "eni-1",
  peer: "203.0.113.7",
  port: 22,
  at: FROM + 60_000,
  ...changes,
});
const settled = (): Promise<void> => cloud.advance(2 * HOUR_MS);

async function told(queriesMax = 100) {
  await settled();
  const reading = await traffic.read(span, queriesMax);
  const [member] = reading.members;
  return { reading, member, ports: (member?.ports ?? []).map(summary) };
}

/** What a port's use comes to, in one word each. */
function summary({ protocol, port, real, shaken, refused, closedAt, silentAt, unclearAt }: PortUse): string {
  const words = [
    ...real.list.map(({ block }) => `real ${block}`),
    ...shaken.list.map(({ block }) => `shaken ${block}`),
    ...refused.list.map(({ block }) => `refused ${block}`),
    ...(closedAt === null ? [] : ["closed"]),
    ...(silentAt === null ? [] : ["silent"]),
    ...(unclearAt === null ? [] : ["unclear"]),
  ];
  return `${protocol} ${port}: ${words.join(", ")}`;
}

beforeEach(() => start());

describe("flow logs", () => {
  test.each([
    ["a session", aSession(talk()), ["tcp 22: real 203.0.113.7"]],
    ["a session of a few bytes", aSmallSession(talk()), ["tcp 22: real 203.0.113.7"]],
    ["much one way", aOneSidedSession(talk()), ["tcp 22: real 203.0.113.7"]],
    ["a session that goes on", aLongSession(talk()), ["tcp 22: real 203.0.113.7"]],
    ["a scan", aScan(talk()), ["tcp 22: shaken 203.0.113.7"]],
    ["a scan that reads a banner", aBannerScan(talk()), ["tcp 22: shaken 203.0.113.7"]],
    ["a closed port", aClosedPort(talk()), ["tcp 22: closed"]],
    ["a silent port", aSilentPort(talk()), ["tcp 22: silent"]],
    ["data whose answers take another way", aOneWaySession(talk()), ["tcp 22: unclear"]],
    ["the same without flags", withoutFlags(aOneWaySession(talk())), ["tcp 22: unclear"]],
    ["a refusal", aRefusal(talk()), ["tcp 22: refused 203.0.113.7"]],
    ["a session of the host's own", anOwnSession(talk({ port: 40_001, peerPort: 443 })), []],
    ["its own session that goes on", aLongSession(talk({ port: 40_001, peerPort: 443 })), []],
    ["a datagram and its answer", anExchange(talk({ port: 53 })), ["udp 53: real 203.0.113.7"]],
    ["a datagram nobody answers", anUnansweredDatagram(talk({ port: 53 })), ["udp 53: silent"]],
    ["datagrams that want no answer", aStream(talk({ port: 514 }), 9), ["udp 514: unclear"]],
    ["no more of those than a scan sends", aStream(talk({ port: 514 }), 8), ["udp 514: silent"]],
    ["its own question", anExchange(talk({ port: 40_001, peerPort: 53 })), []],
    ["a client below 1024 of a high port", anExchange(talk({ port: 40_001, peerPort: 1010 })), ["udp 40001: unclear"]],
    ["a ping", anExchange(talk({ port: 0, peerPort: 0, protocol: 1 })), ["icmp 0: real 203.0.113.7"]],
    ["a session without flags", withoutFlags(aSession(talk())), ["tcp 22: real 203.0.113.7"]],
    ["little without flags", withoutFlags(aScan(talk())), ["tcp 22: unclear"]],
    ["an IPv6 session", aSession(talk({ peer: "2001:db8::7" })), ["tcp 22: real 2001:db8::7"]],
    ["another protocol", anExchange(talk({ port: 0, peerPort: 0, protocol: 50 })), ["50 0: real 203.0.113.7"]],
  ])("tell %s", async (_, records, expected) => {
    put(records);
    expect((await told()).ports).toEqual(expected);
  });

  test("tell of a scan that is refused no more than there is use for, and all of what is watched", async () => {
    const ports = Array.from({ length: 700 }, (_, n) => aRefusal(talk({ port: 1000 + n, at: FROM + 120_000 })));
    const early = [5000, 5001].map((port) => aRefusal(talk({ port, peer: "203.0.113.8", at: FROM + 60_000 })));
    put(...ports, ...early);
    const refused = async (watched: readonly PortSpan[]) => {
      const { members } = await traffic.read({ ...span, watched }, 100);
      return (members[0]?.ports ?? []).filter((port) => port.refused.list.length > 0).map(({ port }) => port);
    };
    await settled();
    expect(await refused([])).toHaveLength(256);
    expect(await refused([])).not.toContain(5000);
    const watched = await refused([
      { protocol: "tcp", from: 5000, to: 5000 },
      { protocol: "udp", from: 5001, to: 5001 },
      { protocol: "icmp", from: 0, to: 0 },
    ]);
    expect(watched).toHaveLength(257);
    expect(watched).toContain(5000);
  });

  test("tell apart what comes together", async () => {
    put(
      aSession(talk()),
      aScan(talk({ peer: "198.51.100.1", peerPort: 1 })),
      aScan(talk({ peer: "198.51.100.1", peerPort: 2 })),
      aRefusal(talk({ peer: "198.51.100.2" })),
      aClosedPort(talk({ port: 80 })),
      aScan(talk({ eniId: "eni-2" })),
    );
    const { reading, ports } = await told();
    expect(ports).toEqual(["tcp 22: real 203.0.113.7, shaken 198.51.100.1, refused 198.51.100.2", "tcp 80: closed"]);
    expect(reading.members.map(({ member }) => member)).toEqual(["eni-1", "eni-2"]);
    expect(reading.members[0]?.ports[0]?.real.list[0]).toMatchObject({
      count: 1,
      hours: 1 << 8,
      lastAt: FROM + 599_000,
    });
  });

  test("count peers above 256 in blocks, and name those that shake hands", async () => {
    const many = Array.from({ length: 300 }, (_, n) => `198.51.${Math.floor(n / 100)}.${n % 100}`);
    put(...many.map((peer) => aSession(talk({ peer }))), ...many.map((peer) => aScan(talk({ peer, port: 23 }))));
    const { member } = await told();
    const [ssh, telnet] = member?.ports ?? [];
    expect(ssh?.real.list.map(({ block, count }) => `${block} ${count}`).sort()).toEqual([
      "198.51.0.0/24 100",
      "198.51.1.0/24 100",
      "198.51.2.0/24 100",
    ]);
    expect(ssh?.real.more).toBe(false);
    expect(telnet?.shaken.list.length).toBe(256);
    expect(telnet?.shaken.more).toBe(true);
  });

  test("are read page by page to the last one", async () => {
    await start(50);
    const many = Array.from({ length: 120 }, (_, n) => `198.51.100.${n}`);
    put(aQuietLog(["eni-1"], span), ...many.map((peer) => aSession(talk({ peer }))));
    const { reading, member } = await told();
    expect(reading).toMatchObject({ kind: "complete", cost: { queries: 4 } });
    expect(new Set(member?.ports[0]?.real.list.map(({ block }) => block)).size).toBe(120);
    // What does not fit into the questions allowed is not known.
    expect((await told(3)).reading).toMatchObject({ kind: "incomplete", cost: { queries: 3 } });
    expect((await told(3)).member?.seen ?? 0n).toBe(0n);
  });

  test("bound the ports that were only tried", async () => {
    put(...Array.from({ length: 400 }, (_, n) => aClosedPort(talk({ port: n + 1 }))), aSession(talk({ port: 9999 })));
    const { member } = await told();
    expect(member?.ports.length).toBe(257);
    expect(member?.ports.some(({ real }) => real.list.length > 0)).toBe(true);
  });

  test("say which windows are known: quiet ones are, lost ones are not, and none without a record", async () => {
    put(
      aQuietLog(["eni-1"], { from: FROM, until: FROM + 1_200_000 }),
      aSession(talk({ at: FROM + 1_300_000 })),
      aQuietLog(["eni-1"], { from: FROM + 1_800_000, until: FROM + 2_400_000 }, "SKIPDATA"),
      aQuietLog(["eni-1"], { from: FROM - 600_000, until: FROM }),
      aQuietLog(["eni-1"], { from: span.until, until: span.until + 600_000 }),
    );
    const { member, reading } = await told();
    const first = 48n;
    expect(reading.kind).toBe("complete");
    expect((member?.seen ?? 0n) >> first).toBe(0b1111n);
    expect((member?.skipped ?? 0n) >> first).toBe(0b1000n);
    expect(sizeOf(member?.seen ?? 0n)).toBe(4);
  });

  test("keep asking an incomplete answer, then for smaller parts, and never past the questions allowed", async () => {
    put(aQuietLog(["eni-1"], span), aSession(talk()));
    cloud.faults.set([{ service: "sls", fault: { kind: "incomplete" }, times: 1 }]);
    const again = await told();
    expect(again.reading).toMatchObject({ kind: "complete", cost: { queries: 3 } });
    cloud.faults.set([{ service: "sls", fault: { kind: "incomplete" } }]);
    const never = await told(40);
    expect(never.reading.kind).toBe("incomplete");
    expect(never.reading.cost.queries).toBeLessThanOrEqual(40);
    expect(never.member?.seen ?? 0n).toBe(0n);
    const bounded = await told(1);
    expect(bounded.reading).toMatchObject({ kind: "incomplete", cost: { queries: 1 } });
  });

  test("cut a span that holds more than one query may read, and know all of it", async () => {
    put(...Array.from({ length: 60 }, (_, n) => aSession(talk({ at: FROM + n * 60_000, port: 1000 + n }))));
    cloud.slsSwitches.slsScanBytesMax = 12_000;
    const { reading, member } = await told();
    expect(reading.kind).toBe("complete");
    expect(member?.ports.length).toBe(60);
    expect(sizeOf(member?.seen ?? 0n)).toBe(6);
    expect(reading.cost.queries).toBeGreaterThan(6);
  });

  test("are asked of some interfaces alone", async () => {
    put(aSession(talk()), aSession(talk({ eniId: "eni-2" })), aQuietLog(["eni-1", "eni-2"], span));
    await settled();
    const reading = await traffic.read({ ...span, members: ["eni-2"] }, 10);
    expect(reading.members.map(({ member }) => member)).toEqual(["eni-2"]);
    // As many as are ever asked for by name: the log service takes no more.
    const many = ["eni-2", ...Array.from({ length: MEMBERS_MAX - 1 }, (_, n) => `eni-other-${n}`)];
    expect((await traffic.read({ ...span, members: many }, 10)).members).toEqual(reading.members);
    const odd = await traffic.read({ ...span, members: ['eni-1" or "eni-id": "eni-2'] }, 10);
    expect(odd.members).toEqual([]);
  });

  test("reach back as far as the logstore keeps, and say when their silence means nothing", async () => {
    expect(await traffic.reach("cn-beijing")).toBeNull();
    // The logstore was made just now, and keeps sixty days.
    expect(await traffic.reach(region)).toMatchObject({ retentionMs: 0 });
    await cloud.advance(90 * 86_400_000);
    expect(await traffic.reach(region)).toEqual({
      retentionMs: 59 * 86_400_000,
      blind: "no flow log delivers to net/flow",
      trouble: null,
      ipv4Only: false,
    });
    await cloud.recordFlowLogs(place.project, place.logstore);
    expect(await traffic.reach(region)).toMatchObject({ blind: null, trouble: null, ipv4Only: true });
  });

  test("say whether they tell of IPv6, which they do only where they were made so", async () => {
    const asked = {
      ...{ RegionId: region, FlowLogName: "both", ResourceType: "VPC", ResourceId: cloud.account.vpcId },
      ...{ TrafficType: "All", IpVersion: "DualStack", ProjectName: place.project, LogStoreName: place.logstore },
    };
    const request = () => ({ toMap: () => asked });
    await vpc.call({ action: "CreateFlowLog", region, priority: "open", reading: false, request });
    expect(await traffic.reach(region)).toMatchObject({ blind: null, ipv4Only: false });
  });

  test("vouch for no time before they were made: those of before may have captured a part alone", async () => {
    const { vpcId } = cloud.account;
    const made = async (kind: "VPC" | "VSwitch", resourceId: string): Promise<void> => {
      const asked = {
        ...{ RegionId: region, FlowLogName: "all", ResourceType: kind, ResourceId: resourceId, TrafficType: "All" },
        ...{ ProjectName: place.project, LogStoreName: place.logstore },
      };
      const request = () => ({ toMap: () => asked });
      await vpc.call({ action: "CreateFlowLog", region, priority: "open", reading: false, request });
    };
    const known = async () => {
      await traffic.reach(region);
      const { members } = await traffic.read(span, 100);
      return members.filter(({ member }) => member === "eni-1" || member === "eni-2");
    };
    const inVpc = aQuietLog(["eni-1"], span).map((record) => ({ ...record, "vpc-id": vpcId }));
    put(inVpc, aQuietLog(["eni-2"], span), aSession(talk()));
    await cloud.advance(HOUR_MS / 2);
    await made("VPC", vpcId);
    await settled();
    const members = await known();
    expect(members.map(({ member, seen }) => [member, sizeOf(seen)])).toEqual([
      ["eni-1", 3],
      ["eni-2", 3],
    ]);
    expect(members[0]?.ports.map(summary), "what it was used for counts").toEqual(["tcp 22: real 203.0.113.7"]);
    // One for something else takes nothing from those of which it is known where they are.
    await made("VSwitch", vpcId.replace("vpc-", "vsw-"));
    expect((await known()).map(({ member, seen }) => [member, sizeOf(seen)])).toEqual([
      ["eni-1", 3],
      ["eni-2", 0],
    ]);
  });

  test("are no evidence where they capture a part alone: who is refused in a quarantine has to be seen too", async () => {
    const asked = {
      ...{ RegionId: region, FlowLogName: "half", ResourceType: "VPC", ResourceId: cloud.account.vpcId },
      ...{ TrafficType: "Allow", ProjectName: place.project, LogStoreName: place.logstore },
    };
    const request = () => ({ toMap: () => asked });
    await vpc.call({ action: "CreateFlowLog", region, priority: "open", reading: false, request });
    const { blind } = (await traffic.reach(region)) ?? {};
    expect(blind).toContain("captures accepted traffic alone");
  });

  test("fail by what is wrong: no such log, no right, no answer", async () => {
    const failure = async () => (await traffic.read(span, 10).catch((error: unknown) => error)) as TrafficFailure;
    cloud.faults.set([{ service: "sls", fault: { kind: "reject", status: 503, code: "ServerBusy" } }]);
    expect(await failure()).toMatchObject({ kind: "unavailable", cloudCode: "ServerBusy" });
    cloud.faults.set([{ service: "sls", fault: { kind: "reject", status: 403, code: "ReadQuotaExceed" } }]);
    expect(await failure()).toMatchObject({ kind: "throttled" });
    cloud.faults.set([{ service: "sls", fault: { kind: "reject", status: 404, code: "LogStoreNotExist" } }]);
    expect(await failure()).toMatchObject({ kind: "gone" });
    expect(await failure()).toBeInstanceOf(TrafficFailure);
  });
});
