// How far the nightly run over unused rules is.
import { placeOf, placeText, type RecyclingPlace } from "../domain/recycling-place.ts";
import type { Tables } from "../ports/tables.ts";

/** A run that is under way. */
export interface RecyclingNight {
  /** Null before its first group. */
  readonly place: RecyclingPlace | null;
  /** True when some groups could not be read so far. */
  readonly hasFailed: boolean;
}

const KEY: readonly string[] = ["recycling"];

/** The run that is under way, or one that begins. */
export async function readRecyclingNight(tables: Tables): Promise<RecyclingNight> {
  const row = await tables.get("schedule", KEY);
  if (row === null) return { place: null, hasFailed: false };
  return { place: placeOf(String(row.columns["place"])), hasFailed: row.columns["hasFailed"] === true };
}

/** Only the job's lock holder writes it. */
export async function saveRecyclingNight(
  tables: Tables,
  { place, hasFailed }: { readonly place: RecyclingPlace; readonly hasFailed: boolean },
): Promise<void> {
  await tables.put("schedule", KEY, { place: placeText(place), hasFailed }, { kind: "none" });
}

/** The run is over. */
export async function endRecyclingNight(tables: Tables): Promise<void> {
  await tables.delete("schedule", KEY, { kind: "none" });
}
