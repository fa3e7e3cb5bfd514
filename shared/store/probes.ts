// Answers to probes: when the sweep ran what doctor had booked.
import type { Tables, Write } from "../ports/tables.ts";

const keyOf = (id: string): readonly string[] => [`probe/${id}`];

export const probeWrite = (id: string, ranAt: number): Write => ({
  kind: "put",
  table: "schedule",
  key: keyOf(id),
  columns: { ranAt },
});

export const probeDelete = (id: string): Write => ({ kind: "delete", table: "schedule", key: keyOf(id) });

/** When it ran, or null. */
export async function readProbe(tables: Tables, id: string): Promise<number | null> {
  const ranAt = (await tables.get("schedule", keyOf(id)))?.columns["ranAt"];
  return typeof ranAt === "number" ? ranAt : null;
}
