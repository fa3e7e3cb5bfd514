import { describe, expect, test } from "vitest";
import { parsePortRange, translateRange } from "../../../../local/dataplane/port-range.ts";

describe("a port range", () => {
  test.each([
    ["22/22", { first: 22, last: 22 }],
    ["1/65535", { first: 1, last: 65_535 }],
    ["-1/-1", { first: 0, last: 65_535 }],
    ["", { first: 0, last: 65_535 }],
    ["0/1", undefined],
    ["2/1", undefined],
    ["1/65536", undefined],
    ["22", undefined],
    ["022/22", undefined],
  ])("%j is read as %j", (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
  });
});

describe("ports that are served elsewhere", () => {
  const mapped = new Map([[22, 20_022]]);
  test.each([
    [
      "follow a range that has only the port",
      { first: 22, last: 22 },
      [
        [22, 22],
        [20_022, 20_022],
      ],
    ],
    ["leave a range that has only the real port", { first: 20_022, last: 20_022 }, []],
    [
      "leave a hole in a range around the real port",
      { first: 20_000, last: 20_100 },
      [
        [20_000, 20_021],
        [20_023, 20_100],
      ],
    ],
    ["change nothing in a range that has both", { first: 1, last: 65_535 }, [[1, 65_535]]],
    ["change nothing in a range that has neither", { first: 80, last: 90 }, [[80, 90]]],
  ])("%s", (_name, range, expected) => {
    expect(translateRange(range, mapped).map(({ first, last }) => [first, last])).toEqual(expected);
  });
});
