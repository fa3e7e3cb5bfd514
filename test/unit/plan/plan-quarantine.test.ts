// The drop that stands in for a deletion: its strength, and what it would hit besides.
import { describe, expect, it } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { OperatorPath } from "../../../shared/domain/operator-path.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { planQuarantine, type QuarantineAsk } from "../../../shared/plan/plan-quarantine.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const rule = aRule({
  id: "sgr-idle" as RuleId,
  ports: somePorts("7890/7890"),
  peer: fromCidr("10.0.0.0/8"),
  priority: 10,
});
const ask = (
  others: readonly Rule[] = [],
  changes: Partial<QuarantineAsk> = {},
  isOpenInside = false,
): QuarantineAsk => {
  const asked = changes.rule ?? rule;
  const group = { groupId: "sg-web", isOpenInside, rules: [asked, ...others] };
  return {
    rule: asked,
    group,
    interfaces: [{ eniId: "eni-1", addresses: [aCidr("192.168.0.1/32")], groups: [group] }],
    ...{ protectedBy: null, operatorPath: [], rulesMax: 1000, sets: [] },
    ...changes,
  };
};
const other = (changes: Partial<Rule>): Rule => ({ ...rule, id: "sgr-other" as RuleId, ...changes });
const why = (asked: QuarantineAsk): string => {
  const plan = planQuarantine(asked);
  return plan.kind === "refused" ? plan.why.join("; ") : "";
};

describe("the drop against a rule", () => {
  it("is its twin at its own priority: a drop wins the tie", () => {
    const plan = planQuarantine(ask());
    expect(plan).toMatchObject({
      kind: "drop",
      spec: { policy: "drop", priority: 10, peer: rule.peer, ports: rule.ports },
    });
  });

  it("is refused where it would stop what a weaker or equal accept lets through, in this group or another of the host", () => {
    expect(why(ask([other({ priority: 20, peer: fromCidr("10.5.0.0/16") })]))).toContain("sgr-other (priority 20)");
    const second = { groupId: "sg-db", isOpenInside: false, rules: [other({})] };
    const one = ask();
    const interfaces = one.interfaces.map((it) => ({ ...it, groups: [...it.groups, second] }));
    expect(why({ ...one, interfaces })).toContain("sgr-other (priority 10, of sg-db)");
  });

  it("counts a drop on a list of ours for the room that the list has, as the quota does", () => {
    const list = { key: "0123456789ab", family: 4, blocks: ["0.0.0.0/1", "128.0.0.0/1"], listId: "pl-1" } as const;
    const set = { name: "0123456789ab", region: "r", lists: [list], members: [], holders: [], shown: "empty", rev: 1 };
    const onList = other({ policy: "drop", priority: 1, peer: { kind: "prefixList", prefixListId: "pl-1" } });
    const sets = [set] as QuarantineAsk["sets"];
    expect(why(ask([onList], { rulesMax: 3, sets }))).toContain("no room");
    expect(why(ask([onList], { rulesMax: 4, sets }))).toBe("");
  });

  it("is planned where a drop in between takes the weaker accept anyway", () => {
    const between = other({ id: "sgr-drop" as RuleId, policy: "drop", priority: 15, peer: fromCidr("0.0.0.0/0") });
    expect(why(ask([between, other({ priority: 20 })]))).toBe("");
  });

  it("is refused where it would stop nothing, or cut the operator's path", () => {
    expect(why(ask([other({ priority: 1, peer: fromCidr("0.0.0.0/0") })]))).toContain("stop nothing and prove nothing");
    expect(why(ask([other({ policy: "drop" })]))).toContain("stop nothing and prove nothing");
    expect(why(ask([other({ policy: "drop", peer: fromCidr("10.1.0.0/16") })]))).toBe("");
    const operatorPath = [{ protocol: "tcp", port: "7890", sources: ["10.1.1.1"] }];
    expect(why(ask([], { operatorPath }))).toContain("operator path tcp 7890 from 10.1.1.1");
    expect(why(ask([], { rulesMax: 1 }))).toContain("no room");
    expect(why(ask([], { protectedBy: "a cloud service manages it" }))).toContain("a cloud service manages it");
  });

  it("says apart what the deletion by itself would cut of the operator's path, also where no drop can be written", () => {
    const operatorPath = [{ protocol: "tcp", port: "7890", sources: ["10.1.1.1"] }];
    const cuts = (asked: QuarantineAsk) => {
      const plan = planQuarantine(asked);
      return plan.kind === "refused" ? plan.cuts : [];
    };
    const cut = ["it would cut the operator path tcp 7890 from 10.1.1.1"];
    expect(cuts(ask([], { operatorPath }))).toEqual(cut);
    expect(cuts(ask([], { operatorPath, protectedBy: "a cloud service manages it" }))).toEqual(cut);
    const weaker = ask([other({ priority: 20 })], { operatorPath });
    expect([cuts(weaker), why(weaker)]).toEqual([[], expect.stringContaining("operator path")]);
  });

  it.each([
    ["prefix list", { peer: { kind: "prefixList", prefixListId: "pl-1" } }],
    ["group", { peer: { kind: "group", groupId: "sg-bastion", owner: null } }],
    ["port list", { ports: { kind: "list", portRangeListId: "prl-1" } }],
    ["list of source ports", { sourcePorts: { kind: "list", portRangeListId: "prl-1" } }],
  ] as const)("is refused where the operator's path may go through the %s of the rule alone", (_, changes) => {
    const idle = { ...rule, ...changes } as Rule;
    const operatorPath = [{ protocol: "tcp", port: "7890", sources: ["10.1.1.1"] }];
    const may = "it would cut the operator path tcp 7890 from 10.1.1.1, if its list or group holds them";
    const planned = planQuarantine(ask([], { rule: idle, operatorPath }));
    expect(planned).toMatchObject({ kind: "refused", cuts: [expect.stringContaining(may)] });
    expect(planned).toMatchObject({ hits: [expect.stringContaining(may)] });
    // Another rule surely lets them in, or it is another path.
    const own = other({ priority: 1, peer: fromCidr("10.1.0.0/16") });
    const served = ask([own], { rule: idle, operatorPath });
    expect(planQuarantine(served)).not.toMatchObject({ cuts: [expect.anything()] });
    const elsewhere = [{ protocol: "udp", port: "7890", sources: ["10.1.1.1"] }];
    const theirs = [{ protocol: "tcp", port: "7890", sources: ["192.0.2.1"] }];
    const byPorts = { ...rule, ports: { kind: "list", portRangeListId: "prl-1" } } as const;
    expect(planQuarantine(ask([], { rule: idle, operatorPath: elsewhere })).kind).toBe("drop");
    expect(planQuarantine(ask([], { rule: byPorts, operatorPath: theirs })).kind).toBe("drop");
  });

  describe("against a rule whose list may hold operators", () => {
    const listed: Rule = { ...rule, peer: { kind: "prefixList", prefixListId: "pl-1" } };
    const cuts = (idle: Rule, path: Partial<OperatorPath> = {}, others: readonly Rule[] = []) => {
      const operatorPath = [{ protocol: "tcp", port: "7890", sources: ["10.1.1.1", "192.0.2.1"], ...path }];
      const plan = planQuarantine(ask(others, { rule: idle, operatorPath }));
      return plan.kind === "refused" ? plan.cuts : [];
    };

    it("is refused where another rule lets in some of them and not all", () => {
      const may = expect.stringContaining("from 10.1.1.1, 192.0.2.1, if its list or group holds them");
      expect(cuts(listed)).toEqual([may]);
      expect(cuts(listed, {}, [other({})])).toEqual([may]);
      expect(cuts(listed, {}, [other({}), other({ peer: fromCidr("192.0.2.0/24") })])).toEqual([]);
    });

    it("cuts nobody who comes to another port, or from any port where the rule is for some", () => {
      expect(cuts(listed, { port: "22" })).toEqual([]);
      expect(cuts({ ...listed, sourcePorts: somePorts("1000/1000") })).toEqual([]);
    });

    it("is refused for a path that nobody can read, whatever the list holds, and says it once", () => {
      expect(cuts(listed, { port: "x" })).toEqual(["it would cut the operator path tcp x from 10.1.1.1, 192.0.2.1"]);
    });
  });

  it("is refused for a rule that could not be given back just as it was", () => {
    expect(why(ask([], { rule: { ...rule, priority: 110 } }))).toContain("110");
    expect(why(ask([], { rule: { ...rule, peer: fromCidr("100.64.0.0/10") } }))).toContain("load balancers");
    expect(why(ask([], { rule: { ...rule, direction: "egress" } }))).toContain("comes in");
  });
});

it("names the paths that no drop stops", () => {
  const kinds = (asked: QuarantineAsk) => planQuarantine(asked).blind.map(({ kind }) => kind);
  expect(kinds(ask())).toEqual(["loadBalancer", "liveSessions"]);
  expect(kinds(ask([], {}, true))).toEqual(["loadBalancer", "liveSessions", "sameGroup"]);
  expect(kinds(ask([other({ priority: 1, peer: fromCidr("10.1.0.0/16") })]))).toContain("otherRule");
});

describe("whom the drop would stop besides", () => {
  const planned = (asked: QuarantineAsk) => planQuarantine(asked).kind;
  const everybody = fromCidr("0.0.0.0/0");
  const onHost = (rules: readonly Rule[], addresses: readonly string[], changes: Partial<QuarantineAsk> = {}) => {
    const asked = ask(rules, changes);
    return {
      ...asked,
      interfaces: asked.interfaces.map((it) => ({ ...it, addresses: addresses.map((text) => aCidr(text)) })),
    };
  };

  it("is said of each accept by name, one between the two strengths too", () => {
    const between = other({ id: "sgr-15" as RuleId, priority: 15 });
    const plan = planQuarantine(ask([between, other({ priority: 20 }), other({ id: null, priority: 30 })]));
    const hits = ["sgr-15 (priority 15)", "sgr-other (priority 20)", "a rule (priority 30)"];
    expect(plan).toMatchObject({ hits: hits.map((name) => `it would also stop what ${name} lets through`) });
  });

  it("is nobody where a drop wins the tie with the accept anyway", () => {
    const tied = other({ id: "sgr-drop" as RuleId, policy: "drop", priority: 20, peer: everybody });
    expect(why(ask([tied, other({ priority: 20 })]))).toBe("");
  });

  it("is nobody whom a weaker drop keeps out, also by a list that nobody can look into here", () => {
    const listed = other({ policy: "drop", priority: 20, peer: { kind: "prefixList", prefixListId: "pl-1" } });
    expect(why(ask([listed]))).toBe("");
  });

  it("is told by rules of the same direction alone", () => {
    const out = other({ direction: "egress", priority: 20 });
    expect(why(ask([out]))).toBe("");
    expect(why(ask([{ ...out, priority: 1, peer: everybody }]))).toBe("");
    const between = other({
      id: "sgr-out" as RuleId,
      direction: "egress",
      policy: "drop",
      priority: 15,
      peer: everybody,
    });
    expect(why(ask([between, other({ priority: 20 })]))).toContain("sgr-other");
  });

  it("is told by the group alone where no interface is in it", () => {
    expect(planned(ask([], { interfaces: [] }))).toBe("drop");
    expect(why(ask([other({ priority: 20 })], { interfaces: [] }))).toContain("sgr-other (priority 20)");
    expect(why(ask([], { interfaces: [], rulesMax: 1 }))).toBe("sg-web has no room for one more rule");
    expect(why(ask([], { rulesMax: 1 }))).toBe("eni-1 has no room for one more rule");
  });

  it("is not the rule itself, and is one of another group whatever its id", () => {
    const one = ask([], { operatorPath: [{ protocol: "tcp", port: "7890", sources: ["10.1.1.1", "10.1.1.2"] }] });
    const cut = "it would cut the operator path tcp 7890 from 10.1.1.1, 10.1.1.2";
    expect(planQuarantine(one)).toMatchObject({ cuts: [cut] });
    const second = { groupId: "sg-db", isOpenInside: false, rules: [{ ...rule, priority: 20 }] };
    const interfaces = one.interfaces.map((it) => ({ ...it, groups: [...it.groups, second] }));
    expect(planQuarantine({ ...one, interfaces })).toMatchObject({
      hits: ["it would also stop what sgr-idle (priority 20, of sg-db) lets through", cut],
      cuts: [],
    });
  });

  it("is no operator whose path goes by another rule", () => {
    const operatorPath = [{ protocol: "tcp", port: "22", sources: ["10.1.1.1"] }];
    expect(planned(ask([other({ ports: somePorts("22/22") })], { operatorPath }))).toBe("drop");
  });

  it("is judged for each address of a host that the rule acts on, and for no other", () => {
    const first = "192.168.0.1/32";
    const stronger = other({ priority: 1, peer: everybody, dest: aCidr(first) });
    expect(why(onHost([stronger], [first, "2001:db8::1/128"]))).toContain("stop nothing");
    expect(planned(onHost([stronger], [first, "192.168.0.2/32"]))).toBe("drop");
    expect(planned(onHost([], ["2001:db8::1/128"]))).toBe("drop");
    const narrowed = { ...rule, dest: aCidr("192.168.0.2/32") };
    const weaker = other({ priority: 20, dest: aCidr(first) });
    expect(planned(onHost([weaker], [first, "192.168.0.2/32"], { rule: narrowed }))).toBe("drop");
  });

  it("may be anybody where the rule's source is no block", () => {
    const listed = { ...rule, peer: { kind: "prefixList", prefixListId: "pl-1" } as const };
    expect(planned(ask([], { rule: listed }))).toBe("drop");
    expect(why(ask([other({ priority: 20, peer: everybody })], { rule: listed }))).toContain("sgr-other");
  });

  it("is nobody's business where no twin can be written: it says why", () => {
    expect(why(ask([], { rule: { ...rule, policy: "drop" } }))).toBe("it lets nothing through");
    expect(why(ask([], { rule: { ...rule, protocol: { other: "50" } } }))).toBe("its protocol 50 cannot be written");
  });
});

it("says of the paths that no drop stops which they are", () => {
  const stronger = (id: string, changes: Partial<Rule> = {}) =>
    other({ id: id as RuleId, priority: 1, peer: fromCidr("10.1.0.0/16"), ...changes });
  const rules = [
    stronger("sgr-b"),
    stronger("sgr-a"),
    stronger("sgr-drop", { policy: "drop", peer: fromCidr("10.2.0.0/16") }),
    stronger("sgr-far", { ports: somePorts("22/22") }),
  ];
  const asked = ask(rules, {}, true);
  const before = { groupId: "sg-a", isOpenInside: true, rules: [] };
  const interfaces = asked.interfaces.map((it) => ({ ...it, groups: [...it.groups, before] }));
  expect(planQuarantine({ ...asked, interfaces }).blind).toEqual([
    { kind: "loadBalancer", text: "what a load balancer forwards to the hosts, and its health checks" },
    { kind: "liveSessions", text: "sessions that were there before the drop, for up to 910 s" },
    { kind: "sameGroup", text: "hosts of the same group reach each other: sg-a, sg-web" },
    { kind: "otherRule", text: "what stronger rules let through as well: sgr-a (priority 1), sgr-b (priority 1)" },
  ]);
});
