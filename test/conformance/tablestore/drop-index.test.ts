// DropIndex, through the official SDK and by bytes.
import type TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, failureOf, startAccount } from "./account.ts";
import { createIndexed, put } from "./index-calls.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
});
afterAll(() => account.server.stop());

it("show in DescribeTable, until dropped", async () => {
  await createIndexed(client, "shown", [{ name: "shown_by_c", primaryKey: ["c"], definedColumn: ["n"] }]);
  const described = async (): Promise<unknown> =>
    JSON.parse(JSON.stringify(await client.describeTable({ tableName: "shown" }))).indexMetas;
  expect(await described()).toMatchObject([{ name: "shown_by_c", primaryKey: ["c"], definedColumn: ["n"] }]);
  await client.dropIndex({ mainTableName: "shown", indexName: "shown_by_c" });
  expect(await described()).toBeUndefined();
  const again = client.dropIndex({ mainTableName: "shown", indexName: "shown_by_c" });
  expect(await failureOf(again)).toContain("404 OTSObjectNotExist");
  await put(client, "shown", "x", 1, [{ c: "v", timestamp: account.clock.nowMs }]);
});

it("drops by bytes an index of that table alone, and its rows with it", async () => {
  await createIndexed(client, "one", [
    { name: "one_by_c", primaryKey: ["c"] },
    { name: "one_by_n", primaryKey: ["n"] },
  ]);
  await createIndexed(client, "two", []);
  const drop = (table: string, index: string) =>
    rawFailureOf(callBytes(account.server.url, "DropIndex", { 1: table, 2: index }));
  expect(await drop("two", "one_by_c")).toContain("404 OTSObjectNotExist");
  expect(await drop("one", "two")).toContain("404 OTSObjectNotExist");
  expect(await drop("absent", "one_by_c")).toContain("404 OTSObjectNotExist");
  expect(await drop("one", "one_by_c")).toBe("no error");
  const left = (await callBytes(account.server.url, "DescribeTable", { 1: "one" })).messages(8);
  expect(left.map((meta) => meta.text(1))).toEqual(["one_by_n"]);
  expect(await failureOf(client.describeTable({ tableName: "one_by_c" }))).toContain("404 OTSObjectNotExist");
});
