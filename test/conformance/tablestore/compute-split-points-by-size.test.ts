// ComputeSplitPointsBySize, by bytes: the Node SDK cannot call it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, ignore, pair, startAccount } from "./account.ts";
import { call, rawFailureOf, valuesOf } from "./raw.ts";

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
