// What keeps the rollbacks of a pass back, row by row: all of them, the doubtful ones, those beyond a pass, and those that would cut a path.
import { describe, expect, test } from "vitest";
import type { Suspender } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { addedCase, type Case, grantedCase } from "../../../shared/plan/drift-case.ts";
import { guardRollbacks } from "../../../shared/plan/drift-guardrails.ts";
import type { KnownRule, Picture, Watch } from "../../../shared/plan/picture.ts";
import { aWatch } from "../../kit/drift-pictures.ts";
import { aPicture, HOUR, NOW } from "../../kit/plan-pictures.ts";
import { aCidr, fromCidr } from "../../kit/rules.ts";
import { by, keptAs, over, suspended } from "../../kit/suspended-pictures.ts";
import { extra, granted } from "../../kit/watched-pictures.ts";

/** A rule nobody granted, surely created since the baseline was confirmed unless said otherwise. */
const added = (port: number, changes: Partial<Rule> = {}): Case =>
  addedCase(aPicture(), aWatch(), extra(`x${port}`, port, changes) as KnownRule);
/** A granted rule that is gone. */
const removed = (port: number): Case => {
  const { entry, rule } = granted(`g${port}`, port);
  const difference = { kind: "removed", entry, rule: null, ruleId: rule.id, earlierId: null, description: "" } as const;
  return grantedCase(aPicture(), aWatch(), difference);
};
const of = <T>(count: number, make: (port: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(8000 + index));
const standing = (count: number): readonly Rule[] => of(count, (port) => extra(`s${port}`, 1000 + port));

interface Scene {
  readonly wanted: readonly Case[];
  readonly waiting?: readonly Case[];
  readonly picture?: Partial<Picture>;
  readonly watch?: Partial<Watch>;
}
const guarded = ({ wanted, waiting = [], picture = {}, watch = {} }: Scene) =>
  guardRollbacks(aPicture({ rules: standing(3), ...picture }), aWatch(watch), wanted, waiting);
/** What keeps each of them back, in their order. */
const held = (scene: Scene) => {
  const { heldBy } = guarded(scene);
  expect(heldBy.size).toBe(scene.wanted.length);
  return scene.wanted.map((it) => heldBy.get(it));
};
const all = (count: number, heldBy: string | null) => Array(count).fill(heldBy);

describe("none goes", () => {
  const frozenUntil = NOW + HOUR;

  test.each<[string, Partial<Picture>, Partial<Watch>, string]>([
    ["where the mode forbids it", { mode: "close-only" }, {}, "mode"],
    ["in a halt, whatever else is the case", { mode: "halt", rules: [] }, { isHalfRead: true, frozenUntil }, "mode"],
    ["while the ledger is half read, frozen or not", {}, { isHalfRead: true, frozenUntil }, "reading"],
    ["where the group seems empty", { rules: [] }, {}, "reading"],
    ["in a freeze", {}, { frozenUntil }, "freeze"],
  ])("%s", (_what, picture, watch, stopped) => {
    const wanted = of(2, removed);
    expect(guarded({ wanted, picture, watch })).toEqual({
      ...{ stopped, heldBy: new Map(wanted.map((it) => [it, stopped])), isMore: false },
    });
  });

  test("and nothing stops a pass that wants none", () => {
    const nothing = { stopped: null, heldBy: new Map(), isMore: false };
    expect(guarded({ wanted: [], picture: { mode: "halt" }, watch: { frozenUntil } })).toEqual(nothing);
  });

  test("of a group that seems empty where more than one rule is gone, what waits for its event counted", () => {
    const empty = { rules: [] };
    expect(held({ wanted: of(1, removed), picture: empty })).toEqual([null]);
    expect(held({ wanted: of(1, removed), waiting: [removed(9)], picture: empty })).toEqual(["reading"]);
    expect(held({ wanted: of(2, added), picture: empty })).toEqual([null, null]);
    expect(held({ wanted: of(2, removed) })).toEqual([null, null]);
  });
});

describe("of what was granted, or may have been,", () => {
  const old = (port: number): Case => added(port, { createdAt: null });

  test.each<[string, number, Scene, string | null]>([
    ["five may always go", 5, { wanted: of(5, removed) }, null],
    ["six of a few do not", 6, { wanted: of(6, removed) }, "ceiling"],
    ["six that may be older than the baseline do not", 6, { wanted: of(6, old) }, "ceiling"],
    ["six that are surely newer go", 6, { wanted: of(6, added) }, null],
    ["five do not where another one waits for its event", 5, { wanted: of(5, removed), waiting: [old(9)] }, "ceiling"],
    ["five go where something newer waits", 5, { wanted: of(5, removed), waiting: [added(9)] }, null],
    ["six of thirty go", 6, { wanted: of(6, removed), picture: { rules: standing(30) } }, null],
    ["six of 29 do not", 6, { wanted: of(6, removed), picture: { rules: standing(29) } }, "ceiling"],
    ["seven of thirty do not", 7, { wanted: of(7, removed), picture: { rules: standing(30) } }, "ceiling"],
    [
      "six of thirty go that are granted, where few stand",
      6,
      { wanted: of(6, removed), picture: { entries: of(30, (port) => granted("e", port).entry) } },
      null,
    ],
    ["four do not where a pass may change three", 4, { wanted: of(4, removed), watch: { changesMax: 3 } }, "ceiling"],
    ["three go where a pass may change three", 3, { wanted: of(3, removed), watch: { changesMax: 3 } }, null],
  ])("%s", (_what, count, scene, heldBy) => {
    expect(held(scene)).toEqual(all(count, heldBy));
    expect(guarded(scene)).toMatchObject({ stopped: null, isMore: false });
  });

  test("too many keep back all but what newly opens something else", () => {
    const many = of(6, removed);
    const heldOf = (port: number, changes: Partial<Rule> = {}) =>
      held({ wanted: [...many, added(port, changes)] }).at(-1);
    expect(heldOf(22)).toBeNull();
    expect(heldOf(22, { policy: "drop" }), "what closes opens nothing").toBe("ceiling");
    expect(heldOf(22, { createdAt: null }), "it may be older").toBe("ceiling");
    expect(heldOf(8000, { priority: 7 }), "what was granted, of another priority").toBe("ceiling");
    expect(heldOf(8000, { peer: fromCidr("203.0.113.0/24") }), "wider than what was granted").toBeNull();
  });

  test("too many keep back what is within one that was granted, and not what is only within a drop", () => {
    const change = (policy: Rule["policy"]): readonly Case[] => {
      const { entry, rule } = granted("g", 22);
      const wide = { ...entry, spec: { ...entry.spec, policy, peer: fromCidr("203.0.113.0/24") } };
      const difference = { kind: "removed", entry: wide, rule: null, ruleId: rule.id, earlierId: null } as const;
      return [grantedCase(aPicture(), aWatch(), { ...difference, description: "" }), ...of(5, removed)];
    };
    expect(held({ wanted: [...change("accept"), added(22)] }).at(-1)).toBe("ceiling");
    expect(held({ wanted: [...change("drop"), added(22)] }).at(-1)).toBeNull();
  });

  test("too many keep back what was granted just so, where nobody can compare what it lets through", () => {
    const listed = { peer: { kind: "prefixList", prefixListId: "pl-1" } } as const;
    const { entry, rule } = granted("g", 22);
    const spec = { ...entry.spec, ...listed };
    const difference = { kind: "removed", rule: null, ruleId: rule.id, earlierId: null, description: "" } as const;
    const many = [grantedCase(aPicture(), aWatch(), { ...difference, entry: { ...entry, spec } }), ...of(5, removed)];
    const heldOf = (changes: Partial<Rule>) => held({ wanted: [...many, added(22, changes)] }).at(-1);
    expect(heldOf({ ...listed, priority: 7 })).toBe("ceiling");
    expect(heldOf({ peer: { kind: "prefixList", prefixListId: "pl-2" } })).toBeNull();
  });
});

describe("what a lockdown that closes accepts would close", () => {
  const on = (...suspenders: readonly Suspender[]) => ({
    entries: [suspended({ by: suspenders, kept: [keptAs("closed")] })],
  });

  test("stays while any lockdown is on, and takes no place from what goes", () => {
    const scene = { wanted: [removed(8080), added(80)], picture: on(by), watch: { changesMax: 1 } };
    expect(held(scene)).toEqual(["lockdown", null]);
    expect(guarded(scene).isMore).toBe(false);
    expect(held({ wanted: [removed(8080)], picture: on(over, by) })).toEqual(["lockdown"]);
    expect(held({ wanted: [removed(8080)], picture: on(over) })).toEqual([null]);
  });
});

describe("of more than a pass may change", () => {
  const watch = { changesMax: 1 };
  const wide = added(22, { peer: fromCidr("0.0.0.0/0") });

  test("the rest goes with the next", () => {
    const wanted = of(3, added);
    expect(held({ wanted, watch: { changesMax: 2 } })).toEqual([null, null, "ceiling"]);
    expect(guarded({ wanted, watch: { changesMax: 2 } }).isMore).toBe(true);
    expect(held({ wanted, watch: { changesMax: 3 } })).toEqual(all(3, null));
    expect(guarded({ wanted, watch: { changesMax: 3 } }).isMore).toBe(false);
  });

  test("what is open to everybody goes first, then what was granted, then the rest", () => {
    expect(held({ wanted: [added(80), removed(81), wide], watch })).toEqual(["ceiling", "ceiling", null]);
    expect(held({ wanted: [added(80), removed(81)], watch })).toEqual(["ceiling", null]);
    expect(held({ wanted: [added(80), added(81)], watch })).toEqual([null, "ceiling"]);
  });
});

describe("the operators' path", () => {
  const operatorPath = [{ protocol: "tcp", port: "22", sources: ["203.0.113.7"] }];
  const interfaces = [{ addresses: [aCidr("192.168.0.11/32")], otherRules: [] as readonly Rule[] }];
  const way = extra("x22", 22);
  const only = added(22);
  const heldWith = (rules: readonly Rule[], watch: Partial<Watch> = {}, wanted = [only]) =>
    held({ wanted, picture: { rules }, watch: { operatorPath, interfaces, ...watch } });

  test("keeps back what would cut it, and nothing else", () => {
    expect(heldWith([way])).toEqual(["operatorPath"]);
    expect(heldWith([way, extra("other", 22, { priority: 2 })])).toEqual([null]);
    expect(heldWith([way, extra("x80", 80)], {}, [only, added(80)])).toEqual(["operatorPath", null]);
    expect(guarded({ wanted: [only], watch: { operatorPath, interfaces } }).isMore).toBe(false);
  });

  test("keeps back no more than would cut it: what a pass may change beside it goes, and not one more", () => {
    const rules = [way, ...[80, 81, 82].map((port) => extra(`x${port}`, port))];
    const wanted = [only, added(80), added(81), added(82)];
    expect(heldWith(rules, { changesMax: 2 }, wanted)).toEqual(["operatorPath", null, null, "ceiling"]);
    const two = { wanted: wanted.slice(0, 2), picture: { rules }, watch: { operatorPath, interfaces } };
    expect(guarded(two).isMore).toBe(false);
  });

  test("is not cut by what is gone already, though a rule has its id by now", () => {
    const { entry, rule } = granted("x22", 22);
    const drop = { ...entry, spec: { ...entry.spec, policy: "drop", priority: 100 } } as const;
    const difference = { kind: "removed", entry: drop, rule: null, ruleId: rule.id, earlierId: null } as const;
    const back = grantedCase(aPicture(), aWatch(), { ...difference, description: "" });
    expect(heldWith([{ ...way, id: rule.id, priority: 1 }], {}, [back])).toEqual([null]);
  });

  test("is that of each interface whose other groups say something else", () => {
    const through = (port: number) => ({ addresses: [aCidr("192.168.0.11/32")], otherRules: [extra("o", port)] });
    expect(heldWith([way], { interfaces: [through(80), through(22)] })).toEqual(["operatorPath"]);
    expect(heldWith([way], { interfaces: [through(22), through(22)] })).toEqual([null]);
  });

  test("is none without hosts, nor without anybody who must always come in", () => {
    expect(heldWith([way], { interfaces: [] })).toEqual([null]);
    expect(heldWith([way], { operatorPath: [] })).toEqual([null]);
  });

  test("is also that of other groups of a host", () => {
    const otherRules = [extra("o", 22)];
    expect(heldWith([way], { interfaces: [{ ...interfaces[0], addresses: [], otherRules }] })).toEqual([null]);
    expect(heldWith([way], { interfaces: [...interfaces, { addresses: [], otherRules }] })).toEqual(["operatorPath"]);
  });

  test("that nobody can read keeps back everything", () => {
    const unreadable = [{ protocol: "tcp", port: "ssh", sources: ["203.0.113.7"] }];
    expect(heldWith([way], { operatorPath: unreadable }, [only, added(80)])).toEqual(all(2, "operatorPath"));
  });

  test("gives way to nothing that goes out", () => {
    const out = added(22, { direction: "egress" });
    expect(heldWith([way], {}, [out])).toEqual([null]);
  });

  test("lets one go that would cut it by itself, together with what gives it back", () => {
    const back = removed(22);
    expect(heldWith([way], {}, [only, back])).toEqual([null, null]);
    expect(heldWith([way], {}, [back, only])).toEqual([null, null]);
    expect(heldWith([way], { changesMax: 1 }, [only, added(80)])).toEqual(["operatorPath", null]);
  });
});
