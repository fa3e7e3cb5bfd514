// How often each group is seen by the full pass, and from when on one is seen late.
import { expect, it, test } from "vitest";
import { FULL_PASS_EVERY_MS, isSeenLate, seenTargetMs } from "../../../shared/domain/full-pass.ts";

const HOUR = 3_600_000;
const pass = (longMs: number) => ({ startedAt: 10 * HOUR, endedAt: 10 * HOUR + longMs, groups: 5 });

test("a full pass begins every hour", () => {
  expect(FULL_PASS_EVERY_MS).toBe(HOUR);
});

it.each([
  ["at once", 0, HOUR],
  ["in a minute", 60_000, HOUR + 60_000],
  ["in an hour", HOUR, 2 * HOUR],
  ["in two hours", 2 * HOUR, 4 * HOUR],
  ["before its start, by a clock that went back", -60_000, HOUR],
])("a pass that was over %s has every group seen within %d ms: %d", (_, longMs, target) => {
  expect(seenTargetMs(pass(longMs))).toBe(target);
});

test("some group may be seen late once twice the target is over, and not before", () => {
  const last = pass(60_000);
  const bound = last.startedAt + 2 * (HOUR + 60_000);
  expect([isSeenLate(last, bound), isSeenLate(last, bound + 1)]).toEqual([false, true]);
});
