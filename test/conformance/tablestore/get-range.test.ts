// GetRange through the official SDK.
import TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, keyOf, long, pair, startAccount } from "./account.ts";

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
