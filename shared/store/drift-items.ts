// Drift: one row for each difference, kept in full for as long as records live.
import type { DriftItem, KeptRule } from "../domain/drift-item.ts";
import type { GroupRef } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { parseColumn, specFromJson, specToJson } from "./spec-json.ts";

const keptToJson = (rule: KeptRule | null): unknown => rule && { ...rule, spec: specToJson(rule.spec) };
const keptFromJson = (rule: (KeptRule & { readonly spec: unknown }) | null): KeptRule | null =>
  rule && { ...rule, spec: specFromJson(rule.spec, "drift") };

function driftOf(row: Row): DriftItem {
  const body = parseColumn(row.columns["body"], "drift") as DriftItem;
  const rev = row.columns["rev"];
  if (typeof rev !== "number" || typeof body.driftId !== "string") throw fail("STATE_UNREADABLE", { table: "drift" });
  return { ...body, found: keptFromJson(body.found), wanted: keptFromJson(body.wanted), rev };
}

/** One item, or null. */
export async function getDrift(tables: Tables, group: GroupRef, driftId: string): Promise<DriftItem | null> {
  const row = await tables.get("drift", [group.groupId, driftId]);
  return row ? driftOf(row) : null;
}

/** Stores an item if its row is still at `item.rev`; answers the stored one, or null when somebody else was faster. */
export async function saveDrift(tables: Tables, item: DriftItem): Promise<DriftItem | null> {
  const { rev, ...rest } = item;
  const body = JSON.stringify({ ...rest, found: keptToJson(item.found), wanted: keptToJson(item.wanted) });
  const outcome = await tables.put(
    "drift",
    [item.group.groupId, item.driftId],
    { body, state: item.state, rev: rev + 1 },
    rev === 0 ? { kind: "absent" } : { kind: "equals", column: "rev", value: rev },
  );
  return outcome === "written" ? { ...item, rev: rev + 1 } : null;
}

/** Every item of a group, or of all groups, that passes the filter, in the order of group and id; `after` continues a page. */
export async function listDrift(
  tables: Tables,
  query: {
    readonly groupId?: string;
    readonly states?: readonly string[];
    readonly after?: readonly [string, string] | null;
    readonly limit: number;
  },
): Promise<{ readonly items: readonly DriftItem[]; readonly next: readonly [string, string] | null }> {
  const items: DriftItem[] = [];
  let [group, drift] = query.after ?? [query.groupId ?? "", ""];
  let isAfter = query.after != null;
  for (;;) {
    const page = await tables.range({
      table: "drift",
      from: [group, isAfter ? `${drift}\u0001` : drift],
      to: query.groupId === undefined ? null : [`${query.groupId}\u0001`],
      limit: 500,
    });
    for (const row of page.rows) {
      [group, drift, isAfter] = [String(row.key[0]), String(row.key[1]), true];
      if (query.states && !query.states.includes(String(row.columns["state"]))) continue;
      items.push(driftOf(row));
      if (items.length === query.limit) return { items, next: [group, drift] };
    }
    if (!page.more || page.rows.length === 0) return { items, next: null };
  }
}
