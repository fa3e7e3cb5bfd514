// Throughput of the embedded Tablestore through the official SDK, next to the same SDK against a server that does nothing.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import TableStore from "tablestore";
import { type Server as Process, startServer, stopServers } from "./own-process.ts";
import { percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";

const CONCURRENCY = 32;
const ROUNDS = 5;
const ROUND_MS = 2_000;
const SHORT_ROUND_MS = 400;
const ROWS = 1_000;

interface Kind {
  readonly label: string;
  /** The least ratio to the stub that is promised; none for ranges. */
  readonly ratioMin?: number;
  call(client: TableStore.Client, index: number): Promise<unknown>;
}

const key = (index: number): TableStore.PrimaryKeyInput => [
  { group: "sg-bench" },
  { n: TableStore.Long.fromNumber(index % ROWS) },
];
const cells = (): TableStore.AttributesInput => [
  { rev: TableStore.Long.fromNumber(1) },
  { owner: "somebody@example.com" },
  { reason: "one hundred characters of reason, more or less, as people write them when asked why a port is open" },
  { open: true },
];
const sameRevision = (): TableStore.Condition =>
  new TableStore.Condition(
    TableStore.RowExistenceExpectation.EXPECT_EXIST,
    new TableStore.SingleColumnCondition("rev", TableStore.Long.fromNumber(1), TableStore.ComparatorType.EQUAL, false),
  );

const kinds: readonly Kind[] = [
  {
    label: "conditional put, durable",
    ratioMin: 0.5,
    call: (client, index) =>
      client.putRow({
        tableName: "t",
        condition: sameRevision(),
        primaryKey: key(index),
        attributeColumns: cells(),
      }),
  },
  { label: "get", ratioMin: 0.6, call: (client, index) => client.getRow({ tableName: "t", primaryKey: key(index) }) },
  {
    label: "range of 1,000 rows",
    call: (client) =>
      client.getRange({
        tableName: "t",
        direction: TableStore.Direction.FORWARD,
        inclusiveStartPrimaryKey: [{ group: "sg-bench" }, { n: TableStore.INF_MIN }],
        exclusiveEndPrimaryKey: [{ group: "sg-bench" }, { n: TableStore.INF_MAX }],
      }),
  },
];

/** Measures puts, gets and ranges per second on both servers in turn. Answers whether the promises were kept. */
export async function benchTablestore(isShort: boolean): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "bench-tablestore-"));
  const started: Process[] = [];
  const start = async (name: string, argument: string): Promise<string> => {
    const server = await startServer(folder, name, argument);
    started.push(server);
    return server.address;
  };
  try {
    const url = await start("tablestore-engine", join(folder, "data"));
    const engine = connect(url);
    await fill(engine.client);
    const recorded = join(folder, "answers.json");
    writeFileSync(recorded, JSON.stringify(await recordAnswers(url)));
    const stub = connect(await start("tablestore-stub", recorded));
    let isKept = true;
    for (const kind of kinds) isKept = (await compare(kind, { engine, stub }, isShort)) && isKept;
    return isKept;
  } finally {
    await stopServers(started);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Server {
  readonly client: TableStore.Client;
}

const connect = (endpoint: string): Server => ({
  client: new TableStore.Client({
    accessKeyId: "ak",
    accessKeySecret: "sk",
    endpoint,
    instancename: "bench",
    maxRetries: 0,
  }),
});

async function compare(
  kind: Kind,
  servers: { readonly engine: Server; readonly stub: Server },
  isShort: boolean,
): Promise<boolean> {
  const roundMs = isShort ? SHORT_ROUND_MS : ROUND_MS;
  const rates: { engine: number; stub: number }[] = [];
  await measure(kind, servers.engine, roundMs / 2);
  await measure(kind, servers.stub, roundMs / 2);
  // In turn, so that a slow spell of the machine hits both alike.
  for (let round = 0; round < ROUNDS; round++) {
    progress(`${kind.label}: round ${round + 1} of ${ROUNDS}`);
    const engine = await measure(kind, servers.engine, roundMs);
    rates.push({ engine, stub: await measure(kind, servers.stub, roundMs) });
  }
  progress("");
  const median = (values: readonly number[]): number => percentile(values, 50);
  const ratio = median(rates.map((rate) => rate.engine / rate.stub));
  const engine = median(rates.map((rate) => rate.engine)).toFixed(0);
  const stub = median(rates.map((rate) => rate.stub)).toFixed(0);
  row(kind.label, `${engine} a second, stub ${stub}, ratio ${ratio.toFixed(2)}`);
  return kind.ratioMin === undefined || verdict(`ratio >= ${kind.ratioMin}`, ratio >= kind.ratioMin);
}

/** Calls per second at the concurrency of the bench. */
async function measure(kind: Kind, { client }: Server, forMs: number): Promise<number> {
  const startedAt = performance.now();
  let calls = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const index = calls;
      calls += 1;
      await kind.call(client, index);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return (calls * 1000) / (performance.now() - startedAt);
}

async function fill(client: TableStore.Client): Promise<void> {
  await client.createTable({
    tableMeta: {
      tableName: "t",
      primaryKey: [
        { name: "group", type: "STRING" },
        { name: "n", type: "INTEGER" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  const ignore = new TableStore.Condition(TableStore.RowExistenceExpectation.IGNORE, null);
  for (let from = 0; from < ROWS; from += 100) {
    const rows = Array.from({ length: 100 }, (_, index) => ({
      type: "PUT" as const,
      condition: ignore,
      primaryKey: key(from + index),
      attributeColumns: cells(),
    }));
    await client.batchWriteRow({ tables: [{ tableName: "t", rows }] });
  }
}

/** One answer of the engine for each kind of call, by path: what the stub repeats. */
async function recordAnswers(engineUrl: string): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  const proxy = createServer((incoming, outgoing) => {
    const { url = "", method = "POST", headers } = incoming;
    const forwarded = request(`${engineUrl}${url}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        answers[url] = body.toString("base64");
        outgoing.writeHead(response.statusCode ?? 500);
        outgoing.end(body);
      });
    });
    incoming.pipe(forwarded);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { client } = connect(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  for (const kind of kinds) await kind.call(client, 0);
  proxy.close();
  proxy.closeAllConnections();
  return answers;
}
