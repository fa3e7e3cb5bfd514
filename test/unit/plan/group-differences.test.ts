// Which rule of a group is whose, and what is missing: what the entries account for is no difference.
import { describe, expect, test } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, aSighting, aWatch, terraform } from "../../kit/drift-pictures.ts";
import {
  aHolder,
  aMark,
  anEndedHolder,
  anEntry,
  aPicture,
  HOUR,
  NOW,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const short = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;
const callsOf = (plan: Plan): string[] => plan.calls.map(short);
const onPort = (port: number): RuleSpec => aSpec({ ports: somePorts(`${port}/${port}`) });
/** A rule nobody granted, created a minute ago unless said otherwise. */
const extra = (name: string, port: number, changes: Partial<Rule> = {}): Rule =>
  aRule({ ...onPort(port), id: ruleId(name), createdAt: NOW - 60_000, ...changes });
/** A granted rule on a port, with the entry that allocates it. */
const granted = (name: string, port: number): { readonly entry: Entry; readonly rule: Rule } => ({
  entry: anAllocated({ spec: onPort(port), standing: preExisting(name) }),
  rule: extra(name, port, { createdAt: NOW - 24 * HOUR }),
});
const watched = (watch: Partial<Watch>, picture: Partial<Picture>): Plan =>
  planGroup(aPicture({ watch: aWatch(watch), ...picture }));

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
    expect(callsAndItems({ rules: [marked], entries: [entry] })).toEqual([[], []]);
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
