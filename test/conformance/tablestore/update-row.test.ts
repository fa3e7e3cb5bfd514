// UpdateRow, through the official SDK and by bytes.
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, columns, createPairs, failureOf, ignore, keyOf, long, pair, startAccount } from "./account.ts";
import { type Fields, rowBytes, rowsOf, type SentCell } from "./bytes.ts";
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

const { put, update, get } = rowCalls(() => client, tableName);

it("deletes columns without deleting the row", async () => {
  await put("columns", [{ one: "1" }, { two: "2" }]);
  await update("columns", [{ DELETE_ALL: ["one", "two"] }]);
  const row = await get("columns");
  expect(keyOf(row)).toEqual(["columns", "1"]);
  expect(columns(row)).toEqual({});
});

it("does not create a row by an update that only deletes", async () => {
  await update("onlydeletes", [{ DELETE_ALL: ["one"] }]);
  expect(await get("onlydeletes")).toEqual({});
});

it("increments from zero and answers the new value", async () => {
  await update("counter", [{ INCREMENT: [{ n: long(5) }] }]);
  const { row } = await client.updateRow({
    tableName,
    condition: ignore,
    primaryKey: pair("counter", 1),
    updateOfAttributeColumns: [{ INCREMENT: [{ n: long(-2) }] }],
    returnContent: { returnType: TableStore.ReturnType.AfterModify, returnColumns: ["n"] },
  });
  expect(columns(row)).toEqual({ n: "3" });
  await put("counter", [{ n: "text" }]);
  expect(await failureOf(update("counter", [{ INCREMENT: [{ n: long(1) }] }]))).toContain("400 OTSParameterInvalid");
  await put("counter", [{ n: long("9223372036854775807") }]);
  expect(await failureOf(update("counter", [{ INCREMENT: [{ n: long(1) }] }]))).toContain("400 OTSParameterInvalid");
});

it("creates the row unless it only deletes", async () => {
  await update("born", [{ DELETE_ALL: ["gone"] }, { PUT: [{ v: "1" }] }]);
  expect(columns(await get("born"))).toEqual({ v: "1" });
  await update("unborn", [{ DELETE_ALL: ["gone"] }, { DELETE: [{ other: account.clock.nowMs }] as never }]);
  expect(await get("unborn")).toEqual({});
});

it("does all its operations at once, or none", async () => {
  await put("whole", [{ n: "text" }, { v: "old" }]);
  expect(await failureOf(update("whole", [{ PUT: [{ v: "new" }] }, { INCREMENT: [{ n: long(1) }] }]))).toContain("400");
  expect(columns(await get("whole"))).toEqual({ n: "text", v: "old" });
  await update("whole", [{ PUT: [{ v: "new" }] }, { DELETE_ALL: ["n"] }, { INCREMENT: [{ m: long(2) }] }]);
  expect(columns(await get("whole"))).toEqual({ v: "new", m: "2" });
});

it("deletes one version of a column, by its timestamp", async () => {
  await createPairs(client, "versions", { maxVersions: 3 });
  const now = account.clock.nowMs;
  const change = (updateOfAttributeColumns: object[]) =>
    client.updateRow({
      tableName: "versions",
      condition: ignore,
      primaryKey: pair("x", 1),
      updateOfAttributeColumns: updateOfAttributeColumns as never,
    });
  const read = async () => {
    const { row } = await client.getRow({ tableName: "versions", primaryKey: pair("x", 1), maxVersions: 9 });
    return (row?.attributes ?? []).map((cell) => String(cell.columnValue));
  };
  for (const age of [3, 2, 1]) await change([{ PUT: [{ n: long(age), timestamp: now - age }] }]);
  await change([{ DELETE: [{ n: now - 2 }] }]);
  expect(await read()).toEqual(["1", "3"]);
  await change([{ INCREMENT: [{ n: long(10) }] }]);
  expect(await read()).toEqual(["11", "1", "3"]);
});

it("refuses keys that do not fit, columns of the key, and a table that is not there", async () => {
  const to = (name: string, primaryKey: TableStore.PrimaryKeyInput, column = "v") =>
    failureOf(
      client.updateRow({
        tableName: name,
        condition: ignore,
        primaryKey,
        updateOfAttributeColumns: [{ PUT: [{ [column]: "1" }] }],
      }),
    );
  expect(await to(tableName, [{ a: "x" }])).toContain("400 OTSInvalidPK");
  expect(await to(tableName, pair("x", 1), "b")).toContain(
    "Duplicated attribute column name with primary key column: b.",
  );
  expect(await to("absent", pair("x", 1))).toContain("404 OTSObjectNotExist");
});

describe("by bytes", () => {
  const key = { a: "bytes", b: 1n };
  const send = (cells: readonly SentCell[], more: Fields = {}) =>
    callBytes(account.server.url, "UpdateRow", { 1: tableName, 2: rowBytes(key, cells), 3: { 1: 0 }, ...more });
  const refusal = (...cells: SentCell[]) => rawFailureOf(send(cells));
  const invalid = "400 OTSParameterInvalid";

  it("puts, increments and answers the new values", async () => {
    const put: SentCell = { name: "v", value: "1" };
    const count: SentCell = { name: "n", value: 5n, op: "increment" };
    const answer = await send([put, count], { 4: { 1: 2, 2: "n" } });
    expect(rowsOf(answer.bytes(2))).toMatchObject([{ key, columns: { n: 5n } }]);
    const cost = answer.message(1).message(1);
    expect([cost.int(1), cost.int(2)]).toEqual([0, 1]);
    await send([{ name: "v", op: "delete-all" }]);
    expect(columns(await get("bytes"))).toEqual({ n: "5" });
  });

  it("refuses operations that are not ones, in the service's words", async () => {
    const cannotHaveValue = "Column value cannot be given when type is DELETE_ONE_VERSION,DELETE_ALL_VERSION.";
    expect(await refusal()).toBe(`${invalid} Invalid update row request: missing cells in request`);
    expect(await refusal({ name: "v", op: "delete-all", value: "1" })).toBe(`${invalid} ${cannotHaveValue}`);
    expect(await refusal({ name: "v", op: "delete-one", value: "1", timestamp: 1 })).toBe(
      `${invalid} ${cannotHaveValue}`,
    );
    expect(await refusal({ name: "v", op: "delete-one" })).toBe(
      `${invalid} Timestamp must be given when type is DELETE_ONE_VERSION.`,
    );
    expect(await refusal({ name: "v", op: "delete-all", timestamp: 1 })).toBe(
      `${invalid} Timestamp cannot be given when type is DELETE_ALL_VERSION.`,
    );
    expect(await refusal({ name: "v", op: "increment", value: "1" })).toContain(invalid);
    expect(await refusal({ name: "v", op: "increment", value: 1.5 })).toContain(invalid);
    expect(await refusal({ name: "v", op: "increment" })).toContain(invalid);
    expect(await refusal({ name: "v", op: "increment", value: 1n, timestamp: account.clock.nowMs })).toContain(invalid);
    const once: SentCell = { name: "v", op: "increment", value: 1n };
    expect(await refusal(once, once)).toContain(invalid);
    expect(await refusal(once, { name: "v", value: 1n })).toContain(invalid);
  });

  it("refuses an increment of a double, and one below the smallest integer", async () => {
    await put("bytes", [{ d: 1.5 }, { low: long("-9223372036854775808") }]);
    expect(await refusal({ name: "d", op: "increment", value: 1n })).toContain(invalid);
    expect(await refusal({ name: "low", op: "increment", value: -1n })).toContain(invalid);
    expect(columns(await get("bytes"))).toEqual({ d: 1.5, low: "-9223372036854775808" });
  });

  it("refuses the mark of a deletion", async () => {
    const row = rowBytes(key, [{ name: "v", value: "1" }], true);
    expect(
      await rawFailureOf(callBytes(account.server.url, "UpdateRow", { 1: tableName, 2: row, 3: { 1: 0 } })),
    ).toContain(invalid);
  });
});
