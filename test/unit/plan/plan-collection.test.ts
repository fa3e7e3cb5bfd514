// Which part of a log is read next: in order, when settled, once more for what came late, and never beyond what the source keeps.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  after,
  type CollectionTerms,
  nextSlice,
  type Reached,
  withinReach,
} from "../../../shared/plan/plan-collection.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 5, 8, 20);
const terms = (changes: Partial<CollectionTerms> = {}): CollectionTerms => ({
  collect: { sliceMs: HOUR, settleMs: HOUR / 2, rereadAfterMs: 26 * HOUR },
  retentionMs: 60 * DAY,
  windowDays: 46,
  now: NOW,
  ...changes,
});

/** Every part that is read until `until`, a tick every hour. */
function readAll(from: Reached, hours: number): { readonly reads: string[]; readonly reached: Reached } {
  const reads: string[] = [];
  let reached = from;
  for (let now = NOW; now <= NOW + hours * HOUR; now += HOUR)
    for (;;) {
      const slice = nextSlice(reached, terms({ now }));
      if (slice === null) break;
      reads.push(`${slice.pass} ${(slice.from - from.firstUntil) / HOUR}`);
      reached = after(reached, slice, terms({ now }));
    }
  return { reads, reached };
}

describe("the next part of a log", () => {
  const settled = Math.floor(NOW / HOUR) * HOUR - HOUR;

  test("begins where the source or the window begins, and at the day's own hours", () => {
    expect(withinReach(null, terms())).toEqual({
      firstUntil: NOW - 46 * DAY - 20 * 60_000,
      againUntil: NOW - 46 * DAY - 20 * 60_000,
    });
    const short = withinReach(null, terms({ retentionMs: 6 * DAY }));
    expect(short.firstUntil).toBe(NOW - 6 * DAY - 20 * 60_000);
    // What a long outage has cost is skipped, and stays unknown.
    expect(
      withinReach({ firstUntil: NOW - 20 * DAY, againUntil: NOW - 21 * DAY }, terms({ retentionMs: 6 * DAY })),
    ).toEqual(short);
  });

  test("waits until it has settled, and comes again a day later", () => {
    const { reads, reached } = readAll({ firstUntil: settled, againUntil: settled }, 30);
    expect(reads[0]).toBe("first 0");
    expect(reads.filter((read) => read.startsWith("first"))).toHaveLength(30);
    expect(reads.filter((read) => read.startsWith("again"))).toEqual(
      ["again 0", "again 1", "again 2", "again 3", "again 4"].slice(
        0,
        reads.filter((read) => read.startsWith("again")).length,
      ),
    );
    expect(reads.indexOf("again 0")).toBeGreaterThan(reads.indexOf("first 25"));
    expect(reached.againUntil).toBeLessThan(reached.firstUntil);
  });

  test("is read once where everything late is there already", () => {
    const past = settled - 10 * DAY;
    const { reads } = readAll({ firstUntil: past, againUntil: past }, 0);
    expect(reads.slice(0, 3)).toEqual(["first 0", "first 1", "first 2"]);
    expect(reads.filter((read) => read.startsWith("again"))).toEqual([]);
  });

  test("leaves nothing out, and reads nothing a third time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 72 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 60 }),
        (lag, behind, hours) => {
          const firstUntil = settled - lag * HOUR;
          const { reads, reached } = readAll({ firstUntil, againUntil: firstUntil - behind * HOUR }, hours);
          expect(new Set(reads).size).toBe(reads.length);
          expect(reads.filter((read) => read.startsWith("first")).length).toBe(
            (reached.firstUntil - firstUntil) / HOUR,
          );
          expect(reached.firstUntil).toBeGreaterThan(NOW + (hours - 3) * HOUR);
        },
      ),
    );
  });
});
