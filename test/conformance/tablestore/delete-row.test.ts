// DeleteRow, through the official SDK and by bytes.
import type TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, createPairs, expectExist, failureOf, ignore, pair, startAccount } from "./account.ts";
import { type Fields, infMax, rowBytes, rowsOf } from "./bytes.ts";
import { callBytes, rawFailureOf } from "./raw.ts";
import { rowCalls } from "./row-calls.ts";

const tableName = "rows";
let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, tableName);
});
afterAll(() => account.server.stop());

const { put, get } = rowCalls(() => client, tableName);
const failed = "403 OTSConditionCheckFail Condition check failed.";

it("deletes rows, present or not", async () => {
  await put("deleted", [{ one: "1" }]);
  const remove = (condition: TableStore.Condition): Promise<unknown> =>
    client.deleteRow({ tableName, condition, primaryKey: pair("deleted", 1) });
  await remove(expectExist);
  expect(await get("deleted")).toEqual({});
  await remove(ignore);
  expect(await failureOf(remove(expectExist))).toBe(failed);
});

it("deletes every version of every column", async () => {
  await createPairs(client, "versions", { maxVersions: 3 });
  const primaryKey = pair("x", 1);
  const change = (v: string, age: number) =>
    client.updateRow({
      tableName: "versions",
      condition: ignore,
      primaryKey,
      updateOfAttributeColumns: [{ PUT: [{ v, timestamp: account.clock.nowMs - age }] }],
    });
  for (const age of [2, 1]) await change("old", age);
  await client.deleteRow({ tableName: "versions", condition: ignore, primaryKey });
  await change("new", 0);
  const { row } = await client.getRow({ tableName: "versions", primaryKey, maxVersions: 9 });
  expect(row?.attributes?.map((cell) => cell.columnValue)).toEqual(["new"]);
});

it("refuses keys that do not fit, and a table that is not there", async () => {
  const from = (name: string, primaryKey: TableStore.PrimaryKeyInput) =>
    failureOf(client.deleteRow({ tableName: name, condition: ignore, primaryKey }));
  expect(await from(tableName, [{ a: "x" }])).toContain("400 OTSInvalidPK");
  expect(await from("absent", pair("x", 1))).toContain("404 OTSObjectNotExist");
});

describe("by bytes", () => {
  const key = { a: "bytes", b: 1n };
  const send = (row: Buffer, more: Fields = {}) =>
    callBytes(account.server.url, "DeleteRow", { 1: tableName, 2: row, 3: { 1: 0 }, ...more });

  it("deletes a row, answers its key when asked to, and costs by the key alone", async () => {
    await put("bytes", [{ v: "y".repeat(10_000) }]);
    const answer = await send(rowBytes(key, [], true), { 3: { 1: 1 }, 4: { 1: 1 } });
    expect(rowsOf(answer.bytes(2))).toMatchObject([{ key }]);
    const cost = answer.message(1).message(1);
    expect([cost.int(1), cost.int(2)]).toEqual([1, 1]);
    expect(await get("bytes")).toEqual({});
    expect((await send(rowBytes(key, [], true))).has(2)).toBe(false);
  });

  it("refuses a row without the mark of a deletion, with columns, or with a bound in its key", async () => {
    const invalid = "400 OTSParameterInvalid";
    expect(await rawFailureOf(send(rowBytes(key)))).toContain(invalid);
    expect(await rawFailureOf(send(rowBytes(key, [{ name: "v", value: "1" }], true)))).toContain(invalid);
    expect(await rawFailureOf(send(rowBytes({ a: "bytes", b: infMax }, [], true)))).toContain(
      "400 OTSParameterInvalid INF_MAX",
    );
    const bare = { 1: tableName, 2: rowBytes(key, [], true) };
    expect(await rawFailureOf(callBytes(account.server.url, "DeleteRow", bare))).toContain(invalid);
  });
});
