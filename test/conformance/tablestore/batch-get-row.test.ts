// BatchGetRow, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, columns, createPairs, failureOf, pair, startAccount } from "./account.ts";
import { type Fields, rowsOf } from "./bytes.ts";
import { callBytes, keyBytes, rawFailureOf } from "./raw.ts";
import { rowCalls } from "./row-calls.ts";

let account: Account;
let client: TableStore.Client;
const one = rowCalls(() => client, "one");
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, "one");
  await createPairs(client, "two");
  await one.put("r", [{ v: "r" }, { w: "2" }]);
});
afterAll(() => account.server.stop());

interface Wanted {
  readonly tableName: string;
  readonly primaryKey: TableStore.PrimaryKeyInput[];
}
const read = async (...tables: (Wanted & Record<string, unknown>)[]) => {
  const result = (await client.batchGetRow({ tables } as unknown as TableStore.BatchGetRowParams)) as unknown as {
    tables: TableStore.RowInBatch[][];
  };
  return result.tables.map((rows) => rows.map((row) => [row.isOk, columns(row)]));
};

it("reads rows of several tables in the order asked for, with an entry for a missing one", async () => {
  const rows = await read(
    { tableName: "one", primaryKey: [pair("none", 1), pair("r", 1)] },
    { tableName: "two", primaryKey: [pair("none", 1)] },
  );
  expect(rows).toEqual([
    [
      [true, {}],
      [true, { v: "r", w: "2" }],
    ],
    [[true, {}]],
  ]);
});

it("reads the columns asked for, by each table's own filter", async () => {
  const filter = (value: string) =>
    new TableStore.SingleColumnCondition("v", value, TableStore.ComparatorType.EQUAL, false);
  const primaryKey = [pair("r", 1)];
  expect(await read({ tableName: "one", primaryKey, columnsToGet: ["w"] })).toEqual([[[true, { w: "2" }]]]);
  expect(await read({ tableName: "one", primaryKey, columnsToGet: ["none"] })).toEqual([[[true, {}]]]);
  expect(await read({ tableName: "one", primaryKey, columnFilter: filter("r") })).toEqual([
    [[true, { v: "r", w: "2" }]],
  ]);
  expect(await read({ tableName: "one", primaryKey, columnFilter: filter("s") })).toEqual([[[true, {}]]]);
});

it("refuses to read more than a hundred rows or one row twice", async () => {
  const refusal = (...primaryKey: TableStore.PrimaryKeyInput[]): Promise<string> =>
    failureOf(read({ tableName: "one", primaryKey }));
  const many = Array.from({ length: 101 }, (_, index) => pair("x", index));
  expect(await refusal(...many)).toContain("Rows count exceeds the upper limit:100.");
  expect(await refusal(...many.slice(1))).toBe("no error");
  expect(await refusal(pair("x", 1), pair("x", 1))).toContain("400 OTSParameterInvalid");
});

it("reads nothing when one table is not there, comes twice, or a key does not fit", async () => {
  const good = { tableName: "one", primaryKey: [pair("r", 1)] };
  expect(await failureOf(read(good, { ...good, tableName: "absent" }))).toContain("404 OTSObjectNotExist");
  expect(await failureOf(read(good, good))).toBe("400 OTSParameterInvalid Duplicated table name: one.");
  expect(await failureOf(read(good, { tableName: "two", primaryKey: [[{ a: "x" }]] }))).toContain("400 OTSInvalidPK");
});

describe("by bytes", () => {
  const send = (...tables: Fields[]) => callBytes(account.server.url, "BatchGetRow", { 1: tables });
  const refusal = (...tables: Fields[]) => rawFailureOf(send(...tables));
  const invalid = "400 OTSParameterInvalid";

  it("answers each row with its cost, and no bytes for a missing one", async () => {
    await one.put("large", [{ v: "y".repeat(5_000) }]);
    const keys = ["large", "none"].map((a) => keyBytes(a, 1));
    const [table] = (await send({ 1: "one", 2: keys, 6: 1 })).messages(1);
    expect(table?.text(1)).toBe("one");
    const rows = table?.messages(2) ?? [];
    expect(rows.map((row) => [row.int(1), row.has(2), row.message(3).message(1).int(1)])).toEqual([
      [1, false, 2],
      [1, false, 1],
    ]);
    expect(rowsOf(rows[0]?.bytes(4) as Buffer)).toMatchObject([{ key: { a: "large", b: 1n } }]);
    expect(rows[1]?.has(4) ? rows[1].bytes(4).length : 0).toBe(0);
  });

  it("wants rows, and a version or a time for each table", async () => {
    expect(await refusal()).toBe(`${invalid} No row specified in the request of BatchGetRow.`);
    expect(await refusal({ 1: "one", 6: 1 })).toContain(invalid);
    expect(await refusal({ 1: "one", 2: keyBytes("x", 1) })).toBe(
      `${invalid} No version condition is specified while querying row.`,
    );
  });
});
