// When a lease with a start may open, and when it is too late. Pure.
import type { LeaseRequest } from "../domain/lease-record.ts";

/** A start has to be this far ahead: whoever books it lives no longer. */
export const START_AHEAD_MIN_MS = 60_000;

/** What is wrong with a start, in words, or null. Instants and durations in milliseconds. */
export function startMistake(startAt: number, now: number, aheadMaxMs: number): string | null {
  if (aheadMaxMs === 0) return "the policy has leases open at once only (lease.startAheadMax)";
  if (startAt < now + START_AHEAD_MIN_MS) return "it is less than a minute from now";
  if (startAt > now + aheadMaxMs)
    return `the policy allows ${aheadMaxMs / 1000} seconds ahead at most (lease.startAheadMax)`;
  return null;
}

/** `early`: look again at its start. `over`: its end has come. Every instant but those two is `now`. */
export function startAt(
  { startAt: start, periodMs }: Pick<LeaseRequest, "startAt" | "periodMs">,
  now: number,
): "early" | "now" | "over" {
  if (start === null) return "now";
  if (now < start) return "early";
  return now < start + periodMs ? "now" : "over";
}
