// A lock, of a group or of a job: a conditional row with a fencing number that expires by itself.
import { isWithinLock, type LockRow, takenLock } from "../domain/group-lock.ts";
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { keyText } from "./row-shape.ts";

/** A held lock. */
export interface Lock {
  /** What is locked: the id of a group, or `job:` and the id of a job. */
  readonly name: string;
  /** Rises with every holder of this lock. */
  readonly fence: number;
  /** Wall instant at which it lapses. */
  readonly expiresAt: number;
  /** True while a call may start: it was not let go, and both clocks say that at least the margin is left. */
  isHeld(): boolean;
  /** Lets the lock go, if it is still ours; no call starts under it from now on. The fencing number stays. */
  release(): Promise<void>;
}

interface LockTerms {
  readonly holder: string;
  readonly lockMs: number;
  readonly marginMs: number;
}

/**
 * Takes the lock, or answers null when somebody holds it. With its row as it was read a little earlier (null where there was none) that
 * reading is spared, unless it does not hold any more.
 */
export async function acquireLock(
  tables: Tables,
  clock: Clock,
  name: string,
  options: LockTerms,
  earlier?: LockRow | null,
): Promise<Lock | null> {
  if (earlier !== undefined) {
    const lock = await takeLock(tables, clock, name, options, earlier);
    if (lock !== null) return lock;
  }
  return takeLock(tables, clock, name, options, await readLock(tables, name));
}

/** Takes a lock whose row was `row`; null when somebody holds it, or has taken it since. */
async function takeLock(
  tables: Tables,
  clock: Clock,
  name: string,
  options: LockTerms,
  row: LockRow | null,
): Promise<Lock | null> {
  const startedMs = clock.monotonicMs();
  const now = clock.now();
  const taken = takenLock(row, now, options.lockMs);
  if (taken === null) return null;
  const outcome = await tables.put(
    "lock",
    [name],
    { holder: options.holder, ...taken },
    row ? { kind: "equals", column: "fence", value: row.fence } : { kind: "absent" },
  );
  if (outcome === "conflict") return null;
  const { fence, expiresAt } = taken;
  let isLetGo = false;
  return {
    name,
    fence,
    expiresAt,
    isHeld: () =>
      !isLetGo && isWithinLock({ now: clock.now(), expiresAt, elapsedMs: clock.monotonicMs() - startedMs, ...options }),
    release: async () => {
      isLetGo = true;
      await tables.update("lock", [name], { expiresAt: 0 }, { kind: "equals", column: "fence", value: fence });
    },
  };
}

/** What is stored of a lock; null where nobody has ever taken it. */
export const readLock = async (tables: Tables, name: string): Promise<LockRow | null> =>
  lockOf(await tables.get("lock", [name]));

/** A stored row; null without one. Throws STATE_UNREADABLE: without its number nobody can tell who comes after whom. */
export function lockOf(row: Row | null): LockRow | null {
  if (row === null) return null;
  const { fence, expiresAt } = row.columns;
  if (typeof fence !== "number" || typeof expiresAt !== "number")
    throw fail("STATE_UNREADABLE", { table: "lock", key: keyText(row.key) });
  return { fence, expiresAt };
}

/** Has every lock lapse at once: for who knows that nobody else of the installation runs. The fencing numbers stay. */
export async function lapseLocks(tables: Tables): Promise<void> {
  let from: readonly string[] = [];
  for (;;) {
    const { rows, more } = await tables.range({ table: "lock", from, to: null, limit: 500 });
    for (const { key } of rows) await tables.update("lock", key, { expiresAt: 0 }, { kind: "present" });
    const last = rows.at(-1)?.key[0];
    if (!more || last === undefined) return;
    from = [`${last}\0`];
  }
}
