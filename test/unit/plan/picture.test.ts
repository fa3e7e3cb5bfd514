// The small questions asked of a picture: what is shown, who holds and who waits, and whose a mark is.
import { describe, expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Intent, Suspender } from "../../../shared/domain/ledger-entry.ts";
import { parseMark } from "../../../shared/domain/mark.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import {
  carriesOurMark,
  isGenuine,
  isHolding,
  isLeaseOpening,
  isOpening,
  isSameMark,
  isSuspending,
  markOf,
  mayBeModified,
  mayBeRevoked,
  mayStillAct,
  mayStillGo,
  type Picture,
  rulesOf,
  wordsToKeep,
} from "../../../shared/plan/picture.ts";
import { anAllocated, anAllocation } from "../../kit/drift-pictures.ts";
import {
  aDropHolder,
  aHolder,
  aMark,
  anEndedHolder,
  anEntry,
  anIntent,
  aPicture,
  GROUP,
  HOUR,
  LATE_MS,
  NOW,
  ours,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";
import { aSuspension, by, over } from "../../kit/suspended-pictures.ts";

test("shown are the rules that can be named and that this pass has not revoked", () => {
  const rules = [aRule({ id: ruleId("1") }), aRule({ id: null }), aRule({ id: ruleId("2") })];
  const picture = aPicture({ rules, revoked: new Set([ruleId("2")]) });
  expect(rulesOf(picture)).toEqual([rules[0]]);
});

test("an open revoke of a rule may have closed it, and no other call or rule has", () => {
  const closed = (call: "revoke" | "modify", id = "1") =>
    mayBeRevoked(aPicture({ intents: [anIntent(anEntry(), { call, ruleIds: [ruleId("1")] })] }), ruleId(id));
  expect([closed("revoke"), closed("modify"), closed("revoke", "2")]).toEqual([true, false, false]);
  const both = [anIntent(anEntry()), anIntent(anEntry(), { call: "revoke", ruleIds: [ruleId("1")] })];
  expect(mayBeRevoked(aPicture({ intents: both }), ruleId("1"))).toBe(true);
});

test("a modify may have made another rule of it than a reading of its time shows, and no other call or rule has", () => {
  const [rule, entry] = [{ ...aRule(), id: ruleId("1") }, anEntry()];
  const elsewhere = aSpec({ ports: somePorts("9999/9999") });
  const written = (...specs: readonly RuleSpec[]) =>
    specs.map((spec) => ({ entryId: entry.entryId, spec, description: "", beforeIds: [] }));
  const since = { call: "modify", ruleIds: [ruleId("1")], attemptsEndAt: NOW } as const;
  const moved = (changes: Partial<Intent> = {}, picture: Partial<Picture> = {}) => {
    const intent = anIntent(entry, { ...since, rules: written(elsewhere), ...changes });
    return mayBeModified(aPicture({ intents: [intent], ...picture }), rule);
  };
  expect(moved()).toBe(true);
  expect(moved({ rules: written(aSpec(), elsewhere) })).toBe(true);
  expect(moved({ rules: written(aSpec()) })).toBe(false);
  for (const call of ["revoke", "authorize"] as const) expect(moved({ call })).toBe(false);
  expect(moved({ ruleIds: [ruleId("2")] })).toBe(false);
  expect([LATE_MS - 1, LATE_MS].map((ms) => moved({}, { readAt: NOW + ms }))).toEqual([true, false]);
  const both = [anIntent(entry), anIntent(entry, { ...since, rules: written(elsewhere) })];
  expect(moved({}, { intents: both })).toBe(true);
});

test("a rule may still go by a revoke or a modify of ours that may act after it was read, and by none of what is over", () => {
  const [rule, entry] = [{ ...aRule(), id: ruleId("1") }, anEntry()];
  const goes = (changes: Partial<Intent>, picture: Partial<Picture> = {}) =>
    mayStillGo(aPicture({ intents: [anIntent(entry), anIntent(entry, changes)], ...picture }), rule);
  const revoke = { call: "revoke", rules: [], ruleIds: [ruleId("1")] } as const;
  expect([goes(revoke), goes({ ...revoke, ruleIds: [ruleId("2")] })]).toEqual([true, false]);
  expect([LATE_MS - 1, LATE_MS].map((ms) => goes(revoke, { readAt: NOW + ms }))).toEqual([true, false]);
  const moves = {
    entryId: entry.entryId,
    spec: aSpec({ ports: somePorts("9999/9999") }),
    description: "",
    beforeIds: [],
  };
  expect([goes({ ...revoke, call: "modify", rules: [moves] }), goes({ ...revoke, call: "modify" })]).toEqual([
    true,
    false,
  ]);
});

test("holds, suspensions and attempts last up to their end, and not at it", () => {
  const ended = { cause: "asked", note: null, detail: null } as const;
  expect([NOW - 1, NOW, NOW + 1].map((until) => isHolding(aHolder({ until }), NOW))).toEqual([false, false, true]);
  expect(isHolding(aHolder({ ended }), NOW)).toBe(false);
  expect([null, NOW + 1, NOW].map((until) => isSuspending({ ...by, until }, NOW))).toEqual([true, true, false]);
  expect(isSuspending(over, NOW)).toBe(false);
  const acts = (attemptsEndAt: number) => mayStillAct(anIntent(anEntry(), { attemptsEndAt }), NOW, LATE_MS);
  expect([acts(NOW - LATE_MS), acts(NOW - LATE_MS + 1)]).toEqual([false, true]);
});

describe("somebody waits for a rule to open", () => {
  const waiting = aHolder({ openedAt: null });
  const hours = (day: number) => ({ zone: "UTC", windows: [{ days: [day], from: "07:00", to: "10:00" }] });
  /** NOW is a Thursday at eight. */
  const timed = (day: number, seenAt: number | null) => anAllocation({ openHours: hours(day), seenAt });

  test.each<[string, Parameters<typeof anEntry>[0], lease: boolean, anybody: boolean]>([
    ["where a lease does", { holders: [waiting] }, true, true],
    ["where one of its leases does", { holders: [aHolder(), waiting] }, true, true],
    ["not for a lease that was open", { holders: [aHolder()] }, false, false],
    ["not for a lease that is over", { holders: [anEndedHolder({ openedAt: null })] }, false, false],
    ["not for a drop", { holders: [aDropHolder({ openedAt: null })] }, false, false],
    ["not while it is suspended", { holders: [waiting], suspension: aSuspension() }, false, false],
    ["where an allocation was never seen", { holders: [], allocation: anAllocation({ seenAt: null }) }, false, true],
    ["not for an allocation that was", { holders: [], allocation: anAllocation() }, false, false],
    [
      "not for an allocation that is suspended",
      { holders: [], allocation: anAllocation({ seenAt: null }), suspension: aSuspension() },
      false,
      false,
    ],
    ["not for nothing", { holders: [] }, false, false],
    ["within its hours", { holders: [], allocation: timed(4, NOW) }, false, true],
    ["within its hours, never seen", { holders: [], standing: ours("1"), allocation: timed(4, null) }, false, true],
    [
      "not within its hours while it stands",
      { holders: [], standing: ours("1"), allocation: timed(4, 1) },
      false,
      false,
    ],
    ["not after its hours", { holders: [], allocation: timed(3, NOW) }, false, false],
    ["not after its hours, never seen", { holders: [], allocation: timed(3, null) }, false, false],
  ])("%s", (_what, changes, lease, anybody) => {
    const entry = anEntry(changes);
    expect([isLeaseOpening(entry, NOW), isOpening(entry, NOW)]).toEqual([lease, anybody]);
  });

  test("but for one that is suspended; a suspension that is over keeps from it what hours had open before, and nobody else", () => {
    const openHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
    const window = anEntry({ holders: [], allocation: anAllocation({ openHours }) });
    for (const [entry, isAfterwards] of [
      [anEntry({ holders: [waiting] }), true],
      [anAllocated({ allocation: anAllocation({ seenAt: null }) }), true],
      [window, false],
      [{ ...window, holders: [waiting] }, true],
    ] as const) {
      const isSo = (...by: Suspender[]) => isOpening({ ...entry, suspension: aSuspension({ by }) }, NOW);
      expect([isOpening(entry, NOW), isSo(by), isSo(over, by), isSo(over), isSo()]).toEqual([
        ...[true, false, false],
        ...[isAfterwards, isAfterwards],
      ]);
    }
  });

  test("and for an allocated one that a lease holds, too", () => {
    expect(isOpening(anAllocated({ holders: [waiting] }), NOW)).toBe(true);
  });
});

describe("a mark", () => {
  test("says the end and the reason of the last holder, of two at once the first", () => {
    const mark = (...holders: readonly ReturnType<typeof aHolder>[]) => markOf(anEntry(), holders, aPicture());
    const [first, second] = ["first", "second"].map((reason) => aHolder({ reason })) as [never, never];
    const last = aHolder({ reason: "last", until: NOW + 2 * HOUR });
    const lasts = aMark(aSpec(), { until: NOW + 2 * HOUR, reason: "last" });
    expect([mark(first, last), mark(last, first)]).toEqual([lasts, lasts]);
    expect(mark(first, second)).toBe(aMark(aSpec(), { reason: "first" }));
  });

  test("is the same whatever the reason, and another one with any part changed", () => {
    const mark = aMark();
    const { entryId, mac } = parseMark(mark) ?? { entryId: "", mac: "" };
    expect(isSameMark(mark, `${mark} another reason`)).toBe(true);
    const others = [
      mark.replace(" test ", " other "),
      mark.replace(entryId, "e-0123456789abcdef"),
      mark.replace("until=2026", "until=2027"),
      mark.replace(mac, mac === "00000000" ? "11111111" : "00000000"),
      "web",
    ];
    for (const other of others) expect([isSameMark(mark, other), isSameMark(other, mark)]).toEqual([false, false]);
    expect(isSameMark("web", "web")).toBe(false);
  });

  test("is genuine on its own rule in its own group, with our name and secret", () => {
    const genuine = (description: string, changes: Partial<Parameters<typeof aRule>[0]> = {}, picture = aPicture()) => {
      const rule = aRule({ description, ...changes });
      const mark = parseMark(description);
      return [mark !== null && isGenuine(mark, rule, picture), carriesOurMark(rule, picture)];
    };
    expect(genuine(aMark())).toEqual([true, true]);
    const elsewhere = aPicture({ group: { ...GROUP, groupId: "sg-other" as GroupId } });
    expect(genuine(aMark(), {}, elsewhere)).toEqual([false, false]);
    expect(genuine(aMark(), { ports: somePorts("23/23") })).toEqual([false, false]);
    expect(genuine(aMark(aSpec(), { installation: "other" }))).toEqual([false, false]);
    expect(genuine(aMark(aSpec(), { secret: "another" }))).toEqual([false, false]);
    expect(genuine("web")).toEqual([false, false]);
  });

  test("leaves the ledger no words of a mark: none that is not the rule's own, and none yet where it is", () => {
    const kept = (description: string) => wordsToKeep(aRule({ description }), aPicture());
    expect([kept("web"), kept("")]).toEqual(["web", ""]);
    expect(kept(aMark())).toBeNull();
    expect(kept(aMark(aSpec(), { secret: "another" }))).toBe("");
  });
});
