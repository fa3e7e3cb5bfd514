// The decision about an entry that is held for a time, row by row of its table.
import { describe, expect, test } from "vitest";
import type { GroupId, LeaseId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { parseMark } from "../../../shared/domain/mark.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planHeld } from "../../../shared/plan/plan-entry.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
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
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

/** A call in short: what, and on which rule or entry. */
const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (picture: Parameters<typeof planGroup>[0]): string[] => planGroup(picture).calls.map(short);
const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });
const later = (changes = {}) => aHolder({ holderId: "ls-2" as LeaseId, until: NOW + 2 * HOUR, ...changes });

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
    }
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
    const leased = anEntry({ standing: ours("1"), allocation: null });
    expect(plan(leased, [changed]).calls).toEqual([]);
  });
});

describe("a live holder, nothing in the cloud", () => {
  test("is authorized, with the end of its last holder in the mark", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null }), later({ openedAt: null, reason: "deploy" })] });
    const { calls, patches } = planGroup(aPicture({ entries: [entry] }));
    expect(calls).toEqual([
      {
        kind: "authorize",
        entry,
        description: aMark(aSpec(), { until: NOW + 2 * HOUR, reason: "deploy" }),
        beforeIds: [],
        cause: "a lease asks for it",
      },
    ]);
    expect(patches).toEqual([expect.objectContaining({ standing: { kind: "none" }, opens: "none", ends: "none" })]);
  });

  test("waits for a drop of ours on its port to go", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const waits = new Set([entry.entryId]);
    const { calls, patches, findings } = planGroup(aPicture({ entries: [entry], waits }));
    expect([calls, patches]).toEqual([[], [expect.objectContaining({ opens: "none", ends: "none", settled: false })]]);
    expect(findings).toEqual([`${entry.entryId} is opened when the drop on its port is gone`]);
    // Who is open already waits for nothing.
    const open = anEntry({ standing: ours("1"), holders: [aHolder(), later({ openedAt: null })] });
    expect(planGroup(aPicture({ entries: [open], rules: [ourRule("1")], waits })).patches).toMatchObject([
      { opens: "opened", ends: "none" },
    ]);
  });

  test("remembers since when what stood for it is missing, whatever it waits for", () => {
    const missingSince = NOW - LATE_MS;
    const entry = anEntry({ standing: ours("9"), missingSince, holders: [aHolder({ openedAt: null })] });
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }), standing: ours("1") });
    for (const picture of [{}, { waits: new Set([entry.entryId]) }, { rules: [ourRule("1")], entries: [entry, other] }])
      expect(planGroup(aPicture({ entries: [entry], ...picture })).patches[0]).toMatchObject({ missingSince });
  });

  test("is not authorized when it is refused: its leases end with the code", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ entries: [entry], refusals: refusing(entry.entryId) }));
    expect(plan.calls).toEqual([]);
    const end = { cause: "refused", note: "GROUP_PROTECTED", detail: { group: "sg-web" } };
    expect(plan.patches).toEqual([expect.objectContaining({ end, ends: "all", settled: true })]);
  });

  test("is not settled by a refusal while an earlier attempt may still act", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const picture = { entries: [entry], refusals: refusing(entry.entryId), intents: [anIntent(entry)] };
    expect(planGroup(aPicture(picture)).patches).toEqual([expect.objectContaining({ ends: "all", settled: false })]);
  });

  test("writes down the ids of the rules that stand in the way of a mark: those without the host it asks for", () => {
    const entry = anEntry({ spec: aSpec({ dest: aCidr("192.168.0.11/32") }), holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ id: ruleId("wide") }), aRule({ id: ruleId("other"), ports: somePorts("23/23") })];
    const [call] = planGroup(aPicture({ entries: [entry], rules })).calls;
    expect(call).toMatchObject({ kind: "authorize", beforeIds: [ruleId("wide")] });
  });

  test("rides on what the cloud took for the same rule, where it accepts the call and adds nothing", () => {
    const entry = anEntry({ spec: aSpec({ priority: 100 }), holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ id: ruleId("theirs"), priority: 1 })];
    const plan = planGroup(aPicture({ entries: [entry], rules, accepted: new Set([entry.entryId]) }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: preExisting("theirs"), opens: "all" })]);
    expect(callsOf(aPicture({ entries: [entry], rules }))).toEqual([`authorize ${entry.key}`]);
    // Nor is just any rule what it took for the same.
    const others = [aRule({ id: ruleId("theirs"), priority: 1, ports: somePorts("23/23") })];
    const accepted = new Set([entry.entryId]);
    expect(callsOf(aPicture({ entries: [entry], rules: others, accepted }))).toEqual([`authorize ${entry.key}`]);
  });
});

describe("a live holder, our rule in the cloud", () => {
  test("stands as soon as it is read, while the call that wrote it is still open", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1")], intents: [anIntent(entry)] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toMatchObject([{ standing: ours("1"), opens: "all" }]);
  });

  test.each([
    ["by its booked id", anEntry({ standing: ours("1") }), ""],
    ["by its mark, before it is booked", anEntry({ holders: [aHolder({ openedAt: null })] }), aMark()],
  ])("stands and is booked: %s", (_how, entry, description) => {
    const plan = planGroup(aPicture({ entries: [entry], rules: [aRule({ id: ruleId("1"), description })] }));
    expect(plan.calls.map(short)).toEqual(description === "" ? [`modify ${ruleId("1")}`] : []);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), opens: "all", ends: "none" })]);
  });

  test("gets its mark rewritten when its mark is out of date, and only then", () => {
    const rules = [ourRule("1")];
    const still = aPicture({ entries: [anEntry({ standing: ours("1") })], rules });
    expect(callsOf(still)).toEqual([]);
    const entry = anEntry({ standing: ours("1"), holders: [aHolder(), later({ openedAt: null })] });
    const description = aMark(aSpec(), { until: NOW + 2 * HOUR });
    expect(planGroup(aPicture({ entries: [entry], rules })).calls).toEqual([
      { kind: "modify", entry, ruleId: ruleId("1"), description, cause: "its mark is out of date" },
    ]);
  });

  test("gets an earlier end in its mark when the later holder has ended", () => {
    const ended = { cause: "asked", note: null, detail: null } as const;
    const entry = anEntry({ standing: ours("1"), holders: [aHolder(), later({ ended })] });
    const [call] = planGroup(aPicture({ entries: [entry], rules: [ourRule("1", NOW + 2 * HOUR)] })).calls;
    expect(call?.kind === "modify" ? parseMark(call.description)?.until : null).toBe(NOW + HOUR);
  });

  test("stays while one holder is live, and says whose time has come", () => {
    const entry = anEntry({
      standing: ours("1"),
      holders: [anEndedHolder({ holderId: "ls-2" as LeaseId }), aHolder()],
    });
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1")] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), ends: "none" })]);
  });

  test("keeps the booked one of two and revokes the other", () => {
    const entry = anEntry({ standing: ours("2") });
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1"), ourRule("2")] }));
    expect(plan.calls).toEqual([
      {
        kind: "revoke",
        entryId: entry.entryId,
        ruleId: ruleId("1"),
        seen: true,
        cause: "a second rule of the same lease",
      },
    ]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("2") })]);
  });

  test("is given up when it is refused before anybody has seen it open, and not afterwards", () => {
    const fresh = anEntry({ holders: [aHolder({ openedAt: null })] });
    const given = { rules: [ourRule("1")], refusals: refusing(fresh.entryId) };
    expect(planGroup(aPicture({ ...given, entries: [fresh] })).patches).toEqual([
      expect.objectContaining({ standing: ours("1"), ends: "unopened", opens: "none" }),
    ]);
    const open = anEntry({ standing: ours("1") });
    expect(planGroup(aPicture({ ...given, entries: [open] })).patches).toEqual([
      expect.objectContaining({ standing: ours("1"), ends: "none", opens: "all" }),
    ]);
  });

  test("is left until its end when somebody has changed it, and nothing is opened in its place", () => {
    const entry = anEntry({ standing: ours("1") });
    const rules = [aRule({ id: ruleId("1"), ports: somePorts("1/65535"), description: aMark() })];
    const plan = planGroup(aPicture({ entries: [entry], rules }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), missingSince: null, ends: "none" })]);
    expect(plan.findings.join()).toContain("was changed by somebody else");
    expect(planHeld(aPicture({ entries: [entry], rules }), entry, new Set()).differences).toEqual([
      { kind: "edited", entry, rule: rules[0], ruleId: ruleId("1"), earlierId: null, description: aMark() },
    ]);
  });

  test("without the host that was asked for is revoked at once, and its leases end", () => {
    const spec = aSpec({ dest: aCidr("192.168.0.11/32") });
    const entry = anEntry({ spec, holders: [aHolder({ openedAt: null })] });
    const intents = [anIntent(entry)];
    const rules = [aRule({ id: ruleId("wide"), description: aMark(spec) })];
    const plan = planGroup(aPicture({ entries: [entry], rules, intents }));
    const cause = "the cloud left out its destination address: it reaches more hosts than were granted";
    const revoke = { kind: "revoke", entryId: entry.entryId, ruleId: ruleId("wide"), seen: true, cause };
    expect(plan.calls).toEqual([revoke]);
    const detail = { instance: "192.168.0.11", others: "every host of the group" };
    expect(plan.patches).toMatchObject([{ ends: "all", end: { cause: "refused", note: "REACH_TOO_WIDE", detail } }]);
    const mine = anIntent(entry).rules;
    const another = { entryId: anEntry().entryId, spec: aSpec(), description: "web", beforeIds: [] };
    const batch = anIntent(entry, { rules: [another, ...mine] });
    expect(planGroup(aPicture({ entries: [entry], rules, intents: [batch] })).calls).toEqual([revoke]);
    // Nobody's: it stood before the call, its description is another one, or no call of ours is open.
    const before = [anIntent(entry, {}, [ruleId("wide")])];
    const other = [aRule({ id: ruleId("wide"), description: `${aMark(spec)} and more` })];
    for (const given of [
      { rules, intents: before },
      { rules: other, intents },
      { rules, intents: [] },
      { rules, intents: [anIntent(entry, { call: "modify" })] },
      { rules: [aRule({ id: ruleId("wide"), description: "web" })], intents: [batch] },
    ])
      expect(callsOf(aPicture({ entries: [entry], ...given }))).toEqual([`authorize ${entry.key}`]);
  });
});

describe("a live holder, somebody else's rule with the same key", () => {
  test("rides on it", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ entries: [entry], rules: [aRule({ id: ruleId("theirs") })] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: preExisting("theirs"), opens: "all" })]);
  });

  test("stays on it where the cloud makes no difference between priorities", () => {
    const entry = anEntry({ spec: aSpec({ priority: 100 }), standing: preExisting("1") });
    const plan = (rules: readonly Rule[]) => planGroup(aPicture({ entries: [entry], rules })).patches[0];
    const theirs = aRule({ id: ruleId("1"), priority: 7 });
    expect(plan([theirs])).toMatchObject({ standing: preExisting("1"), opens: "all", missingSince: null });
    for (const other of [
      { ...theirs, id: ruleId("2") },
      { ...theirs, ports: somePorts("23/23") },
    ])
      expect(plan([other])).toMatchObject({ opens: "none", missingSince: NOW });
  });

  test("does not take for its own what stood before the call, whatever mark it carries", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const rules = [ourRule("before")];
    const intents = [anIntent(entry, {}, [ruleId("before")])];
    expect(planGroup(aPicture({ entries: [entry], rules, intents })).patches).toEqual([
      expect.objectContaining({ standing: preExisting("before") }),
    ]);
    const ridden = anEntry({ standing: preExisting("before") });
    const plan = planGroup(aPicture({ entries: [ridden], rules }));
    expect([plan.calls, plan.patches]).toEqual([
      [],
      [expect.objectContaining({ standing: preExisting("before"), opens: "all" })],
    ]);
  });

  test.each([
    ["a different group", aMark(aSpec(), { groupId: "sg-other" as GroupId })],
    [
      "a different group, with the entry of this one",
      aMark(aSpec(), { groupId: "sg-other" as GroupId, entryId: anEntry().entryId }),
    ],
    ["a different key", aMark(aSpec({ ports: somePorts("23/23") }))],
    [
      "a different key, with the entry of this one",
      aMark(aSpec({ ports: somePorts("23/23") }), { entryId: anEntry().entryId }),
    ],
    ["a different secret", aMark(aSpec(), { secret: "guess" })],
    ["a different installation", aMark(aSpec(), { installation: "other" })],
    ["a later end than was sealed", aMark().replace(/until=\S+/, "until=2036-01-01T00:00:00Z")],
    ["a blank in front", ` ${aMark()}`],
    ["words in front", `修复 ${aMark()}`],
  ])("never takes a copied or forged mark for ours: %s", (_what, description) => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ id: ruleId("theirs"), description })];
    expect(planGroup(aPicture({ entries: [entry], rules })).patches).toEqual([
      expect.objectContaining({ standing: preExisting("theirs") }),
    ]);
    const ended = anEntry({ holders: [anEndedHolder()] });
    expect(callsOf(aPicture({ entries: [ended], rules }))).toEqual([]);
    expect(callsOf(aPicture({ rules, now: NOW + 100 * 365 * 24 * HOUR }))).toEqual([]);
  });
});

describe("a live holder, our rule is missing", () => {
  const standing = [ours("1"), preExisting("1")];

  test.each(standing)("one reading is not believed: %s", (stood) => {
    const plan = planGroup(aPicture({ entries: [anEntry({ standing: stood })] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: stood, missingSince: NOW, ends: "none" })]);
    expect(plan.lookAt).toEqual([NOW + LATE_MS]);
    expect(plan.findings).toEqual([
      expect.stringMatching(/^the rule sgr-1 of \S+ is not shown; it is looked for again$/),
    ]);
  });

  test("a reading just before the time is up is not believed, and the first miss is remembered", () => {
    const missingSince = NOW - LATE_MS + 1;
    const plan = planGroup(aPicture({ entries: [anEntry({ standing: ours("1"), missingSince })] }));
    expect(plan.patches).toEqual([expect.objectContaining({ missingSince, ends: "none" })]);
    expect(plan.lookAt).toEqual([NOW + 1]);
  });

  test("a second reading is believed: the lease ends, and nothing is reopened", () => {
    const entry = anEntry({ standing: ours("1"), missingSince: NOW - LATE_MS });
    const plan = planGroup(aPicture({ entries: [entry] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toMatchObject([{ standing: ours("1"), ends: "opened", end: { cause: "removed" } }]);
    expect(plan.findings.join()).toContain("removed the rule sgr-1");
  });

  test("a rule that shows up again is forgiven", () => {
    const entry = anEntry({ standing: ours("1"), missingSince: NOW - LATE_MS });
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1")] }));
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), missingSince: null, ends: "none" })]);
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
      const plan = planGroup(aPicture({ entries: [entry], rules }));
      const cause = "its last lease has ended";
      expect(plan.calls).toEqual([{ kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), seen, cause }]);
      expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), settled: false, ends: "none" })]);
    }
  });

  test("what closes is told with its beginning, also where nobody had booked when", () => {
    const began = (createdAt: number | null, rule: Partial<Rule>) =>
      planGroup(aPicture({ entries: [{ ...entry, createdAt }], rules: [{ ...ourRule("1"), ...rule }] })).patches[0]
        ?.createdAt;
    expect(began(null, { createdAt: NOW - HOUR })).toBe(NOW - HOUR);
    expect(began(NOW - 2 * HOUR, { createdAt: NOW - HOUR })).toBe(NOW - 2 * HOUR);
    expect(began(null, { ports: somePorts("23/23") })).toBeNull();
  });

  test("a holder is live up to its end and not at it", () => {
    const at = (until: number) =>
      callsOf(aPicture({ entries: [{ ...entry, holders: [aHolder({ until })] }], rules: [ourRule("1", until)] }));
    expect(at(NOW)).toEqual(["revoke sgr-1"]);
    expect(at(NOW + 1000)).toEqual([]);
  });

  test("what it wrote and never booked goes by its mark", () => {
    const unbooked = anEntry({ holders: [anEndedHolder({ openedAt: null })] });
    expect(callsOf(aPicture({ entries: [unbooked], rules: [ourRule("1", NOW - 1000)] }))).toEqual(["revoke sgr-1"]);
  });

  test("it is settled once its rule was revoked, although a stale reading still shows it", () => {
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1")], revoked: new Set([ruleId("1")]) }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: { kind: "none" }, settled: true })]);
  });

  test("it is not settled while a write may still act: the group is looked at when none can", () => {
    const waiting = anEntry({ holders: [anEndedHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ entries: [waiting], intents: [anIntent(waiting)] }));
    expect(plan.patches).toEqual([expect.objectContaining({ settled: false })]);
    expect(plan.lookAt).toEqual([NOW + LATE_MS]);
    const last = anIntent(waiting, { attemptsEndAt: NOW + 5000 });
    for (const intents of [
      [last, anIntent(waiting)],
      [anIntent(waiting), last],
    ])
      expect(planGroup(aPicture({ entries: [waiting], intents })).lookAt).toEqual([NOW + 5000 + LATE_MS]);
    const past = anIntent(waiting, { attemptsEndAt: NOW - LATE_MS });
    expect(planGroup(aPicture({ entries: [waiting], intents: [past] })).patches).toEqual([
      expect.objectContaining({ settled: true }),
    ]);
  });

  test("somebody else's rule is left alone", () => {
    for (const standing of [preExisting("theirs"), { kind: "none" } as const]) {
      const ended = anEntry({ standing, holders: [anEndedHolder()] });
      const plan = planGroup(aPicture({ entries: [ended], rules: [aRule({ id: ruleId("theirs") })] }));
      expect([plan.calls, plan.lookAt]).toEqual([[], []]);
      expect(plan.patches).toEqual([expect.objectContaining({ settled: true })]);
    }
  });

  test("a rule that was ridden on is left alone, although it carries our mark", () => {
    const ended = anEntry({ standing: preExisting("1"), holders: [anEndedHolder()] });
    expect(callsOf(aPicture({ entries: [ended], rules: [ourRule("1", NOW - 1000)] }))).toEqual([]);
  });
});

describe("rules that others have changed", () => {
  const changed = (name: string, port: string) =>
    aRule({
      id: ruleId(name),
      ...aSpec({ ports: somePorts(port) }),
      description: aMark(aSpec(), { until: NOW + HOUR }),
    });

  test("the booked rule is not forgotten for a copy of it: both go at the end", () => {
    const rules = [changed("1", "23/23"), ourRule("2")];
    const live = planGroup(aPicture({ rules, entries: [anEntry({ standing: ours("1") })] }));
    expect(live.calls).toEqual([]);
    expect(live.patches).toMatchObject([{ standing: ours("1"), opens: "all" }]);
    const ended = anEntry({ standing: ours("1"), holders: [anEndedHolder()] });
    const revoked = planGroup(aPicture({ rules, entries: [ended] }));
    expect(revoked.calls.map((call) => call.kind === "revoke" && call.ruleId).toSorted()).toEqual(["sgr-1", "sgr-2"]);
    expect(revoked.patches).toMatchObject([{ standing: ours("1") }]);
  });

  test("nobody new is called open by a rule that says something else", () => {
    const holders = [aHolder(), aHolder({ holderId: "ls-2" as LeaseId, openedAt: null })];
    const entry = anEntry({ standing: ours("1"), holders });
    const plan = planGroup(aPicture({ rules: [changed("1", "23/23")], entries: [entry] }));
    expect(plan.patches).toMatchObject([{ opens: "opened", ends: "none" }]);
  });

  test("a rule booked to another entry goes with that one; a live lease waits for it", () => {
    const other = anEntry({
      spec: aSpec({ ports: somePorts("23/23") }),
      standing: ours("1"),
      holders: [anEndedHolder()],
    });
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = planGroup(aPicture({ rules: [ourRule("1")], entries: [other, entry] }));
    expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1", entryId: other.entryId }]);
    expect(plan.patches[1]).toMatchObject({ standing: { kind: "none" }, opens: "none" });
    expect(plan.findings).toEqual([`${entry.entryId} waits for another lease's rule`]);
  });

  test("a mark that is not the one it should carry is written again", () => {
    const description = aMark(aSpec(), { until: NOW + HOUR }).replace(/k=\w{8}/, "k=00000000");
    const rules = [{ ...ourRule("1"), description }];
    const plan = planGroup(aPicture({ rules, entries: [anEntry({ standing: ours("1") })] }));
    expect(plan.calls).toMatchObject([{ kind: "modify", ruleId: "sgr-1" }]);
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
  });

  test("a lease that came to a rule somebody removed is opened when the others have ended", () => {
    const missing = { standing: ours("1"), missingSince: NOW - LATE_MS };
    const ending = planGroup(aPicture({ entries: [anEntry({ ...missing, holders: both })] }));
    expect(ending.patches).toMatchObject([{ ends: "opened", end: { cause: "removed" } }]);
    const alone = anEntry({ ...missing, holders: both.slice(1) });
    expect(planGroup(aPicture({ entries: [alone] })).calls).toMatchObject([{ kind: "authorize" }]);
  });
});

test("what is to be removed is booked as ours before it is removed", () => {
  const entry = anEntry({ standing: preExisting("gone"), holders: [anEndedHolder()] });
  const plan = planGroup(aPicture({ rules: [ourRule("2")], entries: [entry] }));
  expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-2" }]);
  expect(plan.patches).toMatchObject([{ standing: ours("2"), settled: false }]);
});

test("a rule this pass has revoked is nothing to ride on, whatever a stale reading shows", () => {
  const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
  const rules = [aRule({ id: ruleId("1"), ...aSpec(), priority: 7, description: "" })];
  const given = { rules, entries: [entry], accepted: new Set([entry.entryId]), revoked: new Set([ruleId("1")]) };
  expect(planGroup(aPicture(given)).patches).toMatchObject([{ standing: { kind: "none" } }]);
});
