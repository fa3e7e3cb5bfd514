// Open hours against brute force: a zone's clock read off minute by minute, and every minute decided by itself.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { OpenHours, OpenWindow } from "../../shared/domain/allocation.ts";
import { nextOpening, windowAt } from "../../shared/domain/open-hours.ts";

const MINUTE = 60_000;
const DAY = 1440;
const WEEK_MS = 7 * DAY * MINUTE;

/** Days around which the clock of the zone jumps, and quiet ones. */
const PLACES: readonly (readonly [zone: string, ...days: string[]])[] = [
  ["Asia/Shanghai", "2026-11-05", "1991-04-14", "1991-09-15"],
  ["Europe/Berlin", "2026-03-29", "2026-10-25", "2026-07-01"],
  ["America/New_York", "2026-03-08", "2026-11-01"],
  ["Australia/Lord_Howe", "2026-04-05", "2026-10-04"],
  ["Pacific/Apia", "2011-12-30", "2011-09-24"],
  ["Africa/Casablanca", "2026-02-15", "2026-03-22"],
  ["America/Havana", "2026-03-08", "2026-11-01"],
];

/** The clock of a stretch of time: for every minute since `begin` the minute that the clock shows, counted from 1970. */
interface Reading {
  readonly begin: number;
  readonly clock: readonly number[];
  /** The minutes at which the clock shows a minute, ascending. */
  readonly shownAt: ReadonlyMap<number, readonly number[]>;
}

/** Length of a reading, and how much of it comes before its day. */
const DAYS = 44;
const DAYS_BEFORE = 18;

const readings = new Map<string, Reading>();

/** The clock around the day, kept for the next to ask. */
function readClock(zone: string, day: string): Reading {
  const known = readings.get(`${zone} ${day}`);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const begin = Date.parse(`${day}T00:00Z`) - DAYS_BEFORE * DAY * MINUTE;
  const clock = Array.from({ length: DAYS * DAY }, (_, minute) => {
    const shown = format.format(begin + minute * MINUTE).replace(" ", "T");
    return Date.parse(`${shown}Z`) / MINUTE;
  });
  const shownAt = new Map<number, number[]>();
  for (const [minute, shown] of clock.entries()) {
    const minutes = shownAt.get(shown);
    if (minutes === undefined) shownAt.set(shown, [minute]);
    else minutes.push(minute);
  }
  const reading = { begin, clock, shownAt };
  readings.set(`${zone} ${day}`, reading);
  return reading;
}

const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const weekdayOf = (clockMinute: number) => new Date(clockMinute * MINUTE).getUTCDay() || 7;

/** Whether the windows hold this minute of the clock, were there no jumps. */
function isOnClock(windows: readonly OpenWindow[], clockMinute: number): boolean {
  const time = ((clockMinute % DAY) + DAY) % DAY;
  const today = weekdayOf(clockMinute);
  const yesterday = weekdayOf(clockMinute - DAY);
  return windows.some(({ days, from, to }) => {
    const [begin, end] = [minuteOf(from), minuteOf(to)];
    if (end > begin) return days.includes(today) && begin <= time && time < end;
    return (days.includes(today) && begin <= time) || (days.includes(yesterday) && time < end);
  });
}

/** For every minute of the reading, whether the hours are open. */
function bruteForce(hours: OpenHours, { clock, shownAt }: Reading): boolean[] {
  const open = clock.map(() => false);
  const [low, high] = [(clock[0] ?? 0) - DAY, (clock.at(-1) ?? 0) + DAY];
  const week = Array.from({ length: 7 * DAY }, (_, minute) => isOnClock(hours.windows, minute));
  // A minute of the clock that was never shown stands for the first that was shown beyond it.
  const shownOrAfter = (clockMinute: number) => {
    for (let shown = clockMinute; shown <= high; shown += 1) {
      const minutes = shownAt.get(shown);
      if (minutes !== undefined) return shown === clockMinute ? minutes : minutes.slice(0, 1);
    }
    return [clock.length];
  };
  let begin: number | null = null;
  for (let clockMinute = low; clockMinute <= high; clockMinute += 1) {
    const on = clockMinute < high && week[clockMinute % (7 * DAY)] === true;
    if (on && begin === null) begin = clockMinute;
    if (!on && begin !== null) {
      const opening = shownOrAfter(begin).at(-1) ?? 0;
      const closing = shownOrAfter(clockMinute)[0] ?? clock.length;
      for (let minute = opening; minute < closing; minute += 1) open[minute] = true;
      begin = null;
    }
  }
  return open;
}

const textOf = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

// Times near the jumps, all of which happen between midnight and four, are the interesting ones.
const aTime = fc.oneof(
  fc.integer({ min: 0, max: 16 }).map((quarter) => quarter * 15),
  fc.integer({ min: 0, max: DAY - 1 }),
);
const aWindow: fc.Arbitrary<OpenWindow> = fc.record({
  days: fc.oneof(
    fc.constant([1, 2, 3, 4, 5, 6, 7]),
    fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }),
  ),
  from: aTime.map(textOf),
  to: fc.oneof(aTime.map(textOf), fc.constant("24:00")),
});
const aCase = fc
  .constantFrom(...PLACES.flatMap(([zone, ...days]) => days.map((day) => [zone, day] as const)))
  .chain(([zone, day]) =>
    fc.record({
      hours: fc.record({ zone: fc.constant(zone), windows: fc.array(aWindow, { minLength: 1, maxLength: 4 }) }),
      day: fc.constant(day),
      /** Minutes from the beginning of the day. */
      minutes: fc.array(fc.integer({ min: -2 * DAY, max: 3 * DAY }), { minLength: 20, maxLength: 20 }),
    }),
  );

it("the window at an instant is what a reading of the clock, minute by minute, says", () => {
  let opened = 0;
  let closed = 0;
  fc.assert(
    fc.property(aCase, ({ hours, day, minutes }) => {
      const reading = readClock(hours.zone, day);
      const open = bruteForce(hours, reading);
      for (const offset of minutes) {
        const now = DAYS_BEFORE * DAY + offset;
        const instant = reading.begin + now * MINUTE;
        const span = windowAt(hours, instant + (now % 7));
        expect(span !== null).toBe(open[now]);
        if (span === null) closed += 1;
        else {
          opened += 1;
          const begin = open.lastIndexOf(false, now) + 1;
          const end = open.indexOf(false, now);
          const whole = {
            from: reading.begin + begin * MINUTE,
            until: reading.begin + (end < 0 ? open.length : end) * MINUTE,
          };
          if (whole.until - whole.from <= WEEK_MS) expect(span).toEqual(whole);
          else {
            // Cut, at Mondays only.
            for (const key of ["from", "until"] as const) {
              if (span[key] !== whole[key]) expect(new Date(span[key]).toUTCString()).toMatch(/^Mon.* 00:00:00 GMT$/);
            }
            expect(span.until - instant).toBeLessThanOrEqual(WEEK_MS);
            expect(whole.from <= span.from && span.until <= whole.until).toBe(true);
          }
        }
      }
    }),
    { numRuns: 150 },
  );
  expect(Math.min(opened, closed)).toBeGreaterThan(500);
});

it("the next opening is the first minute after now that is open and follows a closed one", () => {
  fc.assert(
    fc.property(aCase, ({ hours, day, minutes }) => {
      const reading = readClock(hours.zone, day);
      const open = bruteForce(hours, reading);
      for (const offset of minutes.slice(0, 5)) {
        const now = DAYS_BEFORE * DAY + offset;
        const shut = open.indexOf(false, now);
        const opening = shut < 0 ? -1 : open.indexOf(true, shut);
        const told = nextOpening(hours, reading.begin + now * MINUTE);
        expect(told).toBe(opening < 0 ? null : reading.begin + opening * MINUTE);
      }
    }),
    { numRuns: 150 },
  );
});

it("an opening is later than now, opens a window there, and none a moment before", () => {
  fc.assert(
    fc.property(aCase, fc.nat(MINUTE), ({ hours, day, minutes }, ms) => {
      for (const offset of minutes) {
        const now = Date.parse(`${day}T00:00Z`) + offset * MINUTE + ms;
        const opening = nextOpening(hours, now);
        if (opening === null) expect(windowAt(hours, now)).not.toBeNull();
        else {
          expect(opening).toBeGreaterThan(now);
          expect(windowAt(hours, opening)).not.toBeNull();
          expect(windowAt(hours, opening - 1)).toBeNull();
        }
      }
    }),
    { numRuns: 300 },
  );
});

it("every instant of a window tells the same window", () => {
  fc.assert(
    fc.property(aCase, fc.double({ min: 0, max: 1, noNaN: true }), ({ hours, day, minutes }, part) => {
      for (const offset of minutes) {
        const span = windowAt(hours, Date.parse(`${day}T00:00Z`) + offset * MINUTE);
        if (span === null) continue;
        const length = span.until - span.from - 1;
        expect(windowAt(hours, span.from + Math.floor(part * length))).toEqual(span);
      }
    }),
    { numRuns: 300 },
  );
});
