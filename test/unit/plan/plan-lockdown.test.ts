// What a lockdown plans for a group, word for word. Its laws are in `test/property/plan-lockdown.test.ts`.
import { describe, expect, test } from "vitest";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { portsText, protocolText, sourceText } from "../../../shared/domain/rule-text.ts";
import {
  dropsSuffice,
  hasGreDrop,
  hasSixDrop,
  isToClose,
  keptFor,
  type LockdownPicture,
  opensMore,
  planLockdown,
  planSuspensions,
  usedOf,
} from "../../../shared/plan/plan-lockdown.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const everybody = fromCidr("0.0.0.0/0");
const operators = { protocol: "tcp", port: "22", sources: ["128.0.0.0/1"] };
const told = (specs: readonly RuleSpec[]): readonly string[] =>
  specs.map((spec) => `${protocolText(spec)} ${portsText(spec.ports)} ${sourceText(spec.peer)}`);
const open = (ports: string, changes: Partial<Rule> = {}): Rule =>
  aRule({ ports: somePorts(ports), peer: everybody, priority: 5, ...changes });
const picture = (rules: readonly Rule[], changes: Partial<LockdownPicture> = {}): LockdownPicture => ({
  ...{ type: "normal", rules, interfaces: [], core: [], operatorPath: [], rulesPerInterface: 1000 },
  ...changes,
});

describe("by drops", () => {
  const drops = (changes: Partial<LockdownPicture>, rules: readonly Rule[] = [open("22/22")]) =>
    planLockdown(picture(rules, changes)).drops;

  test("every port is closed to everybody, at the highest priority", () => {
    const plan = planLockdown(picture([open("22/22")]));
    expect(plan).toMatchObject({ way: "drops", suspends: [], keeps: [], why: null, left: [], isWhole: true });
    expect(told(plan.drops)).toEqual(["tcp 1-65535 0.0.0.0/0", "udp 1-65535 0.0.0.0/0"]);
    for (const drop of plan.drops)
      expect(drop).toMatchObject({
        ...{ direction: "ingress", policy: "drop", priority: 1, sourcePorts: { kind: "any" }, dest: null },
      });
  });

  test("core ports stay open, from the first port to the last", () => {
    expect(told(drops({ core: ["80", "1-9", "65535", "udp/53", "?"] }))).toEqual([
      "tcp 10-79 0.0.0.0/0",
      "tcp 81-65534 0.0.0.0/0",
      "udp 1-52 0.0.0.0/0",
      "udp 54-65535 0.0.0.0/0",
    ]);
    expect(told(drops({ core: ["80-90", "85-95"] })).slice(0, 2)).toEqual([
      "tcp 1-79 0.0.0.0/0",
      "tcp 96-65535 0.0.0.0/0",
    ]);
  });

  test("on their ports operators alone come in, and pieces of the same words are one", () => {
    const path = { ...operators, port: "22-23" };
    expect(told(drops({ operatorPath: [path] })).slice(0, 3)).toEqual([
      "tcp 1-21 0.0.0.0/0",
      "tcp 22-23 0.0.0.0/1",
      "tcp 24-65535 0.0.0.0/0",
    ]);
    const halves = [operators, { ...operators, port: "23" }];
    expect(told(drops({ operatorPath: halves }))).toEqual(told(drops({ operatorPath: [path] })));
    const later = [{ ...operators, port: "10" }, ...halves];
    expect(told(drops({ operatorPath: later })).slice(0, 5)).toEqual([
      ...["tcp 1-9 0.0.0.0/0", "tcp 10 0.0.0.0/1", "tcp 11-21 0.0.0.0/0", "tcp 22-23 0.0.0.0/1"],
      "tcp 24-65535 0.0.0.0/0",
    ]);
    const [one, other] = ["128.0.0.0/2", "192.0.0.0/2"] as const;
    const turned = [
      { ...operators, sources: [one, other] },
      { ...operators, port: "23", sources: [other, one] },
    ];
    expect(told(drops({ operatorPath: turned })).slice(1, 2)).toEqual(["tcp 22-23 0.0.0.0/1"]);
    // Beside a port that is left open pieces of the same words are two.
    expect(told(drops({ operatorPath: [path], core: ["23"] })).slice(0, 3)).toEqual([
      "tcp 1-21 0.0.0.0/0",
      "tcp 22 0.0.0.0/1",
      "tcp 24-65535 0.0.0.0/0",
    ]);
    const both = [operators, { ...operators, sources: ["0.0.0.0/2", "?"] }];
    expect(told(drops({ operatorPath: both })).slice(1, 2)).toEqual(["tcp 22 64.0.0.0/2"]);
  });

  test("a way by every protocol is left open on all ports, and one of another family or protocol on none", () => {
    expect(told(drops({ operatorPath: [{ protocol: "all", port: "", sources: ["128.0.0.0/1"] }] }))).toEqual([
      "tcp 1-65535 0.0.0.0/1",
      "udp 1-65535 0.0.0.0/1",
    ]);
    expect(told(drops({ operatorPath: [{ protocol: "icmp", port: "", sources: ["128.0.0.0/1"] }] }))).toEqual([
      "tcp 1-65535 0.0.0.0/0",
      "udp 1-65535 0.0.0.0/0",
    ]);
    expect(told(drops({ operatorPath: [{ ...operators, sources: ["::/1"] }] })).slice(1, 2)).toEqual([
      "tcp 22 0.0.0.0/0",
    ]);
  });

  const six = ["tcp 1-65535 ::/0", "udp 1-65535 ::/0"];
  const four = ["tcp 1-65535 0.0.0.0/0", "udp 1-65535 0.0.0.0/0"];
  test.each<[string, Partial<LockdownPicture>, readonly Rule[], readonly string[]]>([
    ["let in by IPv6", {}, [open("22/22", { peer: fromCidr("::/0") })], [...four, ...six]],
    ["let in by a list", {}, [open("22/22", { peer: { kind: "prefixList", prefixListId: "l" } })], [...four, ...six]],
    ["kept out by IPv6", {}, [open("22/22", { peer: fromCidr("::/0"), policy: "drop" })], four],
    ["that goes out by IPv6", {}, [open("22/22", { peer: fromCidr("::/0"), direction: "egress" })], four],
    [
      "at an address of IPv6",
      { interfaces: [{ addresses: [aCidr("10.0.0.1"), aCidr("::1")], otherRules: [] }] },
      [],
      [...four, ...six],
    ],
    ["at an address of IPv4", { interfaces: [{ addresses: [aCidr("10.0.0.1")], otherRules: [] }] }, [], four],
    ["let in by GRE", {}, [open("22/22", { protocol: "gre", ports: { kind: "any" } })], [...four, "gre any 0.0.0.0/0"]],
    ["let in by all", {}, [open("22/22", { protocol: "all", ports: { kind: "any" } })], [...four, "gre any 0.0.0.0/0"]],
    ["let in by 47", {}, [open("22/22", { protocol: { other: "47" } })], [...four, "gre any 0.0.0.0/0"]],
    ["let in by what is not known", {}, [open("22/22", { protocol: { other: "?" } })], [...four, "gre any 0.0.0.0/0"]],
    ["let in by 50", {}, [open("22/22", { protocol: { other: "50" } })], four],
    [
      "let in by GRE in another group",
      { interfaces: [{ addresses: [], otherRules: [open("22/22", { protocol: "gre", ports: { kind: "any" } })] }] },
      [],
      [...four, "gre any 0.0.0.0/0"],
    ],
  ])("closes what is %s", (_what, changes, rules, closed) => {
    expect([...told(drops(changes, rules))].sort()).toEqual([...closed].sort());
  });

  test("GRE stays open to operators who come by it, or by anything", () => {
    const gre = [open("22/22", { protocol: "gre", ports: { kind: "any" } })];
    for (const protocol of ["gre", "all"])
      expect(told(drops({ operatorPath: [{ protocol, port: "", sources: ["128.0.0.0/1", "?"] }] }, gre)).at(-1)).toBe(
        "gre any 0.0.0.0/1",
      );
    expect(told(drops({ operatorPath: [operators] }, gre)).at(-1)).toBe("gre any 0.0.0.0/0");
  });

  test("needs room for those that do not stand yet, on the fullest interface", () => {
    const rules = [open("22/22")];
    const [first] = drops({});
    const standing = aRule({ ...first });
    expect(planLockdown(picture(rules, { rulesPerInterface: 3 })).way).toBe("drops");
    const full = planLockdown(picture(rules, { rulesPerInterface: 2 }));
    expect([full.way, full.why]).toEqual(["suspend", "2 drops do not fit: an interface has 1 of 2 rules"]);
    expect(planLockdown(picture([...rules, standing], { rulesPerInterface: 3 })).way).toBe("drops");
    // However many rules others have added since: what stands already needs none.
    const all = drops({}).map((spec) => aRule({ ...spec }));
    expect(planLockdown(picture([...rules, open("1/1"), ...all], { rulesPerInterface: 3 })).way).toBe("drops");
    // And with drops every accept that is closed now stands again.
    const closed = [open("1/1")];
    expect(planLockdown(picture(rules, { rulesPerInterface: 3, closed })).way).toBe("suspend");
    expect(planLockdown(picture(rules, { rulesPerInterface: 4, closed })).way).toBe("drops");
    const busy = [
      { addresses: [], otherRules: [] },
      { addresses: [], otherRules: [open("1/1"), open("2/2")] },
    ];
    expect(usedOf({ rules, interfaces: busy })).toBe(3);
    expect(usedOf({ rules, interfaces: [] })).toBe(1);
    expect(planLockdown(picture(rules, { rulesPerInterface: 4, interfaces: busy })).way).toBe("suspend");
  });

  test("is for no enterprise group", () => {
    const plan = planLockdown(picture([open("22/22")], { type: "enterprise" }));
    expect([plan.way, plan.why]).toEqual(["suspend", "enterprise groups are not known to take drops"]);
  });

  test("leaves the way that operators come by, on each interface", () => {
    const interfaces = [{ addresses: [aCidr("10.0.0.1")], otherRules: [open("80/80")] }];
    const given = { interfaces, operatorPath: [operators] };
    expect(planLockdown(picture([open("22/22")], given)).way).toBe("drops");
    expect(
      planLockdown(picture([], { ...given, interfaces: [{ addresses: [], otherRules: [open("22/22")] }] })).way,
    ).toBe("drops");
    const narrow = open("22/22", { peer: fromCidr("128.0.0.0/1") });
    expect(planSuspensions(picture([narrow, open("80/80")], given), "no room").way).toBe("suspend");
    const split = planSuspensions(picture([open("1/65535")], given), "no room");
    expect([split.way, told(split.keeps)]).toEqual(["suspend", ["tcp 22 128.0.0.0/1"]]);
  });

  test("is nothing where it would cut operators off, or nobody can tell", () => {
    const addresses = [aCidr("10.0.0.1")];
    const cut = planLockdown(
      picture([open("22/22")], {
        interfaces: [{ addresses, otherRules: [] }],
        operatorPath: [{ protocol: "tcp", port: "22/x", sources: ["128.0.0.0/1", "192.0.2.1"] }],
      }),
    );
    const why = "it would cut the operator path tcp 22/x from 128.0.0.0/1, 192.0.2.1";
    expect(cut).toEqual({ way: "none", drops: [], suspends: [], keeps: [], why, left: [], isWhole: false });
  });

  test("planned some time before they suffice where nobody was let in by IPv6 or GRE since", () => {
    const [v4, all] = [
      drops({}),
      drops({}, [open("1/1", { peer: fromCidr("::/0"), protocol: "all", ports: { kind: "any" } })]),
    ];
    const six = open("22/22", { peer: fromCidr("::/0") });
    const gre = open("22/22", { protocol: "gre", ports: { kind: "any" } });
    expect([hasSixDrop(v4), hasGreDrop(v4), hasSixDrop(all), hasGreDrop(all)]).toEqual([false, false, true, true]);
    expect([[open("22/22")], [six], [gre], [six, gre]].map((rules) => dropsSuffice(v4, rules))).toEqual([
      ...[true, false, false, false],
    ]);
    expect(dropsSuffice(all, [six, gre])).toBe(true);
    expect(dropsSuffice(v4, [{ ...six, policy: "drop" }])).toBe(true);
    expect(hasSixDrop([aSpec({ peer: { kind: "prefixList", prefixListId: "l" } })])).toBe(false);
  });
});

describe("without drops", () => {
  const suspended = (rules: readonly Rule[], changes: Partial<LockdownPicture> = {}, mayKeep = true) =>
    planSuspensions(picture(rules, changes), "no room", mayKeep);

  test("accepts for what comes in are closed but ping, whatever their order", () => {
    const [ssh, web] = [open("22/22"), open("80/80")];
    const rules = [
      open("1/1", { protocol: "icmp", ports: { kind: "any" } }),
      ssh,
      open("1/1", { protocol: "icmpv6", ports: { kind: "any" } }),
      open("3/3", { policy: "drop" }),
      open("3/3", { direction: "egress" }),
      web,
    ];
    const plan = suspended(rules);
    expect(told(plan.suspends)).toEqual(["tcp 22 0.0.0.0/0", "tcp 80 0.0.0.0/0"]);
    expect(plan.suspends[0]).toEqual(aSpec({ peer: everybody, priority: 5 }));
    expect(plan).toMatchObject({ way: "suspend", drops: [], keeps: [], why: "no room", left: [], isWhole: true });
  });

  test("what core ports and operators need stays, and it is said why", () => {
    const path = [{ ...operators, sources: ["203.0.113.7"] }];
    const rules = [open("80/80"), open("22/22", { peer: fromCidr("203.0.113.7") }), open("3306/3306")];
    const plan = suspended(rules, { core: ["80"], operatorPath: path });
    expect(told(plan.suspends)).toEqual(["tcp 3306 0.0.0.0/0"]);
    expect(plan.left).toEqual([
      expect.stringMatching(/ stays: it opens a core port, too$/),
      expect.stringMatching(/ stays: operators come in by it$/),
    ]);
    expect([plan.isWhole, plan.keeps]).toEqual([true, []]);
  });

  test("of a wide one narrower ones are kept where there is room for them, and where it is wanted", () => {
    const wide = open("1/65535");
    const room = (rulesPerInterface: number, rules: readonly Rule[] = [wide], mayKeep = true) => {
      const plan = suspended(rules, { core: ["80", "443"], rulesPerInterface }, mayKeep);
      return [told(plan.suspends), told(plan.keeps), plan.left.length, plan.isWhole];
    };
    const kept = ["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"];
    expect(room(3)).toEqual([["tcp 1-65535 0.0.0.0/0"], kept, 0, true]);
    expect(room(2)).toEqual([[], [], 1, false]);
    expect(room(3, [wide], false)).toEqual([[], [], 1, false]);
    // What stands takes no room.
    expect(room(3, [wide, open("80/80")])).toEqual([["tcp 1-65535 0.0.0.0/0"], kept, 1, true]);
    // Two that are as wide need the same.
    expect(room(4, [wide, open("1/65534")])).toEqual([
      ["tcp 1-65535 0.0.0.0/0", "tcp 1-65534 0.0.0.0/0"],
      kept,
      0,
      true,
    ]);
  });

  test("what could not be given back stays, and counts unless it is narrow", () => {
    const lasting = open("3306/3306", { priority: 110 });
    expect(suspended([lasting])).toMatchObject({
      suspends: [],
      left: [expect.stringContaining("110")],
      isWhole: false,
    });
    expect(suspended([lasting, open("80/80", { priority: 110 })], { core: ["80", "3306"] }).isWhole).toBe(true);
    expect(suspended([open("1/65535", { priority: 110 })], { core: ["80"] })).toMatchObject({
      keeps: [],
      isWhole: false,
    });
    // One that stays is not made up for by one that is closed after it.
    expect(suspended([lasting, open("22/22")]).isWhole).toBe(false);
    expect(suspended([open("80/80", { priority: 110 }), lasting], { core: ["80"] }).isWhole).toBe(false);
  });

  test("what is closed already is planned as if it stood, once", () => {
    const closed = [aSpec({ ports: somePorts("1/65535"), peer: everybody, priority: 110 })];
    const plan = suspended([], { closed, core: ["80"] });
    expect([told(plan.suspends), told(plan.keeps)]).toEqual([["tcp 1-65535 0.0.0.0/0"], ["tcp 80 0.0.0.0/0"]]);
    const twice = suspended([aRule({ ...closed[0], priority: 5 })], { closed: [{ ...aSpec(closed[0]), priority: 5 }] });
    expect(told(twice.suspends)).toEqual(["tcp 1-65535 0.0.0.0/0"]);
  });

  test("is nothing where it would cut operators off", () => {
    const addresses = [aCidr("10.0.0.1")];
    const odd = suspended([open("22/22")], {
      operatorPath: [{ ...operators, port: "?" }],
      interfaces: [{ addresses, otherRules: [] }],
    });
    const why = "it would cut the operator path tcp ? from 128.0.0.0/1";
    expect(odd).toMatchObject({ way: "none", drops: [], suspends: [], keeps: [], why, isWhole: false });
    expect(odd.left).toHaveLength(1);
  });
});

describe("an accept", () => {
  const policy = {
    core: ["80", "?"],
    operatorPath: [{ protocol: "all", port: "", sources: ["198.51.100.1", "203.0.113.7"] }],
  };
  test.each<[string, Partial<RuleSpec>, string | null]>([
    ["of a core port", { ports: somePorts("79/81"), peer: fromCidr("10.0.0.0/8") }, "it opens a core port, too"],
    ["of no core port", { peer: fromCidr("10.0.0.0/8") }, null],
    [
      "of a core port's number by udp",
      { ports: somePorts("80/80"), protocol: "udp", peer: fromCidr("10.0.0.0/8") },
      null,
    ],
    ["of operators", { peer: fromCidr("203.0.113.0/24") }, "operators come in by it"],
  ])("%s has its reason to stay, or none", (_what, changes, reason) => {
    expect(keptFor(aSpec(changes), policy)).toBe(reason);
  });

  test("of a way that nobody can read is one of operators", () => {
    const unreadable = { core: [], operatorPath: [{ ...operators, port: "?" }] };
    expect(keptFor(aSpec(), unreadable)).toBe("operators come in by it");
    expect(opensMore([open("22/22")], unreadable)).toHaveLength(1);
  });

  test.each<[string, Partial<Rule>, boolean]>([
    ["just a core port", { ports: somePorts("80/80") }, false],
    ["more than a core port", { ports: somePorts("80/81") }, true],
    ["less than from a core port on", { ports: somePorts("79/80") }, true],
    ["a core port's number by udp", { ports: somePorts("80/80"), protocol: "udp" }, true],
    ["operators alone", { peer: fromCidr("203.0.113.7") }, false],
    ["operators and others", { peer: fromCidr("203.0.113.0/24") }, true],
    ["a list of ports", { ports: { kind: "list", portRangeListId: "l" } }, true],
    ["ping", { protocol: "icmp", ports: { kind: "any" } }, false],
    ["ping by IPv6", { protocol: "icmpv6", ports: { kind: "any" } }, false],
    ["what could not be given back", { priority: 110 }, false],
    ["what goes out", { direction: "egress" }, false],
    ["nothing: it is a drop", { policy: "drop" }, false],
  ])("that opens %s is closed for what it opens beside core ports and operators' ways", (_what, changes, is) => {
    expect(opensMore([aRule({ peer: everybody, ...changes })], policy)).toHaveLength(is ? 1 : 0);
  });

  test.each<[string, Partial<RuleSpec>, boolean]>([
    ["what is needed by nobody", { peer: fromCidr("10.0.0.0/8") }, true],
    ["a core port", { ports: somePorts("80/80"), peer: fromCidr("10.0.0.0/8") }, false],
    ["operators and others", { peer: fromCidr("203.0.113.0/24") }, false],
    ["ping", { protocol: "icmp", ports: { kind: "any" }, peer: fromCidr("10.0.0.0/8") }, false],
    ["what goes out", { direction: "egress", peer: fromCidr("10.0.0.0/8") }, false],
    ["nothing: it is a drop", { policy: "drop", peer: fromCidr("10.0.0.0/8") }, false],
  ])("that opens %s is closed whole, or is not", (_what, changes, is) => {
    expect(isToClose(aSpec(changes), policy)).toBe(is);
  });

  test("of a list by a way of operators opens more", () => {
    const listed = aRule({ peer: { kind: "prefixList", prefixListId: "l" } });
    expect(opensMore([listed], policy)).toEqual([listed]);
  });
});
