// What a pass decides besides each entry: rules that no entry knows, and the order of the calls.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import { againAt } from "../../../shared/plan/mode-guard.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, aSighting, aWatch } from "../../kit/drift-pictures.ts";
import {
  aDropHolder,
  aHolder,
  aMark,
  anEndedHolder,
  anEntry,
  aPicture,
  HOUR,
  NOW,
  ours,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";
import { over, suspended } from "../../kit/suspended-pictures.ts";

/** A call in short: what, and on which rule or entry. */
const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (picture: Parameters<typeof planGroup>[0]): string[] => planGroup(picture).calls.map(short);
const ourRule = (name: string, until = NOW + HOUR) =>
  aRule({ id: ruleId(name), description: aMark(aSpec(), { until }) });

describe("a mark that no entry knows", () => {
  const plan = (until: number, stateKnown: boolean, rule = ourRule("1", until)) =>
    planGroup(aPicture({ rules: [rule], stateKnown }));

  test("in an intact ledger is reported, and closed at its end", () => {
    const live = plan(NOW + HOUR, true);
    expect([live.calls, live.recovered, live.lookAt]).toEqual([[], [], [NOW + HOUR]]);
    expect(live.findings).toEqual([
      "the rule sgr-1 carries our mark, but the ledger does not know it; it is closed at its end",
    ]);
    expect(plan(NOW, true).calls).toEqual([
      {
        ...{ kind: "revoke", entryId: null, ruleId: ruleId("1"), seen: true },
        cause: "its mark ended and no ledger row knows it",
      },
    ]);
  });

  test("after the ledger was lost is booked again, or closed when it is past its end", () => {
    const live = plan(NOW + HOUR, false);
    expect([live.calls, live.findings]).toEqual([[], []]);
    expect(live.recovered.map(({ rule, mark }) => [rule.id, mark.until])).toEqual([[ruleId("1"), NOW + HOUR]]);
    expect(plan(NOW - 1000, false).calls.map(short)).toEqual(["revoke sgr-1"]);
  });

  test("whose row cannot be read is looked at when it ends, and not booked again beside that row", () => {
    const { entryId } = anEntry();
    for (const stateKnown of [true, false]) {
      const damaged = (until: number) =>
        planGroup(aPicture({ rules: [ourRule("1", until)], stateKnown, unreadable: new Set([entryId]) }));
      const live = damaged(NOW + HOUR);
      expect([live.calls, live.recovered, live.findings, live.lookAt]).toEqual([[], [], [], [NOW + HOUR]]);
      expect(damaged(NOW).calls.map(short)).toEqual(["revoke sgr-1"]);
    }
  });

  test("that somebody has written over is no reason to stand longer, where the lease's own row knows its end", () => {
    const row = { unreadable: new Set([anEntry().entryId]), overdue: new Set([ruleId("1")]) };
    const changed = aRule({ id: ruleId("1"), ports: somePorts("23/23"), description: "wider" });
    const copied = { ...changed, description: aMark(aSpec()) };
    for (const rule of [changed, copied, { ...ourRule("1"), description: "" }]) {
      const { calls, findings } = planGroup(aPicture({ ...row, rules: [rule, { ...rule, id: ruleId("2") }] }));
      expect(calls).toEqual([
        {
          ...{ kind: "revoke", entryId: null, ruleId: ruleId("1"), seen: true },
          cause: "its lease ended, somebody has changed it, and its ledger row cannot be read",
        },
      ]);
      expect(findings).toHaveLength(rule === copied ? 1 : 0);
    }
    expect(callsOf(aPicture({ ...row, rules: [ourRule("1")] }))).toEqual([]);
    const booked = anEntry({ spec: aSpec({ ports: somePorts("24/24") }), standing: ours("1") });
    expect(callsOf(aPicture({ ...row, rules: [changed], entries: [booked] }))).toEqual([]);
  });

  test("is believed neither way when it is a copy: it is reported and left alone", () => {
    const copy = aRule({
      id: ruleId("1"),
      ports: somePorts("23/23"),
      description: aMark(aSpec(), { until: NOW - 1000 }),
    });
    for (const stateKnown of [true, false]) {
      const { calls, recovered, findings } = plan(NOW, stateKnown, copy);
      expect([calls, recovered]).toEqual([[], []]);
      expect(findings.join()).toContain("not its own");
    }
  });

  test("of another installation is none of our business", () => {
    const foreign = aRule({
      id: ruleId("1"),
      description: aMark(aSpec(), { installation: "other", until: NOW - 1000 }),
    });
    expect(plan(NOW, true, foreign)).toMatchObject({ calls: [], findings: [], lookAt: [] });
  });

  test("is not acted on twice after this pass has revoked its rule", () => {
    const revoked = new Set([ruleId("1")]);
    expect(callsOf(aPicture({ rules: [ourRule("1", NOW - 1000)], revoked }))).toEqual([]);
  });
});

test("ends come before everything else, and openings last", () => {
  const port = (from: number, changes: Partial<Entry>) =>
    anEntry({ ...changes, spec: aSpec({ ports: somePorts(`${from}/${from}`) }) });
  const opening = port(1, { holders: [aHolder({ openedAt: null })] });
  const moving = port(2, { standing: ours("2") });
  const ending = port(3, { standing: ours("3"), holders: [anEndedHolder()] });
  const rules = [moving, ending].map((entry, index) => aRule({ ...entry.spec, id: ruleId(`${index + 2}`) }));
  expect(callsOf(aPicture({ entries: [opening, moving, ending], rules }))).toEqual([
    "revoke sgr-3",
    "modify sgr-2",
    `authorize ${ruleKey(opening.spec)}`,
  ]);
});

test("of what undoes drift closing comes first as well, each after what leases ask for", () => {
  const spec = (port: number) => aSpec({ ports: somePorts(`${port}/${port}`) });
  const rule = (name: string, port: number, changes = {}) =>
    aRule({ ...spec(port), id: ruleId(name), createdAt: NOW - 60_000, ...changes });
  const told = anAllocation({ description: "shop" });
  const [gone, edited] = [4, 5].map((port) =>
    anAllocated({ spec: spec(port), standing: preExisting(`${port}`), allocation: told }),
  ) as [Entry, Entry];
  const opening = anEntry({ spec: spec(1), holders: [aHolder({ openedAt: null })] });
  const moving = anEntry({ spec: spec(2), standing: ours("2") });
  const ending = anEntry({ spec: spec(3), standing: ours("3"), holders: [anEndedHolder()] });
  const rules = [
    rule("x", 6),
    rule("5", 5, { description: "mine", createdAt: NOW - 24 * HOUR }),
    rule("2", 2),
    rule("3", 3),
  ];
  const sightings = [
    aSighting({ specs: [spec(6)] }),
    aSighting({ eventId: "event-2", kind: "revoke", specs: [spec(4)] }),
    aSighting({ eventId: "event-3", kind: "modify", specs: [spec(5)], ruleIds: [ruleId("5")] }),
  ];
  const picture = aPicture({
    ...{ rules, entries: [gone, opening, edited, moving, ending], watch: aWatch({ sightings }) },
  });
  const order = ["revoke sgr-3", "revoke sgr-x", "modify sgr-2", "modify sgr-5"];
  expect(callsOf(picture)).toEqual([...order, `authorize ${opening.key}`, `authorize ${gone.key}`]);
  expect(planGroup(picture).lookAt).not.toContain(againAt(NOW));
  const halted = planGroup({ ...picture, mode: "halt" });
  expect(halted.calls.map(short)).toEqual(["revoke sgr-3"]);
  expect(halted.lookAt).toContain(againAt(NOW));
});

test("what a mode keeps back is looked at again, without a watch too", () => {
  const opening = anEntry({ holders: [aHolder({ openedAt: null })] });
  const looks = (mode: Picture["mode"]) => planGroup(aPicture({ entries: [opening], mode })).lookAt;
  expect(looks("halt")).toContain(againAt(NOW));
  expect(looks("normal")).not.toContain(againAt(NOW));
});

test("the group is read again when any entry needs it", () => {
  const rides = anEntry({ holders: [aHolder({ openedAt: null })] });
  const none = anEntry({ spec: aSpec({ ports: somePorts("23/23") }) });
  const again = (...entries: Entry[]) =>
    planGroup(aPicture({ entries, rules: [aRule({ id: ruleId("theirs") })], readSince: NOW })).readAgainAt;
  expect(again(rides, none)).toBe(NOW + 2000);
  expect(again(none, rides)).toBe(NOW + 2000);
  expect(again(none)).toBeNull();
});

describe("a rule that says what an ended lease's said", () => {
  const ridden = anEntry({ standing: preExisting("1"), holders: [anEndedHolder()] });
  const isLeft = (entry: Entry, rules = [aRule()], more = {}) =>
    planGroup(aPicture({ entries: [entry], rules, ...more })).leftBehind;

  test("is left behind for whoever compares the group with its ledger", () => {
    expect(isLeft(ridden)).toBe(true);
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }) });
    expect(planGroup(aPicture({ entries: [other, ridden], rules: [aRule()] })).leftBehind).toBe(true);
  });

  test.each([
    ["is still a lease's", { holders: [aHolder()] }],
    ["is allocated", { allocation: anAllocation() }],
    ["was nobody's before", { holders: [] }],
  ] as const)("is not where it %s", (_what, changes) => {
    expect(isLeft({ ...ridden, ...changes })).toBe(false);
  });

  test("is not while it is being closed, closed already, or another one", () => {
    expect(isLeft({ ...ridden, standing: ours("1") }, [ourRule("1")])).toBe(false);
    expect(isLeft(ridden, [aRule()], { revoked: new Set([ruleId("1")]) })).toBe(false);
    expect(isLeft(ridden, [aRule({ priority: 2 })])).toBe(false);
  });
});

describe("an entry", () => {
  test("with open hours has the group looked at when they change, and others do not", () => {
    const openHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "10:00" }] };
    const timed = anAllocated({ standing: ours("1"), allocation: anAllocation({ openHours }) });
    const rule = ourRule("1", NOW + 2 * HOUR);
    expect(planGroup(aPicture({ entries: [timed], rules: [rule] })).lookAt).toEqual([NOW + 2 * HOUR]);
    expect(planGroup(aPicture({ entries: [anAllocated()], rules: [aRule()] })).lookAt).toEqual([]);
  });

  test("is planned without what is booked to another", () => {
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }), standing: ours("1") });
    const plan = planGroup(aPicture({ entries: [other, anEntry()], rules: [aRule()] }));
    expect(plan.calls).toEqual([]);
    expect(plan.patches.map((it) => it.standing)).toEqual([ours("1"), { kind: "none" }]);
    const theirs = planGroup(
      aPicture({ entries: [{ ...other, standing: preExisting("1") }, anEntry()], rules: [aRule()] }),
    );
    expect(theirs.patches.map((it) => it.standing)).toEqual([preExisting("1"), preExisting("1")]);
    const own = planGroup(aPicture({ entries: [anEntry({ standing: ours("1") })], rules: [ourRule("1")] }));
    expect(own.patches).toMatchObject([{ standing: ours("1") }]);
  });

  test("is planned as a drop where a lockdown holds it, as an accept where that holds one, and as a lease's otherwise", () => {
    const cause = (changes: Parameters<typeof anEntry>[0]) =>
      planGroup(aPicture({ entries: [anEntry(changes)] })).calls.map((call) => [call.kind, call.cause]);
    const drop = aSpec({ policy: "drop" });
    const holders = [aDropHolder({ openedAt: null })];
    expect(cause({ spec: drop, holders })).toEqual([["authorize", "a lockdown asks for it"]]);
    expect(cause({ holders })).toEqual([["authorize", "a lockdown asks for it"]]);
    expect(cause({ holders: [aHolder({ openedAt: null })] })).toEqual([["authorize", "a lease asks for it"]]);
    const takenAway = (changes: Parameters<typeof anEntry>[0]) => {
      const entry = anEntry({ standing: ours("1"), ...changes });
      return planGroup(aPicture({ entries: [entry] })).findings.map((it) => it.replace(entry.key, "KEY"));
    };
    const isPutBack = ["somebody else took away the drop KEY: it is put back"];
    expect(takenAway({ spec: drop, holders: [aDropHolder()] })).toEqual(isPutBack);
    expect(takenAway({ spec: drop, holders: [aHolder(), aDropHolder()] })).toEqual(isPutBack);
    expect(takenAway({ holders: [aDropHolder()] })).not.toEqual(isPutBack);
    expect(takenAway({ spec: drop })).not.toEqual(isPutBack);
    // What is granted for good as well, for as long as somebody holds it.
    const kept = { spec: drop, allocation: anAllocation() };
    expect(takenAway({ ...kept, holders: [aDropHolder()] })).toEqual(isPutBack);
    expect(takenAway({ ...kept, holders: [aDropHolder({ until: NOW })] })).not.toEqual(isPutBack);
  });

  test("whose suspension is over is planned without it, and written down as it is stored", () => {
    const lifted = suspended({ by: [over], kept: [] }, { holders: [aHolder({ openedAt: null })], standing: ours("1") });
    const { calls, patches } = planGroup(aPicture({ entries: [lifted] }));
    expect(calls).toMatchObject([{ kind: "authorize", entry: { suspension: null, standing: { kind: "none" } } }]);
    expect(patches).toMatchObject([{ suspension: null }]);
    expect(patches[0]?.entry).toBe(lifted);
    const closed = suspended({}, { allocation: anAllocation() });
    expect(planGroup(aPicture({ entries: [closed], rules: [aRule()] })).calls).toMatchObject([{ suspends: true }]);
  });
});

describe("a true mark", () => {
  test("of an entry that is known, or of a rule that is booked, is that entry's to decide about", () => {
    const entry = anEntry({ standing: ours("1") });
    const rules = [ourRule("1"), ourRule("2")];
    expect(planGroup(aPicture({ entries: [entry], rules })).findings).toEqual([]);
    const moved = aRule({ id: ruleId("1"), ports: somePorts("23/23"), description: aMark(aSpec()) });
    const plan = planGroup(aPicture({ entries: [entry], rules: [moved] }));
    expect(plan.findings.join()).not.toContain("not its own");
  });

  test("that names another entry is not its own", () => {
    const other = anEntry({ spec: aSpec({ ports: somePorts("23/23") }) });
    const renamed = aRule({ description: aMark(aSpec(), { entryId: other.entryId, until: NOW - 1000 }) });
    const plan = planGroup(aPicture({ rules: [renamed] }));
    expect([plan.calls, plan.findings]).toEqual([
      [],
      ["the rule sgr-1 carries a mark that is not its own; it is left alone"],
    ]);
  });
});
