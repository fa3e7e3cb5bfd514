// What was answered survives `kill -9` at seeded points of the work, and nothing is torn. `npm run kill-points` does it ten thousand times.
import { expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { Expectation } from "./kill-points/expectation.ts";
import { runKillPoints } from "./kill-points/points.ts";

itEmbedded(
  "loses no answered write and tears no row under kill -9",
  async () => {
    const report = await runKillPoints({ seed: "test", points: 8 });
    expect(report.wrong).toEqual([]);
    expect(report.points).toBe(8);
    expect(report.answered).toBeGreaterThan(40);
  },
  120_000,
);

it("notices a write that was lost, one that came from nowhere, and half of an atomic batch", () => {
  const lost = new Expectation();
  lost.sent(["x"], 1, false)();
  expect(lost.settle(new Map())).toEqual(["x holds 0, expected 1"]);
  const unasked = new Expectation();
  unasked.sent(["x"], 2, false);
  expect(unasked.settle(new Map([["x", 2]]))).toEqual([]);
  expect(unasked.settle(new Map([["y", 3]]))).toEqual(["x holds 0, expected 2", "y holds 3, expected 0"]);
  const half = new Expectation();
  half.sent(["x", "y"], 4, true);
  expect(half.settle(new Map([["x", 4]]))).toEqual(["half of the atomic batch 4 is stored"]);
});
