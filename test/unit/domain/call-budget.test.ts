// The arithmetic of call budgets.
import { describe, expect, test } from "vitest";
import {
  allowance,
  blockFor,
  budgetAt,
  type CallBudget,
  endOfWindow,
  limitOf,
  windowOf,
  withTaken,
  withThrottling,
} from "../../../shared/domain/call-budget.ts";

const at = Date.parse("2026-11-05T08:00:30Z");
const window = windowOf(at);
const fresh: CallBudget = { window, taken: 0, lowered: null };
const open = { most: 200, share: 0.85, block: 20 };

describe("a call budget", () => {
  test("starts anew with every minute of the clock", () => {
    const full = withTaken(budgetAt(null, at), 170);
    expect(budgetAt(full, endOfWindow(window) - 1)).toEqual(full);
    expect(budgetAt(full, endOfWindow(window))).toEqual({ ...fresh, window: window + 1 });
  });

  test("of the next minute counts for a clock that is behind, and one further ahead is void", () => {
    const ahead = { ...fresh, window: window + 1, taken: 7 };
    expect(budgetAt(ahead, at)).toEqual(ahead);
    expect(budgetAt({ ...ahead, window: window + 2 }, at)).toEqual(fresh);
  });

  test("hands out whole blocks while there is plenty, and smaller ones as it runs out", () => {
    expect(blockFor(fresh, open)).toBe(20);
    expect(blockFor(withTaken(fresh, 90), open)).toBe(10);
    expect(blockFor(withTaken(fresh, 169), open)).toBe(1);
    expect(blockFor(withTaken(fresh, 170), open)).toBe(0);
    expect(blockFor(withTaken(fresh, 500), open)).toBe(0);
  });

  test("keeps calls of the stronger from the weaker", () => {
    const half = withTaken(fresh, 100);
    expect(blockFor(half, { ...open, share: 0.5 })).toBe(0);
    expect(blockFor(half, { ...open, share: 0.7 })).toBeGreaterThan(0);
  });

  test("never gives back more than was taken", () => {
    expect(withTaken(withTaken(fresh, 5), -9).taken).toBe(0);
  });

  test("leaves one call even where the share rounds to none", () => {
    expect(allowance(1, 0.5)).toBe(1);
  });
});

describe("a Throttling answer", () => {
  const lowered = withThrottling(fresh, window, 200);

  test("halves the limit, once a minute, and ends the minute", () => {
    expect(limitOf(lowered, 200)).toBe(100);
    expect(withThrottling(lowered, window, 200)).toEqual(lowered);
    expect(blockFor(lowered, open)).toBe(0);
    expect(blockFor(budgetAt(lowered, endOfWindow(window)), open)).toBeGreaterThan(0);
  });

  test("is forgotten a twentieth a minute", () => {
    const limits = [1, 2, 10, 99].map((minutes) => limitOf(budgetAt(lowered, at + minutes * 60_000), 200));
    expect(limits).toEqual([110, 120, 200, 200]);
  });

  test("after Throttling answer leaves a tenth", () => {
    let budget = fresh;
    for (let n = 0; n < 9; n++) budget = withThrottling({ ...budget, window: window + n }, window + n, 200);
    expect(limitOf(budget, 200)).toBe(20);
  });

  test("dated ahead by a wrong clock does not hold for longer than a right one", () => {
    const wrong = { window: window + 5000, taken: 3, lowered: { to: 100, window: window + 5000 } };
    const read = budgetAt(wrong, at);
    expect(read).toEqual({ ...fresh, lowered: { to: 100, window } });
    expect(limitOf(budgetAt(read, at + 600_000), 200)).toBe(200);
  });
});
