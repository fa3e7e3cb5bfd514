// BatchWriteRow, through the official SDK and by bytes; is_atomic by bytes, because the Node SDK cannot say it.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Account,
  columns,
  createPairs,
  expectExist,
  failureOf,
  ignore,
  long,
  pair,
  startAccount,
  where,
} from "./account.ts";
import { type Fields, infMin, rowBytes, rowsOf, type SentCell } from "./bytes.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
  await createPairs(client, "one");
  await createPairs(client, "two");
});
afterAll(() => account.server.stop());

const put = (a: string, value: string, condition = ignore) => ({
  type: "PUT" as const,
  condition,
  primaryKey: pair(a, 1),
  attributeColumns: [{ v: value }],
});
const rowsOfBatch = async (call: Promise<unknown>): Promise<TableStore.RowInBatch[]> =>
  ((await call) as { tables: TableStore.RowInBatch[] }).tables;

it("writes each row on its own and says which ones failed", async () => {
  const rows = await rowsOfBatch(
    client.batchWriteRow({
      tables: [
        { tableName: "one", rows: [put("x", "1"), put("y", "1", expectExist), put("z", "1")] },
        {
          tableName: "two",
          rows: [{ type: "DELETE", condition: expectExist, primaryKey: pair("x", 1) }, put("w", "2")],
        },
      ],
    }),
  );
  expect(rows.map((row) => row.isOk)).toEqual([true, false, true, false, true]);
  expect(rows[1]).toMatchObject({
    tableName: "one",
    errorCode: "OTSConditionCheckFail",
    errorMessage: "Condition check failed.",
  });
  const { row } = await client.getRow({ tableName: "two", primaryKey: pair("w", 1) });
  expect(columns(row)).toEqual({ v: "2" });
});

it("does nothing of a batch that is wrong in itself", async () => {
  const batch = (...tables: TableStore.BatchWriteRowParams["tables"]): Promise<string> =>
    failureOf(client.batchWriteRow({ tables }));
  const good = { tableName: "one", rows: [put("whole", "1")] };
  expect(await batch(good, { tableName: "absent", rows: [put("x", "1")] })).toContain("404 OTSObjectNotExist");
  expect(await batch(good, good)).toContain("Duplicated table name: one.");
  expect(await batch(good, { tableName: "two", rows: [] })).toContain("No operation is specified for table:two.");
  const many = Array.from({ length: 201 }, (_, index) => put(`whole${index}`, "1"));
  expect(await batch({ tableName: "one", rows: many })).toContain("Rows count exceeds the upper limit:200.");
  expect((await client.getRow({ tableName: "one", primaryKey: pair("whole", 1) })).row).toEqual({});
});

it("assigns keys to several rows of a batch", async () => {
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
  const rows = ["1", "2"].map((v) => ({
    type: "PUT" as const,
    condition: ignore,
    primaryKey: [{ a: "x" }, { n: TableStore.PK_AUTO_INCR }],
    attributeColumns: [{ v }],
  }));
  const result = (await client.batchWriteRow({
    tables: [{ tableName: "automatic", rows }],
  } as TableStore.BatchWriteRowParams)) as unknown as { tables: TableStore.RowInBatch[] };
  expect(result.tables.map((row) => row.isOk)).toEqual([true, true]);
});

describe("is_atomic", () => {
  const expectNotExist = 2;
  interface Row {
    readonly key: readonly [string, number];
    readonly v: string;
    readonly expect?: number;
  }
  const write = (...rows: Row[]) =>
    callBytes(account.server.url, "BatchWriteRow", {
      1: {
        1: "one",
        2: rows.map(({ key: [a, b], v, expect: existence = 0 }) => ({
          1: 1,
          2: rowBytes({ a, b: BigInt(b) }, [{ name: "v", value: v }]),
          3: { 1: existence },
        })),
      },
      3: true,
    });
  const read = async (a: string, b: number): Promise<unknown> =>
    columns((await client.getRow({ tableName: "one", primaryKey: pair(a, b) })).row).v;

  it("changes all rows or none", async () => {
    const [table] = (await write({ key: ["all", 1], v: "one" }, { key: ["all", 2], v: "two" })).messages(1);
    expect(table?.messages(2).map((row) => row.int(1))).toEqual([1, 1]);
    expect([await read("all", 1), await read("all", 2)]).toEqual(["one", "two"]);
    const failing = write({ key: ["all", 1], v: "changed" }, { key: ["all", 2], v: "changed", expect: expectNotExist });
    expect(await rawFailureOf(failing)).toBe("403 OTSConditionCheckFail Condition check failed.");
    expect([await read("all", 1), await read("all", 2)]).toEqual(["one", "two"]);
  });

  it("takes rows of one partition key only", async () => {
    const failing = write({ key: ["y", 1], v: "one" }, { key: ["z", 1], v: "two" });
    expect(await rawFailureOf(failing)).toContain("400 OTSParameterInvalid");
    expect(await read("y", 1)).toBeUndefined();
  });
});

describe("rows of a batch", () => {
  it("fail alone for what is stored: a condition, an increment of a text", async () => {
    const count = {
      type: "UPDATE" as const,
      condition: ignore,
      attributeColumns: [{ INCREMENT: [{ v: long(1) }] }],
    };
    await client.putRow({
      tableName: "one",
      condition: ignore,
      primaryKey: pair("text", 1),
      attributeColumns: [{ v: "t" }],
    });
    const is = where(new TableStore.SingleColumnCondition("v", "u", TableStore.ComparatorType.EQUAL, false));
    const rows = await rowsOfBatch(
      client.batchWriteRow({
        tables: [
          {
            tableName: "one",
            rows: [
              { ...count, primaryKey: pair("text", 1) },
              { ...count, primaryKey: pair("counter", 1) },
              { type: "DELETE" as const, condition: is, primaryKey: pair("text", 2) },
            ],
          },
        ],
      } as unknown as TableStore.BatchWriteRowParams),
    );
    expect(rows.map((row) => row.errorCode)).toEqual(["OTSParameterInvalid", null, "OTSConditionCheckFail"]);
    const { row } = await client.getRow({ tableName: "one", primaryKey: pair("counter", 1) });
    expect(columns(row)).toEqual({ v: "1" });
  });

  it("are 200 at most, and 4 MB together", async () => {
    const many = Array.from({ length: 200 }, (_, index) => put(`many${index}`, "1"));
    const batch = (rows: object[]) =>
      failureOf(
        client.batchWriteRow({ tables: [{ tableName: "one", rows }] } as unknown as TableStore.BatchWriteRowParams),
      );
    expect(await batch(many)).toBe("no error");
    const large = [1, 2, 3].map((n) => put(`large${n}`, "y".repeat(1_450_000)));
    expect(await batch(large)).toContain("400 OTSParameterInvalid");
    expect(await batch(large.slice(1))).toBe("no error");
  });
});

describe("a row that comes twice", () => {
  const twice = (tableName: string, ...rows: object[]) =>
    failureOf(client.batchWriteRow({ tables: [{ tableName, rows }] } as unknown as TableStore.BatchWriteRowParams));

  it("is changed in the order of the batch", async () => {
    const update = { ...put("twice", ""), type: "UPDATE" as const, attributeColumns: [{ PUT: [{ w: "3" }] }] };
    expect(await twice("one", put("twice", "1"), put("other", "1"), put("twice", "2"), update)).toBe("no error");
    const { row } = await client.getRow({ tableName: "one", primaryKey: pair("twice", 1) });
    expect(columns(row)).toEqual({ v: "2", w: "3" });
  });

  it("has no expectation, no condition, no increment and no index", async () => {
    const repeated = "400 OTSParameterInvalid Repeated rows do not support row";
    expect(await twice("one", put("whole", "1"), put("whole", "2", expectExist))).toContain(
      `${repeated} exist expectation check in BatchModify.`,
    );
    const is = where(new TableStore.SingleColumnCondition("v", "u", TableStore.ComparatorType.EQUAL, true));
    expect(await twice("one", put("whole", "1"), put("whole", "2", is))).toContain(
      `${repeated} condition check in BatchModify.`,
    );
    const count = { ...put("whole", ""), type: "UPDATE", attributeColumns: [{ INCREMENT: [{ n: long(1) }] }] };
    const duplicate = "400 OTSParameterInvalid Duplicate rows detected in MultiPut.";
    expect(await twice("one", count, put("whole", "1"))).toContain(duplicate);
    expect((await client.getRow({ tableName: "one", primaryKey: pair("whole", 1) })).row).toEqual({});
    await client.createTable({
      tableMeta: {
        tableName: "indexed",
        primaryKey: [
          { name: "a", type: "STRING" },
          { name: "b", type: "INTEGER" },
        ],
        definedColumn: [{ name: "v", type: TableStore.DefinedColumnType.DCT_STRING }],
      },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1 },
      indexMetas: [{ name: "by_v", primaryKey: ["v"], definedColumns: [] }],
    } as unknown as TableStore.CreateTableParams);
    expect(await twice("indexed", put("whole", "1"), put("whole", "2"))).toContain(duplicate);
  });
});

describe("by bytes", () => {
  const invalid = "400 OTSParameterInvalid";
  const row = (type: number, a: string, cells: readonly SentCell[] = [], isDeletion = false): Fields => ({
    1: type,
    2: rowBytes({ a, b: 1n }, cells, isDeletion),
    3: { 1: 0 },
  });
  const send = (...rows: Fields[]) => callBytes(account.server.url, "BatchWriteRow", { 1: { 1: "two", 2: rows } });

  it("puts, updates and deletes, each with its cost and the row it asked for", async () => {
    const cells = [{ name: "v", value: "1" }];
    const answer = await send(
      { ...row(1, "put", cells), 4: { 1: 1 } },
      row(2, "update", [{ name: "n", value: 2n, op: "increment" }]),
      row(3, "delete", [], true),
    );
    const rows = answer.message(1).messages(2);
    expect(rows.map((each) => [each.int(1), each.message(3).message(1).int(2), each.has(4)])).toEqual([
      [1, 1, true],
      [1, 1, false],
      [1, 1, false],
    ]);
    expect(rowsOf(rows[0]?.bytes(4) as Buffer)).toEqual([{ key: { a: "put", b: 1n }, columns: {}, timestamps: {} }]);
  });

  it("tells the code and the words of a row that failed", async () => {
    const [failed] = (await send({ ...row(1, "nobody"), 3: { 1: 1 } })).message(1).messages(2);
    expect([failed?.int(1), failed?.message(2).text(1), failed?.message(2).text(2)]).toEqual([
      0,
      "OTSConditionCheckFail",
      "Condition check failed.",
    ]);
  });

  it("does nothing when there is nothing to do, an unknown operation, or a row that does not fit", async () => {
    const empty = await rawFailureOf(callBytes(account.server.url, "BatchWriteRow", {}));
    expect(empty).toBe(`${invalid} No row is specified in BatchWriteRow.`);
    expect(await rawFailureOf(send())).toBe(`${invalid} No operation is specified for table:two.`);
    const good = row(1, "good", [{ name: "v", value: "1" }]);
    expect(await rawFailureOf(send(good, row(4, "x")))).toContain(invalid);
    expect(await rawFailureOf(send(good, row(3, "x")))).toContain(invalid);
    expect(await rawFailureOf(send(good, { 1: 1, 2: rowBytes({ a: "x", b: infMin }), 3: { 1: 0 } }))).toContain(
      "400 OTSParameterInvalid INF_MIN",
    );
    expect(await rawFailureOf(send(good, row(2, "x")))).toContain("missing cells");
    expect((await client.getRow({ tableName: "two", primaryKey: pair("good", 1) })).row).toEqual({});
  });
});
