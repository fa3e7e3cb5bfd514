// How much of a window is known of a host, which of its newest days are not, and how that is said.
import { describe, expect, test } from "vitest";
import {
  DAY_MS,
  type Day,
  daysBetween,
  type MemberDay,
  type MemberEvidence,
  startOf,
  WINDOW_MS,
} from "../../../shared/domain/evidence.ts";
import {
  coverageOf,
  gapText,
  inWindow,
  NEWEST_DAYS,
  type ShutTime,
  shutText,
  tellingOf,
  unreadOf,
} from "../../../shared/plan/known-time.ts";
import { aDay, aMember, WHOLE_DAY } from "../../kit/evidence.ts";
import { aSpec, fromCidr } from "../../kit/rules.ts";

const DAYS = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"] as const;
const [first, second, third, last] = DAYS;
const window = { from: first, until: "2026-11-05" } as const;
const host = (days: readonly MemberDay[], changes: Partial<MemberEvidence> = {}): MemberEvidence =>
  aMember([], { days, ...changes });
const whole = (...days: readonly (typeof DAYS)[number][]) => host(days.map((day) => aDay(day)));
const HALF = WHOLE_DAY >> 72n;
const shut = (from: number, until: number, why = "a lockdown"): ShutTime => ({ from, until, why });

describe("a host's days that tell of a rule", () => {
  const days = [aDay(first), aDay(second, { ipv4Only: true })];
  const both = host(days, { addresses: ["10.0.0.1", "2001:db8::1"] });

  test.each([
    ["of IPv4", { peer: fromCidr("0.0.0.0/0") }, both, [first, second]],
    ["of IPv6", { peer: fromCidr("::/0") }, both, [first]],
    ["of a group", { peer: { kind: "prefixList", prefixListId: "pl-1" } }, both, [first]],
    ["of IPv6, on a host that has none", { peer: fromCidr("::/0") }, host(days), [first, second]],
  ] as const)("%s are those that see what it lets in", (_what, changes, member, telling) => {
    expect(tellingOf(aSpec(changes), member).days.map(({ day }) => day)).toEqual(telling);
    expect(tellingOf(aSpec(changes), member).name).toBe("web-1");
  });

  test("are those of a window, its end not included", () => {
    expect(inWindow(whole(...DAYS), { from: second, until: last }).map(({ day }) => day)).toEqual([second, third]);
  });
});

describe("the known part of a window", () => {
  test("is that of all its days, in percent", () => {
    expect(coverageOf(whole(...DAYS), window)).toBe(100);
    expect(coverageOf(whole(first, second, third), window)).toBe(75);
    expect(coverageOf(whole(...DAYS), { from: second, until: last })).toBe(100);
    expect(coverageOf(host([]), window)).toBe(0);
  });

  test("is told by interface and instance together, less what either left out", () => {
    const halves = [HALF, HALF << 72n].map((seen) => aDay(first, { seen }));
    const one = { from: first, until: second };
    expect(coverageOf(host(halves), one)).toBe(100);
    expect(coverageOf(host([aDay(first), aDay(first, { skipped: HALF })]), one)).toBe(50);
    expect(coverageOf(host([aDay(first, { skipped: HALF }), aDay(first, { skipped: HALF << 72n })]), one)).toBe(0);
  });

  test.each([
    ["a whole day", 0, DAY_MS, 144],
    ["a part that lasts into the next day", DAY_MS - WINDOW_MS, 2 * DAY_MS, 1],
    ["what began the day before", -DAY_MS, WINDOW_MS, 1],
    ["the day before", -DAY_MS, 0, 0],
    ["the day after", DAY_MS, 2 * DAY_MS, 0],
    ["every part that it touches", WINDOW_MS - 1, WINDOW_MS + 1, 2],
    ["no part that it does not touch", WINDOW_MS, 2 * WINDOW_MS, 1],
  ])("is not what was shut: %s", (_what, from, until, windows) => {
    const times = [shut(startOf(first) + from, startOf(first) + until)];
    const known = coverageOf(whole(first), { from: first, until: second }, times);
    expect(known).toBeCloseTo(100 - (windows / 144) * 100);
    expect(coverageOf(whole(first), { from: first, until: second }, [...times, ...times])).toBe(known);
  });
});

describe("the newest days", () => {
  test("are two, and those of which too little is known are named", () => {
    expect(NEWEST_DAYS).toBe(2);
    expect(unreadOf(whole(first, second), window, 95)).toEqual([third, last]);
    expect(unreadOf(whole(first, last), window, 95)).toEqual([third]);
    expect(unreadOf(whole(...DAYS), window, 100)).toEqual([]);
    expect(unreadOf(host([...whole(third).days, aDay(last, { seen: HALF })]), window, 50)).toEqual([]);
    expect(unreadOf(host([...whole(third).days, aDay(last, { seen: HALF })]), window, 51)).toEqual([last]);
  });

  test("are none from before the window, and none that was open", () => {
    expect(unreadOf(host([]), { from: last, until: window.until }, 95)).toEqual([last]);
    const times = [shut(startOf(last), startOf(last) + DAY_MS)];
    expect(unreadOf(whole(...DAYS), window, 95, times)).toEqual([last]);
  });
});

describe("in words", () => {
  const gap = (member: MemberEvidence, coverage = 92.37, span: { readonly from: Day; readonly until: Day } = window) =>
    gapText(member, coverage, 95, span);
  const told = "92.3 % of the window is known of web-1; 95 % is needed";

  test.each<[string, MemberEvidence, string]>([
    ["no log tells of it", host([]), `${told}: no log tells of it`],
    ["its log begins later", whole(second, third, last), `${told}: its log begins on ${second}`],
    ["one day is missing", whole(first, second, last), `${told}: nothing is known of ${third}`],
    ["days in a row are missing", whole(first), `${told}: nothing is known of ${second} to ${last}`],
    [
      "days here and there are missing",
      whole(second, last),
      `${told}: nothing is known of 2 days between ${first} and ${third}`,
    ],
    ["of every day a part is missing", host(DAYS.map((day) => aDay(day, { seen: HALF }))), told],
    [
      "a day that is told of is not known at all",
      host([...whole(first, second, last).days, aDay(third, { seen: 0n })]),
      `${told}: nothing is known of ${third}`,
    ],
    ["days come in any order", whole(last, third, second), `${told}: its log begins on ${second}`],
  ])("%s", (_what, member, text) => {
    expect(gap(member)).toBe(text);
  });

  test("a log has begun where nineteen days of twenty are known since", () => {
    const days = daysBetween("2026-11-02", "2026-11-22").filter((day) => day !== "2026-11-10");
    const span = { from: first, until: "2026-11-22" } as const;
    const known = (...left: readonly Day[]) => host(days.filter((day) => !left.includes(day)).map((day) => aDay(day)));
    expect(gap(known(), 92.37, span)).toBe(`${told}: its log begins on 2026-11-02`);
    expect(gap(known("2026-11-11"), 92.37, span)).toBe(
      `${told}: nothing is known of 3 days between ${first} and 2026-11-11`,
    );
  });

  test("what was shut is told once for each cause", () => {
    const times = [shut(0, 1), shut(2, 3), shut(4, 5, "its quarantine")];
    expect(shutText(whole(), 50, times)).toBe(
      "50 % of the window is known of web-1 with the rule open: a lockdown; its quarantine",
    );
  });
});
