// The recycling queue: one row for each rule that ever was in it, with the rule in full for as long as records live.
import type { GroupId } from "../domain/ids.ts";
import { groupOfRecyclingId, type RecyclingItem, type RecyclingState } from "../domain/recycling-item.ts";
import { AppError } from "../errors/app-error.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { revOf, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

const itemOf = withKey((row: Row): RecyclingItem => {
  const body = shapedColumn<RecyclingItem>(row.columns["body"], "recycling", {
    ...{
      itemId: "text",
      group: "object",
      entryId: "text",
      key: "text",
      kept: "object",
      state: "text",
      since: "number",
    },
    ...{ approvals: "objects", history: "objects", quarantine: "object?", step: "object?", waiting: "object?" },
    ...{ allocation: "object?", exemption: "object?", judged: "object?" },
  });
  const rev = revOf(row.columns, "recycling");
  const { kept, quarantine } = body;
  return {
    ...body,
    kept: { ...kept, spec: specFromJson(kept.spec, "recycling") },
    quarantine: quarantine && { ...quarantine, drop: specFromJson(quarantine.drop, "recycling") },
    rev,
  };
});

/** One item, or null. */
export async function getRecyclingItem(tables: Tables, itemId: string): Promise<RecyclingItem | null> {
  const row = await tables.get("recycling", keyOf(itemId));
  return row ? itemOf(row) : null;
}

/** Stores an item if its row is still at `item.rev`; answers the stored one, or null when somebody else was faster. */
export async function saveRecyclingItem(tables: Tables, item: RecyclingItem): Promise<RecyclingItem | null> {
  const { rev, kept, quarantine, ...rest } = item;
  const body = JSON.stringify({
    ...rest,
    kept: { ...kept, spec: specToJson(kept.spec) },
    quarantine: quarantine && { ...quarantine, drop: specToJson(quarantine.drop) },
  });
  const outcome = await tables.put(
    "recycling",
    keyOf(item.itemId),
    { body, state: item.state, steps: item.step !== null, rev: rev + 1 },
    rev === 0 ? { kind: "absent" } : { kind: "equals", column: "rev", value: rev },
  );
  return outcome === "written" ? { ...item, rev: rev + 1 } : null;
}

/** Which items are asked for; all of them where nothing is said. */
export interface RecyclingQuery {
  /** One group's items are one range. */
  readonly groupId?: GroupId;
  readonly states?: readonly RecyclingState[];
  /** Items with a step under way count besides those in `states`. */
  readonly orSteps?: boolean;
  /** The item after which to go on. */
  readonly after?: string | null;
  readonly limit: number;
}

/**
 * Items by group and then by id, at most `limit`; `after` continues a page. A row that cannot be read is named in `unreadable` and
 * holds up no other.
 */
export async function listRecyclingItems(
  tables: Tables,
  query: RecyclingQuery,
): Promise<{
  readonly items: readonly RecyclingItem[];
  readonly unreadable: readonly string[];
  readonly next: string | null;
}> {
  const { groupId, after } = query;
  const items: RecyclingItem[] = [];
  const unreadable: string[] = [];
  let from = after ? behind(keyOf(after)) : groupId === undefined ? [""] : [groupId];
  const to = groupId === undefined ? null : [`${groupId}\u0001`];
  for (;;) {
    const page = await tables.range({ table: "recycling", from, to, limit: 500 });
    for (const row of page.rows) {
      const itemId = String(row.key[1]);
      from = behind(row.key);
      if (!isAskedFor(row, query)) continue;
      try {
        items.push(itemOf(row));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(itemId);
      }
      if (items.length === query.limit) return { items, unreadable, next: itemId };
    }
    if (!page.more || page.rows.length === 0) return { items, unreadable, next: null };
  }
}

const isAskedFor = ({ columns }: Row, { states, orSteps }: RecyclingQuery): boolean =>
  states === undefined ||
  states.includes(columns["state"] as RecyclingState) ||
  (orSteps === true && columns["steps"] === true);

/** Group first: the nightly run reads the items of each group, and no others. The group of what is no item's id is none. */
const keyOf = (itemId: string): readonly string[] => [groupOfRecyclingId(itemId) ?? "", itemId];

const behind = ([group, item]: readonly (string | number)[]): readonly string[] => [String(group), `${item}\u0001`];

const UNDERWAY = "recycling";

/** An item that is under way or in quarantine: the watch finds it here. */
export interface Underway {
  readonly itemId: string;
  /** When it was last said to be. */
  readonly at: number;
}

/** Written before the item gets a step; the item is the truth. */
export const underwayWrite = (itemId: string, at: number): Write => ({
  kind: "put",
  table: "attention",
  key: [UNDERWAY, itemId],
  columns: { at },
});

/** Leaves a row that was written anew meanwhile. */
export async function endUnderway(tables: Tables, { itemId, at }: Underway): Promise<void> {
  await tables.delete("attention", [UNDERWAY, itemId], { kind: "equals", column: "at", value: at });
}

/** Every item that may be under way or in quarantine. */
export async function listUnderway(tables: Tables): Promise<readonly Underway[]> {
  const found: Underway[] = [];
  for (let from = [UNDERWAY]; ; ) {
    const page = await tables.range({ table: "attention", from, to: [`${UNDERWAY}\u0001`], limit: 1000 });
    for (const { key, columns } of page.rows) found.push({ itemId: String(key[1]), at: Number(columns["at"]) });
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) return found;
    from = [UNDERWAY, `${String(last.key[1])}\u0001`];
  }
}
