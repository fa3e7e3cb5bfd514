// UpdateTable, the stream's description, AddDefinedColumn and DeleteDefinedColumn.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, long, pair, startAccount } from "./account.ts";
import { call, rawFailureOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

const described = async (tableName: string): Promise<Record<string, unknown>> =>
  JSON.parse(JSON.stringify(await account.client.describeTable({ tableName })));

it("changes what is given and leaves the rest", async () => {
  const { client } = account;
  await createPairs(client, "options", { timeToLive: 172_800, maxVersions: 3 });
  await client.updateTable({
    tableName: "options",
    tableOptions: { maxVersions: 2 },
    reservedThroughput: { capacityUnit: { read: 5, write: 0 } },
  });
  expect(await described("options")).toMatchObject({
    tableOptions: { timeToLive: 172_800, maxVersions: 2, deviationCellVersionInSec: "86400", allowUpdate: true },
    reservedThroughputDetails: { capacityUnit: { read: 5, write: 0 } },
  });
});

it("refuses UpdateRow once updates are not allowed", async () => {
  const { client } = account;
  await createPairs(client, "fixed");
  await client.updateTable({ tableName: "fixed", tableOptions: { allowUpdate: false } as never });
  const update = client.updateRow({
    tableName: "fixed",
    condition: ignore,
    primaryKey: pair("x", 1),
    updateOfAttributeColumns: [{ PUT: [{ v: long(1) }] }],
  });
  expect(await failureOf(update)).toContain("400 OTSParameterInvalid");
});

it("brings back versions that a smaller maximum hid, as long as nothing rewrote the row", async () => {
  const { client } = account;
  await createPairs(client, "versions", { maxVersions: 3 });
  const primaryKey = pair("x", 1);
  for (const age of [3, 2, 1]) {
    await client.updateRow({
      tableName: "versions",
      condition: ignore,
      primaryKey,
      updateOfAttributeColumns: [{ PUT: [{ v: String(age), timestamp: account.clock.nowMs - age }] }],
    });
  }
  const versions = async (): Promise<unknown[]> => {
    const { row } = await client.getRow({ tableName: "versions", primaryKey, maxVersions: 9 });
    return (row?.attributes ?? []).map((cell) => cell.columnValue);
  };
  await client.updateTable({ tableName: "versions", tableOptions: { maxVersions: 1 } });
  expect(await versions()).toEqual(["1"]);
  await client.updateTable({ tableName: "versions", tableOptions: { maxVersions: 3 } });
  expect(await versions()).toEqual(["1", "2", "3"]);
});

it("refuses options out of range, and tables that are not there", async () => {
  const { client } = account;
  await createPairs(client, "strict");
  const change = (tableOptions: object): Promise<string> =>
    failureOf(client.updateTable({ tableName: "strict", tableOptions }));
  expect(await change({ timeToLive: 3_600 })).toContain("400 OTSParameterInvalid");
  expect(await change({ timeToLive: -2 })).toContain("TimeToLive cannot be 0 or less than -1.");
  expect(await change({ maxVersions: -1 })).toContain("The maximum versions cannot be less than or equal to 0");
  expect(await change({ maxTimeDeviation: -5 })).toContain("400 OTSParameterInvalid");
  expect(await failureOf(client.updateTable({ tableName: "absent", tableOptions: { maxVersions: 1 } }))).toContain(
    "404 OTSObjectNotExist",
  );
  const throughput = client.updateTable({
    tableName: "strict",
    tableOptions: {},
    reservedThroughput: { capacityUnit: { read: 100_001, write: 0 } },
  });
  expect(await failureOf(throughput)).toContain("400 OTSParameterInvalid");
});

it("switches the stream and describes it", async () => {
  const { client } = account;
  await createPairs(client, "streamed");
  await client.updateTable({
    tableName: "streamed",
    tableOptions: {},
    streamSpecification: { enableStream: true, expirationTime: 24 },
  });
  expect((await described("streamed")).streamDetails).toMatchObject({ enableStream: true, expirationTime: 24 });
  const wrong = client.updateTable({
    tableName: "streamed",
    tableOptions: {},
    streamSpecification: { enableStream: true, expirationTime: 169 },
  });
  expect(await failureOf(wrong)).toContain("400 OTSParameterInvalid");
});

it("adds defined columns and takes them away", async () => {
  const { url } = account.server;
  await createPairs(account.client, "defined");
  const add = (name: string, type: number) =>
    call(
      url,
      "AddDefinedColumn",
      ["AddDefinedColumnRequest", { table_name: "defined", columns: [{ name, type }] }],
      "EmptyResponse",
    );
  const remove = (name: string) =>
    call(
      url,
      "DeleteDefinedColumn",
      ["DeleteDefinedColumnRequest", { table_name: "defined", columns: [name] }],
      "EmptyResponse",
    );
  const names = async (): Promise<unknown> => {
    const { table_meta } = await call(
      url,
      "DescribeTable",
      ["DescribeTableRequest", { table_name: "defined" }],
      "DescribeTableResponse",
    );
    return table_meta.defined_column;
  };
  await add("c", 4);
  await add("n", 1);
  expect(await names()).toEqual([
    { name: "c", type: 4 },
    { name: "n", type: 1 },
  ]);
  expect(await rawFailureOf(add("a", 4))).toContain("400 OTSParameterInvalid");
  expect(await rawFailureOf(add("c", 4))).toContain("400 OTSParameterInvalid");
  await remove("c");
  expect(await names()).toEqual([{ name: "n", type: 1 }]);
  expect(await rawFailureOf(remove("c"))).toContain("400 OTSParameterInvalid");
});
