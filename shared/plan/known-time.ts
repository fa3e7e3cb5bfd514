// How much of the time a host's evidence tells of, as far as its silence could mean anything. Pure.
import {
  type Day,
  dayAfter,
  daysBetween,
  knownWindows,
  type MemberDay,
  type MemberEvidence,
  startOf,
  WINDOW_MS,
  WINDOWS_PER_DAY,
  type Windows,
} from "../domain/evidence.ts";
import type { RuleSpec } from "../domain/rule.ts";

/** A time in which we kept out what a rule lets in, by a drop or a suspension: that nobody came then proves nothing. */
export interface ShutTime {
  /** Milliseconds, the second not included. */
  readonly from: number;
  readonly until: number;
  readonly why: string;
}

/** True where the rule may let in to the host what comes by IPv6. */
const mayComeByIpv6 = ({ peer }: RuleSpec, { addresses }: Pick<MemberEvidence, "addresses">): boolean =>
  (peer.kind !== "cidr" || peer.cidr.family === 6) && addresses.some((address) => address.includes(":"));

/** The host's days that tell of all that the rule may let in. */
export const tellingOf = <M extends MemberEvidence>(rule: RuleSpec, member: M): M =>
  mayComeByIpv6(rule, member) ? { ...member, days: member.days.filter(({ ipv4Only }) => ipv4Only !== true) } : member;

/** The days that lie in the window. */
export const inWindow = (
  { days }: MemberEvidence,
  { from, until }: { readonly from: Day; readonly until: Day },
): readonly MemberDay[] => days.filter(({ day }) => from <= day && day < until);

/** Known part of the window in percent; what was shut counts as unknown. */
export function coverageOf(
  member: MemberEvidence,
  window: { readonly from: Day; readonly until: Day },
  shut: readonly ShutTime[] = [],
): number {
  const all = daysBetween(window.from, window.until).length * WINDOWS_PER_DAY;
  const byDay = new Map<Day, MemberDay>();
  for (const day of inWindow(member, window)) {
    const known = byDay.get(day.day);
    // Interface and instance tell of the same hours.
    byDay.set(day.day, known ? { ...day, seen: day.seen | known.seen, skipped: day.skipped | known.skipped } : day);
  }
  const open = [...byDay.values()].map((day) => ({ ...day, seen: day.seen & ~windowsOf(day.day, shut) }));
  return (open.reduce((sum, day) => sum + knownWindows(day), 0) / all) * 100;
}

/** The newest days of a window: what has not been read yet may hold the only use, however much is known before. */
export const NEWEST_DAYS = 2;

/** Those of the newest days of the window of which too little is known, by the same measure as the window. */
export function unreadOf(
  member: MemberEvidence,
  window: { readonly from: Day; readonly until: Day },
  coverageMin: number,
  shut: readonly ShutTime[] = [],
): readonly Day[] {
  const first = dayAfter(window.until, -NEWEST_DAYS);
  return daysBetween(first < window.from ? window.from : first, window.until).filter(
    (day) => coverageOf(member, { from: day, until: dayAfter(day, 1) }, shut) < coverageMin,
  );
}

/** The windows of a day that any of the times touches. */
function windowsOf(day: Day, times: readonly ShutTime[]): Windows {
  const midnight = startOf(day);
  let windows = 0n;
  for (const { from, until } of times) {
    const first = Math.max(0, Math.floor((from - midnight) / WINDOW_MS));
    const end = Math.min(WINDOWS_PER_DAY, Math.ceil((until - midnight) / WINDOW_MS));
    for (let n = first; n < end; n++) windows |= 1n << BigInt(n);
  }
  return windows;
}

/** Why the rule's silence proves less than the evidence tells. */
export const shutText = (member: MemberEvidence, coverage: number, shut: readonly ShutTime[]): string =>
  `${percent(coverage)} of the window is known of ${member.name} with the rule open: ${[...new Set(shut.map(({ why }) => why))].join("; ")}`;

const percent = (value: number): string => `${Math.floor(value * 10) / 10} %`;

/** What is missing of the window, in words. */
export function gapText(
  member: MemberEvidence,
  coverage: number,
  least: number,
  window: { readonly from: Day; readonly until: Day },
): string {
  const known = inWindow(member, window).filter((day) => knownWindows(day) > 0);
  const first = known.map(({ day }) => day).sort()[0];
  const told = `${percent(coverage)} of the window is known of ${member.name}; ${percent(least)} is needed`;
  if (first === undefined) return `${told}: no log tells of it`;
  const wanted = daysBetween(first, window.until);
  if (first > window.from && known.length >= wanted.length * 0.95) return `${told}: its log begins on ${first}`;
  const days = new Set(known.map(({ day }) => day));
  const missing = daysBetween(window.from, window.until).filter((day) => !days.has(day));
  return missing.length === 0 ? told : `${told}: nothing is known of ${spanText(missing)}`;
}

function spanText(days: readonly Day[]): string {
  const [first = ""] = days;
  const last = days.at(-1) ?? first;
  const isOneSpan = days.length === daysBetween(first, dayAfter(last, 1)).length;
  if (days.length === 1) return first;
  return isOneSpan ? `${first} to ${last}` : `${days.length} days between ${first} and ${last}`;
}
