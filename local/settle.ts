// Waits until nothing that the clock set off is still running.

import { nextTurn } from "./clock.ts";

/** What settling looks at. */
export interface Settling {
  /** Invocations that wait or run. */
  readonly inFlight: () => number;
  /** Resolves when nothing is in flight. */
  readonly idle: () => Promise<void>;
  /** Calls that wait for the clock to move. */
  readonly sleeping: () => number;
  /** Real milliseconds without an end before waiting calls are looked at. */
  readonly patienceMs?: number;
}

/**
 * A settle hook for `advance`: resolves when nothing is in flight, or when what is in flight waits for the clock itself, as
 * a call under a delay fault does; time must then move for it to end.
 */
export function settleHook(settling: Settling): () => Promise<void> {
  const { inFlight, idle, sleeping, patienceMs = 50 } = settling;
  // Sleepers that are there while nothing runs are background loops, not calls.
  let backgroundSleepers = sleeping();
  return async () => {
    await nextTurn();
    while (inFlight() > 0) {
      const ended = await endsWithin(idle(), patienceMs);
      if (!ended && sleeping() > backgroundSleepers) return;
      await nextTurn();
    }
    backgroundSleepers = sleeping();
  };
}

function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
