// The decision about an entry that is held for a time, row by row of its table.
import { describe, expect, test } from "vitest";
import type { GroupId, LeaseId } from "../../../shared/domain/ids.ts";
import { parseMark } from "../../../shared/domain/mark.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planHeld } from "../../../shared/plan/plan-entry.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
import {
  aDropHolder,
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
import { aCidr, aRule, aSpec, somePorts } from "../../kit/rules.ts";

/** A call in short: what, and on which rule or entry. */
const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (picture: Parameters<typeof planGroup>[0]): string[] => planGroup(picture).calls.map(short);
const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });
const later = (changes = {}) => aHolder({ holderId: "ls-2" as LeaseId, until: NOW + 2 * HOUR, ...changes });

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
    expect(findings).toEqual([
      `${entry.entryId} is opened when the drop on its port is gone, or its lease can be read and all of it is entered`,
    ]);
    // Who is open already waits for nothing.
    const open = anEntry({ standing: ours("1"), holders: [aHolder(), later({ openedAt: null })] });
    expect(planGroup(aPicture({ entries: [open], rules: [ourRule("1")], waits })).patches).toMatchObject([
      { opens: "opened", ends: "none" },
    ]);
  });

  test("is not opened while nobody can tell whether it is on, and keeps nobody else from the rule", () => {
    const doubted = new Set([aHolder().holderId]);
    const alone = anEntry({ holders: [aHolder({ openedAt: null })] });
    expect(callsOf(aPicture({ entries: [alone], doubted }))).toEqual([]);
    const beside = anEntry({ holders: [aHolder({ openedAt: null }), later({ openedAt: null })] });
    expect(callsOf(aPicture({ entries: [beside], doubted }))).toEqual([`authorize ${beside.key}`]);
    const standing = { ...beside, standing: ours("1") };
    const rules = [ourRule("1", NOW + 2 * HOUR)];
    expect(planGroup(aPicture({ entries: [standing], rules, doubted })).patches).toMatchObject([
      { opens: "all", doubted },
    ]);
    // Who is open already is not doubted.
    const open = anEntry({ standing: ours("1") });
    expect(planGroup(aPicture({ entries: [open], rules: [ourRule("1")], doubted })).patches).toMatchObject([
      { opens: "all" },
    ]);
  });

  test("keeps nobody waiting with it who is to be given the rule whatever it waits for", () => {
    const joining = aHolder({ openedAt: null, holderId: "ls-2" as LeaseId });
    const days = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
    const allocation = anAllocation({ openHours: days });
    for (const entry of [
      anEntry({ holders: [aHolder(), joining] }),
      anEntry({ holders: [aDropHolder({ openedAt: null }), joining] }),
      anEntry({ holders: [joining], allocation }),
    ]) {
      const { calls, patches } = planGroup(aPicture({ entries: [entry], waits: new Set([entry.entryId]) }));
      expect([calls, patches]).toMatchObject([[{ kind: "authorize" }], [{ opens: "none", ends: "none" }]]);
    }
  });

  test("remembers since when what stood for it is missing, whatever it waits for", () => {
    const missingSince = NOW - LATE_MS;
    const entry = anEntry({ standing: ours("9"), missingSince, holders: [aHolder({ openedAt: null })] });
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }), standing: ours("1") });
    const revoke = anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId("theirs")] });
    for (const picture of [
      {},
      { waits: new Set([entry.entryId]) },
      { rules: [ourRule("1")], entries: [entry, other] },
      { rules: [aRule({ id: ruleId("theirs") })], intents: [revoke] },
    ])
      expect(planGroup(aPicture({ entries: [entry], ...picture })).patches[0]).toMatchObject({ missingSince });
    const { findings } = planGroup(aPicture({ entries: [entry], waits: new Set([entry.entryId]) }));
    expect(findings).toEqual([expect.stringMatching(/is opened when the drop on its port is gone/)]);
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
    const accepted = new Set([entry.entryId]);
    const plan = planGroup(aPicture({ entries: [entry], rules: [ourRule("1")], intents: [anIntent(entry)], accepted }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches).toMatchObject([{ standing: ours("1"), opens: "all" }]);
  });

  test("stands by its booked id, and gets the mark it lacks", () => {
    const rules = [aRule({ id: ruleId("1"), description: "" })];
    const plan = planGroup(aPicture({ entries: [anEntry({ standing: ours("1") })], rules }));
    expect(plan.calls.map(short)).toEqual([`modify ${ruleId("1")}`]);
    expect(plan.patches).toEqual([expect.objectContaining({ standing: ours("1"), opens: "all", ends: "none" })]);
  });

  describe("by its mark alone, with nobody who has booked it,", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = (changes: Partial<Picture> = {}, until?: number) =>
      planGroup(aPicture({ entries: [entry], rules: [ourRule("1", until)], ...changes }));
    const closed = { standing: { kind: "none" }, opens: "none", ends: "none" };

    test("opens nobody before its mark is written again: an earlier lease may have closed it, and the reading be stale", () => {
      const cause = "nobody has booked it: whether it stands is seen by writing its mark again";
      for (const until of [NOW + HOUR, NOW + 1000]) {
        const { calls, patches } = plan({}, until);
        expect(calls).toEqual([
          { kind: "modify", entry, ruleId: ruleId("1"), description: aMark(), cause, opens: true },
        ]);
        expect(patches).toEqual([expect.objectContaining(closed)]);
      }
      // Nor by a call that is still open: a revoke of it has not written it, and what an authorize wrote may be closed by now.
      for (const call of ["revoke", "authorize"] as const)
        expect(plan({ intents: [anIntent(entry, { call })] }).patches).toEqual([expect.objectContaining(closed)]);
    });

    test.each([
      ["the mark is written", { restated: new Set([entry.entryId]) }],
      ["an authorize of this pass is answered", { accepted: new Set([entry.entryId]) }],
    ])("stands and is booked once %s", (_how, changes) => {
      expect(plan(changes).calls).toEqual([]);
      expect(plan(changes).patches).toEqual([
        expect.objectContaining({ standing: ours("1"), opens: "all", ends: "none" }),
      ]);
    });

    describe("and a revoke of it is not written down yet,", () => {
      const asking = [aHolder({ openedAt: null })];
      const booked = anEntry({ holders: asking, standing: ours("1") });
      const revoke = anIntent(booked, { call: "revoke", rules: [], ruleIds: [ruleId("1")] });
      const intents = [revoke];

      test("is revoked once more, shown or not, and whoever asks has another one: that revoke may come late", () => {
        const cause = "a revoke of it that comes late would close whoever asks for it now";
        const again = { kind: "revoke", entryId: entry.entryId, ruleId: ruleId("1"), cause };
        for (const [rules, seen] of [[[ourRule("1")], true] as const, [[], false] as const]) {
          const { calls, patches } = plan({ entries: [booked], rules, intents });
          expect(calls).toEqual([{ ...again, seen }]);
          expect(patches).toMatchObject([{ standing: ours("1"), opens: "none", ends: "none", missingSince: null }]);
        }
        expect(plan({ intents }).calls).toEqual([{ ...again, seen: true }]);
        // An authorize that was answered may have added nothing to what stands by that id.
        for (const changes of [{ accepted: new Set([entry.entryId]) }, { restated: new Set([entry.entryId]) }])
          expect(plan({ entries: [booked], intents, ...changes }).calls).toEqual([{ ...again, seen: true }]);
        const revoked = new Set([ruleId("1")]);
        const { calls, patches } = plan({ entries: [booked], intents, revoked });
        expect(calls.map(short)).toEqual([`authorize ${entry.key}`]);
        expect(patches).toMatchObject([{ standing: { kind: "none" }, ends: "none", missingSince: null }]);
      });

      test("is left to its end where who asks is refused", () => {
        const refused = plan({ entries: [booked], intents, refusals: refusing(entry.entryId) });
        expect([refused.calls, refused.patches]).toMatchObject([[], [{ standing: ours("1"), ends: "unopened" }]]);
      });

      test("stands where the revoke is another's", () => {
        const others = [{ ...revoke, ruleIds: [ruleId("2")] }];
        const { calls, patches } = plan({ entries: [booked], intents: others });
        expect([calls, patches]).toMatchObject([[], [{ opens: "all", standing: ours("1") }]]);
      });

      test("opens nobody else while somebody is open by it, before its mark is written again", () => {
        const cause = "a revoke may have closed it: whether it stands is seen by writing its mark again";
        const joined = anEntry({ holders: [aHolder(), ...asking], standing: ours("1") });
        const { calls, patches } = plan({ entries: [joined], intents });
        expect(calls).toMatchObject([{ kind: "modify", ruleId: ruleId("1"), cause, opens: true }]);
        expect(patches).toMatchObject([{ standing: ours("1"), opens: "none", ends: "none" }]);
        for (const changes of [{ accepted: new Set([joined.entryId]) }, { restated: new Set([joined.entryId]) }])
          expect(plan({ entries: [joined], intents, ...changes })).toMatchObject({
            calls: [],
            patches: [{ opens: "all" }],
          });
        // Who is open, or was and has ended, asks for nothing.
        const before = anEntry({ holders: [aHolder(), aHolder({ openedAt: null, until: NOW })], standing: ours("1") });
        expect(plan({ entries: [before], intents }).calls.map(short)).toEqual([]);
      });
    });

    test("is authorized where that says that it is gone", () => {
      expect(plan({ revoked: new Set([ruleId("1")]) }).calls.map(short)).toEqual([`authorize ${entry.key}`]);
    });

    test("is booked for its removal where it may not be opened", () => {
      const { calls, patches } = plan({ refusals: refusing(entry.entryId) });
      expect([calls, patches]).toEqual([[], [expect.objectContaining({ standing: ours("1"), ends: "unopened" })]]);
    });
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

  test("waits for what becomes of it while a revoke of ours may close it, which ends nobody who rides on it", () => {
    const asking = anEntry({ holders: [aHolder({ openedAt: null })] });
    const rules = [aRule({ id: ruleId("theirs") })];
    const intents = [anIntent(asking, { call: "revoke", rules: [], ruleIds: [ruleId("theirs")] })];
    const plan = (picture: Partial<Picture> = {}, entry = asking) =>
      planGroup(aPicture({ entries: [entry], rules, intents, ...picture }));
    const { calls, readAgainAt, patches, findings } = plan();
    expect([calls, readAgainAt, patches]).toMatchObject([[], null, [{ standing: { kind: "none" }, opens: "none" }]]);
    expect(findings).toEqual([
      `${asking.entryId} waits for what becomes of the rule sgr-theirs: a call of ours may take it away`,
    ]);
    // What this pass has revoked stands for it no more.
    const revoked = plan({ revoked: new Set([ruleId("1")]) }, { ...asking, standing: ours("1") });
    expect([revoked.calls, revoked.patches]).toMatchObject([[], [{ standing: { kind: "none" }, opens: "none" }]]);
    const rides = [{ standing: preExisting("theirs"), opens: "all" }];
    expect(plan({ readAt: NOW + LATE_MS }).patches).toMatchObject(rides);
    const both = anEntry({ standing: preExisting("theirs"), holders: [aHolder(), later({ openedAt: null })] });
    expect(plan({}, both).patches).toMatchObject(rides);
    expect(plan({ refusals: refusing(asking.entryId) }).patches).toMatchObject([{ ends: "unopened", settled: true }]);
    expect(plan({ rules: [] }).calls.map(short)).toEqual([`authorize ${asking.key}`]);
  });

  test("rides on it only when a later reading of the same pass shows it too: a stale one shows what is gone", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const plan = (picture: Partial<Picture>, its = entry) =>
      planGroup(aPicture({ entries: [its], rules: [aRule({ id: ruleId("theirs") })], readSince: NOW, ...picture }));
    const waits = plan({ readAt: NOW + 1999 });
    expect([waits.calls, waits.readAgainAt]).toEqual([[], NOW + 2000]);
    expect(waits.patches).toEqual([expect.objectContaining({ standing: { kind: "none" }, opens: "none" })]);
    const sure = [
      plan({ readAt: NOW + 2000 }),
      plan({ accepted: new Set([entry.entryId]) }),
      plan({}, { ...entry, standing: preExisting("theirs") }),
    ];
    for (const { readAgainAt, patches } of sure)
      expect([readAgainAt, patches]).toEqual([
        null,
        [expect.objectContaining({ standing: preExisting("theirs"), opens: "all" })],
      ]);
    const gone = plan({ readAt: NOW + 2000, rules: [] });
    expect(gone.calls.map(short)).toEqual([`authorize ${entry.key}`]);
    const refusals = refusing(entry.entryId);
    expect(plan({ refusals }).readAgainAt).toBe(null);
    const both = anEntry({ ...entry, holders: [aHolder(), aHolder({ openedAt: null })] });
    expect(plan({ refusals }, both)).toMatchObject({ readAgainAt: NOW + 2000, patches: [{ ends: "unopened" }] });
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

  test("and keeps no such rule from its end, which is that of those who had it open", () => {
    const holders = [anEndedHolder(), aHolder({ holderId: "ls-2" as LeaseId, openedAt: null })];
    const entry = anEntry({ standing: ours("1"), holders });
    const picture = aPicture({ rules: [changed("1", "23/23")], entries: [entry] });
    const cause = "somebody has changed it, and the last lease that had it open has ended";
    expect(planGroup(picture).calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-1", seen: true, cause }]);
    const refused = planGroup({ ...picture, refusals: refusing(entry.entryId) });
    expect([refused.calls, refused.patches]).toMatchObject([[], [{ ends: "unopened", settled: false }]]);
    // What may have been put right since says so in the next reading.
    const intents = [anIntent(entry, { call: "modify", ruleIds: [ruleId("1")] })];
    expect(planGroup({ ...picture, intents }).calls).toEqual([]);
    const gone = planGroup({ ...picture, revoked: new Set([ruleId("1")]) });
    expect(gone.calls).toMatchObject([{ kind: "authorize" }]);
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

test("a rule this pass has revoked is nothing to ride on, whatever a stale reading shows", () => {
  const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
  const rules = [aRule({ id: ruleId("1"), ...aSpec(), priority: 7, description: "" })];
  const given = { rules, entries: [entry], accepted: new Set([entry.entryId]), revoked: new Set([ruleId("1")]) };
  expect(planGroup(aPicture(given)).patches).toMatchObject([{ standing: { kind: "none" } }]);
});
