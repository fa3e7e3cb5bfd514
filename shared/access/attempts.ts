// Rate limit and lock-out. Kept by each instance for itself, in bounded memory (docs/decisions/0016-who-is-let-in.md).
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";

/** Bounds of an instance; from the policy. */
export interface AttemptLimits {
  readonly failuresMax: number;
  readonly requestsPerMinute: number;
}

interface Tally {
  /** Failures since `failingSince`. */
  failures: number;
  failingSince: number;
  lockedUntil: number;
  /** How often it has been locked: each lock is twice as long as the one before. */
  locks: number;
  /** Requests that may still come, refilled with time. */
  left: number;
  refilledAt: number;
}

/** Keys that are remembered; beyond that the one that was least recently seen is forgotten. */
const KEYS_MAX = 4096;
const WINDOW_MS = 5 * 60_000;
const LOCK_MS = 60_000;
const LOCK_MAX_MS = 15 * 60_000;
const MINUTE_MS = 60_000;

/** What an instance remembers of those who call it. */
export class Attempts {
  private readonly tallies = new Map<string, Tally>();
  private readonly clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.clock = clock;
  }

  /** Throws ATTEMPTS_TOO_MANY while one of the keys is locked out. */
  requireUnlocked(keys: readonly string[]): void {
    const now = this.clock.now();
    const until = Math.max(...keys.map((key) => this.tallies.get(key)?.lockedUntil ?? 0));
    if (until > now) throw fail("ATTEMPTS_TOO_MANY", { seconds: Math.ceil((until - now) / 1000) });
  }

  /** Counts a wrong token. */
  failed(keys: readonly string[], { failuresMax, requestsPerMinute }: AttemptLimits): void {
    const now = this.clock.now();
    for (const key of keys) {
      const tally = this.tallyOf(key, now, requestsPerMinute);
      if (now - tally.failingSince > WINDOW_MS) Object.assign(tally, { failures: 0, failingSince: now });
      tally.failures += 1;
      if (tally.failures < failuresMax) continue;
      tally.lockedUntil = now + Math.min(LOCK_MAX_MS, LOCK_MS * 2 ** Math.min(tally.locks, 10));
      tally.locks += 1;
      tally.failures = 0;
    }
  }

  /** Counts a request. Throws REQUESTS_TOO_MANY when one of the keys has had its share of the minute. */
  counted(keys: readonly string[], { requestsPerMinute: max }: Pick<AttemptLimits, "requestsPerMinute">): void {
    const now = this.clock.now();
    const tallies = keys.map((key) => this.tallyOf(key, now, max));
    for (const tally of tallies) {
      tally.left = Math.min(max, tally.left + ((now - tally.refilledAt) / MINUTE_MS) * max);
      tally.refilledAt = now;
    }
    const least = Math.min(...tallies.map((tally) => tally.left));
    if (least < 1) throw fail("REQUESTS_TOO_MANY", { seconds: Math.ceil(((1 - least) / max) * 60) });
    for (const tally of tallies) tally.left -= 1;
  }

  private tallyOf(key: string, now: number, left: number): Tally {
    const known = this.tallies.get(key);
    const tally = known ?? { failures: 0, failingSince: now, lockedUntil: 0, locks: 0, left, refilledAt: now };
    // The order of the map is the order of use.
    this.tallies.delete(key);
    this.tallies.set(key, tally);
    if (this.tallies.size > KEYS_MAX) this.tallies.delete(this.tallies.keys().next().value ?? "");
    return tally;
  }
}
