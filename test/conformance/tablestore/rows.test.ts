// Single rows: writes, conditions, versions, time to live, through the official SDK.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Account,
  columns,
  createPairs,
  expectExist,
  expectNotExist,
  failureOf,
  ignore,
  keyOf,
  long,
  pair,
  startAccount,
  where,
} from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { realEndpoint } from "./real-account.ts";

const tableName = "rows";
const failed = "403 OTSConditionCheckFail Condition check failed.";
let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, tableName);
});
afterAll(() => account.server.stop());

const put = (a: string, attributeColumns: TableStore.AttributesInput, condition = ignore): Promise<unknown> =>
  client.putRow({ tableName, condition, primaryKey: pair(a, 1), attributeColumns });
const update = (
  a: string,
  updateOfAttributeColumns: TableStore.UpdateRowParams["updateOfAttributeColumns"],
  condition = ignore,
): Promise<TableStore.SingleRowResult> =>
  client.updateRow({ tableName, condition, primaryKey: pair(a, 1), updateOfAttributeColumns });
const get = async (a: string, more: TableStore.FilterParams = {}): Promise<Partial<TableStore.Row>> =>
  (await client.getRow({ tableName, primaryKey: pair(a, 1), ...more })).row ?? {};

describe("writes", () => {
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

  it("replaces the whole row on put and single columns on update", async () => {
    await put("replace", [{ one: "1" }, { two: "2" }]);
    await update("replace", [{ PUT: [{ two: "II" }, { three: "III" }] }]);
    expect(columns(await get("replace"))).toEqual({ one: "1", two: "II", three: "III" });
    await put("replace", [{ four: "4" }]);
    expect(columns(await get("replace"))).toEqual({ four: "4" });
  });

  it("deletes columns without deleting the row", async () => {
    await put("columns", [{ one: "1" }, { two: "2" }]);
    await update("columns", [{ DELETE_ALL: ["one", "two"] }]);
    const row = await get("columns");
    expect(keyOf(row)).toEqual(["columns", "1"]);
    expect(columns(row)).toEqual({});
  });

  it("does not create a row by an update that only deletes", async () => {
    await update("onlydeletes", [{ DELETE_ALL: ["one"] }]);
    expect(await get("onlydeletes")).toEqual({});
  });

  it("increments from zero and answers the new value", async () => {
    await update("counter", [{ INCREMENT: [{ n: long(5) }] }]);
    const { row } = await client.updateRow({
      tableName,
      condition: ignore,
      primaryKey: pair("counter", 1),
      updateOfAttributeColumns: [{ INCREMENT: [{ n: long(-2) }] }],
      returnContent: { returnType: TableStore.ReturnType.AfterModify, returnColumns: ["n"] },
    });
    expect(columns(row)).toEqual({ n: "3" });
    await put("counter", [{ n: "text" }]);
    expect(await failureOf(update("counter", [{ INCREMENT: [{ n: long(1) }] }]))).toContain("400 OTSParameterInvalid");
    await put("counter", [{ n: long("9223372036854775807") }]);
    expect(await failureOf(update("counter", [{ INCREMENT: [{ n: long(1) }] }]))).toContain("400 OTSParameterInvalid");
  });

  it("deletes rows, present or not", async () => {
    await put("deleted", [{ one: "1" }]);
    const remove = (condition: TableStore.Condition): Promise<unknown> =>
      client.deleteRow({ tableName, condition, primaryKey: pair("deleted", 1) });
    await remove(expectExist);
    expect(await get("deleted")).toEqual({});
    await remove(ignore);
    expect(await failureOf(remove(expectExist))).toBe(failed);
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
});

describe("conditions", () => {
  it("creates once with EXPECT_NOT_EXIST and changes only what exists with EXPECT_EXIST", async () => {
    expect(await failureOf(put("exists", [{ v: "1" }], expectExist))).toBe(failed);
    await put("exists", [{ v: "1" }], expectNotExist);
    expect(await failureOf(put("exists", [{ v: "2" }], expectNotExist))).toBe(failed);
    await put("exists", [{ v: "3" }], expectExist);
    expect(columns(await get("exists"))).toEqual({ v: "3" });
  });

  it("compares a column with every operator", async () => {
    await put("operators", [{ n: long(5) }]);
    const { EQUAL, NOT_EQUAL, GREATER_THAN, GREATER_EQUAL, LESS_THAN, LESS_EQUAL } = TableStore.ComparatorType;
    const outcomes: unknown[] = [];
    for (const operator of [EQUAL, NOT_EQUAL, GREATER_THAN, GREATER_EQUAL, LESS_THAN, LESS_EQUAL]) {
      for (const operand of [4, 5, 6]) {
        const condition = where(new TableStore.SingleColumnCondition("n", long(operand), operator, false));
        const passed = (await failureOf(update("operators", [{ PUT: [{ x: "1" }] }], condition))) === "no error";
        outcomes.push(passed);
      }
    }
    const [y, n] = [true, false];
    expect(outcomes).toEqual([n, y, n, y, n, y, y, n, n, y, y, n, n, n, y, n, y, y]);
  });

  it("lets an absent column pass only when asked to", async () => {
    await put("missing", [{ v: "1" }]);
    const absent = (passIfMissing: boolean): TableStore.Condition =>
      where(new TableStore.SingleColumnCondition("none", "x", TableStore.ComparatorType.EQUAL, passIfMissing));
    expect(await failureOf(put("missing", [{ v: "2" }], absent(false)))).toBe(failed);
    await put("missing", [{ v: "2" }], absent(true));
    expect(columns(await get("missing"))).toEqual({ v: "2" });
  });

  it("does not match a value of another type", async () => {
    await put("type", [{ v: "1" }]);
    const condition = where(new TableStore.SingleColumnCondition("v", long(1), TableStore.ComparatorType.EQUAL, false));
    expect(await failureOf(put("type", [{ v: "2" }], condition))).toBe(failed);
  });

  it("combines conditions with NOT, AND and OR", async () => {
    await put("combined", [{ x: "1" }, { y: "2" }]);
    const is = (name: string, value: string): TableStore.SingleColumnCondition =>
      new TableStore.SingleColumnCondition(name, value, TableStore.ComparatorType.EQUAL, false);
    const combine = (
      operator: ConstructorParameters<typeof TableStore.CompositeCondition>[0],
      ...parts: TableStore.ColumnCondition[]
    ) => {
      const whole = new TableStore.CompositeCondition(operator);
      for (const part of parts) whole.addSubCondition(part);
      return whole;
    };
    const { NOT, AND, OR } = TableStore.LogicalOperator;
    const passes = async (condition: TableStore.ColumnCondition): Promise<boolean> =>
      (await failureOf(update("combined", [{ PUT: [{ z: "1" }] }], where(condition)))) === "no error";
    expect(await passes(combine(AND, is("x", "1"), is("y", "2")))).toBe(true);
    expect(await passes(combine(AND, is("x", "1"), is("y", "0")))).toBe(false);
    expect(await passes(combine(OR, is("x", "0"), is("y", "2")))).toBe(true);
    expect(await passes(combine(OR, is("x", "0"), is("y", "0")))).toBe(false);
    expect(await passes(combine(NOT, is("x", "0")))).toBe(true);
    expect(await passes(combine(NOT, combine(OR, is("x", "0"), is("y", "2"))))).toBe(false);
  });

  it("lets one of many concurrent creations win", async () => {
    const tries = Array.from({ length: 50 }, (_, index) =>
      failureOf(put("race", [{ winner: long(index) }], expectNotExist)),
    );
    const outcomes = await Promise.all(tries);
    expect(outcomes.filter((outcome) => outcome === "no error")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === failed)).toHaveLength(49);
    expect(columns(await get("race"))).toEqual({ winner: String(outcomes.indexOf("no error")) });
  });

  it("lets one of many concurrent changes of a revision win", async () => {
    await put("revision", [{ rev: long(1) }]);
    const condition = new TableStore.Condition(
      TableStore.RowExistenceExpectation.EXPECT_EXIST,
      new TableStore.SingleColumnCondition("rev", long(1), TableStore.ComparatorType.EQUAL, false),
    );
    const tries = Array.from({ length: 50 }, () =>
      failureOf(update("revision", [{ PUT: [{ rev: long(2) }] }], condition)),
    );
    const outcomes = await Promise.all(tries);
    expect(outcomes.filter((outcome) => outcome === "no error")).toHaveLength(1);
  });

  it("counts every one of many concurrent increments", async () => {
    await Promise.all(Array.from({ length: 60 }, () => update("many", [{ INCREMENT: [{ n: long(1) }] }])));
    expect(columns(await get("many"))).toEqual({ n: "60" });
  });
});

describe("reads", () => {
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
});

describe("versions and time to live", () => {
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
});
