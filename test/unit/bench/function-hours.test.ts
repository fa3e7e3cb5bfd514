// What a month of functions costs for being there.
import { expect, test } from "vitest";
import { hourOf, keptShare } from "../../../bench/function-hours.ts";

const terms = { keptS: 60, keptHour: 0.03, least: 0.01 };

test.each([
  ["never asked", 0, 0],
  ["asked once in ten hours: the least of the hours in which it is", 0.1, 0.000_952],
  ["asked once an hour: most hours at their least", 1, 0.006_321],
  ["asked all the time: kept all the time", 2000, 0.03],
])("%s", (_, requests, expected) => {
  expect(hourOf(requests, terms)).toBeCloseTo(expected, 6);
});

test("requests that are close to one another keep one instance", () => {
  expect(keptShare(60, terms)).toBeCloseTo(1 - Math.exp(-1));
  expect(keptShare(1, terms)).toBeLessThan(60 / 3600);
});
