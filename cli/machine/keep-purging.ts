// Rows that have expired are taken from the disk of a machine, whose clock may be wrong: what has gone does not come back with the right time.
import type { SchedulingClock } from "../../local/clock.ts";

export interface PurgeOptions {
  readonly clock: Pick<SchedulingClock, "schedule">;
  /** Removes what has expired by the clock; resolves with how many rows. */
  readonly purge: () => Promise<number>;
  /** Whether the cloud has said what time it is, and the clock agrees. */
  readonly isClockRight: () => boolean;
  readonly log: (text: string) => void;
}

const PURGE_EVERY_MS = 6 * 3_600_000;
/** While the time is not known, or wrong. */
const ASKED_EVERY_MS = 60_000;

/** As soon as the clock is known to be right and every few hours, until the returned function is called. */
export function keepPurging({ clock, purge, isClockRight, log }: PurgeOptions): () => Promise<void> {
  let isStopped = false;
  let cancel = (): void => undefined;
  const round = async (): Promise<void> => {
    const isRight = isClockRight();
    if (isRight) {
      const removed = await purge().catch((error: unknown) => {
        log(`expired rows could not be removed: ${error instanceof Error ? error.message : String(error)}`);
        return 0;
      });
      if (removed > 0) log(`${removed} expired rows removed`);
    }
    if (!isStopped) cancel = clock.schedule(isRight ? PURGE_EVERY_MS : ASKED_EVERY_MS, () => void again());
  };
  let running = round();
  const again = (): Promise<void> => {
    running = round();
    return running;
  };
  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}
