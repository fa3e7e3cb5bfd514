// Sets of groups that are closed together by filling prefix lists.
import type { StandbySet } from "../domain/standby.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { readable, revOf, shapedColumn, withKey } from "./row-shape.ts";

/** Behind the regions of preparations. */
const PLACE = "~lists";
/** More than a policy can name, several times over. */
const SETS_MAX = 1000;

const keyOf = (name: string): [string, string] => [PLACE, name];

const setOf = withKey(({ columns }: Row): StandbySet => {
  const body = shapedColumn<StandbySet>(columns["body"], "preparation", {
    ...{ name: "text", region: "text", lists: "objects", members: "texts", holders: "texts" },
  });
  return { ...body, rev: revOf(columns, "preparation") };
});

/** Every set, and the names of those that cannot be read: one damaged row holds up no other. Their lists are nobody else's all the same. One call. */
export async function listStandbySets(
  tables: Tables,
): Promise<{ readonly sets: readonly StandbySet[]; readonly unreadable: readonly string[] }> {
  const { rows } = await tables.range({
    table: "preparation",
    from: [PLACE],
    to: [`${PLACE}\u0001`],
    limit: SETS_MAX,
  });
  const { items, unreadable } = readable(rows, setOf);
  return { sets: items, unreadable: unreadable.map(([, name]) => String(name)) };
}

export async function getStandbySet(tables: Tables, name: string): Promise<StandbySet | null> {
  const row = await tables.get("preparation", keyOf(name));
  return row && setOf(row);
}

/** Stores a set if its row is still at `rev`; answers it as stored, or null when somebody else was faster. */
export async function saveStandbySet(tables: Tables, set: StandbySet): Promise<StandbySet | null> {
  const { rev, ...body } = set;
  const condition =
    rev === 0 ? ({ kind: "absent" } as const) : ({ kind: "equals", column: "rev", value: rev } as const);
  const columns = { body: JSON.stringify(body), rev: rev + 1 };
  const outcome = await tables.put("preparation", keyOf(set.name), columns, condition);
  return outcome === "written" ? { ...set, rev: rev + 1 } : null;
}

/** Deletes a set's row if it is still at `rev`. */
export async function deleteStandbySet(tables: Tables, { name, rev }: StandbySet): Promise<boolean> {
  const outcome = await tables.delete("preparation", keyOf(name), { kind: "equals", column: "rev", value: rev });
  return outcome === "written";
}
