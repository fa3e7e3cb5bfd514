// What becomes of differences: every verdict, guard, direction and change, and whatever stops a rollback.
import { describe, expect, test } from "vitest";
import type { DriftKind, Verdict as DriftVerdict } from "../../../shared/domain/drift-item.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Direction, Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { NO_DRIFT } from "../../../shared/plan/plan-drift.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import {
  anAllocated,
  anAllocation,
  aSighting,
  aWatch,
  someTerms,
  terraform,
  WAIT_MS,
} from "../../kit/drift-pictures.ts";
import {
  aMark,
  anEndedHolder,
  anEntry,
  aPicture,
  HOUR,
  NOW,
  ours,
  preExisting,
  refusing,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { bobs, callsOf, extra, granted, onPort, watched } from "../../kit/watched-pictures.ts";

describe("every verdict, guard, direction and change", () => {
  /** What a difference may be judged to be, as its item tells; null for what is none. */
  const TOLD = {
    ours: null,
    granted: null,
    foreign: "foreign",
    adopt: "trusted",
    ticket: "trusted",
    waiting: "unknown",
    expired: "drift",
    drift: "drift",
  } as const satisfies Readonly<Record<string, DriftVerdict["kind"] | null>>;
  const KINDS = { foreign: 0, trusted: 0, unknown: 0, drift: 0 } satisfies Record<DriftVerdict["kind"], 0>;
  const CHANGES = Object.keys({ added: 0, removed: 0, edited: 0 } satisfies Record<Change, 0>) as readonly Change[];
  const GUARDS = Object.keys({ none: 0, observe: 0, enforce: 0 } satisfies Record<Guard, 0>) as readonly Guard[];
  type Verdict = keyof typeof TOLD;
  type Change = Exclude<DriftKind, "guard">;
  const VERDICTS = Object.keys(TOLD) as readonly Verdict[];

  /** What is called, and where the item then stands. `x` is the rule nobody granted, `g` the granted one. */
  const TABLE = `
    verdict   change    none   observe             enforce
    ours      added     -      -                   -
    ours      removed   -      -                   -
    ours      edited    -      -                   -
    granted   added     -      -                   -
    granted   removed   -      -                   -
    granted   edited    -      -                   -
    foreign   added     -      reported            reported
    foreign   removed   -      waiting             waiting
    foreign   edited    -      waiting             waiting
    adopt     added     -      adopted:give        adopted:give
    adopt     removed   -      adopted:retire      adopted:retire
    adopt     edited    -      adopted:retire+give adopted:retire+give
    ticket    added     -      reported            reported
    ticket    removed   -      reported            reported
    ticket    edited    -      reported            reported
    waiting   added     -      waiting             waiting
    waiting   removed   -      waiting             waiting
    waiting   edited    -      waiting             waiting
    expired   added     -      reported            revoke:x,rollingBack
    expired   removed   -      reported            authorize:g,rollingBack
    expired   edited    -      reported            modify:g,rollingBack
    drift     added     -      reported            revoke:x,rollingBack
    drift     removed   -      reported            authorize:g,rollingBack
    drift     edited    -      reported            modify:g,rollingBack`;
  const rows = TABLE.trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

  test("the table has a row for each verdict and change", () => {
    const product = VERDICTS.flatMap((verdict) => CHANGES.map((change) => `${verdict} ${change}`));
    expect(rows.map(([verdict, change]) => `${verdict} ${change}`)).toEqual(product);
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => 2 + GUARDS.length));
    expect(new Set(Object.values(TOLD).filter((kind) => kind !== null))).toEqual(new Set(Object.keys(KINDS)));
  });

  /** A group with one granted rule that stands, one that the change may be about, and who changed it. */
  function scene(verdict: Verdict, change: Change, direction: Direction): { picture: Partial<Picture>; watch: Watch } {
    const peer = fromCidr(verdict === "foreign" ? "100.104.7.0/24" : "198.51.100.0/24");
    const other = granted("other", 80);
    const spec = aSpec({ direction, ports: somePorts("443/443") });
    const wild = aSpec({ direction, ports: somePorts("8443/8443"), peer });
    const g = aRule({ ...spec, id: ruleId("g"), createdAt: NOW - 24 * HOUR });
    const x = aRule({ ...wild, id: ruleId("x"), createdAt: NOW - 60_000 });
    const shown = { added: [g, x], removed: [], edited: [{ ...g, ...wild }] }[change];
    const entry = anAllocated({ spec, standing: preExisting("g") });
    const actor = verdict === "drift" ? {} : { actor: terraform };
    const calls = {
      added: aSighting({ ...actor, specs: [wild], at: NOW - 60_000 }),
      removed: aSighting({ ...actor, kind: "revoke", specs: [], ruleIds: [ruleId("g")] }),
      edited: aSighting({ ...actor, kind: "modify", specs: [wild], ruleIds: [ruleId("g")] }),
    };
    const isSeen = verdict === "adopt" || verdict === "ticket" || verdict === "drift";
    const treat = verdict === "ticket" ? "ticket" : "adopt";
    const watch = aWatch({
      terms: someTerms({ trustedPrincipals: [{ principal: "terraform", treat }] }),
      sightings: isSeen ? [calls[change]] : [],
    });
    const rules = [other.rule, ...shown];
    const entries = [other.entry, entry];
    if (verdict === "ours") return { picture: ofLeases(change, g, x), watch };
    if (verdict !== "granted") return { picture: { rules, entries }, watch };
    const hours = { zone: "UTC", windows: [{ days: [5], from: "00:00", to: "01:00" }] };
    return {
      added: {
        picture: { rules, entries: [...entries, anAllocated({ spec: wild, standing: preExisting("x") })] },
        watch,
      },
      // Gone while its open hours are over.
      removed: {
        picture: { rules, entries: [other.entry, { ...entry, allocation: anAllocation({ openHours: hours }) }] },
        watch,
      },
      // Its allocation knows no description: any will do.
      edited: { picture: { rules: [other.rule, { ...g, description: "web" }], entries }, watch },
    }[change];
  }

  /** A lease has opened the rule, has had it closed, or has had its end and so its mark moved. */
  function ofLeases(change: Change, g: Rule, x: Rule): Pick<Picture, "rules" | "entries"> {
    const stands = anAllocated({ spec: g, standing: preExisting("g") });
    const lease = (rule: Rule, name: string) => anEntry({ spec: rule, standing: ours(name) });
    return {
      added: { rules: [g, { ...x, description: aMark(x) }], entries: [stands, lease(x, "x")] },
      removed: { rules: [], entries: [anEntry({ spec: g, holders: [anEndedHolder()] })] },
      edited: { rules: [{ ...g, description: aMark(g) }], entries: [lease(g, "g")] },
    }[change];
  }

  const cellOf = ({ calls, drift }: Plan): string => {
    const names = calls.map((call) =>
      call.kind === "authorize" ? "authorize:g" : `${call.kind}:${call.ruleId.slice(4)}`,
    );
    const adoptions = drift.adoptions.map(({ allocation }) => (allocation ? "give" : "retire")).join("+");
    const states = drift.items.map(({ state }) => (adoptions ? `${state}:${adoptions}` : state));
    return [...names, ...states].join(",") || "-";
  };

  const cells = rows.flatMap(([verdict, change, ...expected]) =>
    (["ingress", "egress"] as const).flatMap((direction) =>
      GUARDS.map((guard, at) => ({ verdict, change, direction, guard, expected: expected[at] })),
    ),
  );

  test.each(cells)("$verdict, $change, $direction, guard $guard: $expected", (cell) => {
    const [verdict, change] = [cell.verdict as Verdict, cell.change as Change];
    const { picture, watch } = scene(verdict, change, cell.direction);
    const given = aPicture(picture);
    const acting = { ...watch, acts: cell.guard };
    // Seen for the first time when the wait began.
    const since = verdict === "expired" ? NOW - WAIT_MS : NOW;
    const { items } = planGroup({ ...given, now: since, watch: acting }).drift;
    const stored = verdict === "expired" ? items : [];
    const plan = planGroup({ ...given, watch: { ...acting, items: stored } });
    expect(cellOf(plan)).toBe(cell.expected);
    for (const call of plan.calls) expect(call.rollback).toBe(plan.drift.items[0]?.driftId);
    // Who removed or changed what a service wrote is nobody known yet.
    const told = verdict === "foreign" && change !== "added" ? "unknown" : TOLD[verdict];
    expect(plan.drift.items.map((it) => it.verdict.kind)).toEqual(cell.expected === "-" ? [] : [told]);
    // What a pass that does not compare is given.
    expect(planGroup({ ...given, watch: null }).drift).toEqual(NO_DRIFT);
  });
});

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
