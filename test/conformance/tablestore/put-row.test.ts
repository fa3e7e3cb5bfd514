// PutRow, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Account,
  columns,
  createPairs,
  expectExist,
  failureOf,
  ignore,
  keyOf,
  long,
  pair,
  startAccount,
  where,
} from "./account.ts";
import { autoIncrement, type Fields, infMax, infMin, rowBytes, rowsOf } from "./bytes.ts";
import { callBytes, keyBytes, rawFailureOf } from "./raw.ts";
import { rowCalls } from "./row-calls.ts";

const tableName = "rows";
let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, tableName);
});
afterAll(() => account.server.stop());

const { put, update, get } = rowCalls(() => client, tableName);

it("replaces the whole row on put and single columns on update", async () => {
  await put("replace", [{ one: "1" }, { two: "2" }]);
  await update("replace", [{ PUT: [{ two: "II" }, { three: "III" }] }]);
  expect(columns(await get("replace"))).toEqual({ one: "1", two: "II", three: "III" });
  await put("replace", [{ four: "4" }]);
  expect(columns(await get("replace"))).toEqual({ four: "4" });
});

it("refuses keys and columns that do not fit", async () => {
  const putKey = (primaryKey: TableStore.PrimaryKeyInput): Promise<string> =>
    failureOf(client.putRow({ tableName, condition: ignore, primaryKey, attributeColumns: [] }));
  expect(await putKey([{ a: "x" }])).toContain("400 OTSInvalidPK");
  expect(await putKey([{ a: "x" }, { c: long(1) }])).toContain("400 OTSInvalidPK");
  expect(await putKey([{ a: "x" }, { b: "1" }])).toContain("400 OTSInvalidPK");
  expect(await putKey(pair("x".repeat(1025), 1))).toContain("400 OTSParameterInvalid");
  expect(await failureOf(put("x", [{ a: "1" }]))).toContain(
    "Duplicated attribute column name with primary key column: a.",
  );
  expect(await failureOf(put("x", [{ "bad-name": "1" }]))).toContain("400 OTSParameterInvalid");
  expect(await failureOf(put("x", [{ v: Number.NaN }]))).toContain("NaN can't be set to double value.");
  expect(await failureOf(put("x", [{ v: "y".repeat(2 * 1024 * 1024 + 1) }]))).toContain("400 OTSParameterInvalid");
});

it("assigns growing values to an automatic key column", async () => {
  const { client } = account;
  await client.createTable({
    tableMeta: {
      tableName: "automatic",
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "n", type: "INTEGER", option: "AUTO_INCREMENT" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  const add = async (): Promise<number> => {
    const { row } = await client.putRow({
      tableName: "automatic",
      condition: ignore,
      primaryKey: [{ a: "x" }, { n: TableStore.PK_AUTO_INCR }],
      attributeColumns: [{ v: "1" }],
      returnContent: { returnType: TableStore.ReturnType.Primarykey },
    });
    return Number(row?.primaryKey?.[1]?.value);
  };
  const first = await add();
  expect(await add()).toBeGreaterThan(first);
});

it("gives one partition key values that are unique and grow, as the other partitions do", async () => {
  const add = async (a: string): Promise<number> => {
    const { row } = await client.putRow({
      tableName: "automatic",
      condition: ignore,
      primaryKey: [{ a }, { n: TableStore.PK_AUTO_INCR }],
      attributeColumns: [{ v: a }],
      returnContent: { returnType: TableStore.ReturnType.Primarykey },
    });
    return Number(row?.primaryKey?.[1]?.value);
  };
  const values = await Promise.all(Array.from({ length: 20 }, (_, n) => add(n % 2 === 0 ? "even" : "odd")));
  expect(new Set(values.filter((_, n) => n % 2 === 0)).size).toBe(10);
  expect(await add("even")).toBeGreaterThan(Math.max(...values.filter((_, n) => n % 2 === 0)));
});

it("refuses conditions on a key that is yet to be assigned", async () => {
  const { EQUAL } = TableStore.ComparatorType;
  for (const condition of [expectExist, where(new TableStore.SingleColumnCondition("v", "x", EQUAL, true))]) {
    const call = client.putRow({
      tableName: "automatic",
      condition,
      primaryKey: [{ a: "x" }, { n: TableStore.PK_AUTO_INCR }],
      attributeColumns: [{ v: "1" }],
    });
    expect(await failureOf(call)).toContain("400 OTSParameterInvalid");
  }
});

it("makes a row of a key alone", async () => {
  await put("bare", []);
  expect(keyOf(await get("bare"))).toEqual(["bare", "1"]);
});

it("takes keys and columns at their limits", async () => {
  const longest = "k".repeat(1024);
  await put("", [{ empty: "" }, { none: Buffer.alloc(0) }]);
  expect(columns(await get(""))).toEqual({ empty: "", none: Buffer.alloc(0) });
  await put(longest, [{ ["n".repeat(255)]: "y".repeat(2 * 1024 * 1024) }]);
  expect(keyOf(await get(longest))).toEqual([longest, "1"]);
  const many = Array.from({ length: 1024 }, (_, n) => ({ [`c${n}`]: "1" }));
  await put("many", many);
  expect((await get("many")).attributes).toHaveLength(1024);
  const over = "400 OTSParameterInvalid The number of attribute columns exceeds the limit";
  expect(await failureOf(put("many", [...many, { over: "1" }]))).toContain(over);
});

it("refuses more than 4 MB of key and columns", async () => {
  const half = "y".repeat(1_500_000);
  const most = 4 * 1024 * 1024 - 3 - 2 * 1_500_000;
  const key = "a".length + "large".length + "b".length + 8;
  const full = [{ x: half }, { y: half }, { z: "y".repeat(most - key) }];
  expect(await failureOf(put("large", full))).toBe("no error");
  expect(await failureOf(put("large", [...full, { w: "" }]))).toContain("data size: 4194305.");
  await client.deleteRow({ tableName, condition: ignore, primaryKey: pair("large", 1) });
  expect(await failureOf(put("large", [{ x: half }, { y: half }, { z: half }]))).toContain(
    "400 OTSParameterInvalid The total data size of PutRow request exceeds the limit",
  );
  expect(await get("large")).toEqual({});
});

it("refuses a table that is not there, and a name that none can have", async () => {
  const to = (name: string) =>
    failureOf(client.putRow({ tableName: name, condition: ignore, primaryKey: pair("x", 1), attributeColumns: [] }));
  expect(await to("absent")).toBe("404 OTSObjectNotExist Requested table does not exist.");
  expect(await to("no-table")).toBe("400 OTSParameterInvalid Invalid table name: 'no-table'.");
});

describe("by bytes", () => {
  const send = (row: Buffer, more: Fields = {}) =>
    callBytes(account.server.url, "PutRow", { 1: tableName, 2: row, 3: { 1: 0 }, ...more });
  const refusal = (row: Buffer, more: Fields = {}) => rawFailureOf(send(row, more));
  const invalid = "400 OTSParameterInvalid";
  const key = { a: "bytes", b: 1n };

  it("stores every type with its timestamp, and tells what it cost", async () => {
    const timestamp = account.clock.nowMs - 5;
    const cells = [
      { name: "binary", value: Buffer.from([0, 255]) },
      { name: "boolean", value: false },
      { name: "double", value: -0.5 },
      { name: "integer", value: -(2n ** 63n), timestamp },
      { name: "string", value: "héllo 你好" },
    ];
    const answer = await send(rowBytes(key, cells));
    expect(answer.has(2)).toBe(false);
    const cost = answer.message(1).message(1);
    expect([cost.int(1), cost.int(2)]).toEqual([0, 1]);
    const found = await callBytes(account.server.url, "GetRow", { 1: tableName, 2: keyBytes("bytes", 1), 5: 1 });
    const [row] = rowsOf(found.bytes(2));
    expect(row?.key).toEqual(key);
    expect(row?.columns).toEqual(Object.fromEntries(cells.map(({ name, value }) => [name, value])));
    expect(row?.timestamps).toMatchObject({ integer: timestamp });
  });

  it("costs a unit for each 4 KB begun of key and columns, and one read for a condition", async () => {
    // Two names and an integer beside the text: 4096 bytes in all.
    const full = (size: number) => rowBytes({ a: "", b: 1n }, [{ name: "c", value: "y".repeat(size - 11) }]);
    const cost = async (row: Buffer, existence = 0): Promise<number[]> => {
      const unit = (await send(row, { 3: { 1: existence } })).message(1).message(1);
      return [unit.int(1), unit.int(2)];
    };
    expect(await cost(full(4_096))).toEqual([0, 1]);
    expect(await cost(full(4_097))).toEqual([0, 2]);
    expect(await cost(full(4_096), 1)).toEqual([1, 1]);
  });

  it("answers the key when asked to, and no columns", async () => {
    const answer = await send(rowBytes(key, [{ name: "v", value: 1n }]), { 4: { 1: 1 } });
    expect(rowsOf(answer.bytes(2))).toEqual([{ key, columns: {}, timestamps: {} }]);
  });

  it("takes the zero bytes that some clients leave after the row", async () => {
    await send(Buffer.concat([rowBytes(key, [{ name: "v", value: "padded" }]), Buffer.alloc(5)]));
    expect(columns(await get("bytes"))).toEqual({ v: "padded" });
  });

  it("refuses what no SDK sends", async () => {
    const value = "1";
    expect(await refusal(rowBytes({ a: "x", b: infMin }))).toContain("400 OTSParameterInvalid INF_MIN is");
    expect(await refusal(rowBytes({ a: "x", b: autoIncrement }))).toContain("400 OTSInvalidPK");
    expect(await refusal(rowBytes({ b: 1n, a: "x" }))).toContain("400 OTSInvalidPK");
    expect(await refusal(rowBytes(key, [{ name: "v", value: Number.POSITIVE_INFINITY }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "v", value: infMax }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "v" }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "", value }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "v", op: "delete-all" }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "v", value: 1n, op: "increment" }]))).toContain(invalid);
    expect(await refusal(rowBytes(key, [{ name: "v", value }], true))).toContain(invalid);
    expect(await refusal(Buffer.alloc(0))).toContain(invalid);
    const two = Buffer.concat([rowBytes(key), rowBytes(key).subarray(4)]);
    expect(await refusal(two)).toContain(invalid);
  });

  it("refuses a request without a condition, and an expectation that is none", async () => {
    const fields = { 1: tableName, 2: rowBytes(key) };
    expect(await rawFailureOf(callBytes(account.server.url, "PutRow", fields))).toContain(invalid);
    expect(await refusal(rowBytes(key), { 3: { 1: 3 } })).toContain(invalid);
  });

  it("verifies the checksum of each cell and of the row", async () => {
    const good = rowBytes(key, [{ name: "v", value: "1" }]);
    const cell = Buffer.from(good);
    cell.writeUInt8(good.readUInt8(good.length - 3) ^ 1, good.length - 3);
    expect(await refusal(cell)).toContain(`${invalid} Cell data broken, checksum is mismatch, `);
    const row = Buffer.from(good);
    row.writeUInt8(good.readUInt8(good.length - 1) ^ 1, good.length - 1);
    expect(await refusal(row)).toContain(`${invalid} Cell data broken, checksum is mismatch, `);
  });

  it("assigns a key where the placeholder stands", async () => {
    const row = rowBytes({ a: "bytes", n: autoIncrement }, [{ name: "v", value: "1" }]);
    const fields = { 1: "automatic", 2: row, 3: { 1: 0 }, 4: { 1: 1 } };
    const first = rowsOf((await callBytes(account.server.url, "PutRow", fields)).bytes(2))[0]?.key["n"] as bigint;
    const second = rowsOf((await callBytes(account.server.url, "PutRow", fields)).bytes(2))[0]?.key["n"] as bigint;
    expect(second > first).toBe(true);
  });
});
