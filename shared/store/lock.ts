// A lock, of a group or of a job: a conditional row with a fencing number that expires by itself.
import type { Clock } from "../ports/clock.ts";
import type { Tables } from "../ports/tables.ts";

/** A held lock. */
export interface Lock {
  /** What is locked: the id of a group, or `job:` and the id of a job. */
  readonly name: string;
  /** Rises with every holder of this lock. */
  readonly fence: number;
  /** Wall instant at which it lapses. */
  readonly expiresAt: number;
  /** True while a call may start: both clocks say that at least the margin is left. */
  isHeld(): boolean;
}

/** Takes the lock, or answers null when somebody holds it. */
export async function acquireLock(
  tables: Tables,
  clock: Clock,
  name: string,
  options: { holder: string; lockMs: number; marginMs: number },
): Promise<Lock | null> {
  const startedMs = clock.monotonicMs();
  const now = clock.now();
  const row = await tables.get("lock", [name]);
  // A first lock counts from the time, so that the numbers rise even when the row was lost.
  const fence = row ? Number(row.columns["fence"]) : now;
  if (row && Number(row.columns["expiresAt"]) > now) return null;
  const expiresAt = now + options.lockMs;
  const outcome = await tables.put(
    "lock",
    [name],
    { holder: options.holder, fence: fence + 1, expiresAt },
    row ? { kind: "equals", column: "fence", value: fence } : { kind: "absent" },
  );
  if (outcome === "conflict") return null;
  return {
    name,
    fence: fence + 1,
    expiresAt,
    isHeld: () =>
      clock.monotonicMs() - startedMs < options.lockMs - options.marginMs && clock.now() < expiresAt - options.marginMs,
  };
}

/** Lets the lock go, if it is still ours. The fencing number stays. */
export async function releaseLock(tables: Tables, lock: Lock): Promise<void> {
  await tables.update("lock", [lock.name], { expiresAt: 0 }, { kind: "equals", column: "fence", value: lock.fence });
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
