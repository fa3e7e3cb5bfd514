// DescribeTable, through the official SDK and by bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, startAccount } from "./account.ts";
import { callBytes } from "./raw.ts";
import { realEndpoint } from "./real-account.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

it("describes a table as it was created", async () => {
  const { client } = account;
  await createPairs(client, "described", { timeToLive: 86_400, maxVersions: 3 });
  const found = JSON.parse(JSON.stringify(await client.describeTable({ tableName: "described" })));
  expect(found).toMatchObject({
    tableMeta: {
      tableName: "described",
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "b", type: "INTEGER" },
      ],
    },
    tableOptions: { timeToLive: 86_400, maxVersions: 3, deviationCellVersionInSec: "86400" },
    tableStatus: "ACTIVE",
  });
});

it("refuses a table that is not there", async () => {
  expect(await failureOf(account.client.describeTable({ tableName: "absent" }))).toBe(
    "404 OTSObjectNotExist Requested table does not exist.",
  );
  expect(await failureOf(account.client.describeTable({ tableName: "9x" }))).toBe(
    "400 OTSParameterInvalid Invalid table name: '9x'.",
  );
});

it("tells by bytes all that a strict reader needs, and the columns that the SDK leaves out", async () => {
  await callBytes(account.server.url, "CreateTable", {
    1: {
      1: "bytes",
      2: [
        { 1: "a", 2: 3 },
        { 1: "n", 2: 1, 3: 1 },
      ],
      3: { 1: "c", 2: 7 },
    },
    2: { 1: { 1: 0, 2: 0 } },
    3: { 1: -1, 2: 2, 5: 3_600, 6: false },
    5: { 1: true, 2: 24 },
  });
  const answer = await callBytes(account.server.url, "DescribeTable", { 1: "bytes" });
  const meta = answer.message(1);
  expect(meta.text(1)).toBe("bytes");
  expect(meta.messages(2).map((column) => [column.text(1), column.int(2), column.int(3)])).toEqual([
    ["a", 3, undefined],
    ["n", 1, 1],
  ]);
  expect(meta.messages(3).map((column) => [column.text(1), column.int(2)])).toEqual([["c", 7]]);
  const throughput = answer.message(2);
  expect([throughput.message(1).int(1), throughput.message(1).int(2), throughput.has(2)]).toEqual([0, 0, true]);
  const options = answer.message(3);
  expect([1, 2, 5, 6].map((field) => options.int(field))).toEqual([-1, 2, 3_600, 0]);
  expect(answer.int(4)).toBe(1);
  const stream = answer.message(5);
  expect([stream.int(1), stream.text(2) !== "", stream.int(3)]).toEqual([1, true, 24]);
  // In microseconds, by the service's clock.
  if (realEndpoint === undefined) expect(answer.int(9)).toBe(account.clock.nowMs * 1_000);
});
