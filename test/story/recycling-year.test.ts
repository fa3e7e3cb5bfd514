// Two weeks of labelled ports in the place of half a year (`npm run recycling-year`), by shorter times: real connections through the data
// plane, flow logs, evidence, verdicts, quarantine and deletion.
import { expect, test } from "vitest";
import { runYear, TWO_WEEKS, wrongOf } from "../recycling-year/run-year.ts";

test("no used port is quarantined, every idle one is deleted, and a late visitor gets through again", async () => {
  const report = await runYear(TWO_WEEKS);
  expect(wrongOf(report)).toEqual([]);
  expect(report.ports.length).toBeGreaterThanOrEqual(40);
  expect([report.precision, report.recall]).toEqual([1, 1]);
}, 120_000);
