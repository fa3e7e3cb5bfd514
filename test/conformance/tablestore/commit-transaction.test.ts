// CommitTransaction, through the official SDK and by bytes.
import type TableStore from "tablestore";
import { afterEach, beforeEach, expect, it } from "vitest";
import { expectExist, failureOf, keyOf, long, pair } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, rawFailureOf } from "./raw.ts";
import { gone, startTransactionWorld, type TransactionWorld } from "./transaction-calls.ts";

let world: TransactionWorld;
let client: TableStore.Client;
beforeEach(async () => {
  world = await startTransactionWorld();
  client = world.account.client;
});
afterEach(() => world.account.server.stop());

it("shows its changes to itself alone until it is committed", async () => {
  const { start, put, read, readRange } = world;
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

it("commits by bytes, once, and answers nothing", async () => {
  const { start, put, read } = world;
  const id = await start("x");
  await put("x", 1, "v", id);
  const commit = () => callBytes(world.account.server.url, "CommitTransaction", { 1: id });
  expect((await commit()).has(1)).toBe(false);
  expect(await read("x", 1)).toBe("v");
  expect(await rawFailureOf(commit())).toContain(gone);
  expect(await rawFailureOf(callBytes(world.account.server.url, "CommitTransaction", {}))).toContain(
    "400 OTSParameterInvalid",
  );
});

it("keeps to the indexes that the table has at the end", async () => {
  const { start, put } = world;
  const addByB = (name: string) =>
    callBytes(world.account.server.url, "CreateIndex", { 1: "t", 2: { 1: name, 2: "b", 4: 0, 5: 0 } });
  await addByB("dropped");
  const id = await start("x");
  await put("x", 7, "v", id);
  await client.dropIndex({ mainTableName: "t", indexName: "dropped" });
  await addByB("added");
  await client.commitTransaction({ transactionId: id });
  const { row } = await client.getRow({ tableName: "added", primaryKey: [{ b: long(7) }, { a: "x" }] });
  expect(keyOf(row)).toEqual(["7", "x"]);
});

itEmbedded("leaves the timestamps of the writes, not of the end", async () => {
  const { start, put, account } = world;
  const id = await start("x");
  await put("x", 1, "v", id);
  const written = account.clock.nowMs;
  account.clock.nowMs += 5_000;
  await client.commitTransaction({ transactionId: id });
  const { row } = await client.getRow({ tableName: "t", primaryKey: pair("x", 1) });
  expect(row?.attributes?.map((cell) => Number(cell.timestamp))).toEqual([written]);
});
