// ComputeSplitPointsBySize, by bytes: the Node SDK cannot call it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, ignore, pair, startAccount } from "./account.ts";
import { rowsOf } from "./bytes.ts";
import { call, callBytes, rawFailureOf, valuesOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
  const { client } = account;
  await createPairs(client, "t");
  for (let b = 0; b < 10; b++) {
    await client.putRow({
      tableName: "t",
      condition: ignore,
      primaryKey: pair("x", b),
      attributeColumns: [{ v: "v".repeat(1000) }],
    });
  }
});
afterAll(() => account.server.stop());

const split = (split_size: number, split_size_unit_in_byte?: number) =>
  call(
    account.server.url,
    "ComputeSplitPointsBySize",
    [
      "ComputeSplitPointsBySizeRequest",
      {
        table_name: "t",
        split_size,
        ...(split_size_unit_in_byte === undefined ? {} : { split_size_unit_in_byte }),
      },
    ],
    "ComputeSplitPointsBySizeResponse",
  );

it("cuts the table into parts of the size asked for", async () => {
  const answer = await split(4, 1024);
  expect(answer.split_points.map(valuesOf)).toEqual([
    ["x", "3"],
    ["x", "6"],
    ["x", "9"],
  ]);
  expect(answer.schema).toEqual([
    { name: "a", type: 2 },
    { name: "b", type: 1 },
  ]);
  expect(answer.locations.reduce((parts, { repeat }) => parts + Number(repeat), 0)).toBe(4);
  expect(answer.consumed.capacity_unit).toEqual({ read: 4, write: 0 });
});

it("counts in units of 100 MB when none is given", async () => {
  const answer = await split(1);
  expect(answer.split_points).toEqual([]);
  expect(answer.locations).toHaveLength(1);
});

it("refuses sizes that are not positive", async () => {
  expect(await rawFailureOf(split(0))).toContain("400 OTSParameterInvalid");
  expect(await rawFailureOf(split(1, 0))).toContain("400 OTSParameterInvalid");
});

it("answers one part of a table without rows, and none of a table that is not there", async () => {
  await createPairs(account.client, "empty");
  const of = (table: string) => callBytes(account.server.url, "ComputeSplitPointsBySize", { 1: table, 2: 1 });
  const answer = await of("empty");
  expect([answer.has(3), answer.message(4).int(2)]).toEqual([false, 2]);
  expect(answer.messages(2).map((column) => column.text(1))).toEqual(["a", "b"]);
  expect(await rawFailureOf(of("absent"))).toContain("404 OTSObjectNotExist");
});

it("answers points that are whole keys of rows, in key order", async () => {
  const { server } = account;
  const answer = await callBytes(server.url, "ComputeSplitPointsBySize", { 1: "t", 2: 5_000, 3: 1 });
  const points = answer.list(3).map((bytes) => rowsOf(bytes)[0]?.key);
  expect(points).toEqual([
    { a: "x", b: 4n },
    { a: "x", b: 8n },
  ]);
});
