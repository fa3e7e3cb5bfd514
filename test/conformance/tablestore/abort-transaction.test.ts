// AbortTransaction, through the official SDK and by bytes.
import type TableStore from "tablestore";
import { afterEach, beforeEach, expect, it } from "vitest";
import { failureOf } from "./account.ts";
import { callBytes, rawFailureOf } from "./raw.ts";
import { gone, startTransactionWorld, type TransactionWorld } from "./transaction-calls.ts";

let world: TransactionWorld;
let client: TableStore.Client;
beforeEach(async () => {
  world = await startTransactionWorld();
  client = world.account.client;
});
afterEach(() => world.account.server.stop());

it("leaves nothing behind when it is aborted", async () => {
  const { start, put, read } = world;
  const id = await start("x");
  await put("x", 1, "new", id);
  await client.abortTransaction({ transactionId: id });
  expect(await read("x", 1)).toBeUndefined();
  expect(await put("x", 1, "later", id)).toContain(gone);
  expect(await put("x", 1, "later")).toBe("no error");
});

it("aborts by bytes, once, and frees the partition key", async () => {
  const { start, put, read } = world;
  const id = await start("x");
  await put("x", 1, "v", id);
  const abort = () => callBytes(world.account.server.url, "AbortTransaction", { 1: id });
  expect(await rawFailureOf(abort())).toBe("no error");
  expect(await rawFailureOf(abort())).toContain(gone);
  expect(await failureOf(client.commitTransaction({ transactionId: id }))).toContain(gone);
  expect(await read("x", 1)).toBeUndefined();
  expect(await start("x")).not.toBe(id);
});
