// BatchWriteRow with is_atomic, by bytes, and rows of one batch whose keys are assigned.
import TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, columns, createPairs, ignore, pair, startAccount } from "./account.ts";
import { call, cell, rawFailureOf, rowOf } from "./raw.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, "t");
});
afterAll(() => account.server.stop());

const expectNotExist = 2;
const write = (...rows: { readonly key: readonly [string, number]; readonly v: string; readonly expect?: number }[]) =>
  call(
    account.server.url,
    "BatchWriteRow",
    [
      "BatchWriteRowRequest",
      {
        tables: [
          {
            table_name: "t",
            rows: rows.map(({ key: [a, b], v, expect: row_existence = 0 }) => ({
              type: 1,
              row_change: rowOf(a, b, cell("v", v)),
              condition: { row_existence },
            })),
          },
        ],
        is_atomic: true,
      },
    ],
    "BatchResponse",
  );
const read = async (a: string, b: number): Promise<unknown> =>
  columns((await client.getRow({ tableName: "t", primaryKey: pair(a, b) })).row).v;

it("changes all rows or none", async () => {
  const { tables } = await write({ key: ["x", 1], v: "one" }, { key: ["x", 2], v: "two" });
  expect(tables[0]?.rows.map((row) => row.is_ok)).toEqual([true, true]);
  expect([await read("x", 1), await read("x", 2)]).toEqual(["one", "two"]);
  const failing = write({ key: ["x", 1], v: "changed" }, { key: ["x", 2], v: "changed", expect: expectNotExist });
  expect(await rawFailureOf(failing)).toBe("403 OTSConditionCheckFail Condition check failed.");
  expect([await read("x", 1), await read("x", 2)]).toEqual(["one", "two"]);
});

it("takes rows of one partition key only", async () => {
  const failing = write({ key: ["y", 1], v: "one" }, { key: ["z", 1], v: "two" });
  expect(await rawFailureOf(failing)).toContain("400 OTSParameterInvalid");
  expect(await read("y", 1)).toBeUndefined();
});

it("assigns keys to several rows of a batch", async () => {
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
  const rows = ["1", "2"].map((v) => ({
    type: "PUT" as const,
    condition: ignore,
    primaryKey: [{ a: "x" }, { n: TableStore.PK_AUTO_INCR }],
    attributeColumns: [{ v }],
  }));
  const result = (await client.batchWriteRow({
    tables: [{ tableName: "automatic", rows }],
  } as TableStore.BatchWriteRowParams)) as unknown as { tables: TableStore.RowInBatch[] };
  expect(result.tables.map((row) => row.isOk)).toEqual([true, true]);
});
