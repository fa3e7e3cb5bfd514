// What every implementation of the tables port must do, as one suite.
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Columns,
  type Condition,
  StoreFailure,
  type TableSchema,
  type Tables,
} from "../../shared/ports/tables.ts";

/** The tables the suite uses: text keys, integer keys, and a mixture. */
export const suiteSchemas: readonly TableSchema[] = [
  { name: "lock", key: [{ name: "group", type: "string" }], timeToLiveS: -1 },
  {
    name: "ledger",
    key: [
      { name: "group", type: "string" },
      { name: "entry", type: "string" },
    ],
    timeToLiveS: -1,
  },
  {
    name: "due",
    key: [
      { name: "shard", type: "integer" },
      { name: "at", type: "integer" },
      { name: "id", type: "string" },
    ],
    timeToLiveS: -1,
  },
];

const NONE: Condition = { kind: "none" };

/** `make` returns tables without rows; `suiteSchemas` need not exist yet. */
export function tablesSuite(make: () => Promise<Tables>): void {
  let tables: Tables;
  const get = async (group: string) => (await tables.get("lock", [group]))?.columns ?? null;
  const put = (group: string, columns: Columns, condition: Condition = NONE) =>
    tables.put("lock", [group], columns, condition);

  beforeEach(async () => {
    tables = await make();
    await tables.createTables(suiteSchemas);
  });

  describe("rows", () => {
    it("come back as they were written, with every type of column", async () => {
      const columns = {
        text: "端口 ☂ \u0000",
        empty: "",
        yes: true,
        no: false,
        big: 2 ** 53 - 1,
        low: -(2 ** 40),
        zero: 0,
      };
      expect(await put("a", columns)).toBe("written");
      expect(await tables.get("lock", ["a"])).toEqual({ key: ["a"], columns });
    });

    it("keep integer key parts exact, negative ones too", async () => {
      const key = [3, 1_793_520_000_123, "x"];
      await tables.put("due", key, { n: 1 }, NONE);
      await tables.put("due", [-3, -5, ""], { n: 2 }, NONE);
      expect(await tables.get("due", key)).toEqual({ key, columns: { n: 1 } });
      expect(await tables.get("due", [-3, -5, ""])).toEqual({ key: [-3, -5, ""], columns: { n: 2 } });
    });

    it("exist without any column of their own", async () => {
      await put("bare", {});
      expect(await tables.get("lock", ["bare"])).toEqual({ key: ["bare"], columns: {} });
    });

    it("are null when absent", async () => {
      expect(await tables.get("lock", ["nobody"])).toBeNull();
    });

    it("are replaced whole by put and changed in part by update", async () => {
      await put("a", { one: 1, two: 2 });
      await tables.update("lock", ["a"], { two: 22, three: 3 }, NONE);
      expect(await get("a")).toEqual({ one: 1, two: 22, three: 3 });
      await put("a", { four: 4 });
      expect(await get("a")).toEqual({ four: 4 });
    });

    it("are created by an update of an absent row", async () => {
      await tables.update("lock", ["new"], { one: 1 }, NONE);
      expect(await get("new")).toEqual({ one: 1 });
    });
  });

  describe("conditions", () => {
    const cases: readonly [string, Columns | null, Condition, "written" | "conflict"][] = [
      ["absent holds without a row", null, { kind: "absent" }, "written"],
      ["absent fails on a row", { n: 1 }, { kind: "absent" }, "conflict"],
      ["present holds on a row", { n: 1 }, { kind: "present" }, "written"],
      ["present fails without a row", null, { kind: "present" }, "conflict"],
      ["equals holds on the same integer", { n: 7 }, { kind: "equals", column: "n", value: 7 }, "written"],
      ["equals fails on another integer", { n: 8 }, { kind: "equals", column: "n", value: 7 }, "conflict"],
      ["equals holds on the same text", { t: "x" }, { kind: "equals", column: "t", value: "x" }, "written"],
      ["equals fails on another text", { t: "y" }, { kind: "equals", column: "t", value: "x" }, "conflict"],
      ["equals holds on the same flag", { f: false }, { kind: "equals", column: "f", value: false }, "written"],
      ["equals fails on a missing column", { m: 7 }, { kind: "equals", column: "n", value: 7 }, "conflict"],
      ["equals fails on a missing row", null, { kind: "equals", column: "n", value: 7 }, "conflict"],
      ["atMost holds on the bound", { n: 7 }, { kind: "atMost", column: "n", value: 7 }, "written"],
      ["atMost holds below", { n: -9 }, { kind: "atMost", column: "n", value: 7 }, "written"],
      ["atMost fails above", { n: 8 }, { kind: "atMost", column: "n", value: 7 }, "conflict"],
      ["atMost fails on a missing column", { m: 1 }, { kind: "atMost", column: "n", value: 7 }, "conflict"],
      ["atMost fails on a missing row", null, { kind: "atMost", column: "n", value: 7 }, "conflict"],
    ];
    for (const [name, before, condition, outcome] of cases) {
      it(`${name}, for put, update and delete alike`, async () => {
        const after = outcome === "written";
        for (const kind of ["put", "update", "delete"] as const) {
          if (before !== null) await put(kind, before);
          if (kind === "delete") {
            expect(await tables.delete("lock", [kind], condition)).toBe(outcome);
            expect(await get(kind)).toEqual(after ? null : before);
          } else {
            expect(await tables[kind]("lock", [kind], { new: 1 }, condition)).toBe(outcome);
            const kept = kind === "update" ? before : {};
            expect(await get(kind)).toEqual(after ? { ...kept, new: 1 } : before);
          }
        }
      });
    }

    it("let exactly one of twenty racing creators win", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => put("race", { holder: n }, { kind: "absent" })),
      );
      expect(outcomes.filter((outcome) => outcome === "written")).toHaveLength(1);
      expect(await get("race")).toEqual({ holder: outcomes.indexOf("written") });
    });

    it("let no increment of a version be lost among racing updates", async () => {
      await put("count", { version: 0 });
      const once = async (): Promise<void> => {
        for (;;) {
          const version = Number((await get("count"))?.["version"]);
          const condition: Condition = { kind: "equals", column: "version", value: version };
          if ((await tables.update("lock", ["count"], { version: version + 1 }, condition)) === "written") return;
        }
      };
      await Promise.all(Array.from({ length: 10 }, once));
      expect(await get("count")).toEqual({ version: 10 });
    });
  });

  describe("putEach", () => {
    it("writes each row under its own condition, and says which were written", async () => {
      if (tables.putEach === undefined) return;
      await tables.put("ledger", ["g", "there"], { rev: 1 }, NONE);
      await tables.put("ledger", ["g", "moved"], { rev: 7 }, NONE);
      const put = (entry: string, condition: Condition, rev: number) =>
        ({ table: "ledger", key: ["g", entry], columns: { rev }, condition }) as const;
      const equals = { kind: "equals", column: "rev", value: 1 } as const;
      const absent = { kind: "absent" } as const;
      const many = Array.from({ length: 250 }, (_, n) => put(`new-${n}`, absent, 1));
      const outcomes = await tables.putEach([
        put("fresh", absent, 1),
        put("there", equals, 2),
        put("moved", equals, 2),
        put("there too", equals, 2),
        ...many,
      ]);
      expect(outcomes.slice(0, 4)).toEqual(["written", "written", "conflict", "conflict"]);
      expect(outcomes.slice(4).every((it) => it === "written")).toBe(true);
      expect((await tables.get("ledger", ["g", "moved"]))?.columns).toEqual({ rev: 7 });
      expect((await tables.get("ledger", ["g", "there"]))?.columns).toEqual({ rev: 2 });
      expect(await tables.putEach([])).toEqual([]);
    });
  });

  describe("writeAll", () => {
    it("puts and deletes any number of rows of several tables", async () => {
      await put("old", { n: 1 });
      const writes = Array.from({ length: 450 }, (_, n) => ({
        kind: "put" as const,
        table: "ledger" as const,
        key: ["g", `e-${String(n).padStart(4, "0")}`],
        columns: { n },
      }));
      await tables.writeAll([...writes, { kind: "delete", table: "lock", key: ["old"] }]);
      const { rows, more } = await tables.range({ table: "ledger", from: ["g"], to: null, limit: 1000 });
      expect(rows.map((row) => row.columns["n"])).toEqual(writes.map((_, n) => n));
      expect(more).toBe(false);
      expect(await get("old")).toBeNull();
    });

    it("does nothing with nothing", async () => {
      await expect(tables.writeAll([])).resolves.toBeUndefined();
    });
  });

  describe("ranges", () => {
    const keys = [
      [1, 100, "a"],
      [1, 100, "b"],
      [1, 200, "a"],
      [1, 300, "a"],
      [2, 50, "a"],
      [2, 60, "é"],
    ] as const;
    beforeEach(async () => {
      await tables.writeAll(keys.map((key) => ({ kind: "put", table: "due", key, columns: { n: 1 } })));
    });
    const range = async (from: readonly (string | number)[], to: readonly (string | number)[] | null, more = {}) => {
      const answer = await tables.range({ table: "due", from, to, limit: 100, ...more });
      return answer.rows.map((row) => row.key.join("/"));
    };

    const cases: readonly [string, (string | number)[], (string | number)[] | null, string[]][] = [
      ["everything", [], null, ["1/100/a", "1/100/b", "1/200/a", "1/300/a", "2/50/a", "2/60/é"]],
      ["a prefix, by its successor as the end", [1], [2], ["1/100/a", "1/100/b", "1/200/a", "1/300/a"]],
      ["up to an instant, exclusive", [1], [1, 200], ["1/100/a", "1/100/b"]],
      ["up to an instant and a millisecond", [1], [1, 201], ["1/100/a", "1/100/b", "1/200/a"]],
      ["from a whole key, inclusive, to a whole key, exclusive", [1, 100, "b"], [1, 300, "a"], ["1/100/b", "1/200/a"]],
      ["from a whole key to the end", [2, 50, "a"], null, ["2/50/a", "2/60/é"]],
      ["nothing between equal bounds", [1, 100], [1, 100], []],
      ["nothing when the bounds are crossed", [2], [1], []],
      ["nothing where nothing is", [7], null, []],
    ];
    for (const [name, from, to, expected] of cases) {
      it(`read ${name}, in both directions`, async () => {
        expect(await range(from, to)).toEqual(expected);
        expect(await range(from, to, { reverse: true })).toEqual(expected.toReversed());
      });
    }

    it("read from and to whole text keys backwards", async () => {
      await tables.writeAll(
        ["a", "b", "c", "d"].map((key) => ({ kind: "put", table: "lock", key: [key], columns: {} })),
      );
      const { rows } = await tables.range({ table: "lock", from: ["b"], to: ["d"], reverse: true, limit: 10 });
      expect(rows.map((row) => row.key[0])).toEqual(["c", "b"]);
    });

    it("say whether the limit or the range ended them", async () => {
      for (const reverse of [false, true]) {
        const at = (limit: number) => tables.range({ table: "due", from: [1], to: [2], reverse, limit });
        expect((await at(3)).rows).toHaveLength(3);
        expect((await at(3)).more).toBe(true);
        expect((await at(4)).rows).toHaveLength(4);
        expect((await at(4)).more).toBe(false);
        expect((await at(5)).more).toBe(false);
      }
    });
  });

  describe("tables", () => {
    it("are created once, and again without harm", async () => {
      await put("a", { n: 1 });
      await tables.createTables(suiteSchemas);
      expect(await get("a")).toEqual({ n: 1 });
    });

    it("that are missing fail every call with tableMissing", async () => {
      const missing = { table: "policy" as const, key: ["p", 1] };
      const calls = [
        () => tables.get(missing.table, missing.key),
        () => tables.put(missing.table, missing.key, { n: 1 }, NONE),
        () => tables.delete(missing.table, missing.key, NONE),
        () => tables.writeAll([{ kind: "put", ...missing, columns: { n: 1 } }]),
        () => tables.range({ table: missing.table, from: [], to: null, limit: 1 }),
      ];
      for (const call of calls) {
        const error = await call().then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(StoreFailure);
        expect((error as StoreFailure).kind).toBe("tableMissing");
      }
    });
  });
}

/** A declared table that nobody creates. */
export const missingSchema: TableSchema = {
  name: "policy",
  key: [
    { name: "name", type: "string" },
    { name: "version", type: "integer" },
  ],
  timeToLiveS: -1,
};
