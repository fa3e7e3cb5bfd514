// Drift: one row for each difference, kept in full for as long as records live, and a pointer to it as long as it is open.
//
//     group   drift          columns
//     group   `dr-…`         body, state, rev
//     group   `!dr-…`        rev, at              (open: written before the row it points to, deleted after that is closed)
//     group   `!`            since, isComplete    (every open item has a pointer)
//
// The row alone says what is so, by compare-and-set: a pointer may lead to an item that is closed or was never stored, and harms
// nothing. What no pointer leads to is found by nobody.
import { type DriftItem, isOpenDrift, type KeptRule } from "../domain/drift-item.ts";
import type { GroupRef } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import type { KeyPart, Row, Tables } from "../ports/tables.ts";
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

const POINTER = "!";
/** Ids of items sort after every pointer. */
const ITEMS = "dr-";
const PAGE = 500;
/** No process is frozen for so long between a pointer and its item. */
const UNBORN_MS = 60 * 60_000;
/** Functions are replaced one after the other: for so long one of an earlier version may store an item without a pointer. */
const MIXED_MS = 24 * 60 * 60_000;

const pointerKey = (groupId: string, driftId: string): readonly KeyPart[] => [groupId, `${POINTER}${driftId}`];

/**
 * Stores an item if its row is still at `item.rev`; answers the stored one, or null when somebody else was faster. `now` is when an
 * open item is pointed to.
 */
export async function saveDrift(tables: Tables, item: DriftItem, now: number): Promise<DriftItem | null> {
  const { rev, driftId, group } = item;
  const pointer = pointerKey(group.groupId, driftId);
  // Anew each time, so that it lives as long as its item.
  if (isOpenDrift(item)) await tables.put("drift", pointer, { rev: rev + 1, at: now }, { kind: "none" });
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

const dropPointer = (tables: Tables, key: readonly KeyPart[], rev: number) =>
  tables.delete("drift", key, { kind: "equals", column: "rev", value: rev });

/** Every open item of a group; reads nothing of those that are over. */
export async function listOpenDrift(tables: Tables, group: GroupRef, now: number): Promise<readonly DriftItem[]> {
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
  const mark = pointers.find(({ key }) => key[1] === POINTER);
  const pointed = pointers.filter((it) => it !== mark);
  if (mark?.columns["isComplete"] !== true)
    pointed.push(...(await pointToOpen(tables, groupId, { mark, pointed, now })));
  const items = await Promise.all(pointed.map((pointer) => itemAt(tables, group, pointer, now)));
  return items.flatMap((item) => (item !== null && item.group.region === group.region ? item : []));
}

/** The open item that a pointer leads to, or null; a pointer that leads to none any more goes. */
async function itemAt(tables: Tables, group: GroupRef, pointer: Row, now: number): Promise<DriftItem | null> {
  const item = await getDrift(tables, group, String(pointer.key[1]).slice(POINTER.length));
  if (item !== null && isOpenDrift(item)) return item;
  const { rev, at } = pointer.columns;
  const isUnborn = item === null && Number(at) > now - UNBORN_MS;
  if (typeof rev === "number" && !isUnborn) await dropPointer(tables, pointer.key, rev);
  return null;
}

/**
 * Rows of before there were pointers: all are read, and the open ones are pointed to, until nobody can write such a row any more.
 * Answers the pointers that were missing.
 */
async function pointToOpen(
  tables: Tables,
  groupId: string,
  { mark, pointed, now }: { readonly mark: Row | undefined; readonly pointed: readonly Row[]; readonly now: number },
): Promise<readonly Row[]> {
  const known = new Set(pointed.map(({ key }) => key[1]));
  const missing: Row[] = [];
  let count = 0;
  for (let after: readonly [string, string] | null = null; ; ) {
    const page: Awaited<ReturnType<typeof listDrift>> = await listDrift(tables, { groupId, after, limit: PAGE });
    count += page.items.length;
    for (const item of page.items) {
      const key = pointerKey(groupId, item.driftId);
      if (!isOpenDrift(item) || known.has(key[1] ?? "")) continue;
      const columns = { rev: item.rev, at: now };
      await tables.put("drift", key, columns, { kind: "absent" });
      missing.push({ key, columns });
    }
    after = page.next;
    if (after === null) break;
  }
  // Of a group without any item nothing is noted: to read none costs no more.
  if (count === 0) return missing;
  const since = mark?.columns["since"];
  const isComplete = typeof since === "number" && now >= since + MIXED_MS;
  if (typeof since !== "number" || isComplete)
    await tables.put("drift", [groupId, POINTER], { since: isComplete ? since : now, isComplete }, { kind: "none" });
  return missing;
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
      items.push(driftOf(row));
      if (items.length === query.limit) return { items, next: [group, drift] };
    }
    if (!page.more || page.rows.length === 0) return { items, next: null };
  }
}
