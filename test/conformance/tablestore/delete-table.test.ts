// DeleteTable, through the official SDK and by bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, pair, startAccount } from "./account.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

it("deletes a table's rows with it", async () => {
  const { client } = account;
  await createPairs(client, "gone");
  await client.putRow({ tableName: "gone", condition: ignore, primaryKey: pair("x", 1), attributeColumns: [{ v: 1 }] });
  await client.deleteTable({ tableName: "gone" });
  expect(await failureOf(client.getRow({ tableName: "gone", primaryKey: pair("x", 1) }))).toContain(
    "404 OTSObjectNotExist",
  );
  await createPairs(client, "gone");
  expect((await client.getRow({ tableName: "gone", primaryKey: pair("x", 1) })).row).toEqual({});
});

it("deletes a table once", async () => {
  const { client } = account;
  await createPairs(client, "once");
  await client.deleteTable({ tableName: "once" });
  expect(await failureOf(client.deleteTable({ tableName: "once" }))).toBe(
    "404 OTSObjectNotExist Requested table does not exist.",
  );
});

it("deletes by bytes, and refuses a name that none can have", async () => {
  const remove = (name: string) => rawFailureOf(callBytes(account.server.url, "DeleteTable", { 1: name }));
  await createPairs(account.client, "by_bytes");
  expect(await remove("by_bytes")).toBe("no error");
  expect(await remove("by_bytes")).toContain("404 OTSObjectNotExist");
  expect(await remove("by-bytes")).toBe("400 OTSParameterInvalid Invalid table name: 'by-bytes'.");
  expect(await rawFailureOf(callBytes(account.server.url, "DeleteTable", {}))).toContain("400 OTSParameterInvalid");
});
