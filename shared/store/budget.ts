// Call budgets in the table `budget`: one row per region and API, replaced by compare-and-set.
import type { CallBudget, KeptBudget } from "../domain/call-budget.ts";
import type { Budgets } from "../ports/budgets.ts";
import type { Columns, Condition, Tables } from "../ports/tables.ts";

/** The version of a row without a usable one: the next write replaces it, whoever is quicker. */
const UNUSABLE = -1;

/** Budgets in the tables. A row that makes no sense reads as a fresh one: a budget is no reason to stop. */
export function tableBudgets(tables: Tables): Budgets {
  const regions = new Map<string, { readonly rows: Promise<RegionRows>; readonly given: Set<string> }>();
  return {
    async read(region, api) {
      const known = regions.get(region) ?? { rows: rowsOf(tables, region), given: new Set() };
      regions.set(region, known);
      if (!known.given.has(api)) {
        known.given.add(api);
        const first = await known.rows.catch((error: unknown) => {
          regions.delete(region);
          throw error;
        });
        const kept = first(api);
        if (kept !== undefined) return kept;
      }
      const row = await tables.get("budget", [region, api]);
      return row && keptOf(row.columns);
    },
    async write(region, api, budget, before) {
      const { window, taken, lowered } = budget;
      const version = before === null ? 1 : before.version + 1;
      const columns = { window, taken, version };
      const withLowered = lowered && { ...columns, loweredTo: lowered.to, loweredWindow: lowered.window };
      const outcome = await tables.put("budget", [region, api], withLowered ?? columns, conditionOf(before));
      return outcome === "written" ? { budget, version } : null;
    },
  };
}

/** The row of an API, null for none; undefined where that is not known. */
type RegionRows = (api: string) => KeptBudget | null | undefined;

/** An account calls so many APIs in a region at most, as far as they are read together. */
const APIS_MAX = 100;

/**
 * The rows of a region as they are now. A process that starts asks for the budgets of several APIs, one after the other: the first row of
 * each comes from here, in one call. Where somebody has written it since, the write is refused, and then it is read by itself.
 */
async function rowsOf(tables: Tables, region: string): Promise<RegionRows> {
  const range = { table: "budget", from: [region], to: [`${region}\u0000`], limit: APIS_MAX } as const;
  const { rows, more } = await tables.range(range);
  const kept = new Map(rows.map(({ key, columns }) => [key[1], keptOf(columns)]));
  return (api) => kept.get(api) ?? (more ? undefined : null);
}

function conditionOf(before: KeptBudget | null): Condition {
  if (before === null) return { kind: "absent" };
  if (before.version === UNUSABLE) return { kind: "present" };
  return { kind: "equals", column: "version", value: before.version };
}

function keptOf(columns: Columns): KeptBudget {
  const whole = (name: string): number | null => {
    const value = columns[name];
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
  };
  const [to, loweredWindow] = [whole("loweredTo"), whole("loweredWindow")];
  const budget: CallBudget = {
    window: whole("window") ?? 0,
    taken: whole("taken") ?? 0,
    lowered: to === null || loweredWindow === null ? null : { to, window: loweredWindow },
  };
  return { budget, version: whole("version") ?? UNUSABLE };
}
