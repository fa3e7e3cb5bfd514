// Whole accounts in foul weather and fair: no invariant is broken, and a seed runs the same way each time.
import { expect, test } from "vitest";
import { runSeed } from "./run-seed.ts";

const SEEDS = 12;

test("no seed breaks an invariant", async () => {
  const reports = [];
  for (let n = 1; n <= SEEDS; n++) reports.push(await runSeed(`fixed ${n}`));
  expect(reports.flatMap(({ seed, violations }) => violations.map((it) => ({ seed, ...it })))).toEqual([]);
  // They have met something: changes of the program, and trouble of many kinds.
  expect(reports.reduce((sum, { counts }) => sum + counts.changes, 0)).toBeGreaterThan(100);
  expect(new Set(reports.flatMap(({ counts }) => [...counts.faults.keys()])).size).toBeGreaterThan(12);
});

test("the same seed makes the same calls, with the same faults and outcomes", async () => {
  const [once, again] = [await runSeed("same", { isTraced: true }), await runSeed("same", { isTraced: true })];
  expect(once.trace.length).toBeGreaterThan(500);
  expect(again.trace).toEqual(once.trace);
});
