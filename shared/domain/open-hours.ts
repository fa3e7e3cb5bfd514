// Open hours: the instants at which weekly windows of a time zone begin and end. Pure.
import type { OpenHours } from "./allocation.ts";
import { type OffsetSpan, offsetsBetween } from "./zone-offsets.ts";

const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;
/** 5 January 1970 was a Monday. */
const MONDAY_MS = 4 * DAY_MS;

/** From one instant up to another, the second not included. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** True for `00:00` to `23:59`, and `24:00` as an end. */
export const isTimeOfDay = (text: string): boolean => TIME.test(text);

/** True for a time zone of the IANA database that this machine knows. */
export function isZone(text: string): boolean {
  try {
    offsetsBetween(text, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * The time around `now` in which the hours are open: from its opening until its closing, the closing not included; null when
 * they are closed. Windows that overlap or touch are one. Every instant of a span gives the same span.
 *
 * A span of more than seven days, as of hours that never close, is cut at every Monday 00:00 UTC, so that its end is at most
 * seven days away and stays the same for the week; it goes on in the next one without an opening between.
 *
 * Where the zone's clock jumps, a span opens at the later and closes at the earlier instant: a time that does not exist is the
 * instant of the jump, a time that comes twice opens the second and closes the first time. A span that has
 * no time left by that is closed. The hours are valid ones (`openHoursSchema`); throws RangeError on a zone unknown here.
 */
export function windowAt(hours: OpenHours, now: number): Span | null {
  const span = spansBetween(hours, now - WEEK_MS, now + WEEK_MS).find(({ from, until }) => from <= now && now < until);
  if (span === undefined) return null;
  if (span.until - span.from <= WEEK_MS) return span;
  const monday = now - modulo(now - MONDAY_MS, WEEK_MS);
  return { from: Math.max(span.from, monday), until: Math.min(span.until, monday + WEEK_MS) };
}

/** The first instant after `now` at which closed hours open; null for hours that never close. Throws as `windowAt`. */
export function nextOpening(hours: OpenHours, now: number): number | null {
  // Three weeks: in the first the hours may be open, and in one of them the clock may jump over the only window.
  return spansBetween(hours, now, now + 3 * WEEK_MS).find(({ from }) => from > now)?.from ?? null;
}

/** The open spans, ascending and apart; right between the two instants, and a part of the truth outside. */
function spansBetween(hours: OpenHours, first: number, last: number): Span[] {
  // A window is a day long at most, and the clock differs from UTC by less than a day.
  const firstDay = Math.floor(first / DAY_MS) - 2;
  const lastDay = Math.floor(last / DAY_MS) + 2;
  const offsets = offsetsBetween(hours.zone, firstDay - 1, lastDay + 3);
  // First on the clock, so that a time between two windows that touch is no closing, though it may come twice.
  const onClock = merged(clockSpans(hours, firstDay, lastDay));
  return merged(onClock.map(({ from, until }) => ({ from: opensAt(offsets, from), until: closesAt(offsets, until) })));
}

/** The windows that begin on these days, in milliseconds of the zone's clock. Days are counted from 1 January 1970. */
function clockSpans(hours: OpenHours, firstDay: number, lastDay: number): Span[] {
  return hours.windows.flatMap((window) => {
    const from = timeOf(window.from);
    const to = timeOf(window.to);
    const until = to <= from ? to + DAY_MS : to;
    const spans: Span[] = [];
    for (let day = firstDay; day <= lastDay; day += 1) {
      if (window.days.includes(isoWeekday(day))) {
        spans.push({ from: day * DAY_MS + from, until: day * DAY_MS + until });
      }
    }
    return spans;
  });
}

/** The last instant before which the clock has not passed this time for good. */
function opensAt(offsets: readonly OffsetSpan[], clock: number): number {
  const span = offsets.findLast(({ from, offsetMs }) => from + offsetMs <= clock);
  return span === undefined ? Number.NEGATIVE_INFINITY : Math.min(span.until, clock - span.offsetMs);
}

/** The first instant at which the clock shows this time or a later one. */
function closesAt(offsets: readonly OffsetSpan[], clock: number): number {
  const span = offsets.find(({ until, offsetMs }) => until + offsetMs > clock);
  return span === undefined ? Number.POSITIVE_INFINITY : Math.max(span.from, clock - span.offsetMs);
}

/** Without the empty ones, ascending, those that overlap or touch made one. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.filter(({ from, until }) => from < until).sort((a, b) => a.from - b.from)) {
    const open = result.at(-1);
    if (open === undefined || span.from > open.until) result.push(span);
    else result[result.length - 1] = { from: open.from, until: Math.max(open.until, span.until) };
  }
  return result;
}

function timeOf(text: string): number {
  return (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * MINUTE_MS;
}

/** 1 is Monday; day 0 was a Thursday. */
function isoWeekday(day: number): number {
  return modulo(day + 3, 7) + 1;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
