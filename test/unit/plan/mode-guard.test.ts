// Which calls a mode lets through.
import { describe, expect, test } from "vitest";
import type { Mode } from "../../../shared/domain/mode.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import { againAt, isAllowedIn, refusedByMode } from "../../../shared/plan/mode-guard.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import {
  aDropHolder,
  aHolder,
  aMark,
  anEndedHolder,
  anEntry,
  aPicture,
  NOW,
  ours,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec } from "../../kit/rules.ts";

const entry = anEntry();
const drop = anEntry({ spec: aSpec({ policy: "drop" }) });
const cause = "test";
const revoke: PlannedCall = { kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen: true, cause };
const modify: PlannedCall = { kind: "modify", entry, ruleId: ruleId("1"), description: "", cause };
const open: PlannedCall = { kind: "authorize", entry, description: "", beforeIds: [], cause };
const close: PlannedCall = { ...open, entry: drop };
const undone = (call: PlannedCall): PlannedCall => ({ ...call, rollback: "dr-1" });

test.each<[string, PlannedCall, readonly Mode[]]>([
  ["an end", revoke, ["normal", "close-only", "halt"]],
  ["a revoke that suspends a grant", { ...revoke, suspends: true }, ["normal", "close-only"]],
  ["a mark", modify, ["normal", "close-only"]],
  ["a drop rule", close, ["normal", "close-only"]],
  ["an opening", open, ["normal"]],
  ["a rollback that closes", undone(revoke), ["normal"]],
  ["a rollback that opens", undone(open), ["normal"]],
  ["a rollback in place", undone(modify), ["normal"]],
])("%s is called in these modes only", (_name, call, modes) => {
  const all: readonly Mode[] = ["normal", "close-only", "halt"];
  expect(all.filter((mode) => isAllowedIn(mode, call))).toEqual(modes);
});

describe("a plan", () => {
  const waiting = anEntry({ holders: [aHolder({ openedAt: null })] });

  test("refuses leases that wait, and leaves those that are open", () => {
    const refusals = refusedByMode("close-only", [waiting, anEntry({ spec: aSpec({ priority: 7 }) })], NOW);
    expect([...refusals]).toEqual([[waiting.entryId, { code: "MODE_FORBIDS", detail: { mode: "close-only" } }]]);
    const plan = planGroup(aPicture({ mode: "close-only", entries: [waiting], refusals }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches[0]).toMatchObject({ ends: "all", end: { cause: "refused", note: "MODE_FORBIDS" } });
    expect(plan.lookAt).toEqual([]);
  });

  test("refuses an entry for any lease that waits, and for nothing else that holds it", () => {
    const refused = (...holders: Parameters<typeof aHolder>[0][]): number =>
      refusedByMode("close-only", [anEntry({ holders: holders.map((it) => aHolder(it)) })], NOW).size;
    expect(refused({}, { openedAt: null })).toBe(1);
    expect(refused({ openedAt: null, until: NOW })).toBe(0);
    expect(refused({})).toBe(0);
    const dropped = anEntry({ holders: [aDropHolder({ openedAt: null })] });
    expect(refusedByMode("close-only", [dropped], NOW).size).toBe(0);
    expect(refusedByMode("normal", [waiting], NOW).size).toBe(0);
  });

  test("ends what is over in a halt", () => {
    const over = anEntry({ holders: [anEndedHolder()], standing: ours("1") });
    const rules = [aRule({ id: ruleId("1"), description: aMark() })];
    expect(planGroup(aPicture({ mode: "halt", entries: [over], rules })).calls).toMatchObject([{ kind: "revoke" }]);
  });

  test("has what it keeps back looked at again, at an instant that many looks share", () => {
    const stale = anEntry({ standing: ours("1") });
    const rules = [aRule({ id: ruleId("1"), description: aMark(aSpec(), { until: NOW + 1000 }) })];
    const plan = planGroup(aPicture({ mode: "halt", entries: [stale], rules }));
    expect(plan.calls).toEqual([]);
    expect(plan.lookAt).toEqual([againAt(NOW)]);
    expect([againAt(NOW), againAt(NOW + 1), againAt(NOW + 299_999)]).toEqual(Array(3).fill(NOW + 300_000));
  });
});
