// How far the clock of a time zone is ahead of UTC, and when that changes. Learned from Intl a day at a time, and kept.

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
/** What is kept at most, so that no list of zones and no range of days fills the memory. */
const ZONES_MAX = 64;
const DAYS_MAX = 1000;

/** From one instant up to another the zone's clock is so far ahead of UTC. */
export interface OffsetSpan {
  readonly from: number;
  readonly until: number;
  readonly offsetMs: number;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** The spans of a UTC day by its number. */
  readonly days: Map<number, readonly OffsetSpan[]>;
}

const zones = new Map<string, Zone>();

/**
 * The spans from the beginning of the first UTC day to the beginning of the last, without a hole; days are counted from
 * 1 January 1970. Two changes within one UTC day would be seen as one. Throws RangeError on an unknown zone.
 */
export function offsetsBetween(name: string, firstDay: number, lastDay: number): OffsetSpan[] {
  const zone = zoneOf(name);
  const spans: OffsetSpan[] = [];
  for (let day = firstDay; day < lastDay; day += 1) {
    for (const span of spansOfDay(zone, day)) {
      const before = spans.at(-1);
      if (before?.offsetMs === span.offsetMs) spans[spans.length - 1] = { ...before, until: span.until };
      else spans.push(span);
    }
  }
  return spans;
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (zones.size >= ZONES_MAX) zones.clear();
  const zone: Zone = { format, days: new Map() };
  zones.set(name, zone);
  return zone;
}

function spansOfDay(zone: Zone, day: number): readonly OffsetSpan[] {
  const known = zone.days.get(day);
  if (known !== undefined) return known;
  const spans = readDay(zone.format, day * DAY_MS, (day + 1) * DAY_MS);
  if (zone.days.size >= DAYS_MAX) zone.days.clear();
  zone.days.set(day, spans);
  return spans;
}

function readDay(format: Intl.DateTimeFormat, from: number, until: number): OffsetSpan[] {
  const early = offsetAt(format, from);
  const late = offsetAt(format, until);
  if (early === late) return [{ from, until, offsetMs: early }];
  // The change lies after `before` and at or before `change`.
  let before = from;
  let change = until;
  while (change - before > SECOND_MS) {
    const middle = before + Math.floor((change - before) / 2 / SECOND_MS) * SECOND_MS;
    if (offsetAt(format, middle) === early) before = middle;
    else change = middle;
  }
  const spans = [{ from, until: change, offsetMs: early }];
  // A change at the very end of the day belongs to the next one.
  return change === until ? spans : [...spans, { from: change, until, offsetMs: late }];
}

/** For instants of whole seconds. */
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (
    format.format(instant).match(/\d+/g) ?? []
  ).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
}
