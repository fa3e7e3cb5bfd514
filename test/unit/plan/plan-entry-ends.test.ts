// The decision about an entry that nobody holds any more, whose rule is gone, or that may not be opened.
import { describe, expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { applyPatch } from "../../../shared/plan/apply-patch.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planHeld } from "../../../shared/plan/plan-entry.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import {
  aHolder,
  aMark,
  anEndedHolder,
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
import { by, over, suspended } from "../../kit/suspended-pictures.ts";

const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });
const planned = (entry: Entry, changes: Partial<Picture> = {}) =>
  planHeld(aPicture({ entries: [entry], ...changes }), entry, new Set());
const revokedBy = (entry: Entry, rules: readonly Rule[]) =>
  planned(entry, { rules }).calls.map((call) => call.kind === "revoke" && call.ruleId);

describe("a live holder, our rule is missing", () => {
  const standing = [ours("1"), preExisting("1")];

  test.each(standing)("one reading is not believed: %s", (stood) => {
    const plan = planned(anEntry({ standing: stood }));
    expect(plan.calls).toEqual([]);
    expect(plan.patch).toMatchObject({ standing: stood, missingSince: NOW, ends: "none" });
    expect(plan.lookAt).toEqual([NOW + LATE_MS]);
    expect(plan.findings).toEqual([
      expect.stringMatching(/^the rule sgr-1 of \S+ is not shown; it is looked for again$/),
    ]);
  });

  test("a reading just before the time is up is not believed, and the first miss is remembered", () => {
    const missingSince = NOW - LATE_MS + 1;
    const plan = planned(anEntry({ standing: ours("1"), missingSince }));
    expect(plan.patch).toMatchObject({ missingSince, ends: "none" });
    expect(plan.lookAt).toEqual([NOW + 1]);
  });

  test("a second reading is believed: the lease ends, and nothing is reopened", () => {
    const entry = anEntry({ standing: ours("1"), missingSince: NOW - LATE_MS });
    const plan = planned(entry);
    expect(plan.calls).toEqual([]);
    expect(plan.patch).toMatchObject({ standing: ours("1"), ends: "opened", end: { cause: "removed" } });
    expect(plan.findings.join()).toContain("removed the rule sgr-1");
  });

  test("a rule that shows up again is forgiven", () => {
    const entry = anEntry({ standing: ours("1"), missingSince: NOW - LATE_MS });
    const plan = planned(entry, { rules: [ourRule("1")] });
    expect(plan.patch).toMatchObject({ standing: ours("1"), missingSince: null, ends: "none" });
  });
});

describe("nobody holds it any more", () => {
  const entry = anEntry({ standing: ours("1"), holders: [anEndedHolder()] });

  test("its booked rule is revoked by id, seen or not, whatever it says by then", () => {
    const changed = aRule({ id: ruleId("1"), peer: fromCidr("0.0.0.0/0"), description: "mine now" });
    for (const [rules, seen] of [
      [[ourRule("1")], true],
      [[], false],
      [[changed], true],
    ] as const) {
      const plan = planned(entry, { rules });
      const cause = "its last lease has ended";
      expect(plan.calls).toEqual([{ kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen, cause }]);
      expect(plan.patch).toMatchObject({ standing: ours("1"), settled: false, ends: "none" });
    }
  });

  test("what closes is told with its beginning, also where nobody had booked when", () => {
    const began = (createdAt: number | null, rule: Partial<Rule>) =>
      planned({ ...entry, createdAt }, { rules: [{ ...ourRule("1"), ...rule }] }).patch.createdAt;
    expect(began(null, { createdAt: NOW - HOUR })).toBe(NOW - HOUR);
    expect(began(NOW - 2 * HOUR, { createdAt: NOW - HOUR })).toBe(NOW - 2 * HOUR);
    expect(began(null, { ports: somePorts("23/23") })).toBeNull();
  });

  test("a holder is live up to its end and not at it", () => {
    const at = (until: number) => revokedBy({ ...entry, holders: [aHolder({ until })] }, [ourRule("1", until)]);
    expect(at(NOW)).toEqual(["sgr-1"]);
    expect(at(NOW + 1000)).toEqual([]);
  });

  test("what it wrote and never booked goes by its mark", () => {
    const unbooked = anEntry({ holders: [anEndedHolder({ openedAt: null })] });
    expect(revokedBy(unbooked, [ourRule("1", NOW - 1000)])).toEqual(["sgr-1"]);
  });

  test("it is settled once its rule was revoked, although a stale reading still shows it", () => {
    const plan = planned(entry, { rules: [ourRule("1")], revoked: new Set([ruleId("1")]) });
    expect(plan.calls).toEqual([]);
    expect(plan.patch).toMatchObject({ standing: { kind: "none" }, settled: true });
  });

  test("it is not settled while a write may still act: the group is looked at when none can", () => {
    const waiting = anEntry({ holders: [anEndedHolder({ openedAt: null })] });
    const plan = planned(waiting, { intents: [anIntent(waiting)] });
    expect(plan.patch).toMatchObject({ settled: false });
    expect(plan.lookAt).toEqual([NOW + LATE_MS]);
    const last = anIntent(waiting, { attemptsEndAt: NOW + 5000 });
    for (const intents of [
      [last, anIntent(waiting)],
      [anIntent(waiting), last],
    ])
      expect(planned(waiting, { intents }).lookAt).toEqual([NOW + 5000 + LATE_MS]);
    const past = anIntent(waiting, { attemptsEndAt: NOW - LATE_MS });
    expect(planned(waiting, { intents: [past] }).patch).toMatchObject({ settled: true });
  });

  test("somebody else's rule is left alone", () => {
    for (const standing of [preExisting("theirs"), { kind: "none" } as const]) {
      const ended = anEntry({ standing, holders: [anEndedHolder()] });
      const plan = planned(ended, { rules: [aRule({ id: ruleId("theirs") })] });
      expect([plan.calls, plan.lookAt]).toEqual([[], []]);
      expect(plan.patch).toMatchObject({ settled: true });
    }
  });

  test("a rule that was ridden on is left alone, although it carries our mark", () => {
    const ended = anEntry({ standing: preExisting("1"), holders: [anEndedHolder()] });
    expect(revokedBy(ended, [ourRule("1", NOW - 1000)])).toEqual([]);
  });
});

test("what is to be removed is booked as ours before it is removed", () => {
  const entry = anEntry({ standing: preExisting("gone"), holders: [anEndedHolder()] });
  const plan = planned(entry, { rules: [ourRule("2")] });
  expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-2" }]);
  expect(plan.patch).toMatchObject({ standing: ours("2"), settled: false });
});

describe("what is taken for the entry's own", () => {
  const ended = anEntry({ holders: [anEndedHolder()] });
  const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }) });
  const booked = (entry: Entry, ...beforeIds: string[]) => ({
    ...{ entryId: entry.entryId, spec: entry.spec, description: "", beforeIds: beforeIds.map(ruleId) },
  });

  test("is no call for another entry, and none that writes a mark: they can make no rule of it", () => {
    const plan = planned(ended, { intents: [anIntent(other), anIntent(ended, { call: "modify" })] });
    expect([plan.patch.settled, plan.lookAt]).toEqual([true, []]);
    const own = planned(ended, { intents: [anIntent(ended)] });
    expect([own.patch.settled, own.lookAt]).toEqual([false, [NOW + LATE_MS]]);
    expect(planned(anEntry({ standing: ours("1") }), { rules: [ourRule("1")] }).lookAt).toEqual([]);
  });

  test("is no rule whose mark names another entry, however true the rest of it is", () => {
    expect(revokedBy(ended, [ourRule("1")])).toEqual(["sgr-1"]);
    const renamed = aMark(aSpec(), { entryId: other.entryId });
    expect(revokedBy(ended, [aRule({ description: renamed })])).toEqual([]);
  });

  test("is no rule that stood before its own call, and one that stood before another's call of the same intent", () => {
    const revoked = (...rules: ReturnType<typeof booked>[]) =>
      planned(ended, { rules: [ourRule("1")], intents: [anIntent(ended, { rules })] }).calls.length;
    expect(revoked(booked(ended, "1"), booked(other))).toBe(0);
    expect(revoked(booked(ended), booked(other, "1"))).toBe(1);
  });
});

describe("refusals and those who are open already", () => {
  const both = [aHolder(), aHolder({ holderId: "ls-2" as LeaseId, openedAt: null })];

  test("a lease that would ride on a rule is refused as well", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ id: ruleId("theirs"), ...aSpec(), description: "" })];
    const plan = planGroup(aPicture({ rules, entries: [entry], refusals: refusing(entry.entryId) }));
    expect(plan.patches).toMatchObject([
      { standing: { kind: "none" }, ends: "unopened", opens: "none", settled: true },
    ]);
  });

  test("a second lease on an open rule is refused alone", () => {
    const entry = anEntry({ standing: ours("1"), holders: both });
    const plan = planGroup(aPicture({ rules: [ourRule("1")], entries: [entry], refusals: refusing(entry.entryId) }));
    expect(plan.patches).toMatchObject([{ ends: "unopened", opens: "opened" }]);
    expect(plan.calls.filter((call) => call.kind === "revoke")).toEqual([]);
    const unproven = anEntry({ holders: both });
    const { patch, calls } = planned(unproven, { rules: [ourRule("1")], refusals: refusing(entry.entryId) });
    expect(patch).toMatchObject({ ends: "unopened", end: { cause: "refused" } });
    expect(calls).toMatchObject([{ kind: "modify", ruleId: "sgr-1" }]);
  });

  test("who was open, and waits to be given the rule back, stays where whoever joins is refused, and ends where itself is", () => {
    const entry = anEntry({ holders: both });
    const refusals = refusing(entry.entryId);
    const { patch, calls } = planned(entry, { refusals });
    expect([patch, calls]).toMatchObject([{ ends: "unopened", end: { cause: "refused" }, settled: false }, []]);
    const alone = anEntry({ holders: [aHolder()] });
    expect(planned(alone, { refusals }).patch).toMatchObject({ ends: "all", end: { cause: "refused" } });
    expect(planned(alone, {}).calls).toMatchObject([{ kind: "authorize" }]);
  });

  test("a lease that came to a rule somebody removed is opened when the others have ended", () => {
    const missing = { standing: ours("1"), missingSince: NOW - LATE_MS };
    const ending = planGroup(aPicture({ entries: [anEntry({ ...missing, holders: both })] }));
    expect(ending.patches).toMatchObject([{ ends: "opened", end: { cause: "removed" } }]);
    const alone = anEntry({ ...missing, holders: both.slice(1) });
    expect(planGroup(aPicture({ entries: [alone] })).calls).toMatchObject([{ kind: "authorize" }]);
  });
});

describe("a lease's rule that somebody has changed into what is suspended", () => {
  const lease = anEntry({ standing: ours("1") });
  const spec = aSpec({ ports: somePorts("23/23") });
  const changed = aRule({ ...spec, id: ruleId("1") });
  const plan = (...others: readonly Entry[]) => planned(lease, { entries: [lease, ...others], rules: [changed] });

  test("is closed at once, and its lease ends", () => {
    const closing = plan(suspended({ by: [{ ...over, itemId: "ld-0" }, by] }, { spec }));
    expect(closing.calls).toMatchObject([
      { kind: "revoke", ruleId: "sgr-1", cause: "somebody has changed it, and it is suspended by ld-1" },
    ]);
    const note = "its rule was changed by somebody else, and closed for ld-1";
    expect(closing.patch).toMatchObject({ end: { cause: "removed", note, detail: null }, ends: "opened" });
  });

  test("is no end of a lease that has come since: that is opened when the changed rule has gone", () => {
    const joining = aHolder({ holderId: "ls-2" as LeaseId, openedAt: null });
    const joined = { ...lease, holders: [aHolder(), joining] };
    const closing = suspended({ by: [by] }, { spec });
    const { patch } = planned(joined, { entries: [joined, closing], rules: [changed] });
    const after = applyPatch(joined, patch, NOW, new Set());
    expect(after.holders.map(({ ended }) => ended?.cause ?? null)).toEqual(["removed", null]);
    const gone = { entries: [after, closing], revoked: new Set([ruleId("1")]) };
    expect(planned(after, gone).calls).toMatchObject([{ kind: "authorize" }]);
  });

  test("is not where we may have put it right since: a stale reading shows what it was", () => {
    const intent = anIntent(lease, { call: "modify", ruleIds: [ruleId("1")] });
    const closing = suspended({ by: [by] }, { spec });
    const shown = (readAt: number) =>
      planned(lease, { entries: [lease, closing], rules: [changed], intents: [intent], readAt });
    expect(shown(NOW)).toMatchObject({ calls: [], patch: { end: null } });
    expect(shown(NOW + LATE_MS).calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1" }]);
  });

  test("stays to its end where that is over, or something else is suspended", () => {
    const elsewhere = { spec: aSpec({ ports: somePorts("24/24") }) };
    for (const others of [[], [suspended({ by: [over] }, { spec })], [suspended({ by: [by] }, elsewhere)]])
      expect(plan(...others)).toMatchObject({ calls: [], patch: { end: null } });
  });
});
