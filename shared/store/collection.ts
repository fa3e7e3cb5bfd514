// How far the reading of a source of evidence is, region by region.
import type { TrafficSourceKind } from "../domain/recycling-policy.ts";
import { AppError } from "../errors/app-error.ts";
import type { Tables } from "../ports/tables.ts";
import { type Shape, shaped, shapedColumn, withKey } from "./row-shape.ts";

/** Instants in milliseconds. */
export interface Collection {
  /** Everything before was read once, or given up. */
  readonly firstUntil: number;
  /** Everything before was read again, after what came late. */
  readonly againUntil: number;
  /** Runs in which the part at hand stayed incomplete. */
  readonly tries: number;
  /** Questions asked on a day of UTC. */
  readonly spent: { readonly day: string; readonly queries: number; readonly bytes: number };
  /** Why the source's silence means nothing, or why it could not be read; null: it was read. */
  readonly trouble: string | null;
  readonly readAt: number;
}

const SPENT: Shape<Collection["spent"]> = { day: "text", queries: "number", bytes: "number" };

function collectionOf(body: unknown): Collection {
  const numbers = { firstUntil: "number", againUntil: "number", tries: "number", readAt: "number" } as const;
  const collection = shapedColumn<Collection>(body, "schedule", numbers);
  shaped(collection.spent, "schedule", SPENT);
  return collection;
}

const PREFIX = "evidence/";
const SOURCES_MAX = 1000;

/** How far every source of every region is; null where the row cannot be read, which keeps no other out. */
export async function listCollections(
  tables: Tables,
): Promise<readonly { readonly region: string; readonly source: string; readonly collection: Collection | null }[]> {
  const page = await tables.range({ table: "schedule", from: [PREFIX], to: ["evidence0"], limit: SOURCES_MAX });
  return page.rows.map(({ key, columns }) => {
    const [, region = "", source = ""] = String(key[0]).split("/");
    return { region, source, collection: readableOf(columns["body"]) };
  });
}

function readableOf(body: unknown): Collection | null {
  try {
    return collectionOf(body);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return null;
  }
}

const keyOf = (region: string, source: TrafficSourceKind): readonly string[] => [`${PREFIX}${region}/${source}`];

/** Null before the first reading. */
export async function readCollection(
  tables: Tables,
  region: string,
  source: TrafficSourceKind,
): Promise<Collection | null> {
  const row = await tables.get("schedule", keyOf(region, source));
  return row && withKey(({ columns }) => collectionOf(columns["body"]))(row);
}

/** What the watch over quarantines asks of the logs of a region: it takes from the same queries of a day. */
const watchKey = (region: string): readonly string[] => [`watch/${region}`];

export async function readWatchSpent(tables: Tables, region: string): Promise<Collection["spent"] | null> {
  const row = await tables.get("schedule", watchKey(region));
  return row && withKey(({ columns }) => shapedColumn(columns["body"], "schedule", SPENT))(row);
}

/** Only the job's lock holder writes it. */
export async function saveWatchSpent(tables: Tables, region: string, spent: Collection["spent"]): Promise<void> {
  await tables.put("schedule", watchKey(region), { body: JSON.stringify(spent) }, { kind: "none" });
}

/** Only the job's lock holder writes it. */
export async function saveCollection(
  tables: Tables,
  region: string,
  source: TrafficSourceKind,
  collection: Collection,
): Promise<void> {
  await tables.put("schedule", keyOf(region, source), { body: JSON.stringify(collection) }, { kind: "none" });
}
