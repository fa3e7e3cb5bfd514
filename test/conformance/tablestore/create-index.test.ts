// CreateIndex, DropIndex and what indexes show, through the official SDK.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, columns, createPairs, failureOf, ignore, keyOf, long, pair, startAccount } from "./account.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
});
afterAll(() => account.server.stop());

interface Wanted {
  readonly name: string;
  readonly primaryKey: string[];
  readonly definedColumn?: string[];
  readonly isLocal?: boolean;
}
const meta = ({ name, primaryKey, definedColumn = [], isLocal = false }: Wanted) =>
  ({
    name,
    primaryKey,
    definedColumn,
    includeBaseData: false,
    ...(isLocal
      ? {
          indexType: TableStore.IndexType.IT_LOCAL_INDEX,
          indexUpdateMode: TableStore.IndexUpdateMode.IUM_SYNC_INDEX,
        }
      : {}),
  }) satisfies TableStore.CreateIndexParams["indexMeta"];

/** A table with the key (a STRING, b INTEGER), the defined columns c STRING, n INTEGER, d DOUBLE, and those indexes. */
const createIndexed = (
  tableName: string,
  indexes: readonly Wanted[],
  tableOptions: Partial<TableStore.TableOptions> = {},
): Promise<unknown> =>
  client.createTable({
    tableMeta: {
      tableName,
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "b", type: "INTEGER" },
      ],
      definedColumn: [
        { name: "c", type: TableStore.DefinedColumnType.DCT_STRING },
        { name: "n", type: TableStore.DefinedColumnType.DCT_INTEGER },
        { name: "d", type: TableStore.DefinedColumnType.DCT_DOUBLE },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1, ...tableOptions },
    indexMetas: indexes.map(meta),
  } as unknown as TableStore.CreateTableParams);
const add = (mainTableName: string, wanted: Wanted, includeBaseData = false): Promise<unknown> =>
  client.createIndex({
    mainTableName,
    indexMeta: meta(wanted),
    includeBaseData,
  } as TableStore.CreateIndexParams);
const put = (tableName: string, a: string, b: number, attributeColumns: TableStore.AttributesInput): Promise<unknown> =>
  client.putRow({ tableName, condition: ignore, primaryKey: pair(a, b), attributeColumns });
const all = async (tableName: string, ...names: string[]): Promise<string[]> => {
  const bound = (value: TableStore.VirtualData): TableStore.PrimaryKeyInput => names.map((name) => ({ [name]: value }));
  const { rows } = await client.getRange({
    tableName,
    direction: TableStore.Direction.FORWARD,
    inclusiveStartPrimaryKey: bound(TableStore.INF_MIN),
    exclusiveEndPrimaryKey: bound(TableStore.INF_MAX),
  });
  return rows.map((row) => `${keyOf(row).join("/")} ${JSON.stringify(columns(row))}`);
};

describe("an index", () => {
  it("holds the rows that have all its columns, ordered by them, with the columns it carries", async () => {
    await createIndexed("orders", [{ name: "orders_by_c", primaryKey: ["c", "n"], definedColumn: ["d"] }]);
    await put("orders", "x", 1, [{ c: "late" }, { n: long(2) }, { d: 1.5 }, { free: "no" }]);
    await put("orders", "x", 2, [{ c: "early" }, { n: long(-2) }]);
    await put("orders", "x", 3, [{ c: "none" }]);
    await put("orders", "x", 4, [{ c: "mistyped" }, { n: "text" }]);
    expect(await all("orders_by_c", "c", "n", "a", "b")).toEqual(["early/-2/x/2 {}", 'late/2/x/1 {"d":1.5}']);
    const { row } = await client.getRow({
      tableName: "orders_by_c",
      primaryKey: [{ c: "late" }, { n: long(2) }, { a: "x" }, { b: long(1) }],
    });
    expect(columns(row)).toEqual({ d: 1.5 });
  });

  it("follows every change of a row", async () => {
    await createIndexed("followed", [{ name: "followed_by_n", primaryKey: ["n"], definedColumn: ["c"] }]);
    const shown = (): Promise<string[]> => all("followed_by_n", "n", "a", "b");
    const update = (ops: TableStore.UpdateRowParams["updateOfAttributeColumns"]): Promise<unknown> =>
      client.updateRow({
        tableName: "followed",
        condition: ignore,
        primaryKey: pair("x", 1),
        updateOfAttributeColumns: ops,
      });
    await put("followed", "x", 1, [{ n: long(1) }, { c: "one" }]);
    await update([{ PUT: [{ c: "uno" }] }]);
    expect(await shown()).toEqual(['1/x/1 {"c":"uno"}']);
    await update([{ INCREMENT: [{ n: long(4) }] }]);
    expect(await shown()).toEqual(['5/x/1 {"c":"uno"}']);
    await update([{ DELETE_ALL: ["n"] }]);
    expect(await shown()).toEqual([]);
    await update([{ PUT: [{ n: long(7) }] }]);
    await put("followed", "x", 1, [{ n: long(8) }]);
    expect(await shown()).toEqual(["8/x/1 {}"]);
    await client.batchWriteRow({
      tables: [{ tableName: "followed", rows: [{ type: "DELETE", condition: ignore, primaryKey: pair("x", 1) }] }],
    });
    expect(await shown()).toEqual([]);
  });

  it("can be local, of one partition", async () => {
    await createIndexed("local", [{ name: "local_by_n", primaryKey: ["a", "n"], isLocal: true }]);
    await put("local", "x", 1, [{ n: long(2) }]);
    await put("local", "x", 2, [{ n: long(1) }]);
    expect(await all("local_by_n", "a", "n", "b")).toEqual(["x/1/2 {}", "x/2/1 {}"]);
  });

  it("is not written to, nor changed or deleted as a table", async () => {
    await createIndexed("main", [{ name: "main_by_c", primaryKey: ["c"] }]);
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

describe("CreateIndex and DropIndex", () => {
  it("take in the rows that are there only when asked to", async () => {
    await createIndexed("grown", []);
    for (let b = 0; b < 450; b++) await put("grown", "x", b, [{ c: `c${b % 3}` }]);
    await add("grown", { name: "grown_new", primaryKey: ["c"] });
    await add("grown", { name: "grown_all", primaryKey: ["c"] }, true);
    await put("grown", "y", 1, [{ c: "c9" }]);
    expect(await all("grown_new", "c", "a", "b")).toEqual(["c9/y/1 {}"]);
    expect(await all("grown_all", "c", "a", "b")).toHaveLength(451);
  });

  it("show in DescribeTable, until dropped", async () => {
    await createIndexed("shown", [{ name: "shown_by_c", primaryKey: ["c"], definedColumn: ["n"] }]);
    const described = async (): Promise<unknown> =>
      JSON.parse(JSON.stringify(await client.describeTable({ tableName: "shown" }))).indexMetas;
    expect(await described()).toMatchObject([{ name: "shown_by_c", primaryKey: ["c"], definedColumn: ["n"] }]);
    await client.dropIndex({ mainTableName: "shown", indexName: "shown_by_c" });
    expect(await described()).toBeUndefined();
    const again = client.dropIndex({ mainTableName: "shown", indexName: "shown_by_c" });
    expect(await failureOf(again)).toContain("404 OTSObjectNotExist");
    await put("shown", "x", 1, [{ c: "v", timestamp: account.clock.nowMs }]);
  });

  it("refuse what an index cannot be", async () => {
    await createIndexed("strict", []);
    const refused = async (wanted: Wanted): Promise<string> => failureOf(add("strict", wanted));
    expect(await refused({ name: "i", primaryKey: ["unknown"] })).toContain("400 OTSParameterInvalid");
    expect(await refused({ name: "i", primaryKey: ["d"] })).toContain("400 OTSParameterInvalid");
    expect(await refused({ name: "i", primaryKey: [] })).toContain("400 OTSParameterInvalid");
    expect(await refused({ name: "i", primaryKey: ["c"], definedColumn: ["free"] })).toContain("400");
    expect(await refused({ name: "i", primaryKey: ["c"], isLocal: true })).toContain("400 OTSParameterInvalid");
    expect(await refused({ name: "strict", primaryKey: ["c"] })).toContain("409 OTSObjectAlreadyExist");
    for (let n = 1; n <= 5; n++) await add("strict", { name: `strict_${n}`, primaryKey: ["c"] });
    expect(await refused({ name: "strict_6", primaryKey: ["c"] })).toContain("400 OTSParameterInvalid");
  });

  it("ask for one version and no time to live, and keep it so", async () => {
    expect(
      await failureOf(createIndexed("many", [{ name: "many_i", primaryKey: ["c"] }], { maxVersions: 2 })),
    ).toContain("400 OTSParameterInvalid");
    expect(
      await failureOf(createIndexed("ttl", [{ name: "ttl_i", primaryKey: ["c"] }], { timeToLive: 86_400 })),
    ).toContain("400 OTSParameterInvalid");
    await createIndexed("kept", [{ name: "kept_i", primaryKey: ["c"] }]);
    const change = client.updateTable({ tableName: "kept", tableOptions: { maxVersions: 2 } });
    expect(await failureOf(change)).toContain("400 OTSParameterInvalid");
    const stamped = put("kept", "x", 1, [{ c: "v", timestamp: account.clock.nowMs }]);
    expect(await failureOf(stamped)).toContain("400 OTSParameterInvalid");
  });

  it("need the table", async () => {
    await createPairs(client, "plain");
    expect(await failureOf(add("absent", { name: "i", primaryKey: ["a"] }))).toContain("404 OTSObjectNotExist");
    await add("plain", { name: "plain_by_b", primaryKey: ["b"] });
    await put("plain", "x", 5, [{ v: "1" }]);
    expect(await all("plain_by_b", "b", "a")).toEqual(["5/x {}"]);
  });
});
