// StartLocalTransaction, CommitTransaction and AbortTransaction. The SDK cannot create a table that has them enabled, so that is done by bytes.
import TableStore from "tablestore";
import { afterEach, beforeEach, expect, it } from "vitest";
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
} from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { call, pairsTable } from "./raw.ts";

const conflict = "409 OTSRowOperationConflict Data is being modified by the other request.";
const gone = "404 OTSSessionNotExist";

let account: Account;
let client: TableStore.Client;
beforeEach(async () => {
  account = await startAccount();
  client = account.client;
  await call(account.server.url, "CreateTable", pairsTable("t", { enable_local_txn: true }), "EmptyResponse");
});
afterEach(() => account.server.stop());

const start = async (a: string): Promise<string> =>
  (await client.startLocalTransaction({ tableName: "t", primaryKey: [{ a }] })).transactionId;
const put = (a: string, b: number, v: string, transactionId?: string): Promise<string> =>
  failureOf(
    client.putRow({
      tableName: "t",
      condition: ignore,
      primaryKey: pair(a, b),
      attributeColumns: [{ v }],
      ...(transactionId === undefined ? {} : { transactionId }),
    }),
  );
const read = async (a: string, b: number, transactionId?: string): Promise<unknown> =>
  columns(
    (
      await client.getRow({
        tableName: "t",
        primaryKey: pair(a, b),
        ...(transactionId === undefined ? {} : { transactionId }),
      })
    ).row,
  ).v;
const readRange = async (direction: "FORWARD" | "BACKWARD", transactionId?: string): Promise<unknown[]> => {
  const low: TableStore.PrimaryKeyInput = [{ a: "x" }, { b: TableStore.INF_MIN }];
  const high: TableStore.PrimaryKeyInput = [{ a: "x" }, { b: TableStore.INF_MAX }];
  const { rows } = await client.getRange({
    tableName: "t",
    direction,
    inclusiveStartPrimaryKey: direction === "FORWARD" ? low : high,
    exclusiveEndPrimaryKey: direction === "FORWARD" ? high : low,
    ...(transactionId === undefined ? {} : { transactionId }),
  });
  return rows.map((row) => keyOf(row)[1]);
};

it("shows its changes to itself alone until it is committed", async () => {
  await put("x", 1, "old");
  await put("x", 2, "gone");
  const id = await start("x");
  expect(await put("x", 1, "new", id)).toBe("no error");
  await client.deleteRow({ tableName: "t", condition: expectExist, primaryKey: pair("x", 2), transactionId: id });
  expect(await put("x", 3, "added", id)).toBe("no error");
  expect([await read("x", 1, id), await read("x", 2, id), await read("x", 3, id)]).toEqual(["new", undefined, "added"]);
  expect([await read("x", 1), await read("x", 2), await read("x", 3)]).toEqual(["old", "gone", undefined]);
  expect(await readRange("FORWARD", id)).toEqual(["1", "3"]);
  expect(await readRange("BACKWARD", id)).toEqual(["3", "1"]);
  expect(await readRange("FORWARD")).toEqual(["1", "2"]);
  await client.commitTransaction({ transactionId: id });
  expect(await readRange("FORWARD")).toEqual(["1", "3"]);
  expect(await read("x", 1)).toBe("new");
  expect(await failureOf(client.commitTransaction({ transactionId: id }))).toContain(gone);
});

it("leaves nothing behind when it is aborted", async () => {
  const id = await start("x");
  await put("x", 1, "new", id);
  await client.abortTransaction({ transactionId: id });
  expect(await read("x", 1)).toBeUndefined();
  expect(await put("x", 1, "later", id)).toContain(gone);
  expect(await put("x", 1, "later")).toBe("no error");
});

it("keeps others from writing to its partition key, and from no other", async () => {
  const id = await start("x");
  expect(await put("x", 1, "v")).toBe(conflict);
  expect(await failureOf(client.startLocalTransaction({ tableName: "t", primaryKey: [{ a: "x" }] }))).toBe(conflict);
  expect(await put("y", 1, "v")).toBe("no error");
  const { tables } = (await client.batchWriteRow({
    tables: [
      {
        tableName: "t",
        rows: ["x", "z"].map((a) => ({
          type: "PUT" as const,
          condition: ignore,
          primaryKey: pair(a, 1),
          attributeColumns: [{ v: "1" }],
        })),
      },
    ],
  })) as unknown as { tables: TableStore.RowInBatch[] };
  expect(tables.map((row) => row.errorCode)).toEqual(["OTSRowOperationConflict", null]);
  await client.commitTransaction({ transactionId: id });
  expect(await put("x", 1, "v")).toBe("no error");
});

it("takes rows of its own partition key only", async () => {
  const id = await start("x");
  expect(await put("y", 1, "v", id)).toContain("400 OTSDataOutOfRange");
  expect(await failureOf(read("y", 1, id))).toContain("400 OTSDataOutOfRange");
  const whole = client.getRange({
    tableName: "t",
    direction: "FORWARD",
    inclusiveStartPrimaryKey: [{ a: TableStore.INF_MIN }, { b: TableStore.INF_MIN }],
    exclusiveEndPrimaryKey: [{ a: TableStore.INF_MAX }, { b: TableStore.INF_MAX }],
    transactionId: id,
  });
  expect(await failureOf(whole)).toContain("400 OTSDataOutOfRange");
});

it("survives a condition that fails, and counts increments on what it wrote itself", async () => {
  const id = await start("x");
  const increment = (condition: TableStore.Condition): Promise<unknown> =>
    client.updateRow({
      tableName: "t",
      condition,
      primaryKey: pair("x", 1),
      updateOfAttributeColumns: [{ INCREMENT: [{ v: long(1) }] }],
      transactionId: id,
    } as TableStore.UpdateRowParams);
  expect(await failureOf(increment(expectExist))).toContain("403 OTSConditionCheckFail");
  await increment(ignore);
  await increment(expectExist);
  await client.commitTransaction({ transactionId: id });
  expect(await read("x", 1)).toBe("2");
});

itEmbedded("ends by itself after sixty seconds", async () => {
  const id = await start("x");
  account.clock.nowMs += 60_000;
  expect(await put("x", 1, "v", id)).toBe("no error");
  account.clock.nowMs += 1;
  expect(await put("x", 2, "v")).toBe("no error");
  expect(await failureOf(client.commitTransaction({ transactionId: id }))).toContain(gone);
  expect(await read("x", 1)).toBeUndefined();
});

it("takes at most 4 MB", async () => {
  const id = await start("x");
  for (const b of [1, 2, 3]) expect(await put("x", b, "v".repeat(1_300_000), id)).toBe("no error");
  expect(await put("x", 4, "v".repeat(1_300_000), id)).toContain("400 OTSOutOfTransactionDataSizeLimit");
  await client.commitTransaction({ transactionId: id });
  expect(await readRange("FORWARD")).toEqual(["1", "2", "3"]);
});

it("is refused where the table does not have it enabled", async () => {
  await createPairs(client, "plain");
  const off = "Try to call method using explicit transaction on explicit-transaction-disabled table";
  const started = client.startLocalTransaction({ tableName: "plain", primaryKey: [{ a: "x" }] });
  expect(await failureOf(started)).toContain(off);
  const put = client.putRow({
    tableName: "plain",
    condition: ignore,
    primaryKey: pair("x", 1),
    attributeColumns: [{ v: "1" }],
    transactionId: "any",
  });
  expect(await failureOf(put)).toContain(off);
});
