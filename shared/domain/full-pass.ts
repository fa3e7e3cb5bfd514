// How often every group is looked at, and when that is late.

/** The last full pass that came to its end. Instants in milliseconds. */
export interface LastFullPass {
  /** Every group has been looked at since. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly groups: number;
}

/** From the start of one full pass to the start of the next. */
export const FULL_PASS_EVERY_MS = 60 * 60_000;

/**
 * How old the oldest look at a group becomes when all is well: an hour, and more where the call budget makes passes long. A group
 * that is seen at the start of one pass is surely seen again at the end of the next.
 */
export function seenTargetMs({ startedAt, endedAt }: LastFullPass): number {
  const longMs = Math.max(0, endedAt - startedAt);
  return Math.max(FULL_PASS_EVERY_MS, longMs) + longMs;
}

/** True when some group may not have been looked at for over twice the target. */
export const isSeenLate = (last: LastFullPass, now: number): boolean => now - last.startedAt > 2 * seenTargetMs(last);
