// What is known of the runs of a job, so that a crash between two of its rows neither loses its next run nor doubles it.
import type { Tables, Write } from "../ports/tables.ts";

/** Instants in milliseconds. */
export interface JobRuns {
  /** Instant of the due row whose run is over while the row may still be there; null else. */
  readonly ranAt: number | null;
  /** Instant of the due row that the last run has left for the next; null for none. */
  readonly nextAt: number | null;
}

const keyOf = (id: string): readonly string[] => [`job/${id}`];

/** Null for a job that has left no row yet, or whose rows are lost. */
export async function readJobRuns(tables: Tables, id: string): Promise<JobRuns | null> {
  const row = await tables.get("schedule", keyOf(id));
  if (row === null) return null;
  const { ranAt, nextAt } = row.columns;
  return { ranAt: instant(ranAt), nextAt: instant(nextAt) };
}

export const jobRunsWrite = (id: string, { ranAt, nextAt }: JobRuns): Write => ({
  kind: "put",
  table: "schedule",
  key: keyOf(id),
  columns: { ranAt: ranAt ?? NONE, nextAt: nextAt ?? NONE },
});

export const jobRunsDelete = (id: string): Write => ({ kind: "delete", table: "schedule", key: keyOf(id) });

/** Columns hold no null. */
const NONE = 0;
const instant = (value: unknown): number | null => (typeof value === "number" && value !== NONE ? value : null);
