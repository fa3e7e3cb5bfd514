// GetRange, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, keyOf, long, pair, startAccount } from "./account.ts";
import { bareValue, type Fields, infMax, infMin, message, rowBytes, rowsOf, type Value } from "./bytes.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

const { FORWARD, BACKWARD } = TableStore.Direction;
const low: TableStore.PrimaryKeyInput = [{ a: TableStore.INF_MIN }, { b: TableStore.INF_MIN }];
const high: TableStore.PrimaryKeyInput = [{ a: TableStore.INF_MAX }, { b: TableStore.INF_MAX }];
const ordered = ["x/-10", "x/-1", "x/0", "x/2", "x/300", "xa/1", "y/5"];

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, "r");
  for (const name of ordered.toReversed()) {
    const [a = "", b = ""] = name.split("/");
    await client.putRow({
      tableName: "r",
      condition: ignore,
      primaryKey: pair(a, Number(b)),
      attributeColumns: [{ n: long(b) }, { even: Number(b) % 2 === 0 }],
    });
  }
});
afterAll(() => account.server.stop());

const range = (
  from: TableStore.PrimaryKeyInput,
  to: TableStore.PrimaryKeyInput,
  more: Partial<TableStore.GetRangeParams> = {},
): Promise<TableStore.GetRangeResult> =>
  client.getRange({
    tableName: "r",
    direction: FORWARD,
    inclusiveStartPrimaryKey: from,
    exclusiveEndPrimaryKey: to,
    ...more,
  });
const names = (result: TableStore.GetRangeResult): string[] => result.rows.map((row) => keyOf(row).join("/"));
const input = (key: TableStore.PrimaryKeyOutput): TableStore.PrimaryKeyInput =>
  key.map(({ name, value }) => ({ [name]: value }));

it("gives all rows in key order, forwards and backwards", async () => {
  const all = await range(low, high);
  expect(names(all)).toEqual(ordered);
  expect(all.nextStartPrimaryKey).toBeNull();
  expect(names(await range(high, low, { direction: BACKWARD }))).toEqual(ordered.toReversed());
});

it("includes the start and excludes the end in both directions", async () => {
  expect(names(await range(pair("x", -1), pair("x", 300)))).toEqual(["x/-1", "x/0", "x/2"]);
  expect(names(await range(pair("x", 300), pair("x", -1), { direction: BACKWARD }))).toEqual(["x/300", "x/2", "x/0"]);
});

it("bounds the second column alone inside one partition", async () => {
  expect(names(await range([{ a: "x" }, { b: long(0) }], [{ a: "x" }, { b: TableStore.INF_MAX }]))).toEqual([
    "x/0",
    "x/2",
    "x/300",
  ]);
});

it.each([FORWARD, BACKWARD])("visits every row once, page by page, %s", async (direction) => {
  const [start, end] = direction === FORWARD ? [low, high] : [high, low];
  const seen: string[] = [];
  let from: TableStore.PrimaryKeyInput | null = start;
  for (let page = 0; from !== null; page++) {
    expect(page).toBeLessThan(ordered.length);
    const result: TableStore.GetRangeResult = await range(from, end, { direction, limit: 2 });
    expect(result.rows.length).toBeLessThanOrEqual(2);
    seen.push(...names(result));
    from = result.nextStartPrimaryKey ? input(result.nextStartPrimaryKey) : null;
  }
  expect(seen).toEqual(direction === FORWARD ? ordered : ordered.toReversed());
});

it("counts the limit after the filter", async () => {
  const even = new TableStore.SingleColumnCondition("even", true, TableStore.ComparatorType.EQUAL, false);
  const result = await range(low, high, { columnFilter: even, limit: 3 });
  expect(names(result)).toEqual(["x/-10", "x/0", "x/2"]);
  expect(keyOf({ primaryKey: result.nextStartPrimaryKey ?? [] })).toEqual(["x", "300"]);
});

it("skips rows that have none of the columns asked for", async () => {
  expect((await range(low, high, { columnsToGet: ["none"] })).rows).toEqual([]);
});

it("refuses bounds in the wrong order and a negative limit", async () => {
  const forward = "Begin key must less than end key in FORWARD.";
  expect(await failureOf(range(high, low))).toContain(forward);
  expect(await failureOf(range(low, low))).toContain(forward);
  expect(await failureOf(range(low, high, { direction: BACKWARD }))).toContain(
    "Begin key must more than end key in BACKWARD.",
  );
  expect(await failureOf(range(low, high, { limit: -1 }))).toContain("The limit must be greater than 0.");
});

it("stops at 5000 rows scanned even when the filter drops all of them", async () => {
  await createPairs(client, "long");
  for (let start = 0; start < 5100; start += 150) {
    const rows = Array.from({ length: Math.min(150, 5100 - start) }, (_, index) => ({
      type: "PUT" as const,
      condition: ignore,
      primaryKey: pair("k", start + index),
      attributeColumns: [{ v: "1" }],
    }));
    await client.batchWriteRow({ tables: [{ tableName: "long", rows }] });
  }
  const all = await range(low, high, { tableName: "long" });
  expect(all.rows).toHaveLength(5000);
  expect(keyOf({ primaryKey: all.nextStartPrimaryKey ?? [] })).toEqual(["k", "5000"]);
  const none = new TableStore.SingleColumnCondition("v", "2", TableStore.ComparatorType.EQUAL, false);
  const empty = await range(low, high, { tableName: "long", columnFilter: none });
  expect(empty.rows).toEqual([]);
  expect(keyOf({ primaryKey: empty.nextStartPrimaryKey ?? [] })).toEqual(["k", "5000"]);
});

it("stops at 4 MB scanned", async () => {
  await createPairs(client, "wide");
  const value = "v".repeat(1_000_000);
  for (let b = 0; b < 7; b++) {
    await client.putRow({
      tableName: "wide",
      condition: ignore,
      primaryKey: pair("k", b),
      attributeColumns: [{ value }],
    });
  }
  const result = await range(low, high, { tableName: "wide" });
  expect(result.rows).toHaveLength(5);
  expect(keyOf({ primaryKey: result.nextStartPrimaryKey ?? [] })).toEqual(["k", "5"]);
});

it("takes bounds that are open in one column", async () => {
  const from: TableStore.PrimaryKeyInput = [{ a: "x" }, { b: TableStore.INF_MAX }];
  expect(names(await range(from, high))).toEqual(["xa/1", "y/5"]);
  // The bounds are whole keys: the second column of the rows in between may be anything.
  expect(names(await range(pair("x", 100), pair("y", 1)))).toEqual(["x/300", "xa/1"]);
});

it("orders binary keys by unsigned bytes and numbers by their value", async () => {
  await client.createTable({
    tableMeta: {
      tableName: "ordered",
      primaryKey: [
        { name: "x", type: "BINARY" },
        { name: "n", type: "INTEGER" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  const keys = [
    ["", "5"],
    ["00", "0"],
    ["0000", "0"],
    ["00ff", "0"],
    ["01", "-9223372036854775808"],
    ["01", "-1"],
    ["01", "9223372036854775807"],
    ["7f", "0"],
    ["80", "0"],
    ["ff", "0"],
  ] as const;
  for (const [x, n] of keys.toReversed()) {
    await client.putRow({
      tableName: "ordered",
      condition: ignore,
      primaryKey: [{ x: Buffer.from(x, "hex") }, { n: long(n) }],
      attributeColumns: [{ v: "1" }],
    });
  }
  const bound = (value: TableStore.VirtualData): TableStore.PrimaryKeyInput => [{ x: value }, { n: value }];
  const { rows } = await range(bound(TableStore.INF_MIN), bound(TableStore.INF_MAX), { tableName: "ordered" });
  expect(rows.map((row) => keyOf(row)).map(([x, n]) => [(x as Buffer).toString("hex"), n])).toEqual(keys);
});

it("gives rows in the columns, versions and order asked for", async () => {
  const first = await range(low, high, { columnsToGet: ["even"], limit: 1 });
  expect(first.rows.map((row) => row.attributes?.map((cell) => cell.columnName))).toEqual([["even"]]);
  expect(keyOf(first.rows[0])).toEqual(["x", "-10"]);
});

it("finds nothing between two keys without rows, and says that this is all", async () => {
  const none = await range(pair("x", 3), pair("x", 300));
  expect([none.rows, none.nextStartPrimaryKey]).toEqual([[], null]);
});

it("refuses keys that do not fit, and a table that is not there", async () => {
  expect(await failureOf(range([{ a: "x" }], high))).toContain("400 OTSInvalidPK");
  expect(await failureOf(range(low, [{ a: "x" }, { b: "1" }]))).toContain("400 OTSInvalidPK");
  expect(await failureOf(range([{ a: "x" }, { b: TableStore.PK_AUTO_INCR }], high))).toBe(
    "400 OTSParameterInvalid PKAutoIncr can't be used for read operations.",
  );
  expect(await failureOf(range(low, high, { tableName: "absent" }))).toContain("404 OTSObjectNotExist");
});

describe("by bytes", () => {
  const key = (a: Value, b: Value): Buffer => rowBytes({ a, b });
  const send = (more: Fields = {}) =>
    callBytes(account.server.url, "GetRange", {
      1: "r",
      2: 0,
      5: 1,
      7: key(infMin, infMin),
      8: key(infMax, infMax),
      ...more,
    });
  const refusal = (more: Fields) => rawFailureOf(send(more));
  const invalid = "400 OTSParameterInvalid";

  it("answers rows behind one header, and the key to go on from", async () => {
    const answer = await send({ 6: 2 });
    expect(rowsOf(answer.bytes(2)).map((row) => row.key)).toEqual([
      { a: "x", b: -10n },
      { a: "x", b: -1n },
    ]);
    expect(rowsOf(answer.bytes(3))).toEqual([{ key: { a: "x", b: 0n }, columns: {}, timestamps: {} }]);
    const cost = answer.message(1).message(1);
    expect([cost.int(1), cost.int(2)]).toEqual([1, 0]);
    const none = await send({ 7: key("z", infMin) });
    expect([none.bytes(2).length, none.has(3)]).toEqual([0, false]);
  });

  it("costs by what was scanned, whatever the filter leaves", async () => {
    await createPairs(client, "costly");
    for (const b of [1, 2, 3]) {
      const attributeColumns = [{ v: "y".repeat(3_000) }];
      await client.putRow({ tableName: "costly", condition: ignore, primaryKey: pair("k", b), attributeColumns });
    }
    const no = message({ 1: 1, 2: message({ 1: 1, 2: "v", 3: bareValue("no"), 4: true, 5: true }) });
    const cost = async (more: Fields) => (await send({ 1: "costly", ...more })).message(1).message(1).int(1);
    expect([await cost({}), await cost({ 10: no }), await cost({ 6: 1 })]).toEqual([3, 3, 1]);
  });

  it("wants a version or a time, a direction, a limit above 0 and bounds in its direction", async () => {
    expect(
      await rawFailureOf(
        callBytes(account.server.url, "GetRange", { 1: "r", 2: 0, 7: key(infMin, infMin), 8: key(infMax, infMax) }),
      ),
    ).toBe(`${invalid} No version condition is specified while querying row.`);
    expect(await refusal({ 2: 2 })).toContain(invalid);
    expect(await refusal({ 6: 0 })).toBe(`${invalid} The limit must be greater than 0.`);
    expect(await refusal({ 2: 1 })).toBe(`${invalid} Begin key must more than end key in BACKWARD.`);
    expect(await refusal({ 7: key("x", 1n), 8: key("x", 1n) })).toBe(
      `${invalid} Begin key must less than end key in FORWARD.`,
    );
    expect(await refusal({ 7: Buffer.alloc(0) })).toContain(invalid);
  });
});
