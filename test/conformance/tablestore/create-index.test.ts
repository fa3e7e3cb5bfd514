// CreateIndex, and indexes made with their table, through the official SDK and by bytes.
import type TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, createPairs, failureOf, startAccount } from "./account.ts";
import type { Fields } from "./bytes.ts";
import { addIndex, all, createIndexed, put, type Wanted } from "./index-calls.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
let client: TableStore.Client;
beforeAll(async () => {
  account = await startAccount();
  client = account.client;
});
afterAll(() => account.server.stop());

it("take in the rows that are there only when asked to", async () => {
  await createIndexed(client, "grown", []);
  for (let b = 0; b < 450; b++) await put(client, "grown", "x", b, [{ c: `c${b % 3}` }]);
  await addIndex(client, "grown", { name: "grown_new", primaryKey: ["c"] });
  await addIndex(client, "grown", { name: "grown_all", primaryKey: ["c"] }, true);
  await put(client, "grown", "y", 1, [{ c: "c9" }]);
  expect(await all(client, "grown_new", "c", "a", "b")).toEqual(["c9/y/1 {}"]);
  expect(await all(client, "grown_all", "c", "a", "b")).toHaveLength(451);
});

it("refuse what an index cannot be", async () => {
  await createIndexed(client, "strict", []);
  const refused = async (wanted: Wanted): Promise<string> => failureOf(addIndex(client, "strict", wanted));
  expect(await refused({ name: "i", primaryKey: ["unknown"] })).toContain("400 OTSParameterInvalid");
  expect(await refused({ name: "i", primaryKey: ["d"] })).toContain("400 OTSParameterInvalid");
  expect(await refused({ name: "i", primaryKey: [] })).toContain("400 OTSParameterInvalid");
  expect(await refused({ name: "i", primaryKey: ["c"], definedColumn: ["free"] })).toContain("400");
  expect(await refused({ name: "i", primaryKey: ["c"], isLocal: true })).toContain("400 OTSParameterInvalid");
  expect(await refused({ name: "strict", primaryKey: ["c"] })).toContain("409 OTSObjectAlreadyExist");
  for (let n = 1; n <= 5; n++) await addIndex(client, "strict", { name: `strict_${n}`, primaryKey: ["c"] });
  expect(await refused({ name: "strict_6", primaryKey: ["c"] })).toContain("400 OTSParameterInvalid");
});

it("ask for one version and no time to live, and keep it so", async () => {
  expect(
    await failureOf(createIndexed(client, "many", [{ name: "many_i", primaryKey: ["c"] }], { maxVersions: 2 })),
  ).toContain("400 OTSParameterInvalid");
  expect(
    await failureOf(createIndexed(client, "ttl", [{ name: "ttl_i", primaryKey: ["c"] }], { timeToLive: 86_400 })),
  ).toContain("400 OTSParameterInvalid");
  await createIndexed(client, "kept", [{ name: "kept_i", primaryKey: ["c"] }]);
  const change = client.updateTable({ tableName: "kept", tableOptions: { maxVersions: 2 } });
  expect(await failureOf(change)).toContain("400 OTSParameterInvalid");
  const stamped = put(client, "kept", "x", 1, [{ c: "v", timestamp: account.clock.nowMs }]);
  expect(await failureOf(stamped)).toContain("400 OTSParameterInvalid");
});

it("need the table", async () => {
  await createPairs(client, "plain");
  expect(await failureOf(addIndex(client, "absent", { name: "i", primaryKey: ["a"] }))).toContain(
    "404 OTSObjectNotExist",
  );
  await addIndex(client, "plain", { name: "plain_by_b", primaryKey: ["b"] });
  await put(client, "plain", "x", 5, [{ v: "1" }]);
  expect(await all(client, "plain_by_b", "b", "a")).toEqual(["5/x {}"]);
});

it("changes nothing when a row that is there does not fit the index", async () => {
  await createIndexed(client, "unfit", []);
  await put(client, "unfit", "x", 1, [{ c: "fits" }]);
  await put(client, "unfit", "x", 2, [{ c: "c".repeat(1_025) }]);
  expect(await failureOf(addIndex(client, "unfit", { name: "unfit_by_c", primaryKey: ["c"] }, true))).toContain(
    "400 OTSParameterInvalid",
  );
  expect(await failureOf(client.describeTable({ tableName: "unfit_by_c" }))).toContain("404 OTSObjectNotExist");
  const main = JSON.parse(JSON.stringify(await client.describeTable({ tableName: "unfit" })));
  expect(main.indexMetas ?? []).toEqual([]);
});

it("takes what the time to live needs: a table without updates", async () => {
  const options = { timeToLive: 86_400, allowUpdate: false } as Partial<TableStore.TableOptions>;
  expect(await failureOf(createIndexed(client, "still", [{ name: "still_i", primaryKey: ["c"] }], options))).toBe(
    "no error",
  );
});

itEmbedded("counts indexes among the tables of the instance", async () => {
  const full = await startAccount();
  for (let n = 1; n <= 63; n++) await createPairs(full.client, `t${n}`);
  const over = createIndexed(full.client, "over", [{ name: "over_i", primaryKey: ["c"] }]);
  expect(await failureOf(over)).toContain("403 OTSQuotaExhausted");
  await full.client.deleteTable({ tableName: "t1" });
  await createIndexed(full.client, "two", [{ name: "two_i", primaryKey: ["c"] }]);
  expect(await failureOf(addIndex(full.client, "t2", { name: "more", primaryKey: ["b"] }))).toContain(
    "403 OTSQuotaExhausted",
  );
  await full.server.stop();
});

describe("by bytes", () => {
  const invalid = "400 OTSParameterInvalid";
  const send = (meta: Fields, more: Fields = {}) =>
    callBytes(account.server.url, "CreateIndex", { 1: "bytes", 2: { 4: 0, 5: 0, ...meta }, ...more });
  beforeAll(() => createIndexed(client, "bytes", []));

  it("adds an index and answers nothing", async () => {
    await put(client, "bytes", "x", 1, [{ c: "v" }]);
    expect((await send({ 1: "bytes_by_c", 2: "c", 3: "d" }, { 3: true })).has(1)).toBe(false);
    expect(await all(client, "bytes_by_c", "c", "a", "b")).toEqual(["v/x/1 {}"]);
    const answer = await callBytes(account.server.url, "DescribeTable", { 1: "bytes" });
    const [meta] = answer.messages(8);
    expect([meta?.text(1), meta?.texts(2), meta?.texts(3), meta?.int(4), meta?.int(5), meta?.int(6)]).toEqual([
      "bytes_by_c",
      ["c"],
      ["d"],
      0,
      0,
      2,
    ]);
  });

  it("refuses names, types, modes and columns that do not fit", async () => {
    for (const meta of [
      { 1: "9x", 2: "c" },
      { 1: "i", 2: ["c", "c"] },
      { 1: "i", 2: "c", 3: ["d", "d"] },
      { 1: "i", 2: "c", 5: 2 },
      { 1: "i", 2: "c", 4: 1 },
      { 1: "i", 2: ["a", "c"], 5: 1 },
      { 1: "i", 2: ["a", "b", "c", "n", "d"] },
      { 1: "i" },
    ]) {
      expect(await rawFailureOf(send(meta)), JSON.stringify(meta)).toContain(invalid);
    }
  });

  it("refuses an assigned first column, and an index of an index", async () => {
    await callBytes(account.server.url, "CreateTable", {
      1: {
        1: "auto",
        2: [
          { 1: "a", 2: 2 },
          { 1: "n", 2: 1, 3: 1 },
        ],
        3: { 1: "c", 2: 4 },
      },
      2: { 1: { 1: 0, 2: 0 } },
      3: { 1: -1, 2: 1 },
    });
    const by = (...key: string[]) => send({ 1: "auto_i", 2: key }, { 1: "auto" });
    expect(await rawFailureOf(by("n"))).toContain(invalid);
    expect(await rawFailureOf(by("c", "n"))).toBe("no error");
    expect(await rawFailureOf(send({ 1: "i", 2: "c" }, { 1: "auto_i" }))).toContain(invalid);
  });
});
