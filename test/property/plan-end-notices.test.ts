// When the holder of a lease is told that it is about to end: laws over any lifetime.
import fc from "fast-check";
import { expect, test } from "vitest";
import { endNoticeInstants } from "../../shared/plan/plan-end-notices.ts";

const NOW = Date.UTC(2026, 10, 27, 8, 0, 0);
const instant = fc.integer({ min: NOW, max: NOW + 40 * 86_400_000 });
const period = fc.integer({ min: 1, max: 86_400 }).map((s) => s * 1000);

test("ends are told of at the given parts of the lifetime, each once, within it and not before now", () => {
  const fractions = fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { maxLength: 5 });
  fc.assert(
    fc.property(instant, period, fractions, instant, period, (from, lifeMs, parts, now, lifetimeMinMs) => {
      const until = from + lifeMs;
      const instants = endNoticeInstants({ from, until }, { fractions: parts, lifetimeMinMs }, now);
      expect(new Set(instants).size).toBe(instants.length);
      expect([...instants].sort((a, b) => a - b)).toEqual(instants);
      for (const at of instants) {
        expect(at > now && at < until && at % 1000 === 0 && at >= from).toBe(true);
        expect(parts.some((part) => Math.abs(from + part * lifeMs - at) < 1000)).toBe(true);
      }
      if (lifeMs < lifetimeMinMs) expect(instants).toEqual([]);
      else {
        const missing = parts.filter((part) => {
          const at = Math.ceil((from + part * lifeMs) / 1000) * 1000;
          return at > now && at < until && !instants.includes(at);
        });
        expect(missing).toEqual([]);
      }
    }),
  );
  const short = { from: NOW, until: NOW + 10_000 };
  const terms = { fractions: [0.5, 0.95], lifetimeMinMs: 0 };
  expect(endNoticeInstants(short, terms, NOW + 4999), "rounded up to the end itself").toEqual([NOW + 5000]);
  expect(endNoticeInstants(short, terms, NOW + 5000), "in its very millisecond it was told").toEqual([]);
  const hour = { from: NOW, until: NOW + 3_600_000 };
  expect(endNoticeInstants(hour, { fractions: [0.8, 0.5], lifetimeMinMs: 3_600_000 }, NOW)).toEqual([
    NOW + 1_800_000,
    NOW + 2_880_000,
  ]);
});
