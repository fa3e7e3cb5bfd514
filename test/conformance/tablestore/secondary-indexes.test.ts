// What the rows of secondary indexes are, through the official SDK.
import type TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, columns, failureOf, ignore, long, pair, startAccount } from "./account.ts";
import { all, createIndexed, put } from "./index-calls.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
});
afterAll(() => account.server.stop());

describe("an index", () => {
  it("holds the rows that have all its columns, ordered by them, with the columns it carries", async () => {
    await createIndexed(client, "orders", [{ name: "orders_by_c", primaryKey: ["c", "n"], definedColumn: ["d"] }]);
    await put(client, "orders", "x", 1, [{ c: "late" }, { n: long(2) }, { d: 1.5 }, { free: "no" }]);
    await put(client, "orders", "x", 2, [{ c: "early" }, { n: long(-2) }]);
    await put(client, "orders", "x", 3, [{ c: "none" }]);
    await put(client, "orders", "x", 4, [{ c: "mistyped" }, { n: "text" }]);
    expect(await all(client, "orders_by_c", "c", "n", "a", "b")).toEqual(["early/-2/x/2 {}", 'late/2/x/1 {"d":1.5}']);
    const { row } = await client.getRow({
      tableName: "orders_by_c",
      primaryKey: [{ c: "late" }, { n: long(2) }, { a: "x" }, { b: long(1) }],
    });
    expect(columns(row)).toEqual({ d: 1.5 });
  });

  it("follows every change of a row", async () => {
    await createIndexed(client, "followed", [{ name: "followed_by_n", primaryKey: ["n"], definedColumn: ["c"] }]);
    const shown = (): Promise<string[]> => all(client, "followed_by_n", "n", "a", "b");
    const update = (ops: TableStore.UpdateRowParams["updateOfAttributeColumns"]): Promise<unknown> =>
      client.updateRow({
        tableName: "followed",
        condition: ignore,
        primaryKey: pair("x", 1),
        updateOfAttributeColumns: ops,
      });
    await put(client, "followed", "x", 1, [{ n: long(1) }, { c: "one" }]);
    await update([{ PUT: [{ c: "uno" }] }]);
    expect(await shown()).toEqual(['1/x/1 {"c":"uno"}']);
    await update([{ INCREMENT: [{ n: long(4) }] }]);
    expect(await shown()).toEqual(['5/x/1 {"c":"uno"}']);
    await update([{ DELETE_ALL: ["n"] }]);
    expect(await shown()).toEqual([]);
    await update([{ PUT: [{ n: long(7) }] }]);
    await put(client, "followed", "x", 1, [{ n: long(8) }]);
    expect(await shown()).toEqual(["8/x/1 {}"]);
    await client.batchWriteRow({
      tables: [{ tableName: "followed", rows: [{ type: "DELETE", condition: ignore, primaryKey: pair("x", 1) }] }],
    });
    expect(await shown()).toEqual([]);
  });

  it("can be local, of one partition", async () => {
    await createIndexed(client, "local", [{ name: "local_by_n", primaryKey: ["a", "n"], isLocal: true }]);
    await put(client, "local", "x", 1, [{ n: long(2) }]);
    await put(client, "local", "x", 2, [{ n: long(1) }]);
    expect(await all(client, "local_by_n", "a", "n", "b")).toEqual(["x/1/2 {}", "x/2/1 {}"]);
  });

  it("is not written to, nor changed or deleted as a table", async () => {
    await createIndexed(client, "main", [{ name: "main_by_c", primaryKey: ["c"] }]);
    const write = client.putRow({
      tableName: "main_by_c",
      condition: ignore,
      primaryKey: [{ c: "x" }, { a: "x" }, { b: long(1) }],
      attributeColumns: [],
    });
    expect(await failureOf(write)).toContain("400 OTSParameterInvalid Can't write index table directly");
    expect(await failureOf(client.deleteTable({ tableName: "main_by_c" }))).toContain("400 OTSParameterInvalid");
    expect((await client.listTable({})).tableNames).not.toContain("main_by_c");
    await client.deleteTable({ tableName: "main" });
    expect(await failureOf(client.describeTable({ tableName: "main_by_c" }))).toContain("404 OTSObjectNotExist");
  });
});
