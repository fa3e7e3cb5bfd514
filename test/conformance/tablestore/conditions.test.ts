// Row and column conditions of writes, through the official SDK and by bytes.
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
  long,
  pair,
  startAccount,
  where,
} from "./account.ts";
import { bareValue, type Fields, infMin, message, rowBytes, type Value } from "./bytes.ts";
import { callBytes, rawFailureOf } from "./raw.ts";
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

const { put, update, get, remove } = rowCalls(() => client, tableName);
const failed = "403 OTSConditionCheckFail Condition check failed.";

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

it("takes any version of a column when asked to", async () => {
  await createPairs(client, "versions", { maxVersions: 2 });
  const primaryKey = pair("x", 1);
  const change = (v: string, age: number, condition = ignore) =>
    failureOf(
      client.updateRow({
        tableName: "versions",
        condition,
        primaryKey,
        updateOfAttributeColumns: [{ PUT: [{ [age > 0 ? "v" : "hit"]: v, timestamp: account.clock.nowMs - age }] }],
      }),
    );
  await change("old", 2);
  await change("new", 1);
  const is = (latestVersionOnly: boolean) =>
    where(new TableStore.SingleColumnCondition("v", "old", TableStore.ComparatorType.EQUAL, false, latestVersionOnly));
  expect(await change("1", 0, is(true))).toBe(failed);
  expect(await change("1", 0, is(false))).toBe("no error");
});

it("holds for deletions as for writes", async () => {
  await put("deleted", [{ v: "1" }]);
  const is = (v: string) => where(new TableStore.SingleColumnCondition("v", v, TableStore.ComparatorType.EQUAL, false));
  expect(await failureOf(remove("deleted", is("2")))).toBe(failed);
  expect(await failureOf(remove("deleted", expectNotExist))).toBe(failed);
  expect(await failureOf(remove("absent", expectNotExist))).toBe("no error");
  expect(await failureOf(remove("deleted", is("1")))).toBe("no error");
  expect(await get("deleted")).toEqual({});
});

describe("by bytes", () => {
  const url = () => account.server.url;
  const change = (a: string, condition: Fields) =>
    rawFailureOf(
      callBytes(url(), "UpdateRow", {
        1: tableName,
        2: rowBytes({ a, b: 1n }, [{ name: "hit", value: "1" }]),
        3: condition,
      }),
    );
  const is = (name: string, value: Value): Buffer =>
    message({ 1: 1, 2: message({ 1: 1, 2: name, 3: bareValue(value), 4: true, 5: true }) });
  const all = (combinator: number, ...filters: Buffer[]): Buffer =>
    message({ 1: 2, 2: message({ 1: combinator, 2: filters }) });

  it("are the documented bytes", async () => {
    const documented = Buffer.from("0801121408011201761a0900070000000000000020012801", "hex");
    expect(is("v", 7n)).toEqual(documented);
    await put("seven", [{ v: long(7) }]);
    expect(await change("seven", { 1: 1, 2: documented })).toBe("no error");
    await put("seven", [{ v: long(8) }]);
    expect(await change("seven", { 1: 1, 2: documented })).toBe(failed);
  });

  it("compare doubles, booleans and bytes", async () => {
    await put("typed", [{ d: -1.5 }, { t: true }, { x: Buffer.from([1, 2]) }]);
    for (const [name, right, wrong] of [
      ["d", -1.5, 1.5],
      ["t", true, false],
      ["x", Buffer.from([1, 2]), Buffer.from([1])],
    ] as const) {
      expect(await change("typed", { 1: 0, 2: is(name, right) }), name).toBe("no error");
      expect(await change("typed", { 1: 0, 2: is(name, wrong) }), name).toBe(failed);
    }
  });

  it("take a row that does not exist for one of missing columns", async () => {
    expect(await change("nobody", { 1: 0, 2: is("v", 1n) })).toBe(failed);
    expect(await change("nobody", { 1: 0, 2: all(1, is("v", 1n)) })).toBe("no error");
  });

  it("are single or composite, never pages, and never broken", async () => {
    const page = message({ 1: 3, 2: message({ 1: 0, 2: 1 }) });
    const invalid = "400 OTSParameterInvalid";
    for (const filter of [
      page,
      all(2, is("v", 1n), page),
      all(4, is("v", 1n), is("v", 1n)),
      is("v", infMin),
      Buffer.of(1),
    ]) {
      expect(await change("x", { 1: 0, 2: filter })).toContain(invalid);
    }
  });
});
