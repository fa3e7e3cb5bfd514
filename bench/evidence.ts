// What a day of evidence costs: one collection of six hours is run and counted on the embedded log service, Tablestore and
// CloudMonitor, and once more for what came late; a day has four of each.

import { type Cloud, startCloud } from "../local/cloud.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../local/seed.ts";
import { cmsMetrics, unhurried } from "../shared/adapters/alibaba/cms-metrics.ts";
import { ecsInventory } from "../shared/adapters/alibaba/ecs-inventory.ts";
import { flowLogTraffic } from "../shared/adapters/alibaba/flow-log-traffic.ts";
import {
  cloudMonitorRpcClient,
  ecsRpcClient,
  type RpcSettings,
  vpcRpcClient,
} from "../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../shared/adapters/alibaba/sls-client.ts";
import { tablestoreTables } from "../shared/adapters/alibaba/tablestore-tables.ts";
import { systemRandom } from "../shared/adapters/system/random.ts";
import { policySchema } from "../shared/config/document-schema.ts";
import { policyOf } from "../shared/config/policy-values.ts";
import type { Policy } from "../shared/domain/policy.ts";
import type { Columns, KeyPart, Tables } from "../shared/ports/tables.ts";
import { readCollection } from "../shared/store/collection.ts";
import { schemas } from "../shared/store/tables.ts";
import { collectEvidence } from "../shared/usecases/recycling/collect-evidence.ts";
import { publishUse } from "../shared/usecases/recycling/publish-use.ts";
import { progress, row, verdict } from "./printing.ts";

const REGION = "cn-hangzhou";
const PLACE = { project: "bench", logstore: "flow-log" };
const HOUR_MS = 3_600_000;
const WINDOW_MS = 600_000;
const RUN_HOURS = 6;
const RUNS_PER_DAY = 24 / RUN_HOURS;
const START = Date.UTC(2026, 10, 2);
/** Of each host and window: sessions with two ports of five peers together, and a scan of a third. */
const PEERS = 5;
const UNIT_BYTES = 4096;
/** What one analysis of the log service may read. */
const SCAN_BYTES_MAX = 400 * 1024 * 1024;
/** Enough for every part once and again, and as much for repeats. */
const QUERIES_PER_DAY = 200;

/** Prints the cost, and answers whether it stays within the bounds. */
export async function benchEvidence(isShort: boolean): Promise<boolean> {
  const hosts = isShort ? 100 : 1000;
  const cloud = await startCloud({ engine: "userspace", range: "127.94.0.0/16", startMs: START });
  try {
    return await measure(cloud, hosts);
  } finally {
    await cloud.stop();
  }
}

async function measure(cloud: Cloud, hosts: number): Promise<boolean> {
  await cloud.recordFlowLogs(PLACE.project, PLACE.logstore, 60);
  progress(`writing ${RUN_HOURS} hours of flow records of ${hosts} hosts`);
  const records = writeRecords(cloud, hosts);
  await cloud.advance(RUN_HOURS * HOUR_MS + HOUR_MS);
  const units = new Units();
  const app = await appOn(cloud, units);
  const policy = policyFor({ queriesPerDay: 100_000 });

  progress("collecting");
  const first = await counted(units, () => collect(app, policy));
  // The hours after are quiet; they are read before, so that the second run counts what is read again alone.
  await cloud.advance(24 * HOUR_MS);
  await collect(app, policy);
  await cloud.advance(RUN_HOURS * HOUR_MS);
  progress("collecting what came late");
  const again = await counted(units, () => collect(app, policy));
  const publishing = await counted(units, () => publishUse(app, policy));
  progress("");

  const perDay = (count: number): number => Math.round(count * RUNS_PER_DAY);
  const daily = {
    // Every part is asked for twice.
    queries: perDay(2 * first.queries),
    bytes: perDay(2 * first.bytes),
    reads: perDay(first.reads + again.reads) + publishing.reads,
    writes: perDay(first.writes + again.writes) + publishing.writes,
  };
  row("hosts, flow records a day", `${hosts}, ${(records * RUNS_PER_DAY).toLocaleString("en")}`);
  row("log service, queries a day", daily.queries.toLocaleString("en"));
  row("log service, scanned a day", `${(daily.bytes / 2 ** 30).toFixed(2)} GiB`);
  row("  in one query, on average", `${(daily.bytes / daily.queries / 2 ** 20).toFixed(1)} MiB`);
  row("Tablestore, read units a day", daily.reads.toLocaleString("en"));
  row("Tablestore, write units a day", daily.writes.toLocaleString("en"));
  row("CloudMonitor, calls a day", publishing.metricCalls.toLocaleString("en"));
  row("collecting six hours", `${(first.ms / 1000).toFixed(1)} s, the embedded services included`);

  const isInOne = daily.bytes / daily.queries <= SCAN_BYTES_MAX;
  const isWithin = daily.queries <= QUERIES_PER_DAY;
  const bounded = await boundedQueries(cloud, app);
  const kept = [
    verdict(`queries a day at most ${QUERIES_PER_DAY}`, isWithin),
    verdict("a part of the log fits into one query", isInOne),
    verdict(`queriesPerDay bounds them: 10 allowed, ${bounded} asked`, bounded <= 10),
  ];
  return kept.every(Boolean);
}

/** How many are asked when ten are allowed a day. */
async function boundedQueries(cloud: Cloud, app: BenchApp): Promise<number> {
  await cloud.advance(48 * HOUR_MS);
  const before = (await readCollection(app.tables, REGION, "flowLog"))?.spent;
  await collect(app, policyFor({ queriesPerDay: 10 }));
  const after = (await readCollection(app.tables, REGION, "flowLog"))?.spent;
  return (after?.queries ?? 0) - (after?.day === before?.day ? (before?.queries ?? 0) : 0);
}

const policyFor = (collect: Readonly<Record<string, unknown>>): Policy =>
  policyOf(policySchema.parse({ regions: [REGION], recycling: { sources: ["flowLog"], collect } }), 1, REGION);

async function collect(app: BenchApp, policy: Policy): Promise<void> {
  await collectEvidence(app, { policy, region: REGION, deadlineAt: Number.POSITIVE_INFINITY });
}

interface Cost {
  readonly queries: number;
  readonly bytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly metricCalls: number;
  readonly ms: number;
}

/** Capacity units of Tablestore, by size, and what the log and CloudMonitor were asked. */
class Units {
  reads = 0;
  writes = 0;
  queries = 0;
  bytes = 0;
  metricCalls = 0;

  /** A range is counted by all it reads, one row by itself; at least one. */
  read(bytes: number): void {
    this.reads += Math.max(1, Math.ceil(bytes / UNIT_BYTES));
  }

  write(bytes: number, isConditional: boolean): void {
    this.writes += Math.max(1, Math.ceil(bytes / UNIT_BYTES));
    if (isConditional) this.reads += 1;
  }
}

async function counted(units: Units, work: () => Promise<unknown>): Promise<Cost> {
  const { reads, writes, queries, bytes, metricCalls } = units;
  const since = process.hrtime.bigint();
  await work();
  return {
    reads: units.reads - reads,
    writes: units.writes - writes,
    queries: units.queries - queries,
    bytes: units.bytes - bytes,
    metricCalls: units.metricCalls - metricCalls,
    ms: Number(process.hrtime.bigint() - since) / 1e6,
  };
}

type BenchApp = Parameters<typeof collectEvidence>[0] & Parameters<typeof publishUse>[0];

async function appOn(cloud: Cloud, units: Units): Promise<BenchApp> {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const credentials = () => ({ accessKeyId, accessKeySecret });
  const clock = {
    now: () => cloud.clock.now(),
    monotonicMs: () => 0,
    // Who is too fast for CloudMonitor waits in its time.
    sleep: (ms: number) => cloud.advance(ms),
  };
  const at = (endpoint: string): RpcSettings => ({ clock, credentials, endpoint: () => endpoint, protocol: "http" });
  const source = flowLogTraffic({
    clock,
    sls: slsClient({ clock, credentials, endpoint: `http://${cloud.endpoints.sls}` }),
    vpc: vpcRpcClient(at(cloud.endpoints.vpc)),
    places: [{ region: REGION, ...PLACE }],
  });
  const flowLog: typeof source = {
    reach: (region) => source.reach(region),
    read: async (ask, queriesMax) => {
      const reading = await source.read(ask, queriesMax);
      units.queries += reading.cost.queries;
      units.bytes += reading.cost.bytes;
      return reading;
    },
  };
  const published = cmsMetrics(unhurried(cloudMonitorRpcClient(at(cloud.endpoints.cms)), clock));
  const inner = tablestoreTables({
    ...{ clock, random: systemRandom, schemas, credentials },
    endpoint: cloud.endpoints.tablestore,
    instance: seedTablestoreInstance,
  });
  await inner.createTables(schemas);
  return {
    clock,
    tables: measured(inner, units),
    log: { write: () => undefined },
    inventory: ecsInventory(ecsRpcClient(at(cloud.endpoints.ecs)), clock),
    traffic: async () => ({ flowLog }),
    metrics: async () => ({
      publish: async (...input) => {
        const answer = await published.publish(...input);
        units.metricCalls += answer.calls;
        return answer;
      },
    }),
    settings: { installation: "bench" } as BenchApp["settings"],
  };
}

const sizeOf = (key: readonly KeyPart[], columns: Columns): number =>
  JSON.stringify(key).length +
  Object.entries(columns).reduce((sum, [name, value]) => sum + name.length + String(value).length, 0);

function measured(inner: Tables, units: Units): Tables {
  return {
    ...inner,
    get: async (table, key) => {
      const found = await inner.get(table, key);
      units.read(found === null ? 0 : sizeOf(found.key, found.columns));
      return found;
    },
    range: async (query) => {
      const answer = await inner.range(query);
      units.read(answer.rows.reduce((sum, { key, columns }) => sum + sizeOf(key, columns), 0));
      return answer;
    },
    put: (table, key, columns, condition) => {
      units.write(sizeOf(key, columns), condition.kind !== "none");
      return inner.put(table, key, columns, condition);
    },
  };
}

/** Records of all windows; answers how many. */
function writeRecords(cloud: Cloud, hosts: number): number {
  let count = 0;
  for (let at = START; at < START + RUN_HOURS * HOUR_MS; at += WINDOW_MS) {
    const logs = Array.from({ length: hosts }, (_, host) => recordsOf(host, at)).flat();
    count += logs.length;
    cloud.sls.put(
      PLACE.project,
      PLACE.logstore,
      logs.map((fields) => ({ at: at + WINDOW_MS, topic: "flow_log", fields })),
    );
  }
  return count;
}

function recordsOf(host: number, at: number): Readonly<Record<string, string>>[] {
  const own = `10.0.${host >> 8}.${host & 255}`;
  const base = {
    ...{
      version: "1",
      "account-id": "1000000000000000",
      region: REGION,
      "vpc-id": "vpc-bench",
      "vswitch-id": "vsw-bench",
    },
    ...{ "eni-id": `eni-bench${host}`, "vm-id": `i-bench${host}`, type: "IPv4", protocol: "6", action: "ACCEPT" },
    ...{ start: String(at / 1000 + 5), end: String((at + WINDOW_MS) / 1000), traffic_path: "0", "log-status": "OK" },
  };
  const ways = (peer: string, port: number, flags: readonly [number, number], bytes: number) => [
    {
      ...base,
      srcaddr: peer,
      srcport: "40001",
      dstaddr: own,
      dstport: String(port),
      direction: "in",
      packets: "9",
      bytes: String(bytes),
      "tcp-flags": String(flags[0]),
    },
    {
      ...base,
      srcaddr: own,
      srcport: String(port),
      dstaddr: peer,
      dstport: "40001",
      direction: "out",
      packets: "9",
      bytes: String(bytes),
      "tcp-flags": String(flags[1]),
    },
  ];
  const sessions = Array.from({ length: PEERS }, (_, n) =>
    ways(`10.1.${n}.${(host + at / WINDOW_MS) % 250}`, n < 3 ? 443 : 8080, [11, 27], 4000),
  );
  return [
    ...sessions.flat(),
    ...ways(`198.51.100.${host % 250}`, 22, [6, 18], 100).map((way) => ({ ...way, packets: "2" })),
  ];
}
