import { describe, expect, it } from "vitest";
import {
  formatCloudPortRange,
  formatPortRange,
  type PortRange,
  parseCloudPortRange,
  parsePort,
  parsePortRange,
  portRangeContains,
  portRangesOverlap,
} from "../../../shared/domain/port-range.ts";

function range(text: string): PortRange {
  const read = parsePortRange(text);
  if (read === null) throw new Error(`no range: ${text}`);
  return read;
}

describe("a port", () => {
  it.each([
    ["1", 1],
    ["22", 22],
    ["65535", 65535],
  ])("%s is read", (text, port) => {
    expect(parsePort(text)).toBe(port);
  });

  it.each([
    "0",
    "65536",
    "99999",
    "100000",
    "022",
    "+22",
    "-1",
    "1e3",
    "0x16",
    "22.0",
    " 22",
    "22\n",
    "",
    "abc",
    "２２",
  ])("%j is refused", (text) => {
    expect(parsePort(text)).toBeNull();
  });
});

describe("a range", () => {
  it.each([
    ["22", { from: 22, to: 22 }],
    ["22/22", { from: 22, to: 22 }],
    ["8000-8010", { from: 8000, to: 8010 }],
    ["1/65535", { from: 1, to: 65535 }],
  ])("%s is read", (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
  });

  it.each([
    "22/10",
    "22-10",
    "0/22",
    "22/65536",
    "-1/-1",
    "-1",
    "22-",
    "/22",
    "1-2-3",
    "1/2/3",
    "22 - 23",
    "22,23",
    "any",
  ])("%j is refused", (text) => {
    expect(parsePortRange(text)).toBeNull();
  });

  it("is read from the cloud with a slash only, and any from -1/-1", () => {
    expect(parseCloudPortRange("22/22")).toEqual({ from: 22, to: 22 });
    expect(parseCloudPortRange("-1/-1")).toBe("any");
    expect(parseCloudPortRange("22")).toBeNull();
    expect(parseCloudPortRange("22-23")).toBeNull();
    expect(parseCloudPortRange("200/1")).toBeNull();
  });

  it("is written for people and for the cloud", () => {
    expect(formatPortRange({ from: 22, to: 22 })).toBe("22");
    expect(formatPortRange({ from: 8000, to: 8010 })).toBe("8000-8010");
    expect(formatCloudPortRange({ from: 22, to: 22 })).toBe("22/22");
    expect(formatCloudPortRange("any")).toBe("-1/-1");
  });

  it.each([
    ["1-22", "22-30", true],
    ["1-21", "22-30", false],
    ["1-65535", "22", true],
    ["22", "22", true],
  ])("%s and %s share a port: %s", (a, b, share) => {
    expect(portRangesOverlap(range(a), range(b))).toBe(share);
    expect(portRangesOverlap(range(b), range(a))).toBe(share);
  });

  it.each([
    ["1-22", "22", true],
    ["22-30", "22", true],
    ["22-30", "22-30", true],
    ["1-22", "22-23", false],
    ["22-30", "21-30", false],
    ["22-30", "1-65535", false],
  ])("%s holds all of %s: %s", (outer, inner, holds) => {
    expect(portRangeContains(range(outer), range(inner))).toBe(holds);
  });
});
