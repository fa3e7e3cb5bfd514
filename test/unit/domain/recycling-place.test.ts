// Where a run over all groups goes on: what is stored as a text is read back, and a text that is none begins anew.
import { expect, it, test } from "vitest";
import { PLACE, placeOf, placeText } from "../../../shared/domain/recycling-place.ts";

it.each([
  [{ region: "cn-hangzhou", cursor: null, done: 0 }, "cn-hangzhou 0 "],
  [{ region: "cn-hangzhou", cursor: "a+b/c==", done: 12 }, "cn-hangzhou 12 a+b/c=="],
  [{ region: null, cursor: "e-1", done: 0 }, "- 0 e-1"],
  [{ region: null, cursor: null, done: 9999 }, "- 9999 "],
])("%o is %j, and is read back from it", (place, text) => {
  expect(placeText(place)).toBe(text);
  expect(placeOf(text)).toEqual(place);
  expect(PLACE.test(text)).toBe(true);
});

it.each([
  null,
  "",
  "cn-hangzhou",
  "cn-hangzhou 0",
  "cn-hangzhou x ",
  "cn-hangzhou  e-1",
  "cn-hangzhou 10000 ",
  "CN 0 ",
  " 0 ",
  `${"a".repeat(65)} 0 `,
  "cn-hangzhou 0 a b",
  "cn-hangzhou 0 \u0000",
  `cn-hangzhou 0 ${"a".repeat(1025)}`,
  "x\ncn-hangzhou 0 ",
  "cn-hangzhou 0 a\n",
])("%j begins anew", (text) => {
  expect(placeOf(text)).toBeNull();
});

test("the longest place is read", () => {
  const text = `${"a".repeat(64)} 9999 ${"~".repeat(1024)}`;
  expect(placeOf(text)).toEqual({ region: "a".repeat(64), cursor: "~".repeat(1024), done: 9999 });
});
