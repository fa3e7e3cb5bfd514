// CreateTable, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, createPairs, failureOf, startAccount } from "./account.ts";
import type { Fields } from "./bytes.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
});
afterAll(() => account.server.stop());

const text = { name: "a", type: "STRING" } as const;
const column = (index: number) => ({ name: `c${index}`, type: TableStore.DefinedColumnType.DCT_STRING });
const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, n) => make(n));

interface Wanted {
  readonly tableName?: string;
  readonly primaryKey?: readonly object[];
  readonly definedColumn?: readonly object[];
  readonly read?: number;
  readonly tableOptions?: object;
  readonly streamSpecification?: object;
}
const create = (wanted: Wanted): Promise<string> => {
  const { tableName = "fresh", primaryKey = [text], definedColumn = [], read = 0, ...rest } = wanted;
  return failureOf(
    client.createTable({
      tableMeta: { tableName, primaryKey, definedColumn },
      reservedThroughput: { capacityUnit: { read, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1, ...wanted.tableOptions },
      ...("streamSpecification" in rest ? { streamSpecification: rest.streamSpecification } : {}),
    } as unknown as TableStore.CreateTableParams),
  );
};

/** A request: meta, throughput, options. */
const request = (
  table: string,
  {
    keys = [{ 1: "a", 2: 2 }],
    options = { 1: -1, 2: 1 },
    more = {},
  }: { keys?: Fields[]; options?: Fields; more?: Fields } = {},
): Fields => ({ 1: { 1: table, 2: keys }, 2: { 1: { 1: 0, 2: 0 } }, 3: options, ...more });
const createRaw = (...args: Parameters<typeof request>): Promise<string> =>
  rawFailureOf(callBytes(account.server.url, "CreateTable", request(...args)));

it("makes a table that is listed and can be described at once", async () => {
  await createPairs(client, "made");
  expect((await client.listTable({})).tableNames).toContain("made");
  expect((await client.describeTable({ tableName: "made" })).tableMeta.tableName).toBe("made");
});

it("refuses a name that is taken", async () => {
  await createPairs(client, "taken");
  expect(await create({ tableName: "taken" })).toBe("409 OTSObjectAlreadyExist Requested table already exists.");
});

const invalid = "400 OTSParameterInvalid";
describe("refuses", () => {
  it.each<[string, Wanted, string]>([
    ["a name that starts with a digit", { tableName: "9x" }, "Invalid table name: '9x'."],
    ["a name with a hyphen", { tableName: "a-b" }, "Invalid table name: 'a-b'."],
    ["a name of 256 bytes", { tableName: "t".repeat(256) }, "Invalid table name"],
    ["no key", { primaryKey: [] }, "primary key"],
    ["five key columns", { primaryKey: times(5, (n) => ({ ...text, name: `k${n}` })) }, "primary key"],
    ["a key column twice", { primaryKey: [text, text] }, "Duplicated primary key name: 'a'."],
    ["a key column with a hyphen", { primaryKey: [{ ...text, name: "a-b" }] }, "Invalid column name: 'a-b'."],
    [
      "a partition key that is assigned",
      { primaryKey: [{ name: "n", type: "INTEGER", option: "AUTO_INCREMENT" }] },
      "First primary key can't be auto increment, table: fresh.",
    ],
    [
      "an assigned text",
      { primaryKey: [text, { name: "n", type: "STRING", option: "AUTO_INCREMENT" }] },
      "AUTO_INCREMENT primary key must be integer.",
    ],
    [
      "two assigned columns",
      { primaryKey: [text, ...times(2, (n) => ({ name: `n${n}`, type: "INTEGER", option: "AUTO_INCREMENT" }))] },
      "AUTO_INCREMENT primary key count must <= 1.",
    ],
    ["33 defined columns", { definedColumn: times(33, column) }, "defined columns"],
    [
      "a defined column that is in the key",
      { definedColumn: [{ ...column(1), name: "a" }] },
      "Duplicated column name: 'a'.",
    ],
    ["a time to live of 0", { tableOptions: { timeToLive: 0 } }, "TimeToLive cannot be 0 or less than -1."],
    ["a time to live of -2", { tableOptions: { timeToLive: -2 } }, "TimeToLive cannot be 0 or less than -1."],
    ["a time to live of less than a day", { tableOptions: { timeToLive: 86_399 } }, "86400"],
    ["no version", { tableOptions: { maxVersions: -1 } }, "The maximum versions cannot be less than or equal to 0"],
    ["a deviation below 0", { tableOptions: { maxTimeDeviation: -1 } }, "deviation"],
    ["throughput below 0", { read: -1 }, "Capacity Unit must be nonnegative."],
    ["throughput above 100,000", { read: 100_001 }, "throughput"],
    ["a stream of 169 hours", { streamSpecification: { enableStream: true, expirationTime: 169 } }, "[1, 168]"],
  ])("%s", async (_what, wanted, words) => {
    const failure = await create(wanted);
    expect(failure).toContain(invalid);
    expect(failure).toContain(words);
    expect((await client.listTable({})).tableNames).not.toContain("fresh");
  });
});

it("takes what is just inside the limits", async () => {
  expect(
    await create({
      tableName: "t".repeat(255),
      primaryKey: times(4, (n) => ({ ...text, name: `k${n}` })),
      definedColumn: times(32, column),
      tableOptions: { timeToLive: 86_400, maxVersions: 500, maxTimeDeviation: 1 },
      streamSpecification: { enableStream: true, expirationTime: 168 },
    }),
  ).toBe("no error");
});

itEmbedded("makes 64 tables and no more", async () => {
  const full = await startAccount();
  for (let n = 1; n <= 64; n++) await createPairs(full.client, `t${n}`);
  expect(await failureOf(createPairs(full.client, "t65"))).toBe(
    "403 OTSQuotaExhausted Number of tables exceeded the quota.",
  );
  expect(await failureOf(createPairs(full.client, "t1"))).toContain("409 OTSObjectAlreadyExist");
  await full.client.deleteTable({ tableName: "t1" });
  expect(await failureOf(createPairs(full.client, "t65"))).toBe("no error");
  await full.server.stop();
});

describe("by bytes", () => {
  it("makes a table of a message of fields", async () => {
    const answer = await callBytes(account.server.url, "CreateTable", request("by_bytes"));
    expect([1, 2, 3].some((number) => answer.has(number))).toBe(false);
    expect((await client.listTable({})).tableNames).toContain("by_bytes");
  });
  it("names the options that are missing", async () => {
    expect(await createRaw("x", { options: { 2: 1 } })).toBe(
      `${invalid} Time-to-live is missing while creating table.`,
    );
    expect(await createRaw("x", { options: { 1: -1 } })).toBe(
      `${invalid} MaxVersions is missing while creating table.`,
    );
    expect(
      await createRaw("x", {
        options: { 1: -1, 2: 0 },
      }),
    ).toBe(`${invalid} The maximum versions cannot be less than or equal to 0`);
  });
  it("refuses types of columns that do not exist", async () => {
    expect(await createRaw("x", { keys: [{ 1: "a", 2: 4 }] })).toContain(invalid);
    const defined = { 1: "x", 2: { 1: "a", 2: 2 }, 3: { 1: "c", 2: 5 } };
    expect(await createRaw("x", { more: { 1: defined } })).toContain(invalid);
  });
  it("refuses local transactions beside an assigned key", async () => {
    const keys = [
      { 1: "a", 2: 2 },
      { 1: "n", 2: 1, 3: 1 },
    ];
    expect(await createRaw("x", { keys, more: { 8: true } })).toContain(invalid);
    expect(await createRaw("automatic", { keys })).toBe("no error");
  });
  itEmbedded("refuses encryption, which it does not have", async () => {
    expect(await createRaw("x", { more: { 6: { 1: true } } })).toContain(invalid);
    expect(await createRaw("plain", { more: { 6: { 1: false } } })).toBe("no error");
  });
  it("refuses a message without what it must have", async () => {
    expect(await rawFailureOf(callBytes(account.server.url, "CreateTable", { 1: { 1: "x" } }))).toContain(invalid);
  });
  it("looks at the request before it looks at the tables", async () => {
    await createPairs(client, "first");
    expect(
      await createRaw("first", {
        options: { 1: 0, 2: 1 },
      }),
    ).toContain(invalid);
    expect(await createRaw("first")).toContain("409 OTSObjectAlreadyExist");
  });
});
