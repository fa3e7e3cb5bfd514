import { describe, expect, test } from "vitest";
import { auditDueAt, lastDueMonth, monthBounds, monthOf } from "../../../shared/domain/audit.ts";

describe("months of audits", () => {
  test.each([
    ["2026-12", Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)],
    ["2028-02", Date.UTC(2028, 1, 1), Date.UTC(2028, 2, 1)],
  ])("%s has its bounds", (month, from, until) => {
    expect(monthBounds(month)).toEqual({ from, until });
    expect([monthOf(from), monthOf(until - 1)]).toEqual([month, month]);
  });

  test.each(["2026-00", "2026-13", "1999-01", "2026-1", "2026-11 ", "", "__proto__"])("%j is no month", (text) => {
    expect(monthBounds(text)).toBeNull();
  });

  test.each([
    [Date.UTC(2027, 0, 2, 23, 59, 59), "2026-11"],
    [Date.UTC(2027, 0, 3), "2026-12"],
    [Date.UTC(2027, 1, 1), "2026-12"],
    [Date.UTC(2026, 2, 3), "2026-02"],
  ])("a month is due on the 3rd of the next, to the instant: %d", (now, month) => {
    expect(lastDueMonth(now)).toBe(month);
    expect(auditDueAt(month)).toBeLessThanOrEqual(now);
  });
});
