import { expect, it } from "vitest";
import { formatUtc, parseUtc } from "../../../shared/domain/instant.ts";

it("writes whole seconds, cut off towards the past", () => {
  expect(formatUtc(0)).toBe("1970-01-01T00:00:00Z");
  expect(formatUtc(Date.UTC(2026, 10, 5, 8, 0, 0, 999))).toBe("2026-11-05T08:00:00Z");
  expect(formatUtc(-1)).toBe("1969-12-31T23:59:59Z");
});

it("refuses to write a year that has no four digits", () => {
  expect(() => formatUtc(Date.UTC(10000, 0, 1))).toThrow("instant outside the years 0 to 9999: 253402300800000");
  expect(() => formatUtc(Number.NaN)).toThrow(RangeError);
});

it("reads what it writes", () => {
  expect(parseUtc("2026-11-05T08:00:00Z")).toBe(Date.UTC(2026, 10, 5, 8));
  expect(parseUtc("2024-02-29T23:59:59Z")).toBe(Date.UTC(2024, 1, 29, 23, 59, 59));
});

it.each([
  "2026-02-30T00:00:00Z",
  "2025-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-11-05T24:00:00Z",
  "2026-11-05T08:60:00Z",
  "2026-11-05T08:00:60Z",
  "2026-11-05T08:00:00",
  "2026-11-05T08:00:00.000Z",
  "2026-11-05T08:00:00+00:00",
  "2026-11-05 08:00:00Z",
  "2026-11-05",
  "+010000-01-01T00:00:00Z",
  "-000001-01-01T00:00:00Z",
  "1762329600000",
  "",
])("%j is refused", (text) => {
  expect(parseUtc(text)).toBeNull();
});
