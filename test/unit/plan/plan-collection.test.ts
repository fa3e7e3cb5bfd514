// Which part of a log is read next: in order, when settled, once more for what came late, and never beyond what the source keeps.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CollectionTerms,
  nextSlice,
  queriesOfWatch,
  type Reached,
  after as reachedAfter,
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
      reached = reachedAfter(reached, slice, terms({ now }));
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

describe("to the millisecond", () => {
  const at = (now: number, changes: Partial<CollectionTerms["collect"]> = {}) =>
    terms({ now, collect: { ...terms().collect, ...changes } });

  test("a part has settled, and everything late has come", () => {
    const start = { firstUntil: 0, againUntil: 0 };
    expect(nextSlice(start, at(1.5 * HOUR - 1))).toBeNull();
    expect(nextSlice(start, at(1.5 * HOUR))).toEqual({ from: 0, until: HOUR, pass: "first" });
    const ahead = { firstUntil: 27 * HOUR, againUntil: 0 };
    expect(nextSlice(ahead, at(27 * HOUR - 1))).toBeNull();
    expect(nextSlice(ahead, at(27 * HOUR))).toEqual({ from: 0, until: HOUR, pass: "again" });
    // Nothing comes again that was not read yet, however soon it would.
    expect(nextSlice(start, at(HOUR, { rereadAfterMs: 0 }))).toBeNull();
  });

  test("a part counts as read, for good where everything late was there and nothing before it is still to come", () => {
    const slice = { from: HOUR, until: 2 * HOUR, pass: "first" } as const;
    const even = { firstUntil: HOUR, againUntil: HOUR };
    expect(reachedAfter(even, slice, at(28 * HOUR))).toEqual({ firstUntil: 2 * HOUR, againUntil: 2 * HOUR });
    expect(reachedAfter(even, slice, at(28 * HOUR - 1))).toEqual({ firstUntil: 2 * HOUR, againUntil: HOUR });
    const behind = { firstUntil: HOUR, againUntil: 0 };
    expect(reachedAfter(behind, slice, at(28 * HOUR))).toEqual({ firstUntil: 2 * HOUR, againUntil: 0 });
    const again = { from: 0, until: HOUR, pass: "again" } as const;
    expect(reachedAfter({ firstUntil: 9 * HOUR, againUntil: 0 }, again, at(99 * HOUR))).toEqual({
      ...{ firstUntil: 9 * HOUR, againUntil: HOUR },
    });
  });

  test("what was reached within reach stays, at the beginning of a part, and nothing is read again before it is read", () => {
    const reached = (firstUntil: number, againUntil: number) =>
      withinReach({ firstUntil: NOW + firstUntil, againUntil: NOW + againUntil }, terms());
    const begun = NOW - 20 * 60_000;
    expect(reached(-2 * HOUR, -3 * HOUR)).toEqual({ firstUntil: begun - 2 * HOUR, againUntil: begun - 3 * HOUR });
    expect(reached(-3 * HOUR, -2 * HOUR)).toEqual({ firstUntil: begun - 3 * HOUR, againUntil: begun - 3 * HOUR });
  });
});

test.each([
  ["nothing while no quarantine asks", null, 0],
  ["half on a day on which it asks, rounded down", "2026-11-05", 3],
  ["half on the day after", "2026-11-04", 3],
  ["nothing two days after", "2026-11-03", 0],
  ["nothing of a day that is still to come", "2026-11-06", 0],
] as const)("the watch over quarantines has %s", (_what, day, queries) => {
  expect(queriesOfWatch(day && { day }, "2026-11-05", 7)).toBe(queries);
});
