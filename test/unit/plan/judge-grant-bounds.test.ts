// What the policy grants, at each bound and word for word.
import { describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import { type GrantAsk, judgeGrant } from "../../../shared/plan/judge-grant.ts";
import { aCidr } from "../../kit/rules.ts";

const ports = (from: number, to = from) => ({ from, to });
const NO_PORTS = { protocol: "icmp", ports: null } as const;
const EVERY_PORT = { protocol: "all", ports: null } as const;
const from = (...blocks: readonly string[]) => ({ sources: blocks.map(aCidr) });
const judged = (document: object, change: Partial<GrantAsk> = {}) =>
  judgeGrant(
    {
      ...{ principal: "ann", roles: ["requester"], group: { groupId: "sg-1", name: "web", tags: {} }, protocol: "tcp" },
      ...{ ports: ports(8080), ...from("203.0.113.7"), periodMs: 600_000, ticket: "" },
      ...change,
    },
    policyOf(policySchema.parse(document), 3, "cn-hangzhou"),
  );
/** The name of the rule that decides, among one and whatever grants all the rest. */
const decider = (rule: object, change: Partial<GrantAsk> = {}) =>
  judged({ grants: [{ name: "one", ...rule }, { name: "rest" }] }, change).rule;
const why = (document: object, change: Partial<GrantAsk> = {}) => judged(document, change).why;

describe("which rule decides", () => {
  const persons = { ann: ["corp/ann"] };
  test("by the very principal, where a person has several", () => {
    const named = (name: string) =>
      judged({ persons, grants: [{ name: "one", persons: [name] }] }, { principal: "corp/ann" });
    expect([named("corp/ann").kind, named("ann").kind, named("corp/bob").kind]).toEqual([
      "granted",
      "granted",
      "refused",
    ]);
  });

  const deny = { effect: "deny" } as const;
  test.each<[string, object, Partial<GrantAsk>, boolean]>([
    ["all protocols grant each", { protocols: ["all"] }, {}, true],
    ["of several protocols one will do", { protocols: ["udp", "tcp"] }, {}, true],
    ["one that denies udp is not about tcp", { ...deny, protocols: ["udp"] }, {}, false],
    ["one that denies udp is about all", { ...deny, protocols: ["udp"] }, EVERY_PORT, true],
    ["of several ports one will do", { ports: ["22", "8080"] }, {}, true],
    ["ranges join in any order", { ports: ["8081-8090", "8079", "8080"] }, { ports: ports(8079, 8090) }, true],
    ["ranges with a gap do not join", { ports: ["8079", "8081"] }, { ports: ports(8079, 8081) }, false],
    [
      "a range in a wider one makes that no narrower",
      { ports: ["8000-8100", "8010"] },
      { ports: ports(8000, 8100) },
      true,
    ],
    ["ports that are denied are none of ping's", { ...deny, ports: ["22"] }, NO_PORTS, false],
    ["one of several ports that are denied", { ...deny, ports: ["22", "8080"] }, {}, true],
    ["of several sources one will do", { ...from(), sources: ["10.0.0.0/8", "203.0.113.0/24"] }, {}, true],
    ["a denied source among others", { ...deny, sources: ["10.0.0.0/8"] }, from("203.0.113.7", "10.1.1.1"), true],
    [
      "a denied source among others that are denied",
      { ...deny, sources: ["10.0.0.0/8", "11.0.0.0/8"] },
      from("10.1.1.1"),
      true,
    ],
    ["a source around a denied one", { ...deny, sources: ["203.0.113.7"] }, from("203.0.113.0/24"), true],
  ])("%s", (_what, rule, change, isIt) => {
    expect(decider(rule, change)).toBe(isIt ? "one" : "rest");
  });
});

describe("what a rule bounds is granted to the bound", () => {
  const bounds = { periodMax: 600, portsMax: 2, sourceWidthMax: { v4: 24, v6: 56 }, ticket: "needed" };
  const bounded = (change: Partial<GrantAsk> = {}) =>
    judged({ grants: [{ name: "one", ...bounds }] }, { ticket: "T-1", ...change });

  test.each<[string, Partial<GrantAsk>, string | null]>([
    ["nothing beyond", {}, null],
    ["a period", { periodMs: 600_001 }, "the rule one grants 600 seconds at most"],
    ["a shorter period", { periodMs: 1 }, null],
    ["no ticket", { ticket: " " }, "the rule one needs the number of a ticket"],
    ["as many ports", { ports: ports(8000, 8001) }, null],
    ["one port more", { ports: ports(8000, 8002) }, "the rule one grants 2 ports at most"],
    ["no ports", NO_PORTS, null],
    ["as wide sources", from("10.0.0.0/24", "2001:db8::/56"), null],
    ["wider sources", from("10.0.0.0/23"), "the rule one grants sources of a /24 at most, and these cover a /23"],
    [
      "wider sources of IPv6",
      from("2001:db8::/55"),
      "the rule one grants sources of a /56 at most, and these cover a /55",
    ],
  ])("%s", (_what, change, refusal) => {
    expect(bounded(change)).toEqual(
      refusal === null
        ? { kind: "granted", rule: "one", approvals: 0, why: ["the rule one grants it"] }
        : { kind: "refused", rule: "one", limit: true, why: [refusal] },
    );
  });

  test("and without bounds nothing is refused", () => {
    const change = { periodMs: 3_000_000, ports: ports(8000, 8009), ...from("10.0.0.0/8") };
    expect(judged({ grants: [{ name: "one" }] }, change).kind).toBe("granted");
  });
});

describe("it is said why", () => {
  const lease = { periodMax: 600, portsMax: 10, sensitivePorts: [22], sourceWidthMax: { v4: 24, v6: 56 } };
  test.each<[string, object, Partial<GrantAsk>, readonly string[]]>([
    ["no rule", { grants: [{ name: "one", ports: ["22"] }] }, {}, ["no rule of the policy grants it"]],
    ["denial", { grants: [{ name: "one", effect: "deny" }] }, {}, ["the rule one denies it"]],
    [
      "everybody",
      { lease },
      { ports: ports(20, 25), ...from("0.0.0.0/0") },
      ["the sensitive port 22 is never opened to everybody"],
    ],
    [
      "width",
      { lease },
      { ports: ports(22), ...from("10.0.0.0/23") },
      ["the sensitive port 22 is opened to a /24 at most, and these sources cover a /23"],
    ],
    ["period", { lease }, { periodMs: 601_000 }, ["a lease has 600 seconds at most"]],
    ["ports", { lease }, { ports: ports(8000, 8010) }, ["11 ports are asked for, and a lease has 10 at most"]],
  ])("%s", (_what, document, change, words) => {
    expect(why(document, change)).toEqual(words);
  });

  test("a denial is no limit, and has its rule", () => {
    expect(judged({ grants: [{ name: "one", effect: "deny" }] })).toMatchObject({ rule: "one", limit: false });
  });
});

describe("second persons", () => {
  const strict = {
    grants: [{ name: "one", approvals: 1 }],
    approval: { ports: ["3306", "8080"], groups: ["vault", "sg-9"], count: 2 },
  };
  const GRANTED = "the rule one grants it";
  const group = (groupId: string, name: string) => ({
    group: { groupId, name, tags: { "safeport:application": "pay" } },
  });

  test.each<[string, object, Partial<GrantAsk>, readonly string[]]>([
    ["by the rule", strict, { ports: ports(80) }, [GRANTED, "one other person has to approve it: the rule one"]],
    [
      "by the rule and the port",
      strict,
      {},
      [GRANTED, "2 other persons have to approve it: the rule one; the port 8080 needs it"],
    ],
    [
      "by the group",
      { ...strict, grants: [{ name: "one" }] },
      { ports: ports(80), ...group("sg-2", "vault") },
      [GRANTED, "2 other persons have to approve it: the group vault needs it"],
    ],
    [
      "by a group without a name",
      { ...strict, grants: [{ name: "one" }] },
      { ports: ports(80), ...group("sg-9", "") },
      [GRANTED, "2 other persons have to approve it: the group sg-9 needs it"],
    ],
    [
      "by the application",
      { grants: [{ name: "one" }], approval: { applications: ["pay"] } },
      group("sg-2", "vault"),
      [GRANTED, "one other person has to approve it: the group vault needs it"],
    ],
    ["by no port of ping", { ...strict, grants: [{ name: "one" }] }, NO_PORTS, [GRANTED]],
    ["by nobody where no port and no group is named", { grants: [{ name: "one" }] }, group("sg-2", "vault"), [GRANTED]],
  ])("are asked for %s", (_what, document, change, words) => {
    expect(why(document, change)).toEqual(words);
  });
});
