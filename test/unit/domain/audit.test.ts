import { describe, expect, test } from "vitest";
import {
  type AuditedPort,
  addCounts,
  auditDueAt,
  COUNT_NAMES,
  isFinding,
  lastDueMonth,
  monthBounds,
  monthOf,
  noCounts,
} from "../../../shared/domain/audit.ts";

describe("months of audits", () => {
  test.each([
    ["2026-12", Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)],
    ["2028-02", Date.UTC(2028, 1, 1), Date.UTC(2028, 2, 1)],
  ])("%s has its bounds", (month, from, until) => {
    expect(monthBounds(month)).toEqual({ from, until });
    expect([monthOf(from), monthOf(until - 1)]).toEqual([month, month]);
  });

  test.each(["2026-00", "2026-13", "1999-01", "2026-1", "2026-11 ", "x2026-11", "", "__proto__"])(
    "%j is no month",
    (text) => {
      expect(monthBounds(text)).toBeNull();
    },
  );

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

test("what names no month was due long ago", () => {
  expect(auditDueAt("?")).toBe(2 * 86_400_000);
});

describe("counts", () => {
  test("begin with nothing, and are added each by itself", () => {
    expect(noCounts).toEqual({
      ...{ open: 0, used: 0, idle: 0, unknown: 0, leases: 0, drift: 0, changes: 0, recycling: 0 },
    });
    expect(Object.keys(noCounts).sort()).toEqual([...COUNT_NAMES].sort());
    const one = { open: 1, used: 2, idle: 3, unknown: 4, leases: 5, drift: 6, changes: 7, recycling: 8 };
    const sums = { open: 2, used: 4, idle: 6, unknown: 8, leases: 10, drift: 12, changes: 14, recycling: 16 };
    expect(addCounts(one, one)).toEqual(sums);
    expect(addCounts(one, noCounts)).toEqual(one);
  });

  test.each<[AuditedPort["use"], string, boolean]>([
    ["idle", "ann", true],
    ["used", "", true],
    ["idle", "", true],
    ["used", "ann", false],
    ["unknown", "ann", false],
  ])("of findings have what is %s and owned by %j: %s", (use, owner, is) => {
    const port: AuditedPort = {
      ...{ protocol: "tcp", ports: "22", source: "0.0.0.0/0", owner, application: "", provenance: "none" },
      ...{ use, lastUsedAt: null, coverage: 100, why: "" },
    };
    expect(isFinding(port)).toBe(is);
  });
});
