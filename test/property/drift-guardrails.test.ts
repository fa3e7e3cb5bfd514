// Laws of what keeps rollbacks back: nothing shields what was surely opened since, and nothing else goes over the ceiling.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import { cutPaths } from "../../shared/domain/operator-path.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { letsThrough } from "../../shared/domain/verdict.ts";
import type { Watch } from "../../shared/plan/picture.ts";
import { type Plan, planGroup } from "../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, aSighting, aWatch } from "../kit/drift-pictures.ts";
import { aPicture, HOUR, NOW, preExisting, ruleId } from "../kit/plan-pictures.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../kit/rules.ts";

type Fate = "stands" | "removed" | "edited words" | "edited" | "replaced";

const FATES: readonly Fate[] = ["stands", "removed", "edited words", "edited", "replaced"];
const SOURCES = ["203.0.113.0/24", "198.51.100.0/24", "0.0.0.0/0"];
const onPort = (port: number, source = SOURCES[0]): RuleSpec =>
  aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source ?? "") });

interface Scene {
  readonly entries: readonly Entry[];
  readonly rules: readonly Rule[];
  /** Granted rules of which something else has become. */
  readonly doubtful: number;
  /** Rules nobody granted that were created since. */
  readonly added: readonly Rule[];
}

/** Granted rules with what somebody has done to them, and rules that were added since; whoever it was is known. */
const aScene: fc.Arbitrary<Scene> = fc
  .record({
    fates: fc.array(fc.constantFrom(...FATES), { minLength: 1, maxLength: 14 }),
    added: fc.array(
      fc.record({
        port: fc.integer({ min: 1000, max: 1020 }),
        source: fc.constantFrom(...SOURCES),
        policy: fc.constantFrom<Rule["policy"]>("accept", "accept", "accept", "drop"),
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ fates, added }) => {
    const granted = fates.map((fate, index) => {
      const spec = onPort(1000 + index);
      const stood = aRule({ ...spec, id: ruleId(`g${index}`), description: "shop", createdAt: NOW - 24 * HOUR });
      const becomes: Readonly<Record<Fate, readonly Rule[]>> = {
        stands: [stood],
        removed: [],
        "edited words": [{ ...stood, description: "mine" }],
        edited: [{ ...stood, priority: 50 }],
        replaced: [{ ...stood, id: ruleId(`r${index}`), priority: 60, createdAt: NOW - 60_000 }],
      };
      const allocation = anAllocation({ description: "shop" });
      return {
        entry: anAllocated({ spec, allocation, standing: preExisting(`g${index}`) }),
        rules: becomes[fate],
        isDoubtful: fate !== "stands",
      };
    });
    const others = added.map(({ port, source, policy }, index) =>
      aRule({
        ...{ ...onPort(port, source), policy, priority: 10 + index },
        ...{ id: ruleId(`x${index}`), description: "", createdAt: NOW - 60_000 },
      }),
    );
    const rules = [...granted.flatMap((it) => it.rules), ...others];
    return {
      entries: granted.map((it) => it.entry),
      rules,
      doubtful: granted.filter((it) => it.isDoubtful).length,
      added: rules.filter(({ createdAt }) => createdAt === NOW - 60_000),
    };
  });

const ALL_SEEN = [
  aSighting({ rules: null, at: NOW - 60_000 }),
  aSighting({ eventId: "event-2", kind: "revoke", rules: null, at: NOW - 60_000 }),
];

/** A pass over the scene, with an author for everything. */
function planned({ entries, rules }: Pick<Scene, "entries" | "rules">, changes: Partial<Watch> = {}): Plan {
  const modified = rules.flatMap(({ id }) => id ?? []);
  const byName = aSighting({ eventId: "event-3", kind: "modify", rules: null, ruleIds: modified, at: NOW - 60_000 });
  const revoked = entries.map(({ spec }) => spec);
  const away = aSighting({ eventId: "event-4", kind: "revoke", specs: revoked, at: NOW - 60_000 });
  const watch = aWatch({ sightings: [...ALL_SEEN, away, byName], ...changes });
  return planGroup(aPicture({ rules, entries, watch }));
}

function performed(rules: readonly Rule[], plan: Plan): readonly Rule[] {
  const gone = new Set(plan.calls.flatMap((call) => (call.kind === "authorize" ? [] : [call.ruleId])));
  const back = plan.calls.flatMap((call) =>
    call.kind === "revoke" ? [] : [aRule({ ...call.entry.spec, id: null, description: call.description })],
  );
  return [...rules.filter(({ id }) => id === null || !gone.has(id)), ...back];
}

const isOver = (plan: Plan): boolean =>
  plan.drift.items.some((item) => item.heldBy === "ceiling" && item.kind !== "added");

describe("over the ceiling", () => {
  it("what opens more than was granted is closed all the same, whatever has become of granted rules", () => {
    fc.assert(
      fc.property(aScene, (scene) => {
        const wild = aRule({ ...onPort(3306, "0.0.0.0/0"), id: ruleId("wild"), createdAt: NOW - 60_000 });
        const plan = planned({ ...scene, rules: [...scene.rules, wild] });
        expect(plan.calls).toContainEqual(expect.objectContaining({ kind: "revoke", ruleId: "sgr-wild" }));
      }),
    );
  });

  it("nothing is called but to close what was opened since the baseline, and nothing that stands in for what was granted", () => {
    let over = 0;
    fc.assert(
      fc.property(aScene, (scene) => {
        const plan = planned(scene);
        if (!isOver(plan)) return;
        over += 1;
        const granted = scene.entries.map(({ spec }) => ({ ...spec, id: null, description: "", createdAt: null }));
        for (const call of plan.calls) {
          expect(call.kind).toBe("revoke");
          if (call.kind !== "revoke") continue;
          const rule = scene.rules.find(({ id }) => id === call.ruleId) as Rule;
          expect([rule.policy, rule.createdAt]).toEqual(["accept", NOW - 60_000]);
          const became = scene.entries.filter(
            ({ key }) => !scene.rules.some((it) => ruleKey(it) === key && it.description === "shop"),
          );
          const changed = granted.filter((it) => became.some(({ key }) => key === ruleKey(it)));
          expect(changed.some((it) => letsThrough(rule, [it]))).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
    expect(over).toBeGreaterThan(20);
  });

  it("what a mistaken reading takes for removed and replaced stands: a group of other words and priorities is not touched", () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 20 }), fc.boolean(), (count, isNewId) => {
        const specs = Array.from({ length: count }, (_, index) => onPort(1000 + index));
        const entries = specs.map((spec, index) => anAllocated({ spec, standing: preExisting(`g${index}`) }));
        const rules = specs.map((spec, index) =>
          aRule({
            ...{ ...spec, priority: 99 },
            ...{ id: ruleId(isNewId ? `n${index}` : `g${index}`), createdAt: NOW - 60_000 },
          }),
        );
        expect(planned({ entries, rules }).calls).toEqual([]);
      }),
    );
  });
});

describe("the operators' path", () => {
  const operatorPath = [{ protocol: "tcp", port: "1000", sources: ["203.0.113.7"] }];
  const interfaces = [{ addresses: [aCidr("192.168.0.11/32")], otherRules: [] }];

  it("is never cut, and what does not cut it is not kept back for it", () => {
    fc.assert(
      fc.property(aScene, (scene) => {
        const plan = planned(scene, { operatorPath, interfaces });
        const after = performed(scene.rules, plan);
        expect(cutPaths(scene.rules, after, operatorPath, interfaces[0]?.addresses)).toEqual([]);
        for (const item of plan.drift.items) {
          if (item.heldBy !== "operatorPath") continue;
          const without = after.filter(({ id }) => id === null || id !== item.ruleId);
          const back = item.wanted ? [aRule({ ...item.wanted.spec, id: null })] : [];
          expect(cutPaths(scene.rules, [...without, ...back], operatorPath, interfaces[0]?.addresses)).not.toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is never cut of any host, whichever hosts rules are for and whatever else the hosts are in", () => {
    const hosts = ["192.168.0.11", "192.168.0.12", "192.168.0.13", "192.168.0.14"].map((it) => aCidr(`${it}/32`));
    const paths = [{ protocol: "tcp", port: "1000-1001", sources: ["203.0.113.7", "198.51.100.7"] }];
    const aChange = fc
      .record({
        port: fc.constantFrom("1000/1001", "1000/1000", "1000/2000", "-1/-1"),
        source: fc.constantFrom(...SOURCES),
        dest: fc.option(fc.constantFrom(...hosts, aCidr("192.168.0.12/31"))),
        policy: fc.constantFrom<Rule["policy"]>("accept", "accept", "drop"),
        priority: fc.integer({ min: 1, max: 2 }),
      })
      .map(({ port, source, ...rest }) => aSpec({ ...rest, ports: somePorts(port), peer: fromCidr(source) }));
    const someChanges = fc.array(aChange, { maxLength: 7 });
    let held = 0;
    fc.assert(
      fc.property(someChanges, someChanges, someChanges, (added, granted, others) => {
        const otherRules = others.slice(0, 2).map((spec) => aRule({ ...spec, id: null }));
        const interfaces = hosts.map((host, place) => ({ addresses: [host], otherRules: place < 2 ? otherRules : [] }));
        const own = new Map(granted.slice(0, 2).map((spec) => [ruleKey(spec), spec]));
        const entries = [...own.values()].map((spec, n) => anAllocated({ spec, standing: preExisting(`g${n}`) }));
        const stranger = new Map(added.flatMap((spec) => (own.has(ruleKey(spec)) ? [] : [[ruleKey(spec), spec]])));
        const rules = [...stranger.values()].map((spec, n) =>
          aRule({ ...spec, id: ruleId(`x${n}`), createdAt: NOW - 60_000 }),
        );
        // Who granted the others is away: each of them is removed, and comes back.
        const plan = planned({ entries, rules }, { operatorPath: paths, interfaces });
        const after = performed(rules, plan);
        const cutBy = (next: readonly Rule[]) =>
          interfaces.flatMap((it) =>
            cutPaths([...rules, ...it.otherRules], [...next, ...it.otherRules], paths, it.addresses),
          );
        expect(cutBy(after)).toEqual([]);
        for (const item of plan.drift.items) {
          if (item.heldBy !== "operatorPath") continue;
          held += 1;
          const back = item.wanted ? [aRule({ ...item.wanted.spec, id: null })] : [];
          expect(cutBy([...after.filter(({ id }) => id === null || id !== item.ruleId), ...back])).not.toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
    expect(held).toBeGreaterThan(20);
  });

  it("is judged in time of hundreds of hosts, each with a rule that somebody else has opened for it alone", () => {
    const hosts = Array.from({ length: 600 }, (_, n) => aCidr(`10.1.${n >> 8}.${n & 255}/32`));
    const many = hosts.map((host) => ({ addresses: [host], otherRules: [] }));
    const shields = hosts
      .slice(-399)
      .map((dest, n) =>
        aRule({ ...onPort(1000, "203.0.113.0/24"), dest, id: ruleId(`s${n}`), createdAt: NOW - 60_000 }),
      );
    const wild = aRule({ ...onPort(3306, "0.0.0.0/0"), id: ruleId("wild"), createdAt: NOW - 60_000 });
    const plan = planned(
      { entries: [], rules: [...shields, wild] },
      { operatorPath, interfaces: many, changesMax: 400 },
    );
    expect(plan.calls).toMatchObject([{ kind: "revoke", ruleId: "sgr-wild" }]);
  }, 20_000);
});
