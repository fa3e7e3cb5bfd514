// DeleteDefinedColumn, by bytes: the Node SDK cannot call it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, startAccount } from "./account.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

const invalid = "400 OTSParameterInvalid";
/** A table with the key (a STRING), the defined columns c and d, and an index by c that carries d. */
const create = (table: string, isIndexed = false) =>
  callBytes(account.server.url, "CreateTable", {
    1: {
      1: table,
      2: { 1: "a", 2: 2 },
      3: [
        { 1: "c", 2: 4 },
        { 1: "d", 2: 1 },
        { 1: "e", 2: 1 },
      ],
    },
    2: { 1: { 1: 0, 2: 0 } },
    3: { 1: -1, 2: 1 },
    ...(isIndexed ? { 7: { 1: `${table}_by_c`, 2: "c", 3: "d", 4: 0, 5: 0 } } : {}),
  });
const remove = (table: string, ...names: string[]) =>
  callBytes(account.server.url, "DeleteDefinedColumn", { 1: table, 2: names });
const definedIn = async (table: string): Promise<unknown> => {
  const meta = (await callBytes(account.server.url, "DescribeTable", { 1: table })).message(1);
  return meta.messages(3).map((column) => column.text(1));
};

it("takes columns away, once", async () => {
  await create("taken");
  await remove("taken", "e", "c");
  expect(await definedIn("taken")).toEqual(["d"]);
  expect(await rawFailureOf(remove("taken", "c"))).toContain(invalid);
});

it("keeps all when one is not there or is an index's, and wants one", async () => {
  await create("kept", true);
  for (const names of [["e", "nobody"], ["e", "c"], ["e", "d"], []]) {
    expect(await rawFailureOf(remove("kept", ...names))).toContain(invalid);
  }
  expect(await definedIn("kept")).toEqual(["c", "d", "e"]);
  expect(await rawFailureOf(remove("kept", "e"))).toBe("no error");
  expect(await rawFailureOf(remove("absent", "e"))).toContain("404 OTSObjectNotExist");
});
