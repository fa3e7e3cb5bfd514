// BatchGetRow and BatchWriteRow through the official SDK.
import type TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, columns, createPairs, expectExist, failureOf, ignore, pair, startAccount } from "./account.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, "one");
  await createPairs(client, "two");
});
afterAll(() => account.server.stop());

const put = (a: string, value: string, condition = ignore) => ({
  type: "PUT" as const,
  condition,
  primaryKey: pair(a, 1),
  attributeColumns: [{ v: value }],
});
const rowsOf = async (call: Promise<unknown>): Promise<TableStore.RowInBatch[]> =>
  ((await call) as { tables: TableStore.RowInBatch[] }).tables;

it("writes each row on its own and says which ones failed", async () => {
  const rows = await rowsOf(
    client.batchWriteRow({
      tables: [
        { tableName: "one", rows: [put("x", "1"), put("y", "1", expectExist), put("z", "1")] },
        {
          tableName: "two",
          rows: [{ type: "DELETE", condition: expectExist, primaryKey: pair("x", 1) }, put("w", "2")],
        },
      ],
    }),
  );
  expect(rows.map((row) => row.isOk)).toEqual([true, false, true, false, true]);
  expect(rows[1]).toMatchObject({
    tableName: "one",
    errorCode: "OTSConditionCheckFail",
    errorMessage: "Condition check failed.",
  });
  const { row } = await client.getRow({ tableName: "two", primaryKey: pair("w", 1) });
  expect(columns(row)).toEqual({ v: "2" });
});

it("reads rows of several tables in the order asked for, with an entry for a missing one", async () => {
  await client.putRow({
    tableName: "one",
    condition: ignore,
    primaryKey: pair("r", 1),
    attributeColumns: [{ v: "r" }],
  });
  const result = (await client.batchGetRow({
    tables: [
      { tableName: "one", primaryKey: [pair("none", 1), pair("r", 1)] },
      { tableName: "two", primaryKey: [pair("none", 1)] },
    ],
  })) as unknown as { tables: TableStore.RowInBatch[][] };
  expect(result.tables.map((rows) => rows.map((row) => [row.isOk, columns(row)]))).toEqual([
    [
      [true, {}],
      [true, { v: "r" }],
    ],
    [[true, {}]],
  ]);
});

it("does nothing of a batch that is wrong in itself", async () => {
  const batch = (...tables: TableStore.BatchWriteRowParams["tables"]): Promise<string> =>
    failureOf(client.batchWriteRow({ tables }));
  const good = { tableName: "one", rows: [put("whole", "1")] };
  expect(await batch(good, { tableName: "absent", rows: [put("x", "1")] })).toContain("404 OTSObjectNotExist");
  expect(await batch(good, good)).toContain("Duplicated table name: one.");
  expect(await batch({ tableName: "one", rows: [put("whole", "1"), put("whole", "2")] })).toContain("400");
  expect(await batch(good, { tableName: "two", rows: [] })).toContain("No operation is specified for table:two.");
  const many = Array.from({ length: 201 }, (_, index) => put(`whole${index}`, "1"));
  expect(await batch({ tableName: "one", rows: many })).toContain("Rows count exceeds the upper limit:200.");
  expect((await client.getRow({ tableName: "one", primaryKey: pair("whole", 1) })).row).toEqual({});
});

it("refuses to read more than a hundred rows or one row twice", async () => {
  const read = (...primaryKey: TableStore.PrimaryKeyInput[]): Promise<string> =>
    failureOf(client.batchGetRow({ tables: [{ tableName: "one", primaryKey }] }));
  expect(await read(...Array.from({ length: 101 }, (_, index) => pair("x", index)))).toContain(
    "Rows count exceeds the upper limit:100.",
  );
  expect(await read(pair("x", 1), pair("x", 1))).toContain("400 OTSParameterInvalid");
});
