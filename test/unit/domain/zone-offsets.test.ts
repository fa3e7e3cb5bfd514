// The offsets of a zone's clock. What hours make of them is in `open-hours.test.ts`, against a reading of the clock minute by minute.
import { expect, test } from "vitest";
import { offsetsBetween } from "../../../shared/domain/zone-offsets.ts";

const HOUR = 3_600_000;
const dayOf = (text: string) => Date.parse(`${text}T00:00Z`) / (24 * HOUR);
const told = (zone: string, first: string, last: string) =>
  offsetsBetween(zone, dayOf(first), dayOf(last)).map(({ from, until, offsetMs }) =>
    [...[from, until].map((at) => new Date(at).toISOString().replace(":00.000Z", "Z")), offsetMs / HOUR].join(" "),
  );

test.each<[string, string, string, readonly string[]]>([
  ["Asia/Shanghai", "2026-11-05", "2026-11-08", ["2026-11-05T00:00Z 2026-11-08T00:00Z 8"]],
  [
    "Europe/Berlin",
    "2026-03-28",
    "2026-03-31",
    ["2026-03-28T00:00Z 2026-03-29T01:00Z 1", "2026-03-29T01:00Z 2026-03-31T00:00Z 2"],
  ],
  [
    "Europe/Berlin",
    "2026-10-25",
    "2026-10-26",
    ["2026-10-25T00:00Z 2026-10-25T01:00Z 2", "2026-10-25T01:00Z 2026-10-26T00:00Z 1"],
  ],
  [
    "Australia/Lord_Howe",
    "2026-04-04",
    "2026-04-05",
    ["2026-04-04T00:00Z 2026-04-04T15:00Z 11", "2026-04-04T15:00Z 2026-04-05T00:00Z 10.5"],
  ],
  [
    "Pacific/Apia",
    "2011-12-30",
    "2011-12-31",
    ["2011-12-30T00:00Z 2011-12-30T10:00Z -10", "2011-12-30T10:00Z 2011-12-31T00:00Z 14"],
  ],
  [
    "Africa/Monrovia",
    "1972-01-07",
    "1972-01-08",
    [`1972-01-07T00:00Z 1972-01-07T00:44:30.000Z ${-2670 / 3600}`, "1972-01-07T00:44:30.000Z 1972-01-08T00:00Z 0"],
  ],
  // Its clock jumped at midnight UTC: at the very end of one day.
  ["Europe/Moscow", "1992-01-18", "1992-01-19", ["1992-01-18T00:00Z 1992-01-19T00:00Z 2"]],
  [
    "Europe/Moscow",
    "1992-01-18",
    "1992-01-20",
    ["1992-01-18T00:00Z 1992-01-19T00:00Z 2", "1992-01-19T00:00Z 1992-01-20T00:00Z 3"],
  ],
])("%s from %s to %s", (zone, first, last, spans) => {
  expect(told(zone, first, last)).toEqual(spans);
});

test("no days have no spans, and a zone that is not known here throws whatever is asked", () => {
  expect(offsetsBetween("Asia/Shanghai", 7, 7)).toEqual([]);
  expect(() => offsetsBetween("Mars/Olympus", 7, 7)).toThrow(RangeError);
});

test("what is kept is told again, also after more zones and days than are kept", () => {
  const days = ["2026-03-01", "2026-04-01"] as const;
  const spans = told("Europe/Berlin", ...days);
  expect(spans).toHaveLength(2);
  expect(told("Europe/Berlin", ...days)).toEqual(spans);
  offsetsBetween("Europe/Berlin", 0, 1001);
  expect(told("Europe/Berlin", ...days)).toEqual(spans);
  for (const zone of Intl.supportedValuesOf("timeZone").slice(0, 65)) offsetsBetween(zone, 0, 0);
  expect(told("Europe/Berlin", ...days)).toEqual(spans);
});
