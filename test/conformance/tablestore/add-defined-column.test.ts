// AddDefinedColumn, by bytes: the Node SDK cannot call it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, startAccount } from "./account.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

const add = (table: string, ...columns: (readonly [string, number])[]) =>
  callBytes(account.server.url, "AddDefinedColumn", {
    1: table,
    2: columns.map(([name, type]) => ({ 1: name, 2: type })),
  });
const definedIn = async (table: string): Promise<unknown> => {
  const meta = (await callBytes(account.server.url, "DescribeTable", { 1: table })).message(1);
  return meta.messages(3).map((column) => `${column.text(1)} ${column.int(2)}`);
};
const invalid = "400 OTSParameterInvalid";

it("adds columns of every type", async () => {
  await createPairs(account.client, "added");
  await add("added", ["i", 1]);
  await add("added", ["d", 2], ["t", 3], ["s", 4], ["x", 7]);
  expect(await definedIn("added")).toEqual(["i 1", "d 2", "t 3", "s 4", "x 7"]);
});

it("refuses a column of the key, one that is there, one twice, an unknown type, and none", async () => {
  await createPairs(account.client, "strict");
  await add("strict", ["c", 4]);
  expect(await rawFailureOf(add("strict", ["a", 4]))).toBe(`${invalid} Duplicated column name: 'a'.`);
  expect(await rawFailureOf(add("strict", ["c", 4]))).toBe(`${invalid} Duplicated column name: 'c'.`);
  expect(await rawFailureOf(add("strict", ["e", 4], ["e", 1]))).toBe(`${invalid} Duplicated column name: 'e'.`);
  expect(await rawFailureOf(add("strict", ["e", 5]))).toContain(invalid);
  expect(await rawFailureOf(add("strict", ["e-e", 4]))).toContain(invalid);
  expect(await rawFailureOf(add("strict"))).toContain(invalid);
  expect(await definedIn("strict")).toEqual(["c 4"]);
});

it("keeps to 32 columns in all, and needs the table", async () => {
  await createPairs(account.client, "full");
  const many = Array.from({ length: 31 }, (_, n) => [`c${n}`, 4] as const);
  await add("full", ...many);
  expect(await rawFailureOf(add("full", ["y", 4], ["z", 4]))).toContain(invalid);
  expect(await rawFailureOf(add("full", ["y", 4]))).toBe("no error");
  expect(await rawFailureOf(add("absent", ["y", 4]))).toContain("404 OTSObjectNotExist");
});
