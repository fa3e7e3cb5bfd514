// Which of two guards is the stronger, and what is known of a group without a row.
import { expect, it, test } from "vitest";
import { freshGroupRow, strongerGuard } from "../../../shared/domain/guard.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";

it.each([
  ["none", "none", "none"],
  ["none", "observe", "observe"],
  ["none", "enforce", "enforce"],
  ["observe", "observe", "observe"],
  ["observe", "enforce", "enforce"],
  ["enforce", "enforce", "enforce"],
] as const)("of %s and %s the stronger is %s, whichever comes first", (a, b, stronger) => {
  expect([strongerGuard(a, b), strongerGuard(b, a)]).toEqual([stronger, stronger]);
});

test("a group that nothing is known of has no baseline, asks for no guard and is not stored", () => {
  const group = { region: "cn-hangzhou", groupId: "sg-a" as GroupId };
  expect(freshGroupRow(group)).toEqual({
    ...{ group, baseline: null, tagGuard: "none", guardName: null, deniedName: null },
    ...{ reverts: [], holds: [], settled: null, heardAt: null, rev: 0 },
  });
});
