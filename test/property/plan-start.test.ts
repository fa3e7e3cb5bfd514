// When a lease may start: laws over any request.
import fc from "fast-check";
import { expect, test } from "vitest";
import { START_AHEAD_MIN_MS, startAt, startMistake } from "../../shared/plan/plan-start.ts";
import { endIfOpened } from "../../shared/usecases/lease/lease-ask.ts";

const NOW = Date.UTC(2026, 10, 27, 8, 0, 0);
const instant = fc.integer({ min: NOW, max: NOW + 40 * 86_400_000 });
const period = fc.integer({ min: 1, max: 86_400 }).map((s) => s * 1000);

test("a lease starts no earlier than its start, and no later than just before its end", () => {
  fc.assert(
    fc.property(instant, period, instant, (start, periodMs, now) => {
      const when = startAt({ startAt: start, periodMs }, now);
      expect(when).toBe(now < start ? "early" : now < start + periodMs ? "now" : "over");
      // However late it opens, its end is the one that was asked for.
      expect(endIfOpened({ startAt: start, periodMs }, now)).toBe(Math.ceil((start + periodMs) / 1000) * 1000);
    }),
  );
  expect(startAt({ startAt: null, periodMs: 1000 }, NOW)).toBe("now");
  expect(startAt({ startAt: NOW, periodMs: 1000 }, NOW)).toBe("now");
  expect(startAt({ startAt: NOW, periodMs: 1000 }, NOW - 1)).toBe("early");
  expect(startAt({ startAt: NOW, periodMs: 1000 }, NOW + 999)).toBe("now");
  expect(startAt({ startAt: NOW, periodMs: 1000 }, NOW + 1000)).toBe("over");
});

test("a start lies between a minute ahead and what the policy allows", () => {
  fc.assert(
    fc.property(instant, fc.integer({ min: START_AHEAD_MIN_MS, max: 30 * 86_400_000 }), (start, aheadMax) => {
      const isGood = start >= NOW + START_AHEAD_MIN_MS && start <= NOW + aheadMax;
      expect(startMistake(start, NOW, aheadMax) === null).toBe(isGood);
      expect(startMistake(start, NOW, 0)).toMatch(/at once only/);
    }),
  );
  const day = 86_400_000;
  expect([startMistake(NOW + 60_000, NOW, day), startMistake(NOW + day, NOW, day)]).toEqual([null, null]);
  expect(startMistake(NOW + 59_999, NOW, day)).toBe("it is less than a minute from now");
  expect(startMistake(NOW + day + 1, NOW, day)).toBe(
    "the policy allows 86400 seconds ahead at most (lease.startAheadMax)",
  );
});
