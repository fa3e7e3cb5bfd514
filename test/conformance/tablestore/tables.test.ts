// Table operations, through the official SDK.
import TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, pair, startAccount } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";

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

it("lists tables until they are deleted, and deletes their rows with them", async () => {
  const { client } = account;
  await createPairs(client, "listed");
  await client.putRow({
    tableName: "listed",
    condition: ignore,
    primaryKey: pair("x", 1),
    attributeColumns: [{ v: 1 }],
  });
  expect((await client.listTable({})).tableNames).toContain("listed");
  await client.deleteTable({ tableName: "listed" });
  expect((await client.listTable({})).tableNames).not.toContain("listed");
  await createPairs(client, "listed");
  const { row } = await client.getRow({ tableName: "listed", primaryKey: pair("x", 1) });
  expect(row).toEqual({});
});

it("changes options", async () => {
  const { client } = account;
  await createPairs(client, "changed");
  await client.updateTable({ tableName: "changed", tableOptions: { timeToLive: 172_800, maxVersions: 2 } });
  const { tableOptions } = await client.describeTable({ tableName: "changed" });
  expect(tableOptions).toMatchObject({ timeToLive: 172_800, maxVersions: 2 });
});

it("refuses what the service refuses, in its words", async () => {
  const { client } = account;
  await createPairs(client, "taken");
  const create = (name: string, options: Partial<TableStore.TableOptions>): Promise<string> =>
    failureOf(createPairs(client, name, options));
  expect(await create("taken", {})).toBe("409 OTSObjectAlreadyExist Requested table already exists.");
  expect(await create("9x", {})).toContain("400 OTSParameterInvalid");
  expect(await create("fresh", { timeToLive: 0 })).toContain("TimeToLive cannot be 0 or less than -1.");
  expect(await create("fresh", { maxVersions: -1 })).toContain(
    "The maximum versions cannot be less than or equal to 0",
  );
  expect(await failureOf(client.deleteTable({ tableName: "absent" }))).toBe(
    "404 OTSObjectNotExist Requested table does not exist.",
  );
});

it("answers nothing for search indexes and refuses the operations it does not know", async () => {
  const { client } = account;
  await createPairs(client, "searched");
  await expect(client.listSearchIndex({ tableName: "searched" })).resolves.toBeDefined();
  expect(await failureOf(client.describeSearchIndex({ tableName: "searched", indexName: "i" }))).toContain(
    "400 OTSParameterInvalid Unsupported operation: DescribeSearchIndex.",
  );
});

it("assigns growing values to an automatic key column", async () => {
  const { client } = account;
  await client.createTable({
    tableMeta: {
      tableName: "automatic",
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "n", type: "INTEGER", option: "AUTO_INCREMENT" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  const add = async (): Promise<number> => {
    const { row } = await client.putRow({
      tableName: "automatic",
      condition: ignore,
      primaryKey: [{ a: "x" }, { n: TableStore.PK_AUTO_INCR }],
      attributeColumns: [{ v: "1" }],
      returnContent: { returnType: TableStore.ReturnType.Primarykey },
    });
    return Number(row?.primaryKey?.[1]?.value);
  };
  const first = await add();
  expect(await add()).toBeGreaterThan(first);
});

itEmbedded("forgets everything when it is reset", async () => {
  const other = await startAccount();
  await createPairs(other.client, "gone");
  await other.server.reset();
  expect((await other.client.listTable({})).tableNames ?? []).toEqual([]);
  await other.server.stop();
});
