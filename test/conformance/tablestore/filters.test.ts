// What filters the SDK cannot say: value transfer rules, page filters under AND, limits of a filter. By bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeMessage, type Messages } from "../../../local/protocol/tablestore/messages.ts";
import {
  doubleVariant,
  integerVariant,
  stringVariant,
  type Variant,
} from "../../../local/protocol/tablestore/variant.ts";
import { type Account, createPairs, ignore, pair, startAccount } from "./account.ts";
import { call, rawFailureOf, rowOf, valuesOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
  const { client } = account;
  await createPairs(client, "t");
  const attributeColumns = [
    { code: "1aaa51bbb5" },
    { count: "t1:42,t2:7" },
    { rate: "x=2.5;" },
    { number: 1 },
    { huge: "9223372036854775808" },
  ];
  await client.putRow({ tableName: "t", condition: ignore, primaryKey: pair("x", 1), attributeColumns });
});
afterAll(() => account.server.stop());

type Filter = Messages["Filter"];

function bare({ kind, bytes }: Variant): Buffer {
  const length = Buffer.alloc(kind === 3 ? 4 : 0);
  if (kind === 3) length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from([kind]), length, bytes]);
}
const column = (
  column_name: string,
  value: Variant,
  rule?: Messages["SingleColumnValueFilter"]["value_transfer_rule"],
  comparator = 1,
): Filter => ({
  type: 1,
  filter: encodeMessage("SingleColumnValueFilter", {
    comparator,
    column_name,
    column_value: bare(value),
    filter_if_missing: true,
    latest_version_only: true,
    ...(rule === undefined ? {} : { value_transfer_rule: rule }),
  }),
});
const combine = (combinator: number, ...sub_filters: Filter[]): Filter => ({
  type: 2,
  filter: encodeMessage("CompositeColumnValueFilter", { combinator, sub_filters }),
});
const page = (offset: number, limit: number): Filter => ({
  type: 3,
  filter: encodeMessage("ColumnPaginationFilter", { offset, limit }),
});
const read = async (filter: Filter): Promise<string[]> => {
  const { row } = await call(
    account.server.url,
    "GetRow",
    [
      "GetRowRequest",
      {
        table_name: "t",
        primary_key: rowOf("x", 1),
        columns_to_get: [],
        max_versions: 1,
        filter: encodeMessage("Filter", filter),
      },
    ],
    "GetRowResponse",
  );
  return row.length === 0 ? [] : valuesOf(row);
};
const passes = async (filter: Filter): Promise<boolean> => (await read(filter)).length > 0;

it("compares the part of a text that a rule picks: the whole match, or its first group", async () => {
  expect(await passes(column("code", stringVariant("1aaa5"), { regex: "1[a-z]+5" }))).toBe(true);
  expect(await passes(column("code", stringVariant("aaa"), { regex: "1([a-z]+)5" }))).toBe(true);
  expect(await passes(column("code", stringVariant("bbb"), { regex: "1([a-z]+)5" }))).toBe(false);
  expect(await passes(column("code", stringVariant("1aaa5")))).toBe(false);
});

it("reads the part as the type asked for", async () => {
  const greater = 3;
  const count = { regex: "t1:(\\d+),", cast_type: 0 };
  expect(await passes(column("count", integerVariant(5n), count, greater))).toBe(true);
  expect(await passes(column("count", integerVariant(42n), count, greater))).toBe(false);
  const rate = { regex: "x=([0-9.]+);", cast_type: 1 };
  expect(await passes(column("rate", doubleVariant(2.5), rate))).toBe(true);
});

it("does not match what the rule does not find or cannot read", async () => {
  expect(await passes(column("code", stringVariant("zzz"), { regex: "zzz" }))).toBe(false);
  expect(await passes(column("code", integerVariant(1n), { regex: "[a-z]+", cast_type: 0 }))).toBe(false);
  expect(await passes(column("number", stringVariant("1"), { regex: "1" }))).toBe(false);
  const wrapped = integerVariant(-(2n ** 63n));
  expect(await passes(column("huge", wrapped, { regex: "\\d+", cast_type: 0 }))).toBe(false);
});

it("pages the columns of rows that another filter accepts", async () => {
  expect(await read(page(1, 2))).toEqual(["x", "1", "t1:42,t2:7", expect.any(String)]);
  const accepted = column("code", stringVariant("1aaa51bbb5"));
  expect(await read(combine(2, accepted, page(0, 1)))).toEqual(["x", "1", "1aaa51bbb5"]);
  expect(await read(combine(2, column("code", stringVariant("no")), page(0, 1)))).toEqual([]);
});

it("refuses filters that are not ones", async () => {
  const one = column("code", stringVariant("x"));
  const refused = async (filter: Filter): Promise<void> =>
    expect(await rawFailureOf(read(filter))).toContain("400 OTSParameterInvalid");
  await refused(column("code", stringVariant("x"), { regex: "(" }));
  await refused(column("code", stringVariant("x"), { regex: "x".repeat(257) }));
  await refused(column("code", stringVariant("x"), { regex: "x", cast_type: 2 }));
  await refused(combine(1, one, one));
  await refused(combine(2, one));
  await refused(column("code", { kind: 9, bytes: Buffer.alloc(0) }));
  await refused(page(-1, 1));
  await refused(page(0, 0));
  await refused({ type: 9, filter: Buffer.alloc(0) });
  const eleven = Array.from({ length: 11 }, () => one);
  await refused(combine(3, ...eleven));
  expect(await read(combine(3, ...eleven.slice(1)))).toEqual([]);
});
