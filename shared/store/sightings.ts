// Sightings of calls to a group, by event id: an event that is delivered again finds its row.
import type { GroupId } from "../domain/ids.ts";
import type { Sighting } from "../domain/sighting.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { parseColumn, specFromJson, specToJson } from "./spec-json.ts";

const PAGE = 1000;

function sightingOf(row: Row): Sighting {
  const body = parseColumn(row.columns["body"], "sighting") as Sighting;
  const rules = body.rules?.map((rule) => ({ ...rule, spec: specFromJson(rule.spec, "sighting") })) ?? null;
  return { ...body, rules };
}

function columnsOf(sighting: Sighting): { body: string; settled: boolean } {
  const rules = sighting.rules?.map((rule) => ({ ...rule, spec: specToJson(rule.spec) })) ?? null;
  return { body: JSON.stringify({ ...sighting, rules }), settled: sighting.settled };
}

/** Stores a sighting that is new; answers false when the event was stored before. */
export async function addSighting(tables: Tables, sighting: Sighting): Promise<boolean> {
  const key = [sighting.groupId, sighting.eventId];
  return (await tables.put("sighting", key, columnsOf(sighting), { kind: "absent" })) === "written";
}

/** What was stored of the event before, or null. */
export async function getSighting(tables: Tables, { groupId, eventId }: Sighting): Promise<Sighting | null> {
  const row = await tables.get("sighting", [groupId, eventId]);
  return row && sightingOf(row);
}

/** Writes what has become of a sighting. */
export async function saveSighting(tables: Tables, sighting: Sighting): Promise<void> {
  await tables.put("sighting", [sighting.groupId, sighting.eventId], columnsOf(sighting), { kind: "none" });
}

/** The sightings of a group, oldest first. */
export async function listSightings(tables: Tables, groupId: GroupId): Promise<readonly Sighting[]> {
  const sightings: Sighting[] = [];
  let from = "";
  for (;;) {
    const page = await tables.range({
      table: "sighting",
      from: [groupId, from],
      to: [`${groupId}\u0001`],
      limit: PAGE,
    });
    sightings.push(...page.rows.map(sightingOf));
    const last = page.rows.at(-1);
    if (!page.more || !last) return sightings.sort((a, b) => a.at - b.at);
    from = `${String(last.key[1])}\u0001`;
  }
}
