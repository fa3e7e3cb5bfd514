// Versions, timestamps and the time to live of cells, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Account,
  columns,
  createPairs,
  expectNotExist,
  failureOf,
  ignore,
  pair,
  startAccount,
} from "./account.ts";
import { type Fields, rowsOf } from "./bytes.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, keyBytes } from "./raw.ts";
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

const { put } = rowCalls(() => client, tableName);

it("keeps as many versions as the table allows, newest first", async () => {
  await createPairs(client, "versions", { maxVersions: 2 });
  const now = account.clock.nowMs;
  for (const [value, age] of [
    ["old", 30],
    ["new", 10],
    ["middle", 20],
  ] as const) {
    await client.updateRow({
      tableName: "versions",
      condition: ignore,
      primaryKey: pair("v", 1),
      updateOfAttributeColumns: [{ PUT: [{ c: value, timestamp: now - age }] }],
    });
  }
  const read = async (more: TableStore.FilterParams) =>
    (await client.getRow({ tableName: "versions", primaryKey: pair("v", 1), ...more })).row?.attributes?.map(
      (cell) => cell.columnValue,
    );
  expect(await read({})).toEqual(["new"]);
  expect(await read({ maxVersions: 9 })).toEqual(["new", "middle"]);
  expect(await read({ timeRange: { startTime: now - 25, endTime: now - 15 } })).toEqual(["middle"]);
});

it("refuses a timestamp too far from its clock", async () => {
  const timestamp = account.clock.nowMs - 86_400_001;
  expect(await failureOf(put("stale", [{ c: "1", timestamp }]))).toContain("400 OTSParameterInvalid");
});

itEmbedded("stops showing a row when its cells have outlived the table's time to live", async () => {
  await createPairs(client, "mortal", { timeToLive: 86_400 });
  const primaryKey = pair("m", 1);
  await client.putRow({ tableName: "mortal", condition: ignore, primaryKey, attributeColumns: [{ c: "1" }] });
  const read = async () => columns((await client.getRow({ tableName: "mortal", primaryKey })).row);
  account.clock.nowMs += 86_400_000 - 1;
  expect(await read()).toEqual({ c: "1" });
  account.clock.nowMs += 1;
  expect(await read()).toEqual({});
  const again = client.putRow({
    tableName: "mortal",
    condition: expectNotExist,
    primaryKey,
    attributeColumns: [{ c: "2" }],
  });
  expect(await failureOf(again)).toBe("no error");
});

describe("timestamps", () => {
  const day = 86_400_000;
  const keep = (a: string, cells: TableStore.AttributesInput, table = "many") =>
    client.updateRow({
      tableName: table,
      condition: ignore,
      primaryKey: pair(a, 1),
      updateOfAttributeColumns: [{ PUT: cells as never }],
    });
  const read = async (a: string, more: TableStore.FilterParams) =>
    (await client.getRow({ tableName: "many", primaryKey: pair(a, 1), ...more })).row?.attributes?.map(
      (cell) => cell.columnValue,
    );
  beforeAll(() => createPairs(client, "many", { maxVersions: 5 }));

  it("leave the newest on top, whatever is written last", async () => {
    const now = account.clock.nowMs;
    await keep("x", [{ c: "newest", timestamp: now }]);
    await keep("x", [{ c: "older", timestamp: now - 10 }]);
    expect(await read("x", {})).toEqual(["newest"]);
    expect(await read("x", { maxVersions: 5 })).toEqual(["newest", "older"]);
  });

  it("are unlike in one column: a version written again is replaced", async () => {
    const timestamp = account.clock.nowMs;
    await keep("y", [{ c: "first", timestamp }]);
    await keep("y", [{ c: "second", timestamp }]);
    expect(await read("y", { maxVersions: 5 })).toEqual(["second"]);
  });

  it("choose by range, by one time, and the newest so many within a range", async () => {
    const now = account.clock.nowMs;
    for (const age of [4, 3, 2, 1]) await keep("z", [{ c: String(age), timestamp: now - age }]);
    const range = { startTime: now - 4, endTime: now - 1 };
    const raw = async (range: Fields): Promise<unknown> => {
      const answer = await callBytes(account.server.url, "GetRow", { 1: "many", 2: keyBytes("z", 1), 4: range });
      return rowsOf(answer.bytes(2))[0]?.columns;
    };
    expect(await read("z", { maxVersions: 9, timeRange: range as never })).toEqual(["2", "3", "4"]);
    expect(await read("z", { maxVersions: 2, timeRange: range as never })).toEqual(["2", "3"]);
    expect(await raw({ 3: now - 3 })).toEqual({ c: "3" });
    expect(await raw({ 3: now - 9 })).toBeUndefined();
    // Without a number of versions a range gives all of them; the first one read is the newest.
    expect(await raw({ 1: now - 4, 2: now - 1 })).toEqual({ c: "2" });
  });

  itEmbedded("are within a day of the clock, its beginning included and its end not", async () => {
    const now = account.clock.nowMs;
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now - day }]))).toBe("no error");
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now - day - 1 }]))).toContain("Invalid timestamp");
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now + day - 1 }]))).toBe("no error");
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now + day }]))).toContain("Invalid timestamp");
    await createPairs(client, "strict", { maxTimeDeviation: 1 } as never);
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now - 1_001 }], "strict"))).toContain(
      "Invalid timestamp",
    );
    expect(await failureOf(keep("edge", [{ c: "1", timestamp: now - 1_000 }], "strict"))).toBe("no error");
  });

  itEmbedded("end each version of a cell on its own", async () => {
    await createPairs(client, "ageing", { timeToLive: 86_400, maxVersions: 3 });
    const age = (c: string) => keep("x", [{ c }, { [`only_${c}`]: c }], "ageing");
    await age("one");
    account.clock.nowMs += day / 2;
    await age("two");
    const shown = async () => {
      const { row } = await client.getRow({ tableName: "ageing", primaryKey: pair("x", 1), maxVersions: 3 });
      return (row?.attributes ?? []).map((cell) => `${cell.columnName}=${cell.columnValue}`);
    };
    expect(await shown()).toEqual(["c=two", "c=one", "only_one=one", "only_two=two"]);
    account.clock.nowMs += day / 2;
    expect(await shown()).toEqual(["c=two", "only_two=two"]);
    const { rows } = await client.getRange({
      tableName: "ageing",
      direction: TableStore.Direction.FORWARD,
      inclusiveStartPrimaryKey: [{ a: TableStore.INF_MIN }, { b: TableStore.INF_MIN }],
      exclusiveEndPrimaryKey: [{ a: TableStore.INF_MAX }, { b: TableStore.INF_MAX }],
    });
    expect(rows.map((row) => columns(row))).toEqual([{ c: "two", only_two: "two" }]);
    account.clock.nowMs += day;
    expect(await shown()).toEqual([]);
  });
});
