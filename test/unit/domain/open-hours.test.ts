import { describe, expect, it } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import { isTimeOfDay, isZone, nextOpening, windowAt } from "../../../shared/domain/open-hours.ts";

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const MINUTE = 60_000;
const at = (text: string) => Date.parse(text);
const hoursOf = (zone: string, ...windows: [days: number[], from: string, to: string][]): OpenHours => ({
  zone,
  windows: windows.map(([days, from, to]) => ({ days, from, to })),
});
const told = (hours: OpenHours, now: string) => {
  const span = windowAt(hours, at(now));
  const text = (instant: number) => new Date(instant).toISOString().replace(":00.000Z", "Z");
  return span === null ? null : `${text(span.from)} ${text(span.until)}`;
};

describe("open hours", () => {
  const office = hoursOf("Asia/Shanghai", [[1, 2, 3, 4, 5], "09:00", "18:00"]);

  // 5 November 2026 is a Thursday.
  it.each([
    ["2026-11-05T00:59:59.999Z", null],
    ["2026-11-05T01:00Z", "2026-11-05T01:00Z 2026-11-05T10:00Z"],
    ["2026-11-05T09:59:59.999Z", "2026-11-05T01:00Z 2026-11-05T10:00Z"],
    ["2026-11-05T10:00Z", null],
    ["2026-11-07T02:00Z", null],
  ])("of an office at %s are %s", (now, span) => {
    expect(told(office, now)).toBe(span);
  });

  it("open next on the next day on which a window begins, strictly later than now", () => {
    expect(nextOpening(office, at("2026-11-05T00:59:59.999Z"))).toBe(at("2026-11-05T01:00Z"));
    expect(nextOpening(office, at("2026-11-05T01:00Z"))).toBe(at("2026-11-06T01:00Z"));
    expect(nextOpening(office, at("2026-11-06T02:00Z"))).toBe(at("2026-11-09T01:00Z"));
  });

  it("run across midnight and belong to the day they begin on", () => {
    const night = hoursOf("Asia/Shanghai", [[5], "22:00", "06:00"]);
    expect(told(night, "2026-11-06T20:00Z")).toBe("2026-11-06T14:00Z 2026-11-06T22:00Z");
    expect(told(night, "2026-11-05T20:00Z")).toBeNull();
    expect(told(night, "2026-11-07T20:00Z")).toBeNull();
  });

  it("last a day when they end at the time they begin", () => {
    expect(told(hoursOf("Asia/Shanghai", [[4], "08:00", "08:00"]), "2026-11-05T12:00Z")).toBe(
      "2026-11-05T00:00Z 2026-11-06T00:00Z",
    );
  });

  it("are one span where windows overlap or touch", () => {
    const hours = hoursOf("Asia/Shanghai", [[4], "20:00", "24:00"], [[4], "12:00", "21:00"], [[5], "00:00", "02:00"]);
    expect(told(hours, "2026-11-05T13:30Z")).toBe("2026-11-05T04:00Z 2026-11-05T18:00Z");
  });

  it("are two spans where a minute lies between", () => {
    const hours = hoursOf("Asia/Shanghai", [[4], "08:00", "11:59"], [[4], "12:00", "13:00"]);
    expect(told(hours, "2026-11-05T03:00Z")).toBe("2026-11-05T00:00Z 2026-11-05T03:59Z");
    expect(nextOpening(hours, at("2026-11-05T03:00Z"))).toBe(at("2026-11-05T04:00Z"));
  });
});

describe("hours that never close", () => {
  const always = hoursOf("America/New_York", [EVERY_DAY, "00:00", "24:00"]);

  it("are told a week at a time, from Monday 00:00 UTC", () => {
    const week = "2026-11-02T00:00Z 2026-11-09T00:00Z";
    expect(told(always, "2026-11-02T00:00Z")).toBe(week);
    expect(told(always, "2026-11-08T23:59:59.999Z")).toBe(week);
    expect(told(always, "2026-11-09T00:00Z")).toBe("2026-11-09T00:00Z 2026-11-16T00:00Z");
    expect(nextOpening(always, at("2026-11-05T00:00Z"))).toBeNull();
  });

  it("stay open where midnight comes twice", () => {
    // On 1 November 2026 Havana's clock goes from 01:00 back to 00:00.
    const havana = { ...always, zone: "America/Havana" };
    for (const now of ["2026-11-01T03:59Z", "2026-11-01T04:30Z", "2026-11-01T05:30Z"]) {
      expect(told(havana, now)).toBe("2026-10-26T00:00Z 2026-11-02T00:00Z");
    }
  });

  it("are not those that are closed for a minute a week", () => {
    const hours = hoursOf("Asia/Shanghai", [[1], "00:01", "24:00"], [[2, 3, 4, 5, 6, 7], "00:00", "24:00"]);
    expect(told(hours, "2026-11-05T00:00Z")).toBe("2026-11-01T16:01Z 2026-11-08T16:00Z");
    expect(nextOpening(hours, at("2026-11-05T00:00Z"))).toBe(at("2026-11-08T16:01Z"));
  });

  it("are not those that an hour that comes twice leaves open for seven days, which are told whole", () => {
    const others = [1, 2, 4, 5, 6, 7];
    const hours = hoursOf(
      "Europe/Berlin",
      [[3], "03:00", "24:00"],
      [[3], "00:00", "02:00"],
      [others, "00:00", "24:00"],
    );
    expect(told(hours, "2026-10-23T00:00Z")).toBe("2026-10-21T01:00Z 2026-10-28T01:00Z");
  });

  it("are not those of which a jump of the clock swallows one closing, though that span too is cut", () => {
    // Closed from 02:00 to 03:00 on Sundays, the hour that 29 March 2026 does not have.
    const swallowed = hoursOf(
      "Europe/Berlin",
      [[7], "03:00", "24:00"],
      [[7], "00:00", "02:00"],
      [[1, 2, 3, 4, 5, 6], "00:00", "24:00"],
    );
    expect(told(swallowed, "2026-03-29T00:59Z")).toBe("2026-03-23T00:00Z 2026-03-30T00:00Z");
    expect(told(swallowed, "2026-04-04T00:00Z")).toBe("2026-03-30T00:00Z 2026-04-05T00:00Z");
    expect(nextOpening(swallowed, at("2026-03-29T00:59Z"))).toBe(at("2026-04-05T01:00Z"));
  });
});

describe("when the clock jumps", () => {
  // Berlin 2026: 29 March 02:00 to 03:00 at 01:00 UTC, 25 October 03:00 back to 02:00 at 01:00 UTC.
  const berlin = (from: string, to: string) => hoursOf("Europe/Berlin", [EVERY_DAY, from, to]);

  it.each([
    ["opens after the gap", berlin("02:30", "06:00"), "2026-03-29T02:00Z", "2026-03-29T01:00Z 2026-03-29T04:00Z"],
    ["closes at the gap", berlin("00:30", "02:30"), "2026-03-29T00:30Z", "2026-03-28T23:30Z 2026-03-29T01:00Z"],
    ["opens the second time", berlin("02:30", "06:00"), "2026-10-25T02:00Z", "2026-10-25T01:30Z 2026-10-25T05:00Z"],
    ["closes the first time", berlin("01:00", "02:30"), "2026-10-25T00:00Z", "2026-10-24T23:00Z 2026-10-25T00:30Z"],
    ["closes after it", berlin("01:00", "03:00"), "2026-10-25T00:00Z", "2026-10-24T23:00Z 2026-10-25T02:00Z"],
  ])("a window %s", (_, hours, now, span) => {
    expect(told(hours, now)).toBe(span);
  });

  it.each([
    ["a gap", "2026-03-29"],
    ["an overlap", "2026-10-25"],
  ])("a window within %s is closed, and opens on the next day", (_, day) => {
    const hours = berlin("02:10", "02:50");
    const begin = at(`${day}T00:00Z`);
    for (let now = begin; now < begin + 180 * MINUTE; now += MINUTE) expect(windowAt(hours, now)).toBeNull();
    expect(nextOpening(hours, begin)).toBe(at(`${day}T00:10Z`) + 86_400_000 + (day < "2026-05" ? 0 : 60 * MINUTE));
  });

  it("a window once a week that a gap swallows opens in the week after", () => {
    const hours = hoursOf("Europe/Berlin", [[7], "02:10", "02:50"]);
    expect(nextOpening(hours, at("2026-03-22T01:10Z"))).toBe(at("2026-04-05T00:10Z"));
  });

  it("half an hour's jump is one of half an hour", () => {
    // Lord Howe: 5 April 2026 02:00 back to 01:30 at 15:00 UTC the day before.
    const hours = hoursOf("Australia/Lord_Howe", [[7], "01:45", "03:00"]);
    expect(told(hours, "2026-04-04T16:00Z")).toBe("2026-04-04T15:15Z 2026-04-04T16:30Z");
  });

  it("a day that does not exist has no hours", () => {
    // Apia left out Friday, 30 December 2011, at 10:00 UTC of that day.
    const friday = hoursOf("Pacific/Apia", [[5], "00:00", "24:00"]);
    expect(nextOpening(friday, at("2011-12-29T00:00Z"))).toBe(at("2012-01-05T10:00Z"));
    const nights = hoursOf("Pacific/Apia", [[4, 5], "22:00", "06:00"]);
    expect(told(nights, "2011-12-30T09:00Z")).toBe("2011-12-30T08:00Z 2011-12-30T16:00Z");
  });
});

describe("words of open hours", () => {
  it.each(["00:00", "09:30", "23:59", "24:00"])("%s is a time of day", (text) => {
    expect(isTimeOfDay(text)).toBe(true);
  });
  it.each(["24:01", "109:30", "9:30", "09:60", "0930", "", "09:30:00"])("%s is none", (text) => {
    expect(isTimeOfDay(text)).toBe(false);
  });
  it("a zone is one of the IANA database, and no other is computed with", () => {
    expect([isZone("Asia/Shanghai"), isZone("Mars/Olympus"), isZone("")]).toEqual([true, false, false]);
    expect(() => windowAt(hoursOf("Mars/Olympus", [[1], "09:00", "10:00"]), 0)).toThrow(RangeError);
  });
});
