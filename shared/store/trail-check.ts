// What the last look at the audit trail has found, and how far looks have come.
import { AppError } from "../errors/app-error.ts";
import { StoreFailure, type Tables, type Write } from "../ports/tables.ts";
import { shapedColumn } from "./row-shape.ts";

/** A seal up to which a look has come: its number and digest, and until where it had looked itself. */
interface Anchor {
  readonly number: number;
  readonly digest: string;
  readonly to: string;
}

/** One thing that is not as it was written. Instants in milliseconds. */
export interface TrailFault {
  /** `record <sequence>`, `seal <number>` or `trail`. */
  readonly of: string;
  readonly kind: string;
  readonly why: string;
  readonly foundAt: number;
}

export interface TrailCheck {
  /** When the newest records were last looked at. */
  readonly checkedAt: number;
  /** Where the next look at the newest records begins, and the newest seal that was there. */
  readonly tail: Anchor;
  readonly head: { readonly number: number; readonly digest: string } | null;
  /** Where the look at the whole trail goes on, and when it began; it has `isOver` until the next begins. */
  readonly whole: Anchor & { readonly startedAt: number; readonly isOver: boolean };
  readonly faults: readonly TrailFault[];
}

const KEY = ["trail"];

/** Null before the first look; `unreadable` where somebody has damaged the row, which holds nobody up: the next look begins anew. */
export async function readTrailCheck(tables: Tables): Promise<TrailCheck | "unreadable" | null> {
  try {
    const row = await tables.get("schedule", KEY);
    return row
      ? shapedColumn<TrailCheck>(row.columns["body"], "schedule", {
          checkedAt: "number",
          tail: "object",
          head: "object?",
          whole: "object",
          faults: "objects",
        })
      : null;
  } catch (error) {
    if (error instanceof AppError) return "unreadable";
    // Nothing depends on it: the next look begins anew.
    if (error instanceof StoreFailure && error.kind === "tableMissing") return null;
    throw error;
  }
}

/** What is told of a check that cannot be read. */
export const checkUnreadable = (now: number): TrailFault => ({
  of: "trail",
  kind: "check",
  why: "what the last look at the trail found cannot be read in the table schedule: all of it is looked at anew",
  foundAt: now,
});

export const trailCheckWrite = (check: TrailCheck): Write => ({
  kind: "put",
  table: "schedule",
  key: KEY,
  columns: { body: JSON.stringify(check) },
});
