// Call budgets as rows.
import { beforeEach, describe, expect, test } from "vitest";
import type { Budgets } from "../../../shared/ports/budgets.ts";
import { StoreFailure, type Tables } from "../../../shared/ports/tables.ts";
import { tableBudgets } from "../../../shared/store/budget.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

let tables: Tables;
let budgets: Budgets;

beforeEach(() => {
  tables = memoryTables(schemas);
  budgets = tableBudgets(tables);
});

const budget = { window: 5, taken: 20, lowered: null };
const lowered = { ...budget, lowered: { to: 100, window: 4 } };

/** The tables, and what is read of them. */
function counted(): { readonly tables: Tables; readonly reads: string[] } {
  const reads: string[] = [];
  const noted: Tables = {
    ...tables,
    get: (table, key) => {
      reads.push(`get ${key.join(" ")}`);
      return tables.get(table, key);
    },
    range: (query) => {
      reads.push(`range ${query.from.join(" ")}`);
      return tables.range(query);
    },
  };
  return { tables: noted, reads };
}

describe("what a start reads", () => {
  test("is one call for all APIs of a region, and a row by itself once somebody has written it since", async () => {
    const [first] = [await budgets.write("r", "A", budget, null), await budgets.write("r", "B", lowered, null)];
    const { tables: noted, reads } = counted();
    const started = tableBudgets(noted);
    const [a, b, c] = await Promise.all(["A", "B", "C"].map((api) => started.read("r", api)));
    expect([a?.budget, b?.budget, c, reads]).toEqual([budget, lowered, null, ["range r"]]);
    await budgets.write("r", "A", lowered, first);
    expect(await started.write("r", "A", budget, a ?? null)).toBeNull();
    expect([(await started.read("r", "A"))?.budget, reads]).toEqual([lowered, ["range r", "get r A"]]);
    await started.read("s", "A");
    expect(reads.at(-1)).toBe("range s");
  });

  test("is a row by itself where they are too many, and is read again where it could not be", async () => {
    for (let index = 0; index < 101; index++) await budgets.write("r", `A${1000 + index}`, budget, null);
    const { tables: noted, reads } = counted();
    expect((await tableBudgets(noted).read("r", "A1100"))?.budget).toEqual(budget);
    expect(reads).toEqual(["range r", "get r A1100"]);
    let isBroken = true;
    const broken = tableBudgets({
      ...tables,
      range: (query) => (isBroken ? Promise.reject(new StoreFailure("unavailable", "broken")) : tables.range(query)),
    });
    await expect(broken.read("r", "A1000")).rejects.toThrow("broken");
    isBroken = false;
    expect((await broken.read("r", "A1000"))?.budget).toEqual(budget);
  });
});

describe("budget rows", () => {
  test("are read back as written, per region and API", async () => {
    expect(await budgets.read("r", "A")).toBeNull();
    const first = await budgets.write("r", "A", budget, null);
    expect(await budgets.read("r", "A")).toEqual(first);
    expect(await budgets.read("r", "B")).toBeNull();
    expect(await budgets.read("s", "A")).toBeNull();
    await budgets.write("r", "A", lowered, first);
    expect((await budgets.read("r", "A"))?.budget).toEqual(lowered);
    await budgets.write("r", "A", budget, await budgets.read("r", "A"));
    expect((await budgets.read("r", "A"))?.budget).toEqual(budget);
  });

  test("are replaced only as they were read", async () => {
    const first = await budgets.write("r", "A", budget, null);
    expect(await budgets.write("r", "A", lowered, null)).toBeNull();
    expect(await budgets.write("r", "A", lowered, first)).not.toBeNull();
    expect(await budgets.write("r", "A", budget, first)).toBeNull();
    expect((await budgets.read("r", "A"))?.budget).toEqual(lowered);
  });

  test("that make no sense are fresh and can be replaced", async () => {
    await tables.put("budget", ["r", "A"], { window: "x", taken: -4, loweredTo: 1.5 }, { kind: "none" });
    const read = await budgets.read("r", "A");
    expect(read?.budget).toEqual({ window: 0, taken: 0, lowered: null });
    await budgets.write("r", "A", budget, read);
    expect((await budgets.read("r", "A"))?.budget).toEqual(budget);
  });
});
