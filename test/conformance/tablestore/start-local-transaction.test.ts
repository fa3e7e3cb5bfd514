// StartLocalTransaction and the life of what it starts, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPairs, expectExist, failureOf, ignore, long, pair, startAccount } from "./account.ts";
import { infMin, rowBytes } from "./bytes.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, keyBytes, rawFailureOf } from "./raw.ts";
import { conflict, gone, startTransactionWorld, type TransactionWorld } from "./transaction-calls.ts";

let world: TransactionWorld;
let client: TableStore.Client;
beforeEach(async () => {
  world = await startTransactionWorld();
  client = world.account.client;
});
afterEach(() => world.account.server.stop());

it("keeps others from writing to its partition key, and from no other", async () => {
  const { start, put } = world;
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

itEmbedded("opens on any table where all have them without asking, but for an assigned key", async () => {
  const account = await startAccount({ localTransactions: true });
  const { client: other, server } = account;
  await createPairs(other, "plain");
  const open = (tableName: string): Promise<string> =>
    failureOf(other.startLocalTransaction({ tableName, primaryKey: [{ a: "x" }] }));
  expect(await open("plain")).toBe("no error");
  await other.createTable({
    tableMeta: {
      tableName: "assigned",
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "n", type: "INTEGER", option: "AUTO_INCREMENT" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  expect(await open("assigned")).toContain("explicit-transaction-disabled table");
  await server.stop();
});

it("takes rows of its own partition key only", async () => {
  const { start, put, read } = world;
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
  const { start, read } = world;
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
  const { start, put, read } = world;
  const id = await start("x");
  world.account.clock.nowMs += 60_000;
  expect(await put("x", 1, "v", id)).toBe("no error");
  world.account.clock.nowMs += 1;
  expect(await put("x", 2, "v")).toBe("no error");
  expect(await failureOf(client.commitTransaction({ transactionId: id }))).toContain(gone);
  expect(await read("x", 1)).toBeUndefined();
});

it("takes at most 4 MB", async () => {
  const { start, put, readRange } = world;
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

it("lets others read what is committed, and batches and deletions within fail one by one", async () => {
  const { start, put, read } = world;
  await put("x", 1, "old");
  const id = await start("x");
  await put("x", 1, "new", id);
  expect(await read("x", 1)).toBe("old");
  const remove = client.deleteRow({ tableName: "t", condition: ignore, primaryKey: pair("x", 1) });
  expect(await failureOf(remove)).toBe(conflict);
  await client.batchWriteRow({
    tables: [{ tableName: "t", rows: [{ type: "DELETE", condition: expectExist, primaryKey: pair("x", 1) }] }],
    transactionId: id,
  } as TableStore.BatchWriteRowParams);
  expect([await read("x", 1, id), await read("x", 1)]).toEqual([undefined, "old"]);
});

describe("by bytes", () => {
  const start = (table: string, key: Buffer) =>
    callBytes(world.account.server.url, "StartLocalTransaction", { 1: table, 2: key });

  it("takes a partition key and answers an id, which other operations carry", async () => {
    const { url } = world.account.server;
    const id = (await start("t", rowBytes({ a: "x" }))).text(1);
    const row = rowBytes({ a: "x", b: 1n }, [{ name: "v", value: "1" }]);
    await callBytes(url, "PutRow", { 1: "t", 2: row, 3: { 1: 0 }, 5: id });
    const read = async (more: object) =>
      (await callBytes(url, "GetRow", { 1: "t", 2: keyBytes("x", 1), 5: 1, ...more })).bytes(2).length > 0;
    expect([await read({ 11: id }), await read({})]).toEqual([true, false]);
  });

  it("refuses a key that is not a partition key, and a table that is not there", async () => {
    expect(await rawFailureOf(start("t", keyBytes("x", 1)))).toContain("400 OTSInvalidPK");
    expect(await rawFailureOf(start("t", rowBytes({ a: 1n })))).toContain("400 OTSInvalidPK");
    expect(await rawFailureOf(start("t", rowBytes({ a: infMin })))).toContain("400 OTSParameterInvalid INF_MIN");
    expect(await rawFailureOf(start("absent", rowBytes({ a: "x" })))).toContain("404 OTSObjectNotExist");
  });
});
