// The store commits together what is asked for together, and nothing of it when the commit fails.
import Database from "libsql";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Overlay } from "../../../../local/services/tablestore/overlay.ts";
import { Store } from "../../../../local/services/tablestore/store.ts";
import type { Table, TableDefinition } from "../../../../local/services/tablestore/tables.ts";

const definition: TableDefinition = {
  name: "t",
  key: [{ name: "a", type: 2, kind: 3, autoIncrement: false }],
  definedColumns: [],
  timeToLiveS: -1,
  maxVersions: 1,
  manyVersions: false,
  timeDeviationS: 86_400,
  allowUpdate: true,
  reservedRead: 0,
  reservedWrite: 0,
  throughputChangedS: 0,
};

let store: Store;
let db: Database.Database;
let commits: number;
let failCommits: boolean;
let told: unknown[];
beforeEach(() => {
  commits = 0;
  failCommits = false;
  told = [];
  db = new Database(":memory:");
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === "COMMIT") {
      commits += 1;
      if (failCommits) throw new Error("the disk is broken");
    }
    const done = exec(sql);
    if (sql === "ROLLBACK") throw new Error("no transaction is active");
    return done;
  };
  store = new Store(db, (error) => void told.push(error));
});
afterEach(() => store.close());

const bytes = (text: string): Buffer => Buffer.from(text);
const write = (key: string, value: string): Promise<void> =>
  store.write(() => {
    const table = store.table("i", "t");
    if (table === undefined) throw new Error("the table is gone");
    store.put(table, bytes(key), bytes(value));
  });
const read = (key: string): string | undefined => {
  const table = store.table("i", "t");
  return table && store.get(table, bytes(key))?.toString();
};

it("commits once for all writes of one turn", async () => {
  await store.write(() => store.addTable("i", definition));
  commits = 0;
  await Promise.all(Array.from({ length: 20 }, (_, index) => write(`k${index}`, "v")));
  expect(commits).toBe(1);
  expect(read("k19")).toBe("v");
});

it("fails a job that throws without harming its neighbours", async () => {
  await store.write(() => store.addTable("i", definition));
  const outcomes = await Promise.allSettled([
    write("one", "1"),
    store.write(() => {
      throw new Error("refused");
    }),
    write("two", "2"),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect([read("one"), read("two")]).toEqual(["1", "2"]);
});

it("undoes everything, tables included, when the commit fails, and the ROLLBACK as well", async () => {
  await store.write(() => store.addTable("i", definition));
  failCommits = true;
  const outcomes = await Promise.allSettled([
    write("one", "1"),
    store.write(() => store.addTable("i", { ...definition, name: "u" })),
  ]);
  failCommits = false;
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
  expect(read("one")).toBeUndefined();
  expect(store.table("i", "u")).toBeUndefined();
  await write("one", "2");
  expect(read("one")).toBe("2");
});

it("answers that it is unavailable while SQLite finds the disk full, and goes on when there is room", async () => {
  await store.write(() => store.addTable("i", definition));
  await write("before", "1");
  const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages + 1}`);
  const outcomes = await Promise.allSettled([
    write("small", "1"),
    write("large", "v".repeat(100_000)),
    store.write(() => store.addTable("i", { ...definition, name: "u" })),
  ]);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { status: 503, code: "OTSServerUnavailable" } });
  expect(told).toEqual([expect.objectContaining({ code: "SQLITE_FULL" })]);
  expect([read("before"), read("small"), store.table("i", "u")]).toEqual(["1", undefined, undefined]);

  db.exec("PRAGMA max_page_count = 1000000");
  await write("large", "v".repeat(100_000));
  expect(read("large")?.length).toBe(100_000);
  expect(told.length).toBe(1);
});

const everything = { from: bytes(""), after: false, to: Buffer.from([0xff]), backward: false };

it("reads no more than some megabytes at a time, however many rows are asked for", async () => {
  await store.write(() => store.addTable("i", definition));
  for (let index = 0; index < 100; index++) await write(`a${String(index).padStart(3, "0")}`, "small");
  for (let index = 0; index < 8; index++) await write(`b${index}`, "v".repeat(1_500_000));
  const table = store.table("i", "t") as Table;
  const first = store.scan(table, everything, 5_000);
  expect(first.entries.length).toBe(103);
  expect(first.isEnd).toBe(false);
  const rest = store.scan(table, { ...everything, from: bytes("b2"), after: true }, 5_000);
  expect(rest.entries.map(([key]) => key.toString())).toEqual(["b3", "b4", "b5"]);
  const last = store.scan(table, { ...everything, from: bytes("b6") }, 5_000);
  expect([last.entries.length, last.isEnd]).toEqual([2, true]);
});

it.each([false, true])("shows changes over rows as if they were made, backward %s", async (backward) => {
  await store.write(() => store.addTable("i", definition));
  for (const key of ["b", "d", "f", "h"]) await write(key, "old");
  const table = store.table("i", "t") as Table;
  const overlay = new Overlay(store);
  for (const key of ["b", "d"]) overlay.delete(table, bytes(key));
  for (const key of ["a", "e", "f", "z"]) overlay.put(table, bytes(key), bytes("new"));
  const low = bytes("a");
  const high = bytes("z");
  const range = backward
    ? { from: high, after: true, to: low, backward }
    : { from: low, after: true, to: high, backward };
  const seen: string[] = [];
  let from = range.from;
  for (let part = 0; part < 10; part++) {
    const { entries, isEnd } = overlay.scan(table, { ...range, from }, 1);
    for (const [key, value] of entries) seen.push(`${key.toString()} ${value.toString()}`);
    from = entries.at(-1)?.[0] ?? from;
    if (isEnd) break;
  }
  const inOrder = ["e new", "f new", "h old"];
  expect(seen).toEqual(backward ? inOrder.toReversed() : inOrder);
});

it("keeps what was queued when it is closed", async () => {
  await store.write(() => store.addTable("i", definition));
  const last = write("last", "1");
  store.close();
  await expect(last).resolves.toBeUndefined();
  store = new Store(new Database(":memory:"), () => undefined);
});
