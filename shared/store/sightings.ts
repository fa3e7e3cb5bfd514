// Sightings of calls to a group: by event id, as an event that is delivered again finds its row, and by when they came.
//
//     group   event                place      columns
//     group   `!` newest first     -          body, settled, rev
//     group   `!0` newest first    -          the same, of an event that was found in the trail among very many that are made up
//     group   `token` and token    first      (the first event of a token of ours)
//     event   `told`               -          (what people should read of it was told)
//
// The row by event names the place of the one that says what was seen. Ids begin with no `!`.
import type { GroupId } from "../domain/ids.ts";
import { isAnswered, laterOf, type Sighting } from "../domain/sighting.ts";
import { AppError } from "../errors/app-error.ts";
import type { Columns, Condition, Row, Tables } from "../ports/tables.ts";
import { type Shape, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

/**
 * As many as a look goes by: what was found in the trail, and of the others the newest. Whoever sends more can keep nobody from being
 * looked at.
 */
const LISTED_MAX = 500;
const LATEST = 1e15;

/** Of two, the one that came later sorts first. */
const placeOf = ({ receivedAt, eventId }: Sighting): string => `!${LATEST - Math.floor(receivedAt)} ${eventId}`;
/** Before all of those. */
const firstPlaceOf = (sighting: Sighting): string => placeOf(sighting).replace("!", "!0");

const SHAPE: Shape<Sighting> = {
  ...{ eventId: "text", groupId: "text", kind: "text", at: "number", receivedAt: "number" },
  ...{ actor: "object", rules: "objects?", ruleIds: "texts" },
};

/** When it came is what its place says: whoever named the place may have died before another stored it there. */
const sightingOf = withKey((row: Row): Sighting => {
  const body = shapedColumn(row.columns["body"], "sighting", SHAPE);
  const rules = body.rules?.map((rule) => ({ ...rule, spec: specFromJson(rule.spec, "sighting") })) ?? null;
  const came = LATEST - Number(/^!(\d+) /.exec(String(row.key[1]))?.[1]);
  return { ...body, rules, receivedAt: Number.isNaN(came) ? body.receivedAt : came };
});

function columnsOf(sighting: Sighting, rev: number): Columns {
  const rules = sighting.rules?.map((rule) => ({ ...rule, spec: specToJson(rule.spec) })) ?? null;
  return { body: JSON.stringify({ ...sighting, rules }), settled: sighting.settled, rev };
}

/** Stores a sighting that is new; answers false when the event was stored before. */
export async function addSighting(tables: Tables, sighting: Sighting): Promise<boolean> {
  const { groupId, eventId } = sighting;
  const named = await tables.put("sighting", [groupId, eventId], { place: placeOf(sighting) }, { kind: "absent" });
  // Whoever named the place may have died before anything was there.
  const place = named === "written" ? placeOf(sighting) : await placeFor(tables, sighting);
  if (place === null) return false;
  return (await tables.put("sighting", [groupId, place], columnsOf(sighting, 1), { kind: "absent" })) === "written";
}

/**
 * Stores an event as the trail keeps it, where no number of others can push it out. What was known of it from the trail already stays.
 */
export async function addFound(tables: Tables, found: Sighting): Promise<void> {
  const stored = await getSighting(tables, found);
  if (stored !== null && isAnswered(stored)) return;
  const sighting = { ...found, receivedAt: stored?.receivedAt ?? found.receivedAt };
  const place = firstPlaceOf(sighting);
  // In this order: whoever dies in between has the event twice, and the first of the two counts.
  await tables.put("sighting", [found.groupId, place], columnsOf(sighting, 1), { kind: "absent" });
  await tables.put("sighting", [found.groupId, found.eventId], { place }, { kind: "none" });
}

/** What was stored of the event before, or null. */
export async function getSighting(tables: Tables, sighting: Sighting): Promise<Sighting | null> {
  const place = await placeFor(tables, sighting);
  const row = place === null ? null : await tables.get("sighting", [sighting.groupId, place]);
  return row && sightingOf(row);
}

async function placeFor(tables: Tables, { groupId, eventId }: Sighting): Promise<string | null> {
  const place = (await tables.get("sighting", [groupId, eventId]))?.columns["place"];
  return typeof place === "string" ? place : null;
}

/**
 * Writes what has become of a sighting that is stored, and answers what is stored from here on: what somebody else has learnt of it
 * meanwhile is not taken back by whoever was slower. Null where it is kept no longer.
 */
export async function saveSighting(tables: Tables, sighting: Sighting): Promise<Sighting | null> {
  const key = [sighting.groupId, (await placeFor(tables, sighting)) ?? placeOf(sighting)];
  for (;;) {
    const row = await tables.get("sighting", key);
    if (row === null) return null;
    const next = laterOf(sightingOf(row), sighting);
    const { rev } = row.columns;
    // Rows of before they were counted have none.
    const condition: Condition =
      typeof rev === "number" ? { kind: "equals", column: "rev", value: rev } : { kind: "present" };
    const columns = columnsOf(next, typeof rev === "number" ? rev + 1 : 1);
    if ((await tables.put("sighting", key, columns, condition)) === "written") return next;
  }
}

/** The newest sightings of a group, oldest first, how many of them cannot be read, and whether there are more. */
export async function listSightings(
  tables: Tables,
  groupId: GroupId,
): Promise<{ readonly sightings: readonly Sighting[]; readonly unreadable: number; readonly isMore: boolean }> {
  const { rows, more } = await tables.range({
    ...{ table: "sighting", from: [groupId, "!"], to: [groupId, '"'], limit: LISTED_MAX },
  });
  const found = new Map<string, Sighting>();
  let unreadable = 0;
  for (const row of rows)
    try {
      const sighting = sightingOf(row);
      if (!found.has(sighting.eventId)) found.set(sighting.eventId, sighting);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      unreadable += 1;
    }
  return { sightings: [...found.values()].sort((a, b) => a.at - b.at), unreadable, isMore: more };
}

/**
 * Whether the event is the first that tells of its token, or that one delivered again: a call of ours makes one event. Whoever reads the
 * trail can copy a token for a call of another name, and must not be taken for us.
 */
export async function isFirstOfToken(tables: Tables, { groupId, eventId, token }: Sighting): Promise<boolean> {
  if (token === null) return true;
  const key = [groupId, `token ${token}`];
  if ((await tables.put("sighting", key, { first: eventId }, { kind: "absent" })) === "written") return true;
  return (await tables.get("sighting", key))?.columns["first"] === eventId;
}

const toldKey = (eventId: string): readonly [string, string] => [eventId, "told"];

/** Whether people could read of the event before. */
export const isTold = async (tables: Tables, eventId: string): Promise<boolean> =>
  (await tables.get("sighting", toldKey(eventId))) !== null;

/** From here on the event is no news; written once it was told, so that nothing is lost. */
export async function markTold(tables: Tables, eventId: string): Promise<void> {
  await tables.put("sighting", toldKey(eventId), {}, { kind: "none" });
}
