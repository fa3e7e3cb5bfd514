// When a group that was at rest still is.
import { expect, it, test } from "vitest";
import { freshGroupRow } from "../../../shared/domain/guard.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { isSettledUnguarded, settledDigest, settlementOf } from "../../../shared/domain/settlement.ts";

const fresh = freshGroupRow({ region: "cn-hangzhou", groupId: "sg-a" as GroupId });
const settled = { ...fresh, settled: { rules: settlementOf("observe", "abc"), policyVersion: 3 } };

test("a group is at rest with the guard and the policy under which nothing was to be done", () => {
  expect(settledDigest(settled, "observe", 3)).toBe("abc");
});

it.each([
  ["under another guard", settled, "enforce", 3],
  ["under another policy", settled, "observe", 4],
  ["that has not been at rest yet", fresh, "observe", 3],
  ["without a row", null, "observe", 3],
] as const)("nothing is known of one %s", (_, row, guard, policyVersion) => {
  expect(settledDigest(row, guard, policyVersion)).toBeNull();
});

it.each([
  ["is, under whatever policy, where a pass without a guard has", "none", true],
  ["is not where a pass with one has", "observe", false],
  ["is not where none has", null, false],
] as const)("a group that is guarded no more %s settled it", (_, guard, isSettled) => {
  const rules = guard && settlementOf(guard, "none abc");
  expect(isSettledUnguarded({ ...fresh, settled: rules === null ? null : { rules, policyVersion: 3 } })).toBe(
    isSettled,
  );
});
