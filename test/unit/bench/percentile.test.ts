// The bench's arithmetic: nearest-rank percentiles and the union of spans.
import { expect, test } from "vitest";
import { coveredMs, percentile } from "../../../bench/percentile.ts";

const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => last - index);

test.each([
  [oneTo(100), 50, 50],
  [oneTo(100), 99, 99],
  [oneTo(500), 99, 495],
  [oneTo(10), 99, 10],
  [[7], 50, 7],
  [[3, 1, 2], 100, 3],
  [[3, 1, 2], 0, 1],
])("takes the nearest rank of the samples", (samples, percent, expected) => {
  expect(percentile(samples, percent)).toBe(expected);
});

test("has no percentile of no samples", () => {
  expect(percentile([], 50)).toBeNaN();
});

test("counts time that several spans share once", () => {
  const spans = [
    { from: 10, to: 20 },
    { from: 0, to: 5 },
    { from: 12, to: 14 },
    { from: 18, to: 25 },
    { from: 25, to: 26 },
  ];
  expect(coveredMs(spans)).toBe(5 + 15 + 1);
  expect(coveredMs([])).toBe(0);
});
