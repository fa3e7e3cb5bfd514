// Which rule of a group is whose, and what is missing: what the entries account for is no difference.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import type { Difference, EntryPlan, PlannedCall } from "../../../shared/plan/entry-plan.ts";
import { closedRules, differencesOf } from "../../../shared/plan/group-differences.ts";
import type { KnownRule, Picture, Watch } from "../../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, anItem, aSighting, aWatch, terraform } from "../../kit/drift-pictures.ts";
import {
  aHolder,
  aMark,
  anEndedHolder,
  anEntry,
  anIntent,
  aPicture,
  HOUR,
  NOW,
  ours,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { aSuspension, keptAs, suspended } from "../../kit/suspended-pictures.ts";

const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (plan: Plan): string[] => plan.calls.map(short);
const onPort = (port: number): RuleSpec => aSpec({ ports: somePorts(`${port}/${port}`) });
/** A rule nobody granted, created a minute ago unless said otherwise. */
const extra = (name: string, port: number, changes: Partial<Rule> = {}): KnownRule => ({
  ...aRule({ ...onPort(port), createdAt: NOW - 60_000, ...changes }),
  id: ruleId(name),
});
/** A granted rule on a port, with the entry that allocates it. */
const granted = (name: string, port: number): { readonly entry: Entry; readonly rule: KnownRule } => ({
  entry: anAllocated({ spec: onPort(port), standing: preExisting(name) }),
  rule: extra(name, port, { createdAt: NOW - 24 * HOUR }),
});
const watched = (watch: Partial<Watch>, picture: Partial<Picture>): Plan =>
  planGroup(aPicture({ watch: aWatch(watch), ...picture }));

/** What is decided about an entry that leaves it as it is but for what differs. */
const planOf = (entry: Entry, ...differences: Difference[]): EntryPlan => ({
  ...{ calls: [], lookAt: [], readAgainAt: null, findings: [], differences },
  patch: {
    ...{ entry, standing: entry.standing, createdAt: null, missingSince: null, suspension: entry.suspension },
    ...{ undoneAt: [], opens: "none", doubted: new Set(), stated: true, end: null, ends: "none", settled: false },
    seenAt: null,
  },
});
const edited = (entry: Entry, rule: KnownRule): Difference => ({
  ...{ kind: "edited", entry, rule, ruleId: rule.id, earlierId: null, description: "" },
});
const find = (
  picture: Partial<Picture>,
  plans: readonly EntryPlan[],
  calls: readonly PlannedCall[] = [],
  recovered: Parameters<typeof differencesOf>[3] = [],
) =>
  differencesOf(
    aPicture({ watch: aWatch(), entries: plans.map(({ patch }) => patch.entry), ...picture }),
    ...([plans, calls, recovered] as const),
  );
/** Hours of a weekday; a Thursday's are open now. */
const hours = (day: number) => ({ zone: "UTC", windows: [{ days: [day], from: "07:00", to: "10:00" }] });

describe("an event alone that says a granted rule was made another one", () => {
  const { entry } = granted("g", 443);
  const forged = (to: RuleSpec): Sighting =>
    aSighting({ kind: "modify", specs: [to], ruleIds: [ruleId("g")], confirmed: false, eventId: "event-9" });

  test("does not undo what a trusted principal has put in its place", () => {
    const x = extra("x", 8443);
    const revoke = aSighting({ actor: terraform, kind: "revoke", specs: [], ruleIds: [ruleId("g")] });
    const create = aSighting({ actor: terraform, specs: [x], eventId: "event-2" });
    const { calls, drift } = watched({ sightings: [revoke, create, forged(x)] }, { rules: [x], entries: [entry] });
    expect(calls).toEqual([]);
    expect(drift.items.map((it) => it.kind).sort()).toEqual(["added", "removed"]);
  });

  test("does not make a known service's rule a granted one", () => {
    const dts = extra("d", 3390, { peer: fromCidr("100.104.7.0/24") });
    const plan = watched({ sightings: [forged(dts)] }, { rules: [dts], entries: [entry] });
    expect(callsOf(plan).filter((call) => call.includes("sgr-d"))).toEqual([]);
    expect(plan.drift.items.find((it) => it.ruleId === dts.id)?.verdict.kind).toBe("foreign");
  });
});

describe("rules that are no drift", () => {
  const callsAndItems = (picture: Partial<Picture>) => {
    const plan = watched({}, picture);
    return [callsOf(plan), plan.drift.items.map((it) => it.kind)];
  };
  const old = { createdAt: NOW - 24 * HOUR };

  test("the rule of a lease, before it is booked and while it rides on another priority", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null })] });
    const marked = aRule({ description: aMark(), ...old });
    const accepted = new Set([entry.entryId]);
    const intents = [anIntent(entry)];
    expect(callsAndItems({ rules: [marked], entries: [entry], intents, accepted })).toEqual([[], []]);
    expect(callsAndItems({ rules: [marked], entries: [entry] })).toEqual([["modify sgr-1"], []]);
    const ridden = anEntry({ standing: preExisting("1") });
    expect(callsAndItems({ rules: [aRule({ priority: 7, ...old })], entries: [ridden] })).toEqual([[], []]);
  });

  test("a rule of a lost ledger that is booked again from its mark", () => {
    const marked = aRule({ description: aMark(), ...old });
    const plan = watched({}, { rules: [marked], stateKnown: false });
    expect([plan.calls, plan.drift.items, plan.recovered.length]).toEqual([[], [], 1]);
    expect(callsAndItems({ rules: [marked] })).toEqual([["revoke sgr-1"], ["added"]]);
  });

  test("a rule without an id: nobody can change it", () => {
    expect(callsAndItems({ rules: [aRule({ id: null, ...old })] })).toEqual([[], []]);
  });

  test("a rule that this pass has revoked, whatever a stale reading shows", () => {
    expect(callsAndItems({ rules: [aRule(old)], revoked: new Set<RuleId>([ruleId("1")]) })).toEqual([[], []]);
  });

  test("the rule that a lease rode on, while the lease lasts and not after it", () => {
    const rules = [aRule(old)];
    expect(callsAndItems({ rules, entries: [anEntry({ standing: preExisting("1") })] })).toEqual([[], []]);
    const ended = anEntry({ standing: preExisting("1"), holders: [anEndedHolder()] });
    expect(callsAndItems({ rules, entries: [ended] })).toEqual([["revoke sgr-1"], ["added"]]);
  });

  test("a granted rule that was made another granted one: it is that one's, and the first is gone", () => {
    const [a, b] = [granted("a", 1), granted("b", 2)];
    const moved = { ...a.rule, ...onPort(2) };
    const sightings = [aSighting({ kind: "modify", specs: [moved], ruleIds: [ruleId("a")] })];
    const plan = watched({ sightings }, { rules: [moved], entries: [a.entry, b.entry] });
    expect(callsOf(plan)).toEqual([`authorize ${a.entry.key}`]);
    expect(plan.drift.items).toMatchObject([{ kind: "removed", attribution: { actor: "bob" } }]);
  });

  test("a granted rule that was made one with a copied mark past its end: it is revoked once, and restored", () => {
    const a = granted("a", 1);
    const moved = { ...a.rule, ...onPort(2), description: aMark(onPort(2), { until: NOW - 1000 }) };
    const sightings = [aSighting({ kind: "modify", specs: [moved], ruleIds: [ruleId("a")] })];
    const plan = watched({ sightings }, { rules: [moved], entries: [a.entry] });
    expect(callsOf(plan)).toEqual(["revoke sgr-a", `authorize ${a.entry.key}`]);
  });
});

describe("what the entries account for", () => {
  const [a, b] = [granted("a", 1), granted("b", 2)];

  test("is the rule that stands for each, whatever it says by now, and no other", () => {
    const moved = { ...a.rule, ...onPort(9) };
    expect(find({ rules: [moved] }, [planOf(a.entry)])).toEqual({ differences: [], added: [] });
    const x = extra("x", 9);
    expect(find({ rules: [a.rule, x] }, [planOf(a.entry)])).toEqual({ differences: [], added: [x] });
  });

  test("is a rule of ours that nobody wants any more, and not one that was there before", () => {
    const over = { spec: onPort(1), holders: [anEndedHolder()] };
    const moved = { ...a.rule, ...onPort(9) };
    expect(find({ rules: [moved] }, [planOf(anEntry({ ...over, standing: ours("a") }))]).added).toEqual([]);
    const ridden = anEntry({ ...over, standing: preExisting("a") });
    expect(find({ rules: [moved] }, [planOf(ridden)]).added).toEqual([moved]);
    expect(find({ rules: [a.rule] }, [planOf(ridden)]).added).toEqual([a.rule]);
  });

  test.each([
    ["is allocated", anAllocated({ spec: onPort(1) })],
    ["is held by one of two", anEntry({ spec: onPort(1), holders: [anEndedHolder(), aHolder()] })],
    ["has an open window", anAllocated({ spec: onPort(1), allocation: anAllocation({ openHours: hours(4) }) })],
    [
      "is closed for a time",
      anEntry({
        ...{ spec: onPort(1), holders: [] },
        suspension: { by: [], since: NOW, kept: null, wasAllocated: false, liftedAt: null },
      }),
    ],
  ])("is every rule that says what an entry grants that %s", (_how, entry) => {
    expect(find({ rules: [a.rule] }, [planOf(entry)]).added).toEqual([]);
    expect(find({ rules: [b.rule] }, [planOf(entry)]).added).toEqual([b.rule]);
  });

  test("is none of an entry whose hours are over", () => {
    const closed = anAllocated({ spec: onPort(1), allocation: anAllocation({ openHours: hours(5) }) });
    expect(find({ rules: [a.rule] }, [planOf(closed)]).added).toEqual([a.rule]);
  });

  test("is what is revoked, changed or booked again by this very plan", () => {
    const x = extra("x", 9);
    const revoke = { kind: "revoke", entryId: null, ruleId: ruleId("x"), seen: true, cause: "" } as const;
    const authorize = { kind: "authorize", entry: a.entry, description: "", beforeIds: [], cause: "" } as const;
    expect(find({ rules: [x] }, [], [authorize, revoke]).added).toEqual([]);
    expect(find({ rules: [x] }, [], [authorize]).added).toEqual([x]);
    expect(find({ rules: [x] }, [], [], [{ rule: x }]).added).toEqual([]);
    const edit = edited(a.entry, { ...a.rule, ...onPort(9) });
    const gone = { ...edit, kind: "removed", rule: null };
    expect(
      find({ rules: [{ ...a.rule, ...onPort(9) }] }, [planOf(a.entry, edit)], [{ ...revoke, ruleId: ruleId("a") }]),
    ).toEqual({
      ...{ differences: [gone], added: [] },
    });
  });
});

describe("an edited rule", () => {
  const [a, b] = [granted("a", 1), granted("b", 2)];
  const moved = { ...a.rule, ...onPort(2) };
  const edit = edited(a.entry, moved);
  const differences = (...plans: EntryPlan[]) => find({ rules: [moved] }, plans).differences;

  test("is the entry's own as long as no other entry has just this rule for its own", () => {
    expect(differences(planOf(a.entry, edit))).toEqual([edit]);
    expect(differences(planOf(a.entry, edit), planOf(b.entry))).toEqual([edit]);
    const same = anAllocated({ spec: onPort(3), standing: preExisting("a") });
    expect(differences(planOf(a.entry, edit), planOf(same))).toEqual([edit]);
    const taken = anAllocated({ spec: onPort(2), standing: preExisting("a") });
    expect(differences(planOf(a.entry, edit), planOf(taken))).toEqual([{ ...edit, kind: "removed", rule: null }]);
  });

  test("that says what it said but for its description is the entry's", () => {
    const described = edited(a.entry, { ...a.rule, description: "mine" });
    expect(differences(planOf(a.entry, described))).toEqual([described]);
  });

  test("is one entry's: for a second one that misses it, it is gone", () => {
    const other = edited(b.entry, moved);
    expect(differences(planOf(a.entry, edit), planOf(b.entry, other))).toEqual([
      edit,
      { ...other, kind: "removed", rule: null },
    ]);
  });
});

describe("a rule that is gone, and one that somebody's change has made of it", () => {
  const { entry } = granted("g", 443);
  const x = extra("x", 8443);
  const gone: Difference = {
    kind: "removed",
    entry,
    rule: null,
    ruleId: ruleId("g"),
    earlierId: null,
    description: "",
  };
  const followed = { ...gone, kind: "edited", rule: x, ruleId: x.id, earlierId: ruleId("g") };
  const modify = aSighting({ kind: "modify", specs: [x], ruleIds: [ruleId("g")], eventId: "event-9" });
  const unsure = { ...modify, confirmed: false };
  const watching = (sightings: readonly Sighting[], changes: Partial<Watch> = {}, rules: readonly Rule[] = [x]) =>
    find({ rules, watch: aWatch({ sightings, ...changes }) }, [planOf(entry, gone)]);
  const [yes, no] = [
    { differences: [followed], added: [] },
    { differences: [gone], added: [x] },
  ];

  test("are one edited rule: the change names the one and says the other", () => {
    expect(watching([modify])).toEqual(yes);
    expect(watching([{ ...modify, ruleIds: [ruleId("z"), ruleId("g")] }])).toEqual(yes);
    expect(watching([{ ...modify, rules: [...(aSighting().rules ?? []), ...(modify.rules ?? [])] }])).toEqual(yes);
    expect(watching([modify, { ...modify, rules: aSighting().rules }])).toEqual(yes);
    for (const told of [
      { ...modify, kind: "authorize" },
      { ...modify, ruleIds: [ruleId("z")] },
      { ...modify, rules: null },
      { ...modify, rules: aSighting().rules },
    ] as const)
      expect(watching([told])).toEqual(no);
    expect(find({ rules: [x], watch: null }, [planOf(entry, gone)])).toEqual(no);
  });

  test("are so also where the rule had changed its id before, as the entry's item tells", () => {
    const told = [{ ...modify, ruleIds: [ruleId("earlier")] }];
    const item = (changes: Partial<DriftItem>) => ({
      items: [anItem({ entryId: entry.entryId, ruleId: ruleId("earlier"), ...changes })],
    });
    expect(watching(told, item({}))).toEqual(yes);
    expect(watching(told, item({ entryId: null }))).toEqual(no);
    expect(watching(told, item({ ruleId: null }))).toEqual(no);
    const unnamed = { ...gone, ruleId: null };
    const watch = aWatch({ sightings: told, ...item({}) });
    expect(find({ rules: [x], watch }, [planOf(entry, unnamed)])).toEqual({ differences: [unnamed], added: [x] });
  });

  test("are two where the first still stands under its id, or another stands for it already", () => {
    const still = { ...x, ...onPort(1), id: ruleId("g") };
    const revoked = new Set([ruleId("g")]);
    expect(find({ rules: [x, still], revoked, watch: aWatch({ sightings: [modify] }) }, [planOf(entry, gone)])).toEqual(
      no,
    );
    const other = { ...edited(entry, extra("r", 1)), ruleId: ruleId("g") };
    expect(find({ rules: [x, extra("r", 1)], watch: aWatch({ sightings: [modify] }) }, [planOf(entry, other)])).toEqual(
      { differences: [other], added: [x] },
    );
  });

  test("are so for one entry alone", () => {
    const second = granted("h", 444).entry;
    const missing = { ...gone, entry: second, ruleId: ruleId("h") };
    const sightings = [modify, { ...modify, ruleIds: [ruleId("h")] }];
    const plans = [planOf(entry, gone), planOf(second, missing)];
    expect(find({ rules: [x], watch: aWatch({ sightings }) }, plans)).toEqual({
      ...{ differences: [followed, missing], added: [] },
    });
  });

  test("are so by an event alone, unless it takes from somebody who is known or trusted", () => {
    const by = (changes: Parameters<typeof aSighting>[0]) => aSighting({ actor: terraform, specs: [], ...changes });
    expect(watching([unsure])).toEqual(yes);
    const revoke = by({ kind: "revoke", ruleIds: [ruleId("g")] });
    const create = by({ specs: [x] });
    for (const told of [revoke, create]) {
      expect(watching([told, unsure])).toEqual(no);
      expect(watching([told, modify])).toEqual(yes);
      expect(watching([{ ...told, actor: aSighting().actor }, unsure])).toEqual(yes);
      expect(watching([{ ...told, confirmed: false, settled: true, doubt: "absent" }, unsure])).toEqual(yes);
    }
    for (const told of [
      by({ kind: "revoke", ruleIds: [ruleId("z")] }),
      by({ specs: [onPort(1)] }),
      by({ kind: "modify", ruleIds: [ruleId("g")] }),
      by({ kind: "modify", specs: [x], ruleIds: [ruleId("z")] }),
    ])
      expect(watching([told, unsure])).toEqual(yes);
  });

  test("are two by an event alone where a known service writes such rules", () => {
    const dts = extra("x", 8443, { peer: fromCidr("100.104.7.0/24") });
    const told = aSighting({ kind: "modify", specs: [dts], ruleIds: [ruleId("g")] });
    expect(watching([{ ...told, confirmed: false }], {}, [dts]).differences).toEqual([gone]);
    expect(watching([told], {}, [dts]).differences).toMatchObject([{ kind: "edited" }]);
  });
});

describe("rules that are closed for a time", () => {
  const spec = onPort(8443);
  const kept = { ...keptAs("x", "web"), createdAt: NOW - 60_000 };
  const closed = (changes: Parameters<typeof suspended>[0]) => planOf(suspended(changes, { spec }));

  test("are those that suspensions have kept, as each stood", () => {
    const other = { ...keptAs("y", "shop"), createdAt: NOW - HOUR };
    const x = { ...spec, id: "sgr-x", description: "web", createdAt: NOW - 60_000 };
    expect(closedRules([closed({ kept: [kept, other] }), closed({ kept: [kept] })])).toEqual([
      ...[x, { ...spec, id: "sgr-y", description: "shop", createdAt: NOW - HOUR }, x],
    ]);
  });

  test("are those that this very plan is to close", () => {
    const plan = closed({});
    const suspension = aSuspension({ kept: [kept] });
    expect(closedRules([{ ...plan, patch: { ...plan.patch, suspension } }])).toHaveLength(1);
  });

  test("are none that nobody knows the age of, that stood by an allocation, or before any was seen", () => {
    expect(closedRules([closed({ kept: [keptAs("x")] })])).toEqual([]);
    expect(closedRules([closed({ kept: [kept], wasAllocated: true })])).toEqual([]);
    expect(closedRules([closed({ kept: null }), planOf(anEntry())])).toEqual([]);
  });
});
