// Drops that a quarantine or a lockdown holds: put, kept, put back when somebody takes them away, and taken away at their end.
import { describe, expect, test } from "vitest";
import type { DropHolder, Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocation, aSighting, aWatch } from "../../kit/drift-pictures.ts";
import {
  aDropHolder,
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
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const drop = aSpec({ policy: "drop", ports: somePorts("81/442"), peer: fromCidr("0.0.0.0/0") });
const ended = aDropHolder({ until: NOW - 1 });

const entryOf = (holders: readonly DropHolder[], changes: Partial<Entry> = {}): Entry =>
  anEntry({ spec: drop, holders, ...changes });

/** The drop as we wrote it, until the end of the hold. */
const written = (changes: Partial<Rule> = {}): Rule =>
  aRule({ ...drop, id: ruleId("1"), description: aMark(drop), ...changes });

function plan(entry: Entry, rules: readonly Rule[], changes: Partial<Picture> = {}) {
  const { calls, patches, findings } = planGroup(aPicture({ entries: [entry], rules, ...changes }));
  return { calls: calls.map(({ kind, cause }) => `${kind}: ${cause}`), patch: patches[0], findings };
}

describe("a drop somebody holds", () => {
  test("is authorized, and says for whom it stands only when it was read", () => {
    const entry = entryOf([aDropHolder({ openedAt: null })]);
    const { calls, findings } = planGroup(aPicture({ entries: [entry] }));
    expect(calls).toEqual([
      { kind: "authorize", entry, description: aMark(drop), beforeIds: [], cause: "a lockdown asks for it" },
    ]);
    expect(findings).toEqual([]);
    expect(plan(entry, []).patch?.opens).toBe("none");
    const accepted = new Set([entry.entryId]);
    expect(plan(entry, [written()], { accepted })).toMatchObject({
      calls: [],
      patch: { opens: "all", standing: ours("1") },
    });
  });

  test("that nobody has booked stands for nobody before its mark is written again: an earlier one was lifted a moment ago", () => {
    const entry = entryOf([aDropHolder({ openedAt: null })]);
    const calls = ["modify: nobody has booked it: whether it stands is seen by writing its mark again"];
    const closed = { opens: "none", standing: { kind: "none" } };
    expect(plan(entry, [written()])).toMatchObject({ calls, patch: closed });
    const ids = new Set([entry.entryId]);
    for (const changes of [{ restated: ids }, { accepted: ids }, { intents: [anIntent(entry)] }])
      expect(plan(entry, [written()], changes)).toMatchObject({ calls: [], patch: { opens: "all" } });
    expect(plan(entry, [written()], { revoked: new Set([ruleId("1")]) }).calls).toEqual([
      "authorize: a lockdown asks for it",
    ]);
  });

  test("that is booked is no more sure while a revoke of it is not written down yet, to whoever asked since", () => {
    const entry = entryOf([aDropHolder({ openedAt: null })], { standing: ours("1") });
    const revoke = anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId("1")] });
    const calls = ["modify: a revoke may have closed it: whether it stands is seen by writing its mark again"];
    for (const intents of [[revoke], [revoke, anIntent(entry)]])
      expect(plan(entry, [written()], { intents })).toMatchObject({ calls, patch: { opens: "none" } });
    for (const changes of [{ intents: [] }, { intents: [revoke], restated: new Set([entry.entryId]) }])
      expect(plan(entry, [written()], changes)).toMatchObject({ calls: [], patch: { opens: "all" } });
  });

  test("carries the end of its last holder", () => {
    const holders = [aDropHolder(), aDropHolder({ holderId: "ld-2", until: NOW + 2 * HOUR })];
    const entry = entryOf(holders, { standing: ours("1") });
    expect(plan(entry, [written()]).calls).toEqual(["modify: its mark is out of date"]);
  });

  test("stands as it is booked, and a second one that carries its mark goes", () => {
    const entry = entryOf([aDropHolder()], { standing: ours("2") });
    const { calls, patches } = planGroup(
      aPicture({ entries: [entry], rules: [written(), written({ id: ruleId("2"), createdAt: NOW - HOUR })] }),
    );
    const cause = "a second rule of the same drop";
    expect(calls).toEqual([{ kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen: true, cause }]);
    expect(patches).toMatchObject([{ standing: ours("2"), createdAt: NOW - HOUR, opens: "all", stated: true }]);
  });

  test("that is granted for good is put back for as long as somebody holds it, and stands for good afterwards", () => {
    const granted = (holders: readonly DropHolder[], changes: Partial<Entry> = {}) =>
      entryOf(holders, {
        standing: preExisting("theirs"),
        allocation: anAllocation({ description: "web" }),
        ...changes,
      });
    const theirs = aRule({ ...drop, id: ruleId("theirs"), description: "web" });
    const held = granted([aDropHolder()], { allocation: anAllocation({ seenAt: null }) });
    expect(plan(held, [theirs])).toMatchObject({
      calls: [],
      patch: { opens: "all", standing: preExisting("theirs"), seenAt: NOW },
    });
    for (const watch of [null, aWatch({ acts: "observe" })]) {
      const { calls, patch } = plan(granted([aDropHolder()]), [], { watch });
      expect([calls, patch]).toMatchObject([["authorize: somebody else took it away"], { ends: "none" }]);
    }
    const again = granted([ended], { standing: ours("1") });
    expect(plan(again, [written()]).calls).toEqual(["modify: its allocation has it stand, and its mark would end it"]);
    expect(plan(granted([ended]), []).calls).toEqual([]);
  });

  test("is held by the hours of its own allocation as well", () => {
    const openHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
    const entry = entryOf([ended], { standing: ours("1"), allocation: anAllocation({ openHours }) });
    const until = NOW + 2 * HOUR;
    expect(plan(entry, [written({ description: aMark(drop, { until }) })])).toMatchObject({
      calls: [],
      patch: { standing: ours("1"), opens: "all" },
    });
  });

  test("rides on a drop that was there before, and leaves it at its end", () => {
    const theirs = written({ description: "no telnet" });
    expect(plan(entryOf([aDropHolder()]), [theirs]).patch).toMatchObject({ standing: preExisting("1"), opens: "all" });
    expect(plan(entryOf([ended], { standing: preExisting("1") }), [theirs]).calls).toEqual([]);
  });

  test("is not refused for what keeps leases from opening, and ends where the cloud refuses it", () => {
    const entry = entryOf([aDropHolder({ openedAt: null })]);
    const refusals: Picture["refusals"] = new Map([
      [entry.entryId, { code: "RULE_QUOTA_REACHED", detail: { used: 1 } }],
    ]);
    const { calls, patch } = plan(entry, [], { refusals });
    expect(calls).toEqual([]);
    expect(patch).toMatchObject({ ends: "all", end: { cause: "refused", note: "RULE_QUOTA_REACHED" }, settled: true });
  });

  test("is not settled by a refusal while an earlier attempt may still act, nor while a rule is booked that a stale reading may hide", () => {
    const entry = entryOf([aDropHolder()]);
    const refusals = refusing(entry.entryId);
    expect(plan(entry, [], { refusals, intents: [anIntent(entry)] }).patch).toMatchObject({
      ...{ standing: { kind: "none" }, ends: "all", settled: false },
    });
    const booked = entryOf([aDropHolder()], { standing: ours("1") });
    expect(plan(booked, [], { refusals }).patch).toMatchObject({ standing: ours("1"), ends: "all", settled: false });
  });

  test("is put up in mode close-only, and not in halt, where it still goes", () => {
    const entry = entryOf([aDropHolder({ openedAt: null })]);
    expect(plan(entry, [], { mode: "close-only" }).calls).toHaveLength(1);
    expect(plan(entry, [], { mode: "halt" }).calls).toHaveLength(0);
    expect(plan(entryOf([ended], { standing: ours("1") }), [written()], { mode: "halt" }).calls).toHaveLength(1);
  });
});

describe("a drop somebody else touches", () => {
  const standing = { standing: ours("1") };

  test("is put back at once, and counted once however many passes that takes", () => {
    const { calls, patch, findings } = plan(entryOf([aDropHolder()], standing), []);
    expect(calls).toEqual(["authorize: somebody else took it away"]);
    expect(findings).toEqual([`somebody else took away the drop ${ruleKey(drop)}: it is put back`]);
    expect(patch).toMatchObject({ missingSince: NOW, undoneAt: [NOW], ends: "none" });
    const noticed = entryOf([aDropHolder()], { ...standing, missingSince: NOW - 1, undoneAt: [NOW - 1] });
    expect(plan(noticed, [])).toMatchObject({ calls: ["authorize: somebody else took it away"], findings: [] });
    expect(plan(noticed, []).patch?.undoneAt).toEqual([NOW - 1]);
    expect(plan(noticed, [written({ id: ruleId("2") })])).toMatchObject({
      calls: [],
      patch: { standing: ours("2"), missingSince: null, undoneAt: [NOW - 1] },
    });
  });

  test("is changed back where it stands changed", () => {
    const changed = written({ ports: somePorts("81/82") });
    expect(plan(entryOf([aDropHolder()], standing), [changed]).calls).toEqual(["modify: somebody else took it away"]);
  });

  test("goes where another drop says the same by now", () => {
    const entry = entryOf([aDropHolder()], standing);
    const rules = [written({ ports: somePorts("81/82") }), written({ id: ruleId("2"), description: "no telnet" })];
    const { calls, patches } = planGroup(aPicture({ entries: [entry], rules }));
    const cause = "somebody else changed it, and another drop says the same";
    expect(calls).toEqual([{ kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen: true, cause }]);
    expect(patches).toMatchObject([{ standing: ours("1"), opens: "all" }]);
  });

  test("stays away after the third time within ten minutes, until somebody asks for it anew", () => {
    const undoneAt = [NOW - 500_000, NOW - 300_000, NOW - 1000];
    const fought = entryOf([aDropHolder()], { ...standing, undoneAt });
    expect(plan(fought, []).calls).toEqual([]);
    expect(plan(fought, []).findings[0]).toContain("stays away until a person starts it anew");
    expect(plan(fought, [], { now: NOW + 30 * 60_000 }).calls).toEqual([]);
    const last = NOW - 1000;
    expect(plan({ ...fought, undoneAt: [last - 600_000, NOW - 300_000, last] }, []).calls).toEqual([]);
    const slowly = { ...fought, undoneAt: [last - 600_001, NOW - 300_000, last] };
    expect(plan(slowly, [])).toMatchObject({
      calls: ["authorize: somebody else took it away"],
      patch: { undoneAt: [NOW - 300_000, last, NOW] },
    });
  });

  test("is put back to the end once that was begun, also the third time", () => {
    const undoneAt = [NOW - 500_000, NOW - 300_000, NOW - 1000];
    const begun = entryOf([aDropHolder()], { ...standing, undoneAt, missingSince: NOW - 1000 });
    expect(plan(begun, [])).toMatchObject({ calls: ["authorize: somebody else took it away"], patch: { undoneAt } });
  });

  test("is no drift where it was only taken away", () => {
    const undoneAt = [NOW - 500_000, NOW - 300_000, NOW - 1000];
    const fought = entryOf([aDropHolder()], { ...standing, undoneAt });
    expect(planGroup(aPicture({ entries: [fought], watch: aWatch() })).drift.items).toEqual([]);
  });
});

test("a drop that was changed into an accept too often is drift, and no drop of ours", () => {
  const undoneAt = [NOW - 500_000, NOW - 300_000, NOW - 1000];
  const fought = entryOf([aDropHolder()], { standing: ours("1"), undoneAt });
  const opened = written({ policy: "accept", ports: somePorts("22/22") });
  const watch = aWatch({ sightings: [aSighting({ kind: "modify", specs: [opened], ruleIds: [ruleId("1")] })] });
  for (const acts of ["observe", "enforce"] as const) {
    const { drift } = planGroup(aPicture({ entries: [fought], rules: [opened], watch: { ...watch, acts } }));
    expect(drift.items).toMatchObject([
      { kind: "edited", ruleId: "sgr-1", state: acts === "enforce" ? "rollingBack" : "reported" },
    ]);
    expect(drift.calls).toMatchObject(acts === "enforce" ? [{ kind: "modify", ruleId: "sgr-1" }] : []);
  }
});

describe("a drop that was booked again by its mark alone", () => {
  const { entryId } = entryOf([]);
  const recovered = aDropHolder({ kind: "quarantine", holderId: `recovered-${entryId}` });
  const entry = entryOf([recovered], { standing: ours("1") });

  test("stands for as long as it is there, and what was made of it is put right", () => {
    expect(plan(entry, [written()])).toMatchObject({ calls: [], patch: { ends: "none", missingSince: null } });
    const cause = "modify: somebody else took it away";
    expect(plan(entry, [written({ ports: somePorts("81/82") })]).calls).toEqual([cause]);
  });

  test("is not put back: missed a second time, its hold is over", () => {
    const { calls, patches, lookAt, findings } = planGroup(aPicture({ entries: [entry] }));
    expect([calls, lookAt, findings]).toEqual([[], [NOW + LATE_MS], []]);
    expect(patches).toMatchObject([{ ends: "none", missingSince: NOW, undoneAt: [] }]);
    const missed = { ...entry, missingSince: NOW - LATE_MS + 1 };
    expect(plan(missed, []).patch).toMatchObject({ ends: "none", missingSince: missed.missingSince });
    const end = { cause: "removed", note: "its rule is gone, and it was booked by that alone", detail: null };
    const over = plan({ ...entry, missingSince: NOW - LATE_MS }, []);
    expect(over).toMatchObject({ calls: [], patch: { ends: "all", end, missingSince: NOW - LATE_MS } });
  });

  test("is put back where somebody asks for it besides", () => {
    const asked = { ...entry, holders: [recovered, aDropHolder()] };
    expect(plan(asked, []).calls).toEqual(["authorize: somebody else took it away"]);
  });
});

describe("a drop nobody holds any more", () => {
  test("is revoked by its booked id and by its mark, seen or not", () => {
    expect(plan(entryOf([ended], { standing: ours("1") }), []).calls).toHaveLength(1);
    expect(plan(entryOf([ended]), [written()]).calls).toEqual(["revoke: nobody holds the drop any more"]);
    expect(plan(entryOf([ended]), [], { now: NOW + LATE_MS }).patch?.settled).toBe(true);
  });

  test("ends at its mark where the ledger is lost", () => {
    const lost = { stateKnown: false };
    expect(planGroup(aPicture({ rules: [written()], ...lost })).recovered).toHaveLength(1);
    const { calls } = planGroup(aPicture({ rules: [written()], now: NOW + 2 * HOUR, ...lost }));
    expect(calls.map((call) => call.kind)).toEqual(["revoke"]);
  });
});
