// What becomes of differences: every verdict, guard, direction and change, and whatever stops a rollback.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Direction, Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import type { PlannedCall } from "../../../shared/plan/entry-plan.ts";
import type { Picture, Watch } from "../../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../../shared/plan/plan-group.ts";
import {
  anAllocated,
  anAllocation,
  anItem,
  aSighting,
  aWatch,
  someTerms,
  terraform,
  WAIT_MS,
} from "../../kit/drift-pictures.ts";
import {
  aHolder,
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
/** Bob authorized these rules. */
const bobs = (...rules: Rule[]): Sighting => aSighting({ specs: rules });
const watched = (watch: Partial<Watch>, picture: Partial<Picture>): Plan =>
  planGroup(aPicture({ watch: aWatch(watch), ...picture }));

describe("every verdict, guard, direction and change", () => {
  const VERDICTS = ["ours", "granted", "foreign", "adopt", "ticket", "waiting", "expired", "drift"] as const;
  const CHANGES = ["added", "removed", "edited"] as const;
  const GUARDS = ["none", "observe", "enforce"] as const;

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
  });

  type Verdict = (typeof VERDICTS)[number];
  type Change = (typeof CHANGES)[number];

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
    const acting = cell.guard === "none" ? null : { ...watch, acts: cell.guard };
    // Seen for the first time when the wait began.
    const since = verdict === "expired" ? NOW - WAIT_MS : NOW;
    const items = acting ? planGroup({ ...given, now: since, watch: acting }).drift.items : [];
    const stored = verdict === "expired" ? items : [];
    const plan = planGroup({ ...given, watch: acting && { ...acting, items: stored } });
    expect(cellOf(plan)).toBe(cell.expected);
    for (const call of plan.calls) expect(call.rollback).toBe(plan.drift.items[0]?.driftId);
  });
});

describe("a rollback", () => {
  test("keeps an added rule in full in its item, which is rolling back before the call", () => {
    const rule = extra("x", 8443, { description: "mine", priority: 7, sourcePorts: somePorts("5/6") });
    const plan = watched({ sightings: [bobs(rule)] }, { rules: [rule] });
    const [item] = plan.drift.items;
    const { id: _, description, createdAt: __, ...spec } = rule;
    expect(item).toMatchObject({
      kind: "added",
      state: "rollingBack",
      found: { spec, description },
      wanted: null,
      entryId: null,
      ruleId: "sgr-x",
      verdict: { kind: "drift", why: "nobody granted it; bob wrote it" },
      attribution: { actor: "bob", address: "198.51.100.9", eventId: "event-1" },
      reach: "opens tcp 8443 with source port 5-6 to 203.0.113.7 on every host of the group",
    });
    expect(plan.drift.reverts).toEqual([{ key: ruleKey(rule), driftId: item?.driftId, at: NOW, since: NOW - 60_000 }]);
  });

  describe("of a rule that is made again", () => {
    const rule = extra("x", 8443, { createdAt: NOW });
    const forged = aSighting({ actor: terraform, specs: [rule], confirmed: false, doubt: "absent", at: NOW });
    const again = (revert: Partial<Watch["reverts"][number]>, sightings: Watch["sightings"] = [forged]) => {
      const earlier = { key: ruleKey(rule), driftId: "dr-earlier", at: NOW - 1000, ...revert };
      return watched({ sightings, reverts: [earlier] }, { rules: [rule] }).drift;
    };

    test("goes on waiting where the one before left off, so that making up events buys no more time", () => {
      expect(again({ since: NOW - WAIT_MS + 1 }).items).toMatchObject([
        { verdict: { kind: "unknown", until: NOW + 1 } },
      ]);
      const { items, reverts } = again({ since: NOW - WAIT_MS });
      expect(items).toMatchObject([{ state: "rollingBack", firstSeenAt: NOW }]);
      // And so does the next one.
      expect(reverts).toMatchObject([{ at: NOW, since: NOW - WAIT_MS }]);
    });

    test("waits anew where it was long ago, another rule's, or nobody was known", () => {
      const until = NOW + WAIT_MS;
      for (const revert of [
        { since: NOW - WAIT_MS - 1, at: NOW - WAIT_MS },
        { since: NOW - WAIT_MS, key: ruleKey(onPort(1)) },
        {},
      ])
        expect(again(revert).items).toMatchObject([{ verdict: { kind: "unknown", until } }]);
    });
  });

  test("restores an edited rule, its description and all", () => {
    const { entry, rule } = granted("g", 443);
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    for (const shown of [
      { ...rule, peer: fromCidr("0.0.0.0/0"), description: "the shop" },
      { ...rule, description: "mine now" },
    ]) {
      const sightings = [aSighting({ kind: "modify", specs: [shown], ruleIds: [ruleId("g")] })];
      const plan = watched({ sightings }, { rules: [shown], entries: [told] });
      expect(plan.calls).toMatchObject([{ kind: "modify", entry: told, ruleId: "sgr-g", description: "the shop" }]);
      expect(plan.drift.items).toMatchObject([
        { kind: "edited", found: { description: shown.description }, wanted: { description: "the shop" } },
      ]);
    }
  });

  test("restores a removed rule with its description", () => {
    const { entry } = granted("g", 443);
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    const sightings = [aSighting({ kind: "revoke", specs: [onPort(443)] })];
    const plan = watched(
      { sightings },
      { rules: [granted("other", 80).rule], entries: [told, granted("other", 80).entry] },
    );
    expect(plan.calls).toMatchObject([{ kind: "authorize", entry: told, description: "the shop" }]);
    expect(plan.drift.items).toMatchObject([{ kind: "removed", found: null, wanted: { spec: onPort(443) } }]);
  });

  test("revokes before it authorizes, and ends and marks of leases come before it", () => {
    const [gone, ending] = [granted("g", 443), anEntry({ spec: onPort(22), standing: ours("l"), holders: [] })];
    const held = anEntry({ spec: onPort(23), holders: [aHolder({ openedAt: null })] });
    const x = extra("x", 8443);
    const sightings = [bobs(x), aSighting({ kind: "revoke", specs: [onPort(443)] })];
    const plan = watched({ sightings }, { rules: [x, extra("l", 22)], entries: [held, gone.entry, ending] });
    expect(callsOf(plan)).toEqual([
      "revoke sgr-l",
      "revoke sgr-x",
      `authorize ${held.key}`,
      `authorize ${gone.entry.key}`,
    ]);
  });

  test("revokes what was made of a rule, where another rule says already what it said", () => {
    const entry = anEntry({ spec: onPort(443), standing: ours("1") });
    const wild = extra("1", 8443, { description: aMark(onPort(443)) });
    const copy = extra("2", 443);
    const sightings = [aSighting({ kind: "modify", specs: [wild], ruleIds: [ruleId("1")] })];
    const plan = watched({ sightings }, { rules: [wild, copy], entries: [entry] });
    expect(callsOf(plan)).toEqual(["revoke sgr-1"]);
    expect(plan.calls[0]?.rollback).toBe(plan.drift.items[0]?.driftId);
  });

  test("gives the rule of a lease back what it said, with the mark", () => {
    const entry = anEntry({ standing: ours("1") });
    const wild = extra("1", 8443, { description: "mine" });
    const sightings = [aSighting({ kind: "modify", specs: [wild], ruleIds: [ruleId("1")] })];
    const given = { rules: [wild], entries: [entry] };
    expect(watched({ sightings }, given).calls).toMatchObject([{ kind: "modify", description: aMark() }]);
    expect(watched({ sightings, acts: "observe" }, given)).toMatchObject({
      calls: [],
      drift: { items: [{ state: "reported" }] },
    });
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

describe("items from pass to pass", () => {
  const x = extra("x", 8443);
  const given = { rules: [x] };
  const first = (watch: Partial<Watch> = {}): readonly DriftItem[] => watched(watch, given).drift.items;

  test("the same difference is the same item, and nothing is written while nothing moves", () => {
    const items = first();
    expect(items).toMatchObject([{ state: "waiting", firstSeenAt: x.createdAt }]);
    const again = watched({ items }, { ...given, now: NOW + 1000 });
    expect([again.calls, again.drift.items]).toEqual([[], []]);
    expect(again.drift.lookAt).toEqual([NOW - 60_000 + WAIT_MS]);
  });

  test("a rule waits from its creation, where that is not in the future", () => {
    const ahead = watched({}, { rules: [{ ...x, createdAt: NOW + 5000 }] }).drift.items;
    expect(ahead).toMatchObject([{ firstSeenAt: NOW, verdict: { until: NOW + WAIT_MS } }]);
    const long = { rules: [{ ...x, createdAt: NOW - WAIT_MS }] };
    expect(callsOf(watched({}, long))).toEqual(["revoke sgr-x"]);
  });

  test("a rule waits as long where our clock is ahead of the cloud's", () => {
    const aheadMs = 2 * WAIT_MS;
    const plan = watched({ aheadMs }, { rules: [{ ...x, createdAt: NOW - aheadMs - 60_000 }] });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "waiting", verdict: { until: NOW - 60_000 + WAIT_MS } }]);
  });

  test.each([
    ["after", 30_000, "adopted"],
    ["long before", -90_000, "waiting"],
  ] as const)("a call %s the grant is that for a clock that is ahead, too", (_when, laterMs, state) => {
    const aheadMs = 10 * 60_000;
    const grantedAt = NOW - 2 * 60_000;
    const { entry } = granted("a", 80);
    const given = { ...anAllocation(), at: grantedAt, seenAt: grantedAt };
    const call = aSighting({
      ...{ kind: "revoke", operation: "RevokeSecurityGroup", actor: terraform, ruleIds: [ruleId("a")] },
      ...{ specs: [entry.spec], at: grantedAt - aheadMs + laterMs },
    });
    const terms = someTerms({ trustedPrincipals: [{ principal: "role/terraform", treat: "adopt" }] });
    const plan = watched(
      { aheadMs, terms, sightings: [call] },
      { entries: [{ ...entry, allocation: given }], rules: [] },
    );
    expect(plan.drift.items).toMatchObject([{ kind: "removed", state }]);
  });

  test("a rule that somebody changed since it was looked at waits for the event of the change", () => {
    const before = extra("x", 9, { createdAt: NOW - 24 * HOUR });
    const items = watched({ acts: "observe" }, { rules: [before] }).drift.items;
    const plan = watched({ items }, { rules: [{ ...before, ...onPort(10) }] });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "waiting", firstSeenAt: NOW }, { state: "gone" }]);
  });

  test.each(["added", "edited"] as const)(
    "a rule that somebody goes on changing waits twice as long at most: %s",
    (kind) => {
      const { entry, rule } = granted("g", 8);
      const entries = kind === "edited" ? [entry] : [];
      const minute = 60_000;
      let items: readonly DriftItem[] = [];
      const look = (at: number): Plan => {
        // It says something else every ten minutes.
        const spec = onPort(9000 + Math.floor(at / (10 * minute)));
        const plan = watched({ items }, { entries, rules: [{ ...rule, ...spec, createdAt: NOW }], now: NOW + at });
        const open = plan.drift.items.filter(({ state }) => state !== "gone");
        if (open.length > 0) items = open.map((item) => ({ ...item, rev: 1 }));
        return plan;
      };
      for (let at = 0; at < 30 * minute; at += 5 * minute) expect(look(at).calls).toEqual([]);
      expect(callsOf(look(30 * minute))).toEqual([kind === "added" ? "revoke sgr-g" : "modify sgr-g"]);
      // Twice is no more than a wait for each.
      items = [];
      look(5 * minute);
      expect(look(14 * minute).drift.lookAt).toEqual([NOW + (kind === "added" ? 30 : 35) * minute]);
    },
  );

  test("an event that comes later gives the item its author", () => {
    const items = first();
    const plan = watched({ items, sightings: [bobs(x)] }, given);
    expect(plan.drift.items).toMatchObject([
      { driftId: items[0]?.driftId, state: "rollingBack", attribution: { actor: "bob" } },
    ]);
  });

  test("an item keeps what a rule says of itself now, also where that was changed since", () => {
    const items = first({ acts: "observe" });
    const said = { ...given, rules: given.rules.map((rule) => ({ ...rule, description: "another" })) };
    const plan = watched({ items, acts: "observe" }, said);
    expect(plan.drift.items).toMatchObject([{ driftId: items[0]?.driftId, found: { description: "another" } }]);
    expect(watched({ items: plan.drift.items, acts: "observe" }, said).drift.items).toEqual([]);
  });

  test("a ticket is written anew before its row would go, and has the group looked at for that", () => {
    const DAY = 24 * HOUR;
    const terms = someTerms({ trustedPrincipals: [{ principal: "role/terraform", treat: "ticket" }] });
    const call = aSighting({ actor: terraform, specs: [x] });
    const { items, lookAt } = watched({ terms, sightings: [call] }, given).drift;
    expect([items.map(({ state }) => state), lookAt]).toEqual([["reported"], [NOW + 300 * DAY]]);
    const later = (days: number) => watched({ terms, items }, { ...given, now: NOW + days * DAY }).drift;
    expect(later(299)).toMatchObject({ items: [], lookAt: [NOW + 300 * DAY] });
    const again = later(300);
    expect(again.items).toMatchObject([{ driftId: items[0]?.driftId, state: "reported", changedAt: NOW + 300 * DAY }]);
    expect(again.lookAt).toEqual([NOW + 600 * DAY]);
  });

  test("an author stays known when the sighting is gone", () => {
    const items = first({ sightings: [bobs(x)], acts: "observe" });
    const plan = watched({ items }, { ...given, now: NOW + WAIT_MS });
    expect(plan.drift.items).toMatchObject([{ attribution: { actor: "bob" } }]);
  });

  test.each([
    ["rollingBack", "rolledBack"],
    ["waiting", "gone"],
    ["reported", "gone"],
    ["held", "gone"],
  ] as const)("what is not there any more was %s and is %s", (state, next) => {
    const items = [anItem({ state, heldBy: state === "held" ? "hold" : null })];
    expect(watched({ items }, {}).drift.items).toEqual([{ ...items[0], state: next, heldBy: null, changedAt: NOW }]);
  });

  test("a rule that was changed once more instead of being rolled back was not rolled back", () => {
    const items = first({ sightings: [bobs(x)] });
    const plan = watched({ items }, { rules: [{ ...x, ...onPort(8444) }] });
    expect(plan.drift.items.map((it) => it.state)).toEqual(["waiting", "gone"]);
  });

  describe("of a group that is guarded no more", () => {
    const unguarded = (items: readonly DriftItem[], rules: readonly Rule[]) =>
      watched({ acts: "none", items, sightings: [bobs(x)] }, { rules });

    test.each(["waiting", "reported", "held"] as const)("what was %s is over, and nothing is found", (state) => {
      const items = [anItem({ state, heldBy: state === "held" ? "hold" : null })];
      const { calls, lookAt, drift } = unguarded(items, [x, extra("y", 3306)]);
      expect([calls, lookAt]).toEqual([[], []]);
      expect(drift.items).toEqual([{ ...items[0], state: "gone", heldBy: null, changedAt: NOW }]);
    });

    test.each([
      ["stands still", [x], "gone"],
      ["went", [], "rolledBack"],
    ] as const)("an added rule that was being rolled back and %s is %s", (_, rules, state) => {
      const [begun] = first({ sightings: [bobs(x)] });
      if (!begun) expect.fail("nothing was found");
      expect(unguarded([{ ...begun, state: "rollingBack" }], rules).drift.items.map((it) => it.state)).toEqual([state]);
    });

    test.each([
      ["is back", "rolledBack"],
      ["is not back", "gone"],
    ] as const)("a granted rule that was to be restored and %s is %s", (what, state) => {
      const { rule } = granted("g", 443);
      const item = anItem({ kind: "removed", key: ruleKey(rule), ruleId: rule.id, state: "rollingBack" });
      const plan = unguarded([item], what === "is back" ? [{ ...rule, id: ruleId("anew") }] : []);
      expect(plan.drift.items.map((it) => it.state)).toEqual([state]);
    });
  });

  test("items of guards are not this plan's", () => {
    expect(watched({ items: [anItem({ kind: "guard", ruleId: null })] }, {}).drift.items).toEqual([]);
  });

  test("another edit of the same rule is another item", () => {
    const { entry, rule } = granted("g", 443);
    const edit = (priority: number) => ({ rules: [{ ...rule, priority }], entries: [entry] });
    const items = watched({ acts: "observe" }, edit(7)).drift.items;
    expect(watched({ acts: "observe", items }, edit(7)).drift.items).toEqual([]);
    const other = watched({ acts: "observe", items }, edit(8)).drift.items;
    expect(other.map((it) => it.state)).toEqual(["waiting", "gone"]);
    expect(other[0]?.driftId).not.toBe(items[0]?.driftId);
  });
});

describe("what the policy adopts", () => {
  const byTerraform = (changes: Partial<Sighting> & { specs?: readonly RuleSpec[] }) =>
    aSighting({ actor: terraform, ...changes });
  const x = extra("x", 8443, { description: "by terraform" });
  const { entry, rule } = granted("g", 443);
  const edit = (changes: Partial<Rule>, to: Entry = entry, watch: Partial<Watch> = {}) => {
    const shown = { ...rule, ...changes };
    const sightings = [byTerraform({ kind: "modify", specs: [shown], ruleIds: [ruleId("g")] })];
    return watched({ sightings, ...watch }, { rules: [shown], entries: [to] }).drift;
  };

  test("a process that was frozen after its reading adopts what it has read as of then", () => {
    const readAt = NOW - 5 * 60_000;
    const at = readAt - 1000;
    const shown = { ...x, createdAt: at };
    const { drift } = watched({ sightings: [byTerraform({ specs: [x], at })] }, { rules: [shown], readAt });
    // What its author did since is about the rule that was granted, and not about one before it.
    expect(drift.adoptions).toMatchObject([{ allocation: { at: readAt, seenAt: readAt } }]);
  });

  test("an added rule is allocated to its author, as it is and read already", () => {
    const { drift } = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [x] });
    const [item] = drift.items;
    expect(drift.adoptions).toEqual([
      {
        spec: item?.found?.spec,
        by: "terraform",
        ruleId: x.id,
        allocation: {
          provenance: "adopted",
          owner: "terraform",
          application: "",
          reason: `written by terraform, whose changes the policy adopts (${item?.driftId})`,
          ticket: "",
          allowedSources: [],
          openHours: null,
          description: "by terraform",
          by: "terraform",
          at: NOW,
          seenAt: NOW,
        },
      },
    ]);
  });

  test("a mark that was copied is not adopted with its rule: it would end it", () => {
    const copy = { ...x, description: aMark(x) };
    const { drift } = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [copy], stateKnown: true });
    expect(drift.adoptions[0]?.allocation?.description).toBe(`safeport ledger: ${drift.items[0]?.driftId}`);
  });

  test("an edited rule keeps its owner, application, ticket and reason", () => {
    const { adoptions } = edit({ priority: 7 });
    const kept = { owner: "ops", application: "shop", ticket: "T-1", reason: "as it was", provenance: "adopted" };
    expect(adoptions).toMatchObject([
      { spec: onPort(443), allocation: null },
      { spec: { priority: 7 }, allocation: kept },
    ]);
  });

  test("another description is no other rule: nothing is retired", () => {
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    const { adoptions } = edit({ description: "the new shop" }, told);
    expect(adoptions).toMatchObject([{ spec: onPort(443), allocation: { description: "the new shop", owner: "ops" } }]);
    expect(adoptions).toHaveLength(1);
  });

  test.each([
    ["a lease's rule, which goes with the lease", anEntry({ spec: onPort(443), standing: ours("g") })],
    [
      "a rule with open hours, which is closed after them",
      anAllocated({
        spec: onPort(443),
        standing: ours("g"),
        allocation: anAllocation({
          openHours: { zone: "UTC", windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "24:00" }] },
        }),
      }),
    ],
  ])("is not what was made of %s", (_what, held) => {
    const { items, adoptions } = edit({ priority: 7 }, held);
    expect([items.map((it) => it.state), adoptions]).toEqual([["reported"], []]);
  });

  test("is not a rule that is allocated otherwise, as with open hours that are over", () => {
    const hours = { zone: "UTC", windows: [{ days: [5], from: "00:00", to: "01:00" }] };
    const closed = anAllocated({ spec: onPort(8443), allocation: anAllocation({ openHours: hours }) });
    const plan = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [x], entries: [closed] });
    expect(plan.drift).toMatchObject({ adoptions: [], items: [{ state: "reported" }] });
    const moved = { ...rule, ...onPort(8443) };
    const sightings = [byTerraform({ kind: "modify", specs: [moved], ruleIds: [ruleId("g")] })];
    expect(watched({ sightings }, { rules: [moved], entries: [entry, closed] }).drift).toMatchObject({
      adoptions: [],
      items: [{ state: "reported" }],
    });
  });

  test("is nothing while the ledger is not read in full, or not the one that was confirmed", () => {
    const sightings = [byTerraform({ specs: [x] })];
    expect(watched({ sightings, mayAdopt: false }, { rules: [x] }).drift).toMatchObject({
      adoptions: [],
      items: [{ state: "reported" }],
    });
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
