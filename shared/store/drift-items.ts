// Drift: one row for each difference, kept in full for as long as records live, and a pointer to it as long as it is open.
//
//     group   drift          columns
//     group   `dr-…`         body, state, rev
//     group   `!dr-…`        rev, at              (open: written before the row it points to, deleted after that is closed)
//
// The row alone says what is so, by compare-and-set: a pointer may lead to an item that is closed or was never stored, and harms
// nothing. What no pointer leads to is found by nobody: its `rev` is the one that the item is to have, it never falls, and none is
// deleted by whoever has not seen the item at that or a later one.
import { type DriftItem, isOpenDrift, type KeptRule } from "../domain/drift-item.ts";
import type { GroupRef } from "../domain/ids.ts";
import { AppError } from "../errors/app-error.ts";
import type { KeyPart, Row, Tables } from "../ports/tables.ts";
import { revOf, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

const keptToJson = (rule: KeptRule | null): unknown => rule && { ...rule, spec: specToJson(rule.spec) };
const keptFromJson = (rule: (KeptRule & { readonly spec: unknown }) | null): KeptRule | null =>
  rule && { ...rule, spec: specFromJson(rule.spec, "drift") };

const driftOf = withKey((row: Row): DriftItem => {
  const body = shapedColumn<DriftItem>(row.columns["body"], "drift", {
    ...{ driftId: "text", group: "object", kind: "text", key: "text", state: "text", firstSeenAt: "number" },
    ...{ found: "object?", wanted: "object?", attribution: "object?" },
  });
  const rev = revOf(row.columns, "drift");
  return { ...body, found: keptFromJson(body.found), wanted: keptFromJson(body.wanted), rev };
});

/** One item, or null. */
export async function getDrift(tables: Tables, group: GroupRef, driftId: string): Promise<DriftItem | null> {
  const row = await tables.get("drift", [group.groupId, driftId]);
  return row ? driftOf(row) : null;
}

const POINTER = "!";
/** Ids of items sort after every pointer. */
const ITEMS = "dr-";
const PAGE = 500;
/** No process is frozen for so long between a pointer and its item. */
const UNBORN_MS = 60 * 60_000;
const pointerKey = (groupId: string, driftId: string): readonly KeyPart[] => [groupId, `${POINTER}${driftId}`];

/**
 * Stores an item if its row is still at `item.rev`; answers the stored one, or null when somebody else was faster. `now` is when an
 * open item is pointed to.
 */
export async function saveDrift(tables: Tables, item: DriftItem, now: number): Promise<DriftItem | null> {
  const { rev, driftId, group } = item;
  const pointer = pointerKey(group.groupId, driftId);
  if (isOpenDrift(item)) await point(tables, pointer, { rev: rev + 1, at: now });
  const { rev: _, ...rest } = item;
  const body = JSON.stringify({ ...rest, found: keptToJson(item.found), wanted: keptToJson(item.wanted) });
  const outcome = await tables.put(
    "drift",
    [group.groupId, driftId],
    { body, state: item.state, rev: rev + 1 },
    rev === 0 ? { kind: "absent" } : { kind: "equals", column: "rev", value: rev },
  );
  if (outcome !== "written") return null;
  // Whoever opens it once more has pointed to it anew.
  if (!isOpenDrift(item)) await dropPointer(tables, pointer, rev);
  return { ...item, rev: rev + 1 };
}

/** Anew each time, so that it lives as long as its item; never in the place of one of a later revision. */
async function point(
  tables: Tables,
  key: readonly KeyPart[],
  to: { readonly rev: number; readonly at: number },
): Promise<void> {
  const [absent, older] = [{ kind: "absent" }, { kind: "atMost", column: "rev", value: to.rev }] as const;
  for (const condition of to.rev === 1 ? [absent, older] : [older, absent])
    if ((await tables.put("drift", key, to, condition)) === "written") return;
}

/** For whoever has seen the item at `rev`: nothing that an earlier pointer was written for can come any more. */
const dropPointer = (tables: Tables, key: readonly KeyPart[], rev: number) =>
  tables.delete("drift", key, { kind: "atMost", column: "rev", value: rev });

/**
 * Every open item of a group, and the ids of those that cannot be read; reads nothing of those that are over. Of a row that cannot be
 * read nobody knows what it is about, and it keeps no other from being read.
 */
export async function listOpenDrift(
  tables: Tables,
  group: GroupRef,
  now: number,
): Promise<{ readonly items: readonly DriftItem[]; readonly unreadable: readonly string[] }> {
  const { groupId } = group;
  const pointers: Row[] = [];
  let from: readonly KeyPart[] = [groupId, POINTER];
  for (;;) {
    const page = await tables.range({ table: "drift", from, to: [groupId, '"'], limit: PAGE });
    pointers.push(...page.rows);
    const last = page.rows.at(-1);
    if (!page.more || !last) break;
    from = [groupId, `${String(last.key[1])}\u0001`];
  }
  const unreadable: string[] = [];
  const items = await Promise.all(
    pointers.map(async (pointer) => {
      const driftId = String(pointer.key[1]).slice(POINTER.length);
      try {
        return await itemAt(tables, group, { driftId, pointer, now });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(driftId);
        return null;
      }
    }),
  );
  return {
    items: items.flatMap((item) => (item !== null && item.group.region === group.region ? item : [])),
    unreadable,
  };
}

/** The open item that a pointer leads to, or null; a pointer that can lead to none any more goes. */
async function itemAt(
  tables: Tables,
  group: GroupRef,
  { driftId, pointer, now }: { readonly driftId: string; readonly pointer: Row; readonly now: number },
): Promise<DriftItem | null> {
  const item = await getDrift(tables, group, driftId);
  if (item !== null && isOpenDrift(item)) return item;
  await dropPointer(tables, pointer.key, item?.rev ?? 0);
  // One for a revision that is still to come may be of a process that lives.
  const { at } = pointer.columns;
  if (typeof at === "number" && at <= now - UNBORN_MS)
    await tables.delete("drift", pointer.key, { kind: "equals", column: "at", value: at });
  return null;
}

/**
 * Every item of a group, or of all groups, that passes the filter, in the order of group and id; `after` continues a page. Rows that
 * cannot be read are named in `unreadable`.
 */
export async function listDrift(
  tables: Tables,
  query: {
    readonly groupId?: string;
    readonly states?: readonly string[];
    readonly after?: readonly [string, string] | null;
    readonly limit: number;
  },
): Promise<{
  readonly items: readonly DriftItem[];
  readonly unreadable: readonly string[];
  readonly next: readonly [string, string] | null;
}> {
  const items: DriftItem[] = [];
  const unreadable: string[] = [];
  let [group, drift] = query.after ?? [query.groupId ?? "", query.groupId === undefined ? "" : ITEMS];
  let isAfter = query.after != null;
  for (;;) {
    const page = await tables.range({
      table: "drift",
      from: [group, isAfter ? `${drift}\u0001` : drift],
      to: query.groupId === undefined ? null : [`${query.groupId}\u0001`],
      limit: PAGE,
    });
    for (const row of page.rows) {
      [group, drift, isAfter] = [String(row.key[0]), String(row.key[1]), true];
      if (drift.startsWith(POINTER)) continue;
      if (query.states && !query.states.includes(String(row.columns["state"]))) continue;
      try {
        items.push(driftOf(row));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(row.key.join(" "));
      }
      if (items.length === query.limit) return { items, unreadable, next: [group, drift] };
    }
    if (!page.more || page.rows.length === 0) return { items, unreadable, next: null };
  }
}
