// Open hours: a window opens and closes its rule like a lease that ends with it, and what is missing inside it is drift.
import { describe, expect, test } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { parseMark } from "../../../shared/domain/mark.ts";
import { applyPatch } from "../../../shared/plan/apply-patch.ts";
import { isAllocatedAlways, nextWindowChange, openWindow } from "../../../shared/plan/open-window.ts";
import { isOpening, type Picture, type Watch } from "../../../shared/plan/picture.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, aSighting, aWatch } from "../../kit/drift-pictures.ts";
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
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";

// NOW is Thursday 5 November 2026, 08:00 UTC.
const MORNING: OpenHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
const FROM = NOW - HOUR;
const UNTIL = NOW + 2 * HOUR;
const WEEK = 7 * 24 * HOUR;

const timed = (changes: Partial<Entry> = {}, openHours = MORNING): Entry =>
  anAllocated({ allocation: anAllocation({ openHours }), ...changes });
const ourRule = (until = UNTIL, changes = {}) => aRule({ description: aMark(aSpec(), { until }), ...changes });
const planned = (picture: Partial<Picture>, watch: Watch | null = null) => planGroup(aPicture({ watch, ...picture }));

describe("the hold of an open window", () => {
  test("lasts from the window's opening to its closing, the closing not included", () => {
    const entry = timed({ standing: ours("1") });
    expect(openWindow(entry, FROM - 1)).toBeNull();
    expect(openWindow(entry, FROM)).toEqual({
      ...{ kind: "lease", holderId: "window", principal: "ops", reason: "as it was" },
      ...{ until: UNTIL, openedAt: FROM, statedUntil: null, ended: null },
    });
    expect(openWindow(entry, UNTIL - 1)).toMatchObject({ until: UNTIL });
    expect(openWindow(entry, UNTIL)).toBeNull();
  });

  test("has not been open while nothing stands", () => {
    expect(openWindow(timed(), NOW)?.openedAt).toBeNull();
  });

  test("is none of an entry that is always allocated, or not at all", () => {
    expect([openWindow(anAllocated(), NOW), openWindow(anEntry(), NOW)]).toEqual([null, null]);
    expect([isAllocatedAlways(anAllocated()), isAllocatedAlways(timed()), isAllocatedAlways(anEntry())]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("the next look", () => {
  test("is at the closing, then at the next opening", () => {
    expect(nextWindowChange(timed(), NOW)).toBe(UNTIL);
    expect(nextWindowChange(timed(), UNTIL)).toBe(FROM + WEEK);
    expect(planned({ entries: [timed()] }).lookAt).toContain(UNTIL);
  });

  test("is none without open hours", () => {
    expect([nextWindowChange(anAllocated(), NOW), nextWindowChange(anEntry(), NOW)]).toEqual([null, null]);
  });

  test("is within a week for hours that never close: their span is cut, and goes on", () => {
    const days = [1, 2, 3, 4, 5, 6, 7];
    const always = timed({ standing: ours("1") }, { zone: "UTC", windows: [{ days, from: "00:00", to: "24:00" }] });
    const monday = Date.UTC(2026, 10, 9);
    expect(nextWindowChange(always, NOW)).toBe(monday);
    const { calls } = planned({ now: monday, entries: [always], rules: [ourRule(monday)] });
    expect(calls).toEqual([expect.objectContaining({ kind: "modify", ruleId: "sgr-1" })]);
    const [call] = calls;
    expect(call?.kind === "modify" ? parseMark(call.description)?.until : null).toBe(monday + WEEK);
  });
});

describe("a window that opens", () => {
  test("has its rule opened whatever the guard, with a mark until its end", () => {
    const entry = timed();
    expect(isOpening(entry, NOW)).toBe(true);
    for (const watch of [null, aWatch({ acts: "observe" }), aWatch()])
      expect(planned({ entries: [entry] }, watch).calls).toEqual([
        {
          kind: "authorize",
          entry,
          description: aMark(aSpec(), { until: UNTIL, reason: "as it was" }),
          beforeIds: [],
          cause: "its open hours have begun",
        },
      ]);
  });

  test("does so again every time, though its rule was read before", () => {
    const entry = timed({ allocation: anAllocation({ openHours: MORNING }) });
    expect(planned({ entries: [entry], now: NOW + WEEK }).calls).toMatchObject([{ kind: "authorize" }]);
    expect(isOpening({ ...entry, standing: ours("1") }, NOW)).toBe(false);
  });

  test("opens nothing while it is refused, and ends nobody who has it open", () => {
    const entry = timed({ allocation: anAllocation({ openHours: MORNING, seenAt: null }) });
    const plan = planned({ entries: [entry], refusals: refusing(entry.entryId) });
    expect(plan.calls).toEqual([]);
    const [patch] = plan.patches;
    expect(patch && applyPatch(entry, patch, NOW, new Set())).toMatchObject({
      holders: [],
      allocation: { seenAt: null },
    });
  });

  describe("that is owed since a person has said so", () => {
    const owed = timed({ allocation: anAllocation({ openHours: MORNING, seenAt: null }), standing: ours("1") });
    const moved = ourRule(UNTIL, { ports: somePorts("8022/8022") });

    test("opens what is missing, and puts right what was changed, whatever the guard", () => {
      expect(planned({ entries: [owed] }).calls).toMatchObject([{ kind: "authorize" }]);
      const { calls } = planned({ entries: [owed], rules: [moved] });
      expect(calls).toMatchObject([{ kind: "modify", ruleId: "sgr-1" }]);
      expect(calls[0]?.kind === "modify" && parseMark(calls[0].description)?.until).toBe(UNTIL);
      const another = ourRule(UNTIL, { id: "sgr-2" as RuleId });
      expect(planned({ entries: [owed], rules: [moved, another] }).calls).toMatchObject([
        { kind: "revoke", ruleId: "sgr-1" },
      ]);
    });

    test("puts nothing right while it is refused, or while nothing is opened", () => {
      const refusals = refusing(owed.entryId);
      for (const changes of [{ refusals }, { mode: "close-only" } as const])
        for (const rules of [[], [moved]]) expect(planned({ entries: [owed], rules, ...changes }).calls).toEqual([]);
    });

    test("is owed no longer once its rule is read, by whoever it is", () => {
      for (const rule of [ourRule(), aRule()]) {
        const [patch] = planned({ entries: [owed], rules: [rule] }).patches;
        expect(patch && applyPatch(owed, patch, NOW, new Set()).allocation?.seenAt).toBe(NOW);
      }
    });
  });

  test("books its rule, and stores no hold", () => {
    const entry = timed();
    const accepted = new Set([entry.entryId]);
    const plan = planned({ entries: [entry], rules: [ourRule()], intents: [anIntent(entry)], accepted }, aWatch());
    expect([plan.calls, plan.drift.items]).toEqual([[], []]);
    const [patch] = plan.patches;
    expect(patch && applyPatch(entry, patch, NOW, new Set())).toMatchObject({ standing: ours("1"), holders: [] });
  });

  test("keeps its rule for a lease that lasts longer, and the lease's rule for itself", () => {
    const lease = aHolder({ until: UNTIL + HOUR });
    const markedUntil = (holders: Entry["holders"], now: number, until: number): number | null | undefined => {
      const [call] = planned({
        now,
        entries: [timed({ standing: ours("1"), holders })],
        rules: [ourRule(until)],
      }).calls;
      return call?.kind === "modify" ? parseMark(call.description)?.until : null;
    };
    expect(markedUntil([lease], NOW, UNTIL)).toBe(UNTIL + HOUR);
    expect(markedUntil([lease], UNTIL, UNTIL + HOUR)).toBeNull();
    expect(markedUntil([aHolder({ until: NOW })], NOW, NOW)).toBe(UNTIL);
  });
});

describe("a window that closes", () => {
  const entry = timed({ standing: ours("1") });

  test("has its rule revoked by id, whatever the guard and whatever the rule says by then", () => {
    for (const watch of [null, aWatch({ frozenUntil: UNTIL + HOUR, isHalfRead: true, changesMax: 0 })])
      for (const rules of [[ourRule()], [ourRule(UNTIL, { ports: somePorts("1/65535"), description: "mine" })], []]) {
        const plan = planned({ now: UNTIL, entries: [entry], rules }, watch);
        expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1", cause: "its open hours have ended" }]);
        expect(plan.calls[0]?.rollback).toBeUndefined();
      }
  });

  test("leaves a rule that was there before it: it is drift from then on", () => {
    const ridden = timed({ standing: preExisting("1") });
    const rules = [aRule({ createdAt: NOW - 24 * HOUR })];
    expect(planned({ entries: [ridden], rules }, aWatch())).toMatchObject({ calls: [], drift: { items: [] } });
    expect(planned({ now: UNTIL, entries: [ridden], rules }).calls).toEqual([]);
    expect(planned({ now: UNTIL, entries: [ridden], rules }, aWatch()).calls).toMatchObject([
      { kind: "revoke", ruleId: "sgr-1", rollback: expect.any(String) },
    ]);
  });

  test("closed, its rule's absence is no drift, and what somebody opens is", () => {
    const closed = timed();
    expect(planned({ now: UNTIL, entries: [closed] }, aWatch())).toMatchObject({ calls: [], drift: { items: [] } });
    const rules = [aRule({ createdAt: UNTIL - 1000 })];
    const sightings = [aSighting({ at: UNTIL - 1000 })];
    const plan = planned({ now: UNTIL, entries: [closed], rules }, aWatch({ sightings }));
    expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1" }]);
  });
});

describe("a rule that is missing in its window", () => {
  const sightings = [aSighting({ kind: "revoke" })];
  const missing = (missingSince: number | null = null) => timed({ standing: ours("1"), missingSince });

  test.each([null, aWatch({ acts: "observe", sightings })])(
    "is not opened again, however long it is missing",
    (watch) => {
      for (const since of [null, NOW - LATE_MS]) {
        const plan = planned({ entries: [missing(since)] }, watch);
        expect(plan.calls).toEqual([]);
        expect(plan.drift.items.map((it) => it.state)).toEqual(watch ? ["reported"] : []);
      }
    },
  );

  test("is restored under enforce, with the mark of the window, and booked by it", () => {
    const plan = planned({ entries: [missing()] }, aWatch({ sightings }));
    const description = aMark(aSpec(), { until: UNTIL, reason: "as it was" });
    expect(plan.calls).toMatchObject([{ kind: "authorize", description, rollback: plan.drift.items[0]?.driftId }]);
    const back = { ...ourRule(), id: "sgr-2" as never, description };
    const next = planned({ entries: [missing(NOW)], rules: [back] }, aWatch({ sightings, items: plan.drift.items }));
    expect([next.calls, next.drift.items]).toMatchObject([[], [{ state: "rolledBack" }]]);
    expect(next.patches).toMatchObject([{ standing: ours("2"), missingSince: null }]);
  });

  test("ends the leases on it, and opens again in the next window", () => {
    const held = { ...missing(NOW - LATE_MS), holders: [aHolder()] };
    const [patch] = planned({ entries: [held] }).patches;
    expect(patch).toMatchObject({ ends: "opened", end: { cause: "removed" } });
    const [closing] = planned({ now: UNTIL, entries: [missing(NOW)], revoked: new Set(["sgr-1" as never]) }).patches;
    expect(closing).toMatchObject({ standing: { kind: "none" }, settled: true });
  });

  test("that was edited is given back under enforce, and revoked by id at the window's end elsewhere", () => {
    const wild = ourRule(UNTIL, { ports: somePorts("1/65535") });
    const edit = [aSighting({ kind: "modify", specs: [wild], ruleIds: ["sgr-1" as never] })];
    const entries = [timed({ standing: ours("1") })];
    expect(planned({ entries, rules: [wild] }, aWatch({ sightings: edit })).calls).toMatchObject([{ kind: "modify" }]);
    expect(planned({ entries, rules: [wild] }).calls).toEqual([]);
  });
});
