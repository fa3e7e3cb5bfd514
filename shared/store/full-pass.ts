// Full passes: how far they are, in their own due rows, and what the last one came to.
import type { LastFullPass } from "../domain/full-pass.ts";
import type { GroupId, GroupRef } from "../domain/ids.ts";
import { type KeyPart, StoreFailure, type Tables, type Write } from "../ports/tables.ts";
import type { Due } from "./due.ts";
import { shapedColumn, withKey } from "./row-shape.ts";

/** How far the list of all groups has been divided into parts. */
export interface Division {
  readonly startedAt: number;
  readonly isDivided: boolean;
  /** Where to go on: the region, the cloud's cursor there, and how many of its groups lie before. */
  readonly region: string | null;
  readonly cursor: string | null;
  readonly before: number;
  /** Regions still to be walked, in their order; absent before the first of them was asked. */
  readonly left?: readonly string[];
  /** Groups and parts of all regions so far. */
  readonly groups: number;
  readonly parts: number;
}

/** A part of a full pass: so many groups of a region, from a place in the cloud's list. */
export interface Part {
  readonly cursor: string | null;
  readonly before: number;
  readonly count: number;
}

const KIND = "full-pass";
/** Sorts behind every part's id, whose separator is the character before. */
const BEHIND = "0";
const PARTS_MAX = 1000;

const keyOf = (row: Due): KeyPart[] => [row.shard, row.at, KIND, row.id];

/** The id of a part; parts are told from the pass itself by their separator. */
export const partId = (pass: Due, ref: { readonly region: string; readonly before: number }): string =>
  `${pass.id}/${ref.region}/${ref.before}`;

/** True for the row of a part. */
export const isPart = (row: Due): boolean => row.id.includes("/");

/** The row as it is to be written: in the due table, with how far it is. */
export const progressWrite = (row: Due, progress: Division | Part): Write => ({
  kind: "put",
  table: "due",
  key: keyOf(row),
  columns: { region: row.region, group: row.groupId, progress: JSON.stringify(progress) },
});

/** How far the pass is; null when it has not begun, or has no row any more. */
export async function readDivision(tables: Tables, row: Due): Promise<Division | null> {
  const stored = await tables.get("due", keyOf(row));
  return stored?.columns["progress"] === undefined ? null : divisionOf(stored);
}

const divisionOf = withKey(({ columns }) =>
  shapedColumn<Division>(columns["progress"], "due", {
    startedAt: "number",
    before: "number",
    left: "list?",
    groups: "number",
    parts: "number",
  }),
);

/** A part, and the last group of it that was looked at; null when the part is done. */
export async function readPart(tables: Tables, row: Due): Promise<{ part: Part; reached: GroupRef } | null> {
  const stored = await tables.get("due", keyOf(row));
  if (!stored) return null;
  const { region, group } = stored.columns;
  return { part: partOf(stored), reached: { region: String(region), groupId: String(group) as GroupId } };
}

const partOf = withKey(({ columns }) =>
  shapedColumn<Part>(columns["progress"], "due", { before: "number", count: "number" }),
);

/** The rows of the parts of a pass that are not done, in all shards. */
export async function listParts(tables: Tables, pass: Due, shards: number): Promise<readonly Due[]> {
  const pages = await Promise.all(
    Array.from({ length: shards }, (_, shard) =>
      tables.range({
        table: "due",
        from: [shard, pass.at, KIND, `${pass.id}/`],
        to: [shard, pass.at, KIND, `${pass.id}${BEHIND}`],
        limit: PARTS_MAX,
      }),
    ),
  );
  return pages
    .flatMap((page) => page.rows)
    .map(({ key: [shard, , , id], columns }) => ({
      shard: Number(shard),
      at: pass.at,
      kind: KIND,
      id: String(id),
      region: String(columns["region"]),
      groupId: String(columns["group"]) as GroupId,
    }));
}

const NAME = "full-pass";

/** What the last full pass came to; null when none has come to its end, or when that is not known. */
export async function lastFullPass(tables: Tables): Promise<LastFullPass | null> {
  try {
    const { startedAt, endedAt, groups } = (await tables.get("schedule", [NAME]))?.columns ?? {};
    if (typeof startedAt !== "number" || typeof endedAt !== "number") return null;
    return { startedAt, endedAt, groups: Number(groups ?? 0) };
  } catch (error) {
    // Nothing depends on it; whoever writes it next finds out that the table is gone.
    if (error instanceof StoreFailure && error.kind === "tableMissing") return null;
    throw error;
  }
}

export const lastFullPassWrite = ({ startedAt, endedAt, groups }: LastFullPass): Write => ({
  kind: "put",
  table: "schedule",
  key: [NAME],
  columns: { startedAt, endedAt, groups },
});
