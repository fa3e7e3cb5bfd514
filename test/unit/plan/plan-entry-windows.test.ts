// The decision about an entry that is held by its open hours.
import { describe, expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planHeld } from "../../../shared/plan/plan-entry.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
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
  refusing,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";

const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });
/** Open now, a Thursday morning, and open tomorrow. */
const hours = (day: number) => ({ zone: "UTC", windows: [{ days: [day], from: "07:00", to: "10:00" }] });
const windowed = (changes: Partial<Entry> = {}, day = 4) =>
  anEntry({ holders: [], allocation: anAllocation({ openHours: hours(day), reason: "batch" }), ...changes });

describe("an open window", () => {
  const until = NOW + 2 * HOUR;

  test("has its rule authorized until it closes, and says who asks where it is not alone", () => {
    const description = aMark(aSpec(), { until, reason: "batch" });
    const { calls } = planGroup(aPicture({ entries: [windowed()] }));
    expect(calls).toMatchObject([{ kind: "authorize", description, cause: "its open hours have begun" }]);
    const held = windowed({ holders: [aHolder({ openedAt: null })] });
    expect(planGroup(aPicture({ entries: [held] })).calls).toMatchObject([
      { kind: "authorize", description, cause: "a lease asks for it" },
    ]);
    const leased = anEntry({ holders: [aHolder({ openedAt: null })] });
    expect(planGroup(aPicture({ entries: [leased] })).calls).toMatchObject([{ cause: "a lease asks for it" }]);
  });

  test("has its rule revoked when it is over", () => {
    const entry = windowed({ standing: ours("1") }, 5);
    expect(planGroup(aPicture({ entries: [entry], rules: [ourRule("1")] })).calls).toMatchObject([
      { kind: "revoke", ruleId: ruleId("1"), cause: "its open hours have ended" },
    ]);
  });

  test("has a rule again that we have closed before it, though whoever did has not lived to write that down", () => {
    const entry = windowed({ standing: ours("1") });
    const intents = [anIntent(anEntry(), { call: "revoke", ruleIds: [ruleId("1")], rules: [] })];
    expect(planHeld(aPicture({ entries: [entry], intents }), entry, new Set())).toMatchObject({
      ...{ calls: [{ kind: "authorize" }], differences: [] },
      patch: { standing: { kind: "none" }, missingSince: null },
    });
    // Who was told that it is open is not given it again where somebody else may have removed it, nor is another rule's revoke any word of this one.
    const open = { ...entry, holders: [aHolder()] };
    const others = [anIntent(anEntry(), { call: "revoke", ruleIds: [ruleId("2")], rules: [] })];
    for (const [held, revokes] of [[open, intents] as const, [entry, others] as const])
      expect(planHeld(aPicture({ entries: [held], intents: revokes }), held, new Set())).toMatchObject({
        ...{ calls: [], differences: [{ kind: "removed" }], patch: { standing: ours("1"), missingSince: NOW } },
      });
  });

  test("misses a rule that is removed, where a lease ends with it", () => {
    const description = aMark(aSpec(), { until, reason: "batch" });
    const entry = windowed({ standing: ours("1") });
    const removed = { kind: "removed", entry, rule: null, ruleId: ruleId("1"), earlierId: null, description };
    for (const missingSince of [null, NOW - LATE_MS]) {
      const missing = { ...entry, missingSince };
      const plan = planHeld(aPicture({ entries: [missing] }), missing, new Set());
      expect(plan.differences).toEqual([{ ...removed, entry: missing }]);
      const leased = anEntry({ standing: ours("1"), missingSince });
      expect(planHeld(aPicture({ entries: [leased] }), leased, new Set()).differences).toEqual([]);
      // Another lease's rule that somebody made the same is all that the cloud takes: nothing is to be put back beside it.
      const others = aPicture({ entries: [missing], rules: [aRule({ id: ruleId("2") })] });
      expect(planHeld(others, missing, new Set([ruleId("2")])).differences).toEqual([]);
    }
  });
});

describe("an open window whose rule has been gone for long enough", () => {
  const missing = windowed({ standing: ours("1"), missingSince: NOW - LATE_MS });
  const joining = aHolder({ openedAt: null });
  const planned = (entry: Entry, changes: Partial<Picture> = {}) =>
    planHeld(aPicture({ entries: [entry], ...changes }), entry, new Set());

  test("is at rest: it ends by nothing but its hours, and its rule is a difference", () => {
    const { calls, patch, differences, findings } = planned(missing);
    expect([calls, differences.map(({ kind }) => kind)]).toEqual([[], ["removed"]]);
    expect(patch).toMatchObject({ standing: ours("1"), missingSince: NOW - LATE_MS, end: null, ends: "none" });
    expect(findings).toEqual(["somebody else removed the rule sgr-1; it is not opened again before its next hours"]);
  });

  test("ends the leases that had it open first, and has the rule once more with whoever asks for it", () => {
    const opened = { ...missing, holders: [aHolder(), { ...joining, holderId: "ls-2" as LeaseId }] };
    expect(planned(opened)).toMatchObject({ calls: [], patch: { ends: "opened", end: { cause: "removed" } } });
    const asked = { ...missing, holders: [joining] };
    expect(planned(asked).calls).toMatchObject([{ kind: "authorize", cause: "a lease asks for it" }]);
    // Nor with one of which nobody can tell whether it is on.
    for (const changes of [{ waits: new Set([missing.entryId]) }, { doubted: new Set([joining.holderId]) }])
      expect(planned(asked, changes)).toMatchObject({
        ...{ calls: [], differences: [{ kind: "removed" }], patch: { ends: "none" } },
      });
  });
});

describe("an open window whose rule is to be as it was granted", () => {
  const allocation = anAllocation({ openHours: hours(4), reason: "batch", seenAt: null, by: "root" });
  const entry = windowed({ standing: ours("1"), allocation });
  const changed = aRule({ id: ruleId("1"), ports: somePorts("23/23"), description: aMark() });
  const plan = (one: Entry, rules: readonly Rule[], changes: Partial<Picture> = {}) => {
    const { calls, patches } = planGroup(aPicture({ entries: [one], rules, ...changes }));
    return { calls, patch: patches[0] };
  };
  const description = aMark(aSpec(), { until: NOW + 2 * HOUR, reason: "batch" });

  test("has a changed one modified back, and nobody new is open by it yet", () => {
    const { calls, patch } = plan(entry, [changed]);
    expect(calls).toEqual([{ kind: "modify", entry, ruleId: ruleId("1"), description, cause: "allocated by root" }]);
    expect(patch).toMatchObject({ standing: ours("1"), opens: "opened" });
  });

  test("has one that a revoke of ours may still close revoked once more, and another one written", () => {
    const theirs = aRule({ id: ruleId("1"), description: "by hand" });
    const intents = [anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId("1")] })];
    const joined = { ...entry, holders: [aHolder({ openedAt: null })] };
    for (const one of [entry, joined]) {
      expect(plan(one, [theirs], { intents }).calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1", seen: true }]);
      const revoked = plan(one, [theirs], { intents, revoked: new Set([ruleId("1")]) });
      expect(revoked.calls).toMatchObject([{ kind: "authorize" }]);
    }
    const isKept = (changed: Entry, changes: Partial<Picture> = {}) =>
      plan(changed, [theirs], { intents, ...changes }).calls.every(({ kind }) => kind === "modify");
    const read = windowed({ standing: ours("1"), allocation: { ...allocation, seenAt: NOW - HOUR } });
    const leased = { ...entry, holders: [aHolder()] };
    const refusals = refusing(entry.entryId);
    expect([isKept(read), isKept(leased), isKept(entry, { refusals })]).toEqual([true, true, true]);
  });

  test("has a changed one revoked where another stands for it", () => {
    const other = aRule({ id: ruleId("2"), description: "theirs" });
    const cause = "it was changed, and another one stands for it";
    const revoke = { kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen: true, cause };
    expect(plan(entry, [changed, other]).calls).toEqual([revoke]);
  });

  test("has nothing changed where it says what it should, was read so once, is refused, or the mode allows no opening", () => {
    const kept = aRule({ id: ruleId("1"), description });
    expect(plan(entry, [kept]).calls).toEqual([]);
    const read = windowed({ standing: ours("1"), allocation: { ...allocation, seenAt: NOW - HOUR } });
    expect(plan(read, [changed]).calls).toEqual([]);
    expect(plan(entry, [changed], { refusals: refusing(entry.entryId) }).calls).toEqual([]);
    expect(plan(entry, [changed], { mode: "close-only" }).patch?.opens).toBe("opened");
    const barred = planHeld(aPicture({ entries: [entry], rules: [changed], mode: "close-only" }), entry, new Set());
    expect([barred.calls, barred.differences.map(({ kind }) => kind)]).toEqual([[], ["edited"]]);
    const leased = anEntry({ standing: ours("1"), allocation: null });
    expect(plan(leased, [changed]).calls).toEqual([]);
    const closed = { ...allocation, openHours: hours(5) };
    const outside = windowed({ standing: ours("1"), holders: [aHolder()], allocation: closed });
    expect(plan(outside, [changed]).calls).toEqual([]);
  });
});
