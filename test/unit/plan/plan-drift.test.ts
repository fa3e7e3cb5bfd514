// What stops the rollback of a difference: holds, freezes, the operator's path, the ceiling, and whatever may cut a way in.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Direction, Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { anAllocated, anAllocation, aSighting } from "../../kit/drift-pictures.ts";
import { HOUR, NOW, preExisting, refusing, ruleId } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { bobs, callsOf, extra, granted, onPort, watched } from "../../kit/watched-pictures.ts";

describe("what keeps drift from being rolled back", () => {
  const x = extra("x", 8443);
  const sightings = [bobs(x)];
  const reverts = (count: number, at: number, key = ruleKey(x)) =>
    Array.from({ length: count }, (_, index) => ({ key, driftId: `dr-${index}`, at: at - index }));
  const stateOf = (watch: Partial<Watch>, picture: Partial<Picture> = {}) => {
    const { drift, calls } = watched({ sightings, ...watch }, { rules: [x], ...picture });
    return [calls.length, drift.items[0]?.state, drift.items[0]?.heldBy];
  };

  test("a fourth rollback of one rule in ten minutes is held, and the hold is kept", () => {
    expect(stateOf({ reverts: reverts(3, NOW - 1000) })).toEqual([0, "held", "hold"]);
    expect(watched({ sightings, reverts: reverts(3, NOW) }, { rules: [x] }).drift.holds).toEqual([ruleKey(x)]);
    expect(stateOf({ reverts: reverts(2, NOW - 1000) })).toEqual([1, "rollingBack", null]);
    expect(stateOf({ reverts: reverts(3, NOW - 600_000) })).toEqual([1, "rollingBack", null]);
    expect(stateOf({ reverts: reverts(3, NOW, ruleKey(onPort(1))) })).toEqual([1, "rollingBack", null]);
  });

  test("a hold stays until it is let go of, long after the reverts, and is not told again", () => {
    const holds = new Set([ruleKey(x)]);
    expect(stateOf({ holds })).toEqual([0, "held", "hold"]);
    const { drift } = watched({ sightings, holds }, { rules: [x] });
    expect(drift.holds).toEqual([]);
    const again = watched({ sightings, holds, items: drift.items }, { rules: [x], now: NOW + HOUR });
    expect([again.calls, again.drift.items]).toEqual([[], []]);
  });

  test("a rollback that is under way is no further one, however often it is planned", () => {
    const { drift } = watched({ sightings }, { rules: [x] });
    const counted = [...reverts(2, NOW), ...drift.reverts];
    const again = watched({ sightings, items: drift.items, reverts: counted }, { rules: [x] });
    expect([callsOf(again), again.drift.reverts, again.drift.items]).toEqual([["revoke sgr-x"], [], []]);
  });

  test("what is held takes no place from what is not", () => {
    const others = [1, 2, 3].map((port) => extra(`${port}`, port));
    const all = [...others, x];
    const holds = new Set(others.map(ruleKey));
    const plan = watched({ sightings: [bobs(...all)], holds, changesMax: 1 }, { rules: all });
    expect(callsOf(plan)).toEqual(["revoke sgr-x"]);
    expect(plan.drift.lookAt).toEqual([]);
  });

  test("a freeze window stops all of it until its end", () => {
    expect(stateOf({ frozenUntil: NOW + HOUR })).toEqual([0, "reported", "freeze"]);
    expect(watched({ sightings, frozenUntil: NOW + HOUR }, { rules: [x] }).drift.lookAt).toEqual([NOW + HOUR]);
    const frozen = watched({ sightings, frozenUntil: NOW + HOUR }, { rules: [x] }).drift.items;
    expect(callsOf(watched({ sightings, items: frozen }, { rules: [x] }))).toEqual(["revoke sgr-x"]);
  });

  test("a ledger that was read in part stops all of it", () => {
    expect(stateOf({ isHalfRead: true })).toEqual([0, "reported", "reading"]);
  });

  test("a group that shows no rule at all is not believed to have lost several", () => {
    const entries = [granted("a", 1).entry, granted("b", 2).entry];
    const removals = entries.map((it) => aSighting({ kind: "revoke", specs: [it.spec] }));
    const plan = watched({ sightings: removals }, { entries });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items.map((it) => it.heldBy)).toEqual(["reading", "reading"]);
    expect(watched({ sightings: removals }, { entries: entries.slice(0, 1) }).calls).toHaveLength(1);
  });

  test("what would cut a path that must always reach stays, and hides nothing else", () => {
    const ssh = extra("x", 22, { peer: fromCidr("198.51.100.0/24") });
    const operatorPath = [{ protocol: "tcp", port: "22", sources: ["198.51.100.7"] }];
    const host = { addresses: [aCidr("192.168.0.11/32")], otherRules: [] };
    const given = { rules: [extra("w", 8442), ssh, extra("y", 8443), extra("z", 8444)] };
    const calls = [bobs(...given.rules)];
    const cut = watched({ sightings: calls, operatorPath, interfaces: [host] }, given);
    expect(callsOf(cut)).toEqual(["revoke sgr-w", "revoke sgr-y", "revoke sgr-z"]);
    expect(cut.drift.items.map((it) => it.heldBy)).toEqual([null, "operatorPath", null, null]);
    expect(cut.drift.lookAt).toEqual([]);
    // It takes no place in the portion of a pass.
    const portion = watched({ sightings: calls, operatorPath, interfaces: [host], changesMax: 2 }, given);
    expect(callsOf(portion)).toEqual(["revoke sgr-w", "revoke sgr-y"]);
    expect(portion.drift.lookAt).toEqual([NOW]);
    const other = { ...host, otherRules: [{ ...ssh, id: ruleId("other") }] };
    expect(watched({ sightings: calls, operatorPath, interfaces: [other] }, given).calls).toHaveLength(4);
    expect(watched({ sightings: calls, operatorPath, interfaces: [] }, given).calls).toHaveLength(4);
  });

  test("of two rules that carry the path only one goes, however many drift", () => {
    const operatorPath = [{ protocol: "tcp", port: "22", sources: ["198.51.100.7"] }];
    const interfaces = [{ addresses: [aCidr("192.168.0.11/32")], otherRules: [] }];
    const carrying = [1, 2].map((n) => extra(`${n}`, 22, { peer: fromCidr("198.51.100.0/24"), priority: n }));
    const plan = watched({ sightings: [bobs(...carrying)], operatorPath, interfaces }, { rules: carrying });
    expect(callsOf(plan)).toEqual(["revoke sgr-1"]);
    expect(plan.drift.items.map((it) => it.heldBy)).toEqual([null, "operatorPath"]);
  });

  test("a restoring that gives the path back is none that cuts it", () => {
    const { entry, rule } = granted("g", 22);
    const operatorPath = [{ protocol: "tcp", port: "22", sources: ["203.0.113.7"] }];
    const interfaces = [{ addresses: [], otherRules: [] }];
    const wider = { ...rule, peer: fromCidr("203.0.0.0/16") };
    const modify = aSighting({ kind: "modify", specs: [wider], ruleIds: [ruleId("g")] });
    const plan = watched({ sightings: [modify], operatorPath, interfaces }, { rules: [wider], entries: [entry] });
    expect(callsOf(plan)).toEqual(["modify sgr-g"]);
  });

  test("a rule that the cloud does not let be restored is left, and others are not", () => {
    const { entry } = granted("g", 443);
    const calls = [...sightings, aSighting({ kind: "revoke", specs: [entry.spec] })];
    const given = { rules: [x], entries: [entry], refusals: refusing(entry.entryId) };
    const { drift, ...plan } = watched({ sightings: calls }, given);
    expect(callsOf({ ...plan, drift })).toEqual(["revoke sgr-x"]);
    expect(drift.items.map((it) => [it.kind, it.state, it.heldBy])).toEqual([
      ["added", "rollingBack", null],
      ["removed", "reported", "refused"],
    ]);
  });

  test.each(["observe", "enforce"] as const)("a rollback that was begun goes on only where it is done: %s", (acts) => {
    const { drift } = watched({ sightings }, { rules: [x] });
    const plan = watched({ sightings, acts, items: drift.items }, { rules: [x] });
    expect(callsOf(plan)).toEqual(acts === "enforce" ? ["revoke sgr-x"] : []);
    expect(plan.drift.items.map((it) => it.state)).toEqual(acts === "enforce" ? [] : ["reported"]);
  });

  test("a rollback that was begun stops for a freeze as well", () => {
    const { drift } = watched({ sightings }, { rules: [x] });
    const plan = watched({ sightings, items: drift.items, frozenUntil: NOW + HOUR }, { rules: [x] });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "reported", heldBy: "freeze" }]);
  });
});

describe("the ceiling", () => {
  const some = (count: number, changes: Partial<Rule> = {}) =>
    Array.from({ length: count }, (_, index) => extra(`${index}`, 1000 + index, changes));
  const old = { createdAt: NOW - 2 * HOUR };
  const planned = (rules: readonly Rule[], watch: Partial<Watch> = {}) =>
    watched({ sightings: [aSighting({ rules: null, at: NOW - 60_000 })], ...watch }, { rules });

  test("five old rules go, and of six none; what is new beside them goes", () => {
    expect(planned(some(5, old)).calls).toHaveLength(5);
    const plan = planned([...some(6, old), extra("new", 9)]);
    expect(callsOf(plan)).toEqual(["revoke sgr-new"]);
    expect(plan.drift.items.map((it) => it.heldBy)).toEqual([...Array(6).fill("ceiling"), null]);
    expect(plan.drift.lookAt).toEqual([]);
  });

  test("descriptions that somebody has edited hide no rule that is open to everybody", () => {
    const shown = [1, 2, 3, 4, 5, 6].map((port) => granted(`g${port}`, port));
    const told = anAllocation({ description: "the shop" });
    const wild = extra("wild", 3306, { peer: fromCidr("0.0.0.0/0") });
    const sightings = [
      bobs(wild),
      aSighting({ kind: "modify", rules: null, ruleIds: shown.flatMap(({ rule }) => rule.id ?? []) }),
    ];
    const entries = shown.map(({ entry }) => ({ ...entry, allocation: told }));
    const plan = watched({ sightings }, { rules: [...shown.map(({ rule }) => rule), wild], entries });
    expect(callsOf(plan)).toEqual(["revoke sgr-wild"]);
    expect(plan.drift.items.filter((it) => it.kind === "edited").map((it) => it.heldBy)).toEqual(
      Array(6).fill("ceiling"),
    );
  });

  test("beyond it nothing is opened, and what may have become of a granted rule is left", () => {
    const gone = [1, 2, 3, 4, 5, 6].map((port) => granted(`g${port}`, port));
    const [copy, narrow, wide] = [
      extra("copy", 1, { priority: 50 }),
      extra("narrow", 2, { peer: fromCidr("203.0.113.7/32"), priority: 50 }),
      extra("wide", 3, { peer: fromCidr("203.0.0.0/16") }),
    ];
    const drop = extra("drop", 9, { policy: "drop" });
    const rules = [copy, narrow, wide, drop, granted("other", 80).rule];
    const removals = aSighting({ kind: "revoke", specs: gone.map(({ entry }) => entry.spec) });
    const entries = [...gone.map((it) => it.entry), granted("other", 80).entry];
    const plan = watched({ sightings: [bobs(copy, narrow, wide, drop), removals] }, { rules, entries });
    expect(callsOf(plan)).toEqual(["revoke sgr-wide"]);
  });

  test("a fifth of a large group goes, and not one more", () => {
    const large = (drift: number) => {
      const allocated = Array.from({ length: 50 - drift }, (_, index) => granted(`g${index}`, 2000 + index));
      const rules = [...allocated.map((it) => it.rule), ...some(drift, old)];
      return watched({}, { rules, entries: allocated.map((it) => it.entry) }).calls.length;
    };
    expect([large(10), large(11)]).toEqual([10, 0]);
  });

  test("rules created since the baseline go in portions, the next one at once", () => {
    const plan = planned(some(7), { changesMax: 3 });
    expect(plan.calls).toHaveLength(3);
    expect(plan.drift.items.filter((it) => it.heldBy === "ceiling")).toHaveLength(4);
    expect(plan.drift.lookAt).toEqual([NOW]);
    const last = planned(some(3), { changesMax: 3 });
    expect([last.calls.length, last.drift.lookAt]).toEqual([3, []]);
  });

  test("a rule is surely new only by its creation: without one, or with one before the baseline, it is not", () => {
    expect(planned(some(6, { createdAt: null })).calls).toEqual([]);
    expect(planned(some(6, { createdAt: NOW - HOUR })).calls).toEqual([]);
    expect(planned(some(6, { createdAt: NOW - HOUR + 1 })).calls).toHaveLength(6);
  });

  test("what was granted is restored before what was not is removed", () => {
    const { entry } = granted("g", 443);
    const calls = [bobs(...some(3)), aSighting({ kind: "revoke", specs: [entry.spec] })];
    const plan = watched({ sightings: calls, changesMax: 1 }, { rules: some(3), entries: [entry] });
    expect(callsOf(plan)).toEqual([`authorize ${entry.key}`]);
  });
});

describe("a drop that may cut Cloud Assistant off", () => {
  const drop = (peer: string, ports: string, direction: Direction = "egress") =>
    anAllocated({
      spec: aSpec({ direction, policy: "drop", peer: fromCidr(peer), ports: somePorts(ports) }),
      standing: preExisting("d"),
    });
  const removed = (entry: Entry) =>
    watched({ sightings: [aSighting({ kind: "revoke", specs: [entry.spec] })] }, { entries: [entry] });

  test.each([
    ["0.0.0.0/0", "443/443"],
    ["100.100.0.0/16", "1/65535"],
    ["100.64.0.0/10", "80/80"],
  ])("is not written again without a person: %s %s", (peer, ports) => {
    const plan = removed(drop(peer, ports));
    expect(callsOf(plan)).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "reported", heldBy: "cloudAssistant" }]);
  });

  test.each([
    ["10.0.0.0/8", "443/443", "egress"],
    ["0.0.0.0/0", "25/25", "egress"],
    ["0.0.0.0/0", "443/443", "ingress"],
  ] as const)("is none: %s %s %s", (peer, ports, direction) => {
    const entry = drop(peer, ports, direction);
    expect(callsOf(removed(entry))).toEqual([`authorize ${entry.key}`]);
  });

  test("is changed back where it took from it already", () => {
    const entry = drop("0.0.0.0/0", "443/443");
    const rule = aRule({ ...entry.spec, id: ruleId("d"), createdAt: NOW - 24 * HOUR, description: "edited" });
    const told = { ...entry, allocation: anAllocation({ description: "no way out" }) };
    const edits = aSighting({ kind: "modify", rules: null, ruleIds: [ruleId("d")] });
    expect(callsOf(watched({ sightings: [edits] }, { rules: [rule], entries: [told] }))).toEqual(["modify sgr-d"]);
  });
});
