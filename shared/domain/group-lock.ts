// The life of a lock row: its states, the moves between them, and who may act under it. Pure; instants by the caller's own clock.

/** A lock row as it is stored. */
export interface LockRow {
  /** Rises with every holder. */
  readonly fence: number;
  /** Wall instant of its end by the clock of whoever took it; 0 once it was let go. */
  readonly expiresAt: number;
}

/** `lapsed`: its holder never let it go, and its time is over. */
export type LockState = "absent" | "held" | "lapsed" | "free";

/**
 * From state to the states that a write may lead to. Time alone turns `held` into `lapsed`. Whoever is late may still let a lock go
 * that has lapsed, but never one that somebody else has taken since.
 */
const MOVES: Readonly<Record<LockState, readonly LockState[]>> = {
  absent: ["held"],
  free: ["held"],
  lapsed: ["held", "free"],
  held: ["free"],
};

/** Every state of a lock row. */
export const LOCK_STATES = Object.keys(MOVES) as readonly LockState[];

/** True when a write may lead from the one state to the other. */
export const canLockMove = (from: LockState, to: LockState): boolean => MOVES[from].includes(to);

/** In what state a row is at an instant. */
export function lockStateAt(row: LockRow | null, now: number): LockState {
  if (row === null) return "absent";
  if (row.expiresAt === 0) return "free";
  return row.expiresAt > now ? "held" : "lapsed";
}

/** The row as somebody takes it who has read it as `row`; null while it is held. A first lock counts from the time, so that fences rise even when the row was lost. */
export function takenLock(row: LockRow | null, now: number, lockMs: number): LockRow | null {
  if (!canLockMove(lockStateAt(row, now), "held")) return null;
  return { fence: (row?.fence ?? now) + 1, expiresAt: now + lockMs };
}

/** What whoever holds a lock knows of its time, in milliseconds. */
export interface LockTime {
  readonly now: number;
  readonly expiresAt: number;
  /** Since before the row was written, by the monotonic clock. */
  readonly elapsedMs: number;
  readonly lockMs: number;
  readonly marginMs: number;
}

/** True while a call may start: both clocks say that at least the margin is left. */
export const isWithinLock = ({ now, expiresAt, elapsedMs, lockMs, marginMs }: LockTime): boolean =>
  elapsedMs < lockMs - marginMs && now < expiresAt - marginMs;
