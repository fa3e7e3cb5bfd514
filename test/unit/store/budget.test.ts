// Call budgets as rows.
import { beforeEach, describe, expect, test } from "vitest";
import type { Budgets } from "../../../shared/ports/budgets.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
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
