// The store commits together what is asked for together, and nothing of it when the commit fails.
import Database from "libsql";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Store } from "../../../../local/services/tablestore/store.ts";
import type { TableDefinition } from "../../../../local/services/tablestore/tables.ts";

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
let commits: number;
let failCommits: boolean;
beforeEach(() => {
  commits = 0;
  failCommits = false;
  const db = new Database(":memory:");
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === "COMMIT") {
      commits += 1;
      if (failCommits) throw new Error("the disk is full");
    }
    return exec(sql);
  };
  store = new Store(db);
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

it("undoes everything, tables included, when the commit fails", async () => {
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

it("keeps what was queued when it is closed", async () => {
  await store.write(() => store.addTable("i", definition));
  const last = write("last", "1");
  store.close();
  await expect(last).resolves.toBeUndefined();
  store = new Store(new Database(":memory:"));
});
