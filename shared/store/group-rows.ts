// What is kept of guarded groups: one row each, changed only by compare-and-set.
import { freshGroupRow, type GroupRow } from "../domain/guard.ts";
import type { GroupId, GroupRef } from "../domain/ids.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { readable, revOf, shapedColumn, withKey } from "./row-shape.ts";

const groupRowOf = withKey((row: Row): GroupRow => {
  const body = shapedColumn<Omit<GroupRow, "rev">>(row.columns["body"], "group", {
    ...{
      group: "object",
      baseline: "object?",
      tagGuard: "text",
      reverts: "objects",
      holds: "objects",
      settled: "object?",
    },
  });
  const rev = revOf(row.columns, "group");
  // Rows of before names were kept have none.
  return { ...body, guardName: body.guardName ?? null, deniedName: body.deniedName ?? null, rev };
});

/** The group's row; a fresh one when there is none. */
export async function getGroupRow(tables: Tables, group: GroupRef): Promise<GroupRow> {
  const row = await tables.get("group", [group.region, group.groupId]);
  return row ? groupRowOf(row) : freshGroupRow(group);
}

/** As `getGroupRow`; null where it cannot be read. */
export async function readableGroupRow(tables: Tables, group: GroupRef): Promise<GroupRow | null> {
  const row = await tables.get("group", [group.region, group.groupId]);
  return row ? (readable([row], groupRowOf).items[0] ?? null) : freshGroupRow(group);
}

/** Stores the row if it is still at `row.rev`; answers the stored one, or null when somebody else was faster. */
export async function saveGroupRow(tables: Tables, row: GroupRow): Promise<GroupRow | null> {
  const { rev, ...body } = row;
  const outcome = await tables.put(
    "group",
    [row.group.region, row.group.groupId],
    { body: JSON.stringify(body), rev: rev + 1 },
    rev === 0 ? { kind: "absent" } : { kind: "equals", column: "rev", value: rev },
  );
  return outcome === "written" ? { ...row, rev: rev + 1 } : null;
}

/**
 * Rows of a region's groups in the order of their ids, a page at a time; `after` is `next` of the page before. `unreadable` are groups whose
 * rows cannot be read: how far they are guarded is not known, and nobody may take them for new ones.
 */
export async function listGroupRows(
  tables: Tables,
  query: { readonly region: string; readonly after: GroupId | null; readonly limit: number },
): Promise<{
  readonly rows: readonly GroupRow[];
  readonly unreadable: readonly GroupId[];
  readonly next: GroupId | null;
}> {
  const page = await tables.range({
    table: "group",
    from: [query.region, query.after === null ? "" : `${query.after}\u0001`],
    to: [`${query.region}\u0001`],
    limit: query.limit,
  });
  const { items: rows, unreadable } = readable(page.rows, groupRowOf);
  const last = page.rows.at(-1);
  return { rows, unreadable: unreadable.map(groupIdOf), next: page.more && last ? groupIdOf(last.key) : null };
}

const groupIdOf = ([, groupId]: Row["key"]): GroupId => String(groupId) as GroupId;

/** A group's row, or that there is one and nobody knows what it says. */
export type KeptRow = GroupRow | "unreadable";

/** Every row of a region, by group. */
export async function groupRowsOf(tables: Tables, region: string): Promise<ReadonlyMap<GroupId, KeptRow>> {
  const found = new Map<GroupId, KeptRow>();
  let after: GroupId | null = null;
  do {
    const page: Awaited<ReturnType<typeof listGroupRows>> = await listGroupRows(tables, { region, after, limit: 1000 });
    for (const row of page.rows) found.set(row.group.groupId, row);
    for (const groupId of page.unreadable) found.set(groupId, "unreadable");
    after = page.next;
  } while (after !== null);
  return found;
}

/** The regions of all rows, with one reading for each. */
export async function groupRegions(tables: Tables): Promise<readonly string[]> {
  const regions: string[] = [];
  for (;;) {
    const from = regions.length === 0 ? "" : `${regions.at(-1)}\u0001`;
    const [row] = (await tables.range({ table: "group", from: [from], to: null, limit: 1 })).rows;
    if (row === undefined) return regions;
    regions.push(String(row.key[0]));
  }
}
