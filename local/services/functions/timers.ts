// Timer triggers: one asynchronous invocation per tick.

import type { SchedulingClock } from "../../clock.ts";
import { parseSchedule } from "./schedule.ts";

/** One timer of one function. */
export interface Timer {
  readonly name: string;
  readonly cron: string;
  readonly payload?: string;
}

const EARLY_MS_MAX = 1_000;
const LATE_MS_MAX = 3_600_000;

/** The event of a tick: three strings, UTC with second precision. */
function timerEvent(timer: Timer, dueMs: number): Buffer {
  const triggerTime = `${new Date(dueMs).toISOString().slice(0, 19)}Z`;
  return Buffer.from(JSON.stringify({ triggerTime, triggerName: timer.name, payload: timer.payload ?? "" }));
}

/**
 * Fires `onTick` at every instant of the schedule until stopped. Ticks that fell into a time when nothing ran are not made
 * up for. Throws a RangeError for a schedule that is not supported.
 */
export function startTimer(clock: SchedulingClock, timer: Timer, onTick: (event: Buffer) => void): () => void {
  const schedule = parseSchedule(timer.cron);
  const anchorMs = clock.now();
  let cancel: () => void = () => undefined;
  const arm = (afterMs: number): void => {
    const dueMs = schedule.next(afterMs, anchorMs);
    cancel = clock.schedule(dueMs - clock.now(), () => {
      // A timer of the machine may fire a little early or late; a wall clock that has jumped starts the schedule anew.
      const nowMs = clock.now();
      const hasJumped = nowMs < dueMs - EARLY_MS_MAX || nowMs > dueMs + LATE_MS_MAX;
      onTick(timerEvent(timer, hasJumped ? nowMs : dueMs));
      arm(hasJumped ? nowMs : Math.max(nowMs, dueMs));
    });
  };
  arm(anchorMs);
  return () => cancel();
}
