// GetRow, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, columns, createPairs, failureOf, keyOf, long, pair, startAccount } from "./account.ts";
import { type Fields, type Received, rowsOf } from "./bytes.ts";
import { callBytes, keyBytes, rawFailureOf } from "./raw.ts";
import { realEndpoint } from "./real-account.ts";
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

const { put, get } = rowCalls(() => client, tableName);

it("gives back every type of value with its timestamp", async () => {
  await put("types", [
    { text: "héllo 你好" },
    { big: long("9223372036854775807") },
    { small: long("-9223372036854775808") },
    { real: 1.5 },
    { yes: true },
    { bytes: Buffer.from([0, 255, 0]) },
  ]);
  const row = await get("types");
  expect(keyOf(row)).toEqual(["types", "1"]);
  expect(columns(row)).toEqual({
    text: "héllo 你好",
    big: "9223372036854775807",
    small: "-9223372036854775808",
    real: 1.5,
    yes: true,
    bytes: Buffer.from([0, 255, 0]),
  });
  expect(row.attributes?.map((cell) => cell.columnName)).toEqual(["big", "bytes", "real", "small", "text", "yes"]);
  // To the millisecond on the embedded clock, which stands still; a real one goes on, and is another machine's.
  const stampedAfterMs = Number(row.attributes?.[0]?.timestamp) - account.clock.nowMs;
  expect(Math.abs(stampedAfterMs)).toBeLessThanOrEqual(realEndpoint === undefined ? 0 : 600_000);
});

it("answers an empty row for one that does not exist", async () => {
  expect(await get("nowhere")).toEqual({});
});

it("gives the columns asked for, and no row when it has none of them", async () => {
  await put("chosen", [{ c1: "1" }, { c2: "2" }, { c3: "3" }]);
  expect(columns(await get("chosen", { columnsToGet: ["c1", "c3", "c9"] }))).toEqual({ c1: "1", c3: "3" });
  expect(await get("chosen", { columnsToGet: ["c9"] })).toEqual({});
  expect(columns(await get("chosen", { startColumn: "c2", endColumn: "c3" }))).toEqual({ c2: "2" });
});

it("filters by a column", async () => {
  await put("filtered", [{ v: "1" }]);
  const filter = (value: string) =>
    new TableStore.SingleColumnCondition("v", value, TableStore.ComparatorType.EQUAL, false);
  expect(columns(await get("filtered", { columnFilter: filter("1") }))).toEqual({ v: "1" });
  expect(await get("filtered", { columnFilter: filter("2") })).toEqual({});
});

it("looks at what was read when it filters, so that a column left out is a missing one", async () => {
  await put("narrow", [{ v: "1" }, { w: "2" }]);
  const filter = (passIfMissing: boolean) =>
    new TableStore.SingleColumnCondition("v", "1", TableStore.ComparatorType.EQUAL, passIfMissing);
  expect(await get("narrow", { columnsToGet: ["w"], columnFilter: filter(false) })).toEqual({});
  expect(columns(await get("narrow", { columnsToGet: ["w"], columnFilter: filter(true) }))).toEqual({ w: "2" });
});

it("pages the columns of a wide row", async () => {
  await put(
    "wide",
    ["c1", "c2", "c3", "c4"].map((name) => ({ [name]: name })),
  );
  const page = (limit: number, offset: number) => new TableStore.ColumnPaginationFilter(limit, offset);
  expect(Object.keys(columns(await get("wide", { columnFilter: page(2, 1) as never })))).toEqual(["c2", "c3"]);
  expect(Object.keys(columns(await get("wide", { columnFilter: page(9, 3) as never })))).toEqual(["c4"]);
});

it("refuses keys that do not fit, an assigned one, and a table that is not there", async () => {
  const from = (name: string, primaryKey: TableStore.PrimaryKeyInput) =>
    failureOf(client.getRow({ tableName: name, primaryKey }));
  expect(await from(tableName, [{ a: "x" }])).toContain("400 OTSInvalidPK");
  expect(await from(tableName, [{ b: long(1) }, { a: "x" }])).toContain("400 OTSInvalidPK");
  expect(await from(tableName, [{ a: "x" }, { b: TableStore.INF_MIN }])).toContain("400 OTSParameterInvalid INF_MIN");
  expect(await from(tableName, [{ a: "x" }, { b: TableStore.PK_AUTO_INCR }])).toBe(
    "400 OTSParameterInvalid PKAutoIncr can't be used for read operations.",
  );
  expect(await from("absent", pair("x", 1))).toBe("404 OTSObjectNotExist Requested table does not exist.");
  expect(await from("no-table", pair("x", 1))).toBe("400 OTSParameterInvalid Invalid table name: 'no-table'.");
});

describe("by bytes", () => {
  const send = (a: string, more: Fields = {}) =>
    callBytes(account.server.url, "GetRow", { 1: tableName, 2: keyBytes(a, 1), ...more });
  const cost = (answer: Received): number[] => [
    answer.message(1).message(1).int(1),
    answer.message(1).message(1).int(2),
  ];
  const invalid = "400 OTSParameterInvalid";

  it("answers a row, and no bytes for one that is not there, at a cost either way", async () => {
    await put("bytes", [{ v: "x".repeat(5_000) }, { w: "1" }]);
    const found = await send("bytes", { 5: 1 });
    expect(rowsOf(found.bytes(2))).toMatchObject([{ key: { a: "bytes", b: 1n }, columns: { w: "1" } }]);
    expect(cost(found)).toEqual([2, 0]);
    expect(cost(await send("bytes", { 5: 1, 3: "w" }))).toEqual([1, 0]);
    const missing = await send("none", { 5: 1 });
    expect(missing.bytes(2).length).toBe(0);
    expect(cost(missing)).toEqual([1, 0]);
  });

  it("answers the key alone of a row without columns", async () => {
    await put("bare", []);
    expect(rowsOf((await send("bare", { 5: 1 })).bytes(2))).toEqual([
      { key: { a: "bare", b: 1n }, columns: {}, timestamps: {} },
    ]);
  });

  it("wants a number of versions or a time range that can be", async () => {
    expect(await rawFailureOf(send("x"))).toBe(`${invalid} No version condition is specified while querying row.`);
    expect(await rawFailureOf(send("x", { 5: 0 }))).toContain(invalid);
    const ranges: Fields[] = [
      { 1: 5 },
      { 2: 5 },
      { 1: 5, 2: 5 },
      { 1: 6, 2: 5 },
      { 1: -1, 2: 5 },
      { 1: 1, 2: 5, 3: 1 },
    ];
    for (const range of ranges) {
      expect(await rawFailureOf(send("x", { 4: range })), JSON.stringify(range)).toContain(invalid);
    }
    expect(await rawFailureOf(send("x", { 4: { 3: 1 } }))).toBe("no error");
    expect(await rawFailureOf(send("x", { 4: { 1: 0, 2: 1 } }))).toBe("no error");
  });

  it("takes 128 names of columns", async () => {
    const names = Array.from({ length: 129 }, (_, n) => `c${n}`);
    expect(await rawFailureOf(send("x", { 5: 1, 3: names }))).toContain(invalid);
    expect(await rawFailureOf(send("x", { 5: 1, 3: names.slice(1) }))).toBe("no error");
  });

  it("evaluates the documented bytes of a filter", async () => {
    // v == 7, not when it is missing, on the latest version.
    const filter = Buffer.from("0801121408011201761a0900070000000000000020012801", "hex");
    await put("seven", [{ v: long(7) }]);
    await put("eight", [{ v: long(8) }]);
    const hit = async (a: string) => rowsOf((await send(a, { 5: 1, 7: filter })).bytes(2)).length;
    expect([await hit("seven"), await hit("eight")]).toEqual([1, 0]);
    expect(await rawFailureOf(send("seven", { 5: 1, 7: filter.subarray(0, 9) }))).toContain(invalid);
  });
});
