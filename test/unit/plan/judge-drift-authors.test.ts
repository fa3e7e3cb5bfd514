// Whose a difference is: the calls that may have made it, and the likeliest of them.
import { describe, expect, test } from "vitest";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import { callsBehind, callsBehindItem, type JudgedDifference } from "../../../shared/plan/judge-drift.ts";
import { anItem, aSighting, terraform } from "../../kit/drift-pictures.ts";
import { added, edited, removed, WIDE } from "../../kit/judged-differences.ts";
import { HOUR, NOW, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec } from "../../kit/rules.ts";

/** The likeliest of the calls, as far as their words tell. */
const authorOf = (difference: JudgedDifference, calls: readonly Sighting[]): Sighting | null =>
  callsBehind(difference, calls).at(-1) ?? null;

describe("the author of an added rule", () => {
  const created = NOW - 60_000;
  const rule = aRule({ createdAt: created });

  test.each([
    ["a minute before the rule, to the millisecond", created - 60_000, true],
    ["more than a minute before it", created - 60_001, false],
    ["with it", created, true],
    ["five seconds after it", created + 5000, true],
    ["later: it authorized what stood already and added nothing", created + 5001, false],
  ])("is who authorized it %s", (_when, at, isAuthor) => {
    const sighting = aSighting({ at });
    expect(authorOf(added(rule), [sighting])).toBe(isAuthor ? sighting : null);
  });

  test("is who authorized it at any time, where the cloud does not say when it was created", () => {
    const sighting = aSighting({ at: NOW - 24 * HOUR });
    expect(authorOf(added(), [sighting])).toBe(sighting);
  });

  test("is not who authorized another rule", () => {
    expect(authorOf(added(rule), [aSighting({ specs: [WIDE] })])).toBeNull();
  });

  test("is the last of several who authorized it in time", () => {
    const [first, second] = [aSighting({ eventId: "1", at: created - 9000 }), aSighting({ eventId: "2", at: created })];
    expect(authorOf(added(rule), [first, second])).toBe(second);
  });

  test("may be found in an event that tells no rules, but rather in one that does", () => {
    const told = aSighting({ eventId: "told", at: created - 9000 });
    const untold = aSighting({ eventId: "untold", at: created, rules: null });
    expect(authorOf(added(rule), [untold])).toBe(untold);
    expect(authorOf(added(rule), [told, untold])).toBe(told);
    expect(authorOf(added(rule), [aSighting({ rules: null, at: created + HOUR })])).toBeNull();
  });

  test("is who changed it last, once somebody has", () => {
    const calls = [
      aSighting({ at: created, actor: terraform }),
      aSighting({ eventId: "2", kind: "modify", at: created + HOUR, ruleIds: [ruleId("1")] }),
    ];
    expect(authorOf(added(rule), calls)).toBe(calls[1]);
  });

  test("is who made it of another rule, where the cloud gave that one a new id", () => {
    const fresh = aRule({ ...WIDE, createdAt: created });
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("9")], specs: [WIDE], at: created });
    expect(authorOf(added(fresh), [modify])).toBe(modify);
    expect(authorOf(added(fresh), [{ ...modify, at: created - HOUR }])).toBeNull();
    expect(authorOf(added(fresh), [{ ...modify, rules: null }])).toBeNull();
    // By time alone nobody is known where the cloud does not tell it.
    expect(authorOf(added(aRule({ ...WIDE })), [modify])).toBeNull();
    expect(authorOf({ ...added(aRule({ ...WIDE })), earlierIds: [ruleId("9")] }, [modify])).toBe(modify);
  });

  test("is found in a call that names other rules besides", () => {
    const ids = [ruleId("8"), ruleId("9"), ruleId("1")];
    const modify = aSighting({ kind: "modify", ruleIds: ids, at: created + HOUR });
    expect(authorOf(added(rule), [modify])).toBe(modify);
    const renamed = { ...added(aRule({ ...WIDE, id: ruleId("2") })), earlierIds: [ruleId("9")] };
    const wide = { ...modify, rules: aSighting({ specs: [WIDE] }).rules };
    expect(authorOf(renamed, [wide])).toBe(wide);
    expect(authorOf(renamed, [{ ...wide, ruleIds: [] }])).toBeNull();
  });

  test("is nobody who changed another rule, or removed one like it", () => {
    const calls = [
      aSighting({ kind: "modify", ruleIds: [ruleId("2")], specs: [WIDE] }),
      aSighting({ kind: "modify", ruleIds: [ruleId("2")], at: created + HOUR }),
      aSighting({ kind: "revoke", ruleIds: [ruleId("1")] }),
      aSighting({ kind: "membership" }),
    ];
    expect(authorOf(added(rule), calls)).toBeNull();
  });
});

describe("the author of a removal", () => {
  test("is who revoked the rule by its id or by what it says, the last of them", () => {
    const byId = aSighting({ eventId: "1", kind: "revoke", ruleIds: [ruleId("1")], specs: [] });
    const byKey = aSighting({ eventId: "2", kind: "revoke" });
    expect(authorOf(removed(), [byId])).toBe(byId);
    expect(authorOf(removed(), [byKey])).toBe(byKey);
    expect(authorOf(removed(), [byId, byKey])).toBe(byKey);
  });

  test("is nobody who revoked another one or authorized it", () => {
    const calls = [aSighting({ kind: "revoke", ruleIds: [ruleId("2")], specs: [WIDE] }), aSighting()];
    expect(authorOf(removed(), calls)).toBeNull();
  });

  test("is not told by an id where the ledger knows none", () => {
    const byId = aSighting({ kind: "revoke", ruleIds: [ruleId("1")], specs: [] });
    expect(authorOf({ ...removed(), ruleId: null }, [byId])).toBeNull();
  });

  test("is nobody who removed it before it was granted as it should be now", () => {
    const earlier = aSighting({ eventId: "1", kind: "revoke", at: NOW - 2 * HOUR, actor: terraform });
    expect(authorOf(removed(), [earlier])).toBeNull();
    for (const [at, isAuthor] of [
      [NOW - HOUR - 60_000, true],
      [NOW - HOUR - 60_001, false],
    ] as const)
      expect(authorOf(removed(), [{ ...earlier, at }]) !== null).toBe(isAuthor);
  });

  test("is who made another rule of it, where that rule has become somebody else's", () => {
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("1")], specs: [WIDE] });
    expect(authorOf(removed(), [modify])).toBe(modify);
  });

  test("is nobody who wrote it as it was, or may have", () => {
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("1")] });
    expect(authorOf(removed(), [modify])).toBeNull();
    expect(authorOf(removed(), [{ ...modify, rules: null }])).toBeNull();
  });
});

describe("the author of an edit", () => {
  const modify = aSighting({ eventId: "2", kind: "modify", ruleIds: [ruleId("1")], specs: [WIDE] });

  test("is who modified the rule", () => {
    expect(authorOf(edited, [modify])).toBe(modify);
    expect(authorOf(edited, [aSighting({ specs: [WIDE] })])).toBeNull();
  });

  test("may be found in an event that does not tell what was written", () => {
    const untold = { ...modify, rules: null };
    expect(authorOf(edited, [untold])).toBe(untold);
  });

  test("is nobody who wrote something else: that was an earlier change, and the event of this one is not here yet", () => {
    const earlier = { ...modify, actor: terraform, rules: [{ spec: aSpec({ priority: 7 }), description: "" }] };
    expect(authorOf(edited, [earlier])).toBeNull();
    expect(authorOf(edited, [modify, earlier])).toBe(modify);
    const rule = added(aRule({ ...WIDE, createdAt: NOW - 24 * HOUR }));
    expect(authorOf(rule, [earlier])).toBeNull();
  });
});

describe("the calls behind a stored item", () => {
  const authorize = aSighting({ at: NOW - 24 * HOUR });
  const revoke = aSighting({ kind: "revoke", at: NOW - 24 * HOUR });

  test("are those behind the rule that it has found, whenever they were made", () => {
    expect(callsBehindItem(anItem(), [revoke, authorize])).toEqual([authorize]);
    const found = { spec: WIDE, description: "" };
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("1")], specs: [WIDE] });
    expect(callsBehindItem(anItem({ kind: "edited", found }), [authorize, modify])).toEqual([modify]);
  });

  test("are those that removed what it names, where nothing is found", () => {
    expect(callsBehindItem(anItem({ kind: "removed", found: null }), [authorize, revoke])).toEqual([revoke]);
  });

  test("are none of a guard", () => {
    expect(callsBehindItem(anItem({ kind: "guard" }), [authorize, revoke])).toEqual([]);
  });
});
