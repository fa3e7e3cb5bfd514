// Entries that are allocated for good: owed, standing, marked, edited, removed, and with leases on them.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { applyPatch } from "../../../shared/plan/apply-patch.ts";
import { planAllocated } from "../../../shared/plan/plan-allocated.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, aWatch, leaseId } from "../../kit/drift-pictures.ts";
import {
  aHolder,
  aMark,
  anEntry,
  anIntent,
  aPicture,
  HOUR,
  LATE_MS,
  NOW,
  ours,
  preExisting,
  refusing,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";

const owed = (changes: Partial<Entry> = {}) =>
  anAllocated({ allocation: anAllocation({ seenAt: null, description: "safeport ledger: web" }), ...changes });
const REMOVED = { cause: "removed", note: "its rule was removed by somebody else", detail: null };
const REFUSED = { cause: "refused", note: "GROUP_PROTECTED", detail: { group: "sg-web" } };

describe("an allocation that was never read", () => {
  test.each([null, aWatch({ acts: "observe" }), aWatch()])(
    "is opened whatever the guard, with its description",
    (watch) => {
      const entry = owed();
      const plan = planGroup(aPicture({ entries: [entry], watch }));
      expect(plan.calls).toEqual([
        {
          kind: "authorize",
          entry,
          description: "safeport ledger: web",
          beforeIds: [],
          cause: "allocated by root",
        },
      ]);
      expect(plan.patches).toMatchObject([{ settled: true, seenAt: null }]);
      expect(plan.drift.items).toEqual([]);
    },
  );

  test("is opened without the mark that its allocation was given, and without words where that says none", () => {
    for (const description of [aMark(), ""]) {
      const entry = anAllocated({ allocation: anAllocation({ seenAt: null, description }) });
      expect(planGroup(aPicture({ entries: [entry] })).calls).toMatchObject([{ kind: "authorize", description: "" }]);
    }
  });

  test("is owed for as long as a revoke of ours may close what stands, and nobody is let in by that", () => {
    const holders = [aHolder({ openedAt: null })];
    const rules = [aRule({ id: ruleId("1"), description: "safeport ledger: web" })];
    const plan = (entry: Entry, readAt = NOW) => {
      const intents = [anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId("1")] })];
      return planGroup(aPicture({ entries: [entry], rules, intents, readAt }));
    };
    expect(plan(owed({ holders })).patches).toMatchObject([{ seenAt: null, opens: "opened" }]);
    expect(plan(owed({ holders }), NOW + LATE_MS).patches).toMatchObject([{ seenAt: NOW + LATE_MS, opens: "all" }]);
    // What was read before stays so.
    expect(plan(anAllocated({ holders })).patches).toMatchObject([{ seenAt: NOW, opens: "all" }]);
  });

  test("says something in place of its mark, as no call empties a description", () => {
    for (const description of [aMark(aSpec(), { secret: "another" }), ""]) {
      const entry = anAllocated({ allocation: anAllocation({ seenAt: null, description }) });
      const rules = [aRule({ id: ruleId("1"), description: aMark() })];
      const { calls } = planGroup(aPicture({ entries: [entry], rules }));
      expect(calls).toMatchObject([{ kind: "modify", ruleId: ruleId("1"), description: "safeport ledger" }]);
    }
  });

  test("is not settled while an attempt may still act", () => {
    const entry = owed();
    const plan = planGroup(aPicture({ entries: [entry], intents: [anIntent(entry)] }));
    expect(plan.patches).toMatchObject([{ settled: false }]);
  });

  test("is not opened when it is refused: that is told, and a lease on it ends with the code", () => {
    const entry = owed({ holders: [aHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ entries: [entry], refusals: refusing(entry.entryId) }));
    expect(plan.calls).toEqual([]);
    expect(plan.findings.join()).toContain("GROUP_PROTECTED");
    expect(plan.patches).toMatchObject([{ end: REFUSED, ends: "unopened" }]);
  });

  test("is read once its rule stands, and from then on it is drift when it is gone", () => {
    const entry = owed();
    const rules = [aRule({ description: "safeport ledger: web" })];
    const { calls, patches } = planGroup(aPicture({ entries: [entry], rules }));
    expect(calls).toEqual([]);
    const [patch] = patches;
    if (!patch) throw new Error("no patch");
    const next = applyPatch(entry, patch, NOW, new Set());
    expect(next).toMatchObject({ standing: preExisting("1"), allocation: { seenAt: NOW } });
    const gone = planGroup(aPicture({ entries: [next], watch: aWatch() }));
    expect(gone.calls).toEqual([]);
    expect(gone.drift.items).toMatchObject([{ kind: "removed", state: "waiting", ruleId: "sgr-1" }]);
  });
});

describe("an allocation whose rule stands", () => {
  test("stands for itself, though a lease wrote it, and nothing of it is ever removed", () => {
    for (const standing of [ours("1"), preExisting("1"), preExisting("other"), { kind: "none" } as const]) {
      const plan = planGroup(aPicture({ entries: [anAllocated({ standing })], rules: [aRule()] }));
      expect(plan.calls).toEqual([]);
      expect(plan.patches).toMatchObject([
        { standing: preExisting("1"), createdAt: null, missingSince: null, settled: true, seenAt: NOW },
      ]);
    }
  });

  test("loses a mark of ours, which would end it, in every guard, and nobody else's", () => {
    const entry = anAllocated({ allocation: anAllocation({ description: "web" }), standing: ours("1") });
    for (const watch of [null, aWatch()])
      for (const until of [NOW + HOUR, NOW - HOUR]) {
        const plan = planGroup(
          aPicture({ entries: [entry], rules: [aRule({ description: aMark(aSpec(), { until }) })], watch }),
        );
        const cause = "its allocation has it stand, and its mark would end it";
        expect(plan.calls).toMatchObject([{ kind: "modify", ruleId: "sgr-1", description: "web", cause }]);
        expect(plan.calls[0]?.rollback).toBeUndefined();
        expect(plan.patches).toMatchObject([{ seenAt: NOW, opens: "all" }]);
        expect(plan.drift.items).toEqual([]);
      }
    const foreign = aRule({ description: aMark(aSpec(), { installation: "other" }) });
    expect(planGroup(aPicture({ entries: [entry], rules: [foreign] })).calls).toEqual([]);
  });

  test("is not believed while it carries a lease's mark: a stale reading shows what that lease has closed", () => {
    const entry = owed({ standing: preExisting("1"), holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ description: aMark() })];
    const plan = planGroup(aPicture({ entries: [entry], rules }));
    expect(plan.calls).toMatchObject([{ kind: "modify", ruleId: "sgr-1", description: "safeport ledger: web" }]);
    expect(plan.patches).toMatchObject([{ seenAt: null, opens: "opened" }]);
    const gone = planGroup(aPicture({ entries: [entry], rules, revoked: new Set([ruleId("1")]) }));
    expect(gone.calls).toMatchObject([{ kind: "authorize" }]);
  });

  test("stands beside a lease's, which goes: where the cloud has two that say the same", () => {
    const rules = [aRule({ description: aMark() }), aRule({ id: ruleId("2"), description: "web" })];
    for (const standing of [ours("1"), preExisting("2")])
      for (const shown of [rules, rules.toReversed()]) {
        const { calls, patches } = planGroup(aPicture({ entries: [anAllocated({ standing })], rules: shown }));
        expect(calls).toMatchObject([
          { kind: "revoke", ruleId: "sgr-1", cause: "a lease's rule beside the one of its allocation" },
        ]);
        expect(patches).toMatchObject([{ standing: preExisting("2") }]);
      }
    const foreign = [aRule(), aRule({ id: ruleId("2") })];
    expect(planGroup(aPicture({ entries: [anAllocated()], rules: foreign })).calls).toEqual([]);
  });

  test("is the one that stood for it so far, where several say the same, and else the first", () => {
    const rules = ["1", "2", "3"].map((name) => aRule({ id: ruleId(name) }));
    const stands = (standing: Entry["standing"]) =>
      planGroup(aPicture({ entries: [anAllocated({ standing })], rules })).patches[0]?.standing;
    expect([stands(preExisting("2")), stands(preExisting("9")), stands({ kind: "none" })]).toEqual([
      ...[preExisting("2"), preExisting("1"), preExisting("1")],
    ]);
  });

  test("differs from what stood for it, and from nothing where nothing did", () => {
    const entry = (standing: Entry["standing"]) =>
      anAllocated({ standing, allocation: anAllocation({ description: "web" }) });
    const earlier = (standing: Entry["standing"]) =>
      planAllocated(aPicture({ rules: [aRule()] }), entry(standing), new Set()).differences[0]?.earlierId;
    expect([earlier(preExisting("9")), earlier({ kind: "none" })]).toEqual(["sgr-9", null]);
  });

  test("differs when somebody has given it another description, if it has one at all", () => {
    const edited = (description: string, shown: string) =>
      planAllocated(
        aPicture({ rules: [aRule({ description: shown })] }),
        anAllocated({ allocation: anAllocation({ description }) }),
        new Set(),
      ).differences.map(({ kind, ruleId: id, description: wanted }) => [kind, id, wanted]);
    expect(edited("web", "mine")).toEqual([["edited", "sgr-1", "web"]]);
    expect(edited("web", "")).toEqual([["edited", "sgr-1", "web"]]);
    expect(edited("web", "web")).toEqual([]);
    expect(edited("", "mine")).toEqual([]);
  });

  test("is given its own description back while that is owed, whatever the guard", () => {
    const owing = { allocation: anAllocation({ description: "web", seenAt: null }) };
    const entry = anAllocated({ ...owing, standing: preExisting("1") });
    for (const watch of [null, aWatch({ acts: "observe" })]) {
      const shown = planGroup(aPicture({ entries: [entry], rules: [aRule({ description: "mine" })], watch }));
      expect(shown.calls).toMatchObject([
        { kind: "modify", ruleId: "sgr-1", description: "web", cause: "allocated by root" },
      ]);
      expect(shown.calls[0]?.rollback).toBeUndefined();
      expect([shown.drift.items, shown.patches]).toMatchObject([[], [{ seenAt: null }]]);
    }
    const read = planGroup(aPicture({ entries: [entry], rules: [aRule({ description: "web" })] }));
    expect([read.calls, read.patches]).toMatchObject([[], [{ seenAt: NOW }]]);
    const others = planGroup(aPicture({ entries: [anAllocated(owing)], rules: [aRule({ description: "mine" })] }));
    expect([others.calls, others.patches]).toMatchObject([[], [{ seenAt: NOW }]]);
  });

  test("carries every lease on it, without a mark", () => {
    const holders = [aHolder({ openedAt: null }), aHolder({ holderId: leaseId("2") })];
    const entry = anAllocated({ holders, standing: preExisting("1") });
    const plan = planGroup(aPicture({ entries: [entry], rules: [aRule()] }));
    expect([plan.calls, plan.patches]).toMatchObject([[], [{ opens: "all", ends: "none", stated: true }]]);
  });

  test("opens no lease that is refused, and those who are open stay", () => {
    const holders = [aHolder({ openedAt: null }), aHolder({ holderId: leaseId("2") })];
    const entry = anAllocated({ holders, standing: preExisting("1") });
    const plan = planGroup(aPicture({ entries: [entry], rules: [aRule()], refusals: refusing(entry.entryId) }));
    expect(plan.patches).toMatchObject([{ opens: "opened", ends: "unopened", end: REFUSED, seenAt: NOW }]);
    const open = { ...entry, holders: holders.slice(1) };
    const still = planGroup(aPicture({ entries: [open], rules: [aRule()], refusals: refusing(entry.entryId) }));
    expect(still.patches).toMatchObject([{ opens: "all", ends: "none" }]);
  });

  test("opens no lease that waits, as for a drop on its port to go, and those who are open stay", () => {
    const holders = [aHolder({ openedAt: null }), aHolder({ holderId: leaseId("2") })];
    const entry = anAllocated({ holders, standing: preExisting("1") });
    const plan = planGroup(aPicture({ entries: [entry], rules: [aRule()], waits: new Set([entry.entryId]) }));
    expect(plan.patches).toMatchObject([{ opens: "opened", ends: "none", seenAt: NOW }]);
  });

  test("waits while its rule is a lease's that was changed into it, and goes with the lease", () => {
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }), standing: ours("1") });
    for (const entry of [owed(), anAllocated({ standing: preExisting("2") })]) {
      const plan = planGroup(aPicture({ entries: [other, entry], rules: [aRule()], watch: aWatch() }));
      expect(plan.calls).toEqual([]);
      expect(plan.drift.items.map((it) => it.kind)).toEqual(["edited"]);
      expect(plan.patches[1]).toMatchObject({ standing: entry.standing, missingSince: null, seenAt: null });
      expect(plan.findings.join()).toContain("waits for another lease's rule");
      const missed = { ...entry, missingSince: NOW - HOUR };
      const [, patch] = planGroup(aPicture({ entries: [other, missed], rules: [aRule()] })).patches;
      expect(patch).toMatchObject({ missingSince: NOW - HOUR, settled: true });
    }
  });
});

describe("an allocation whose rule is gone", () => {
  const gone = (changes: Partial<Entry> = {}) => anAllocated({ standing: preExisting("1"), ...changes });

  test("is not opened again by itself: it is a difference, and looked at again", () => {
    const entry = gone();
    const plan = planAllocated(aPicture(), entry, new Set());
    expect(plan.calls).toEqual([]);
    expect(plan.differences).toEqual([
      { kind: "removed", entry, rule: null, ruleId: "sgr-1", earlierId: null, description: "" },
    ]);
    expect(plan.patch).toMatchObject({ missingSince: NOW, standing: preExisting("1"), ends: "none" });
    expect(plan.lookAt).toEqual([NOW + LATE_MS]);
  });

  test("was removed where only others stand, or nothing is known to have stood for it", () => {
    const rules = [aRule({ id: ruleId("2"), ports: somePorts("23/23") })];
    const [removed] = planAllocated(aPicture({ rules }), gone(), new Set()).differences;
    expect(removed).toMatchObject({ kind: "removed", rule: null, ruleId: "sgr-1" });
    const [unknown] = planAllocated(aPicture({ rules }), gone({ standing: { kind: "none" } }), new Set()).differences;
    expect(unknown).toMatchObject({ kind: "removed", rule: null, ruleId: null });
  });

  test("was edited when its id stands with another key", () => {
    const moved = aRule({ ports: somePorts("23/23") });
    const [difference] = planAllocated(aPicture({ rules: [moved] }), gone(), new Set()).differences;
    expect(difference).toMatchObject({ kind: "edited", rule: moved, ruleId: "sgr-1" });
  });

  test("takes its leases with it when it does not come back in time, those not open yet as well", () => {
    const holders = [aHolder({ openedAt: null }), aHolder({ holderId: leaseId("2") })];
    const at = (missingSince: number) => planAllocated(aPicture(), gone({ holders, missingSince }), new Set());
    expect(at(NOW - LATE_MS + 1).patch).toMatchObject({ ends: "none", missingSince: NOW - LATE_MS + 1 });
    const plan = at(NOW - LATE_MS);
    expect([plan.patch, plan.lookAt]).toMatchObject([{ ends: "all", end: REMOVED }, []]);
    expect(plan.differences).toHaveLength(1);
    const patched = applyPatch(plan.patch.entry, plan.patch, NOW, new Set());
    expect(patched.holders.map((it) => it.ended?.cause)).toEqual(["removed", "removed"]);
  });

  test("is forgiven when it shows up again, by another id too", () => {
    const plan = planAllocated(
      aPicture({ rules: [aRule({ id: ruleId("2") })] }),
      gone({ missingSince: NOW - HOUR }),
      new Set(),
    );
    expect([plan.patch, plan.differences]).toMatchObject([{ missingSince: null, standing: preExisting("2") }, []]);
  });

  test("is nobody's business in a group that is not guarded", () => {
    const plan = planGroup(aPicture({ entries: [gone()] }));
    expect([plan.calls, plan.drift.items]).toEqual([[], []]);
  });
});

test("an entry without an allocation is refused", () => {
  expect(() => planAllocated(aPicture(), anEntry(), new Set())).toThrow("no allocation");
});
