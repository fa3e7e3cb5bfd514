// The reasons of a verdict in words: the first few of a kind, and how many more there are.
import { expect, test } from "vitest";
import { Doubts, listText } from "../../../shared/plan/use-reasons.ts";

const some = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `t${index + 1}`);

test("of many hosts the first five of a kind are told, in the order in which kinds and hosts came", () => {
  const doubts = new Doubts();
  expect(doubts.reasons()).toEqual([]);
  for (const text of some(5)) doubts.add("coverage", text);
  doubts.add("strays", "s");
  const first = some(5).map((text) => ({ code: "coverage", text }));
  expect(doubts.reasons()).toEqual([...first, { code: "strays", text: "s" }]);
  for (const text of ["t6", "t7"]) doubts.add("coverage", text);
  expect(doubts.reasons()).toEqual([
    ...first,
    { code: "coverage", text: "and so for 2 more" },
    { code: "strays", text: "s" },
  ]);
});

test.each([
  [0, ""],
  [1, "t1"],
  [5, "t1, t2, t3, t4, t5"],
  [7, "t1, t2, t3, t4, t5 and 2 more"],
])("a list of %d is %j", (count, text) => {
  expect(listText(some(count))).toBe(text);
});
