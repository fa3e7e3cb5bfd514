// What the policy grants: the first rule that matches, limits, sensitive ports, and how it is explained.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import { parseCidr } from "../../../shared/domain/cidr.ts";
import { type GrantAsk, judgeGrant } from "../../../shared/plan/judge-grant.ts";

const policy = (document: object) => policyOf(policySchema.parse(document), 3, "cn-hangzhou");
const sources = (...texts: string[]) => texts.flatMap((text) => parseCidr(text) ?? []);
const ask = (change: Partial<GrantAsk> = {}): GrantAsk => ({
  principal: "ann",
  roles: ["requester"],
  group: { groupId: "sg-1", name: "web", tags: { env: "prod" } },
  protocol: "tcp",
  ports: { from: 22, to: 22 },
  sources: sources("203.0.113.7/32"),
  periodMs: 600_000,
  ticket: "",
  ...change,
});
const allow = (rule: object = {}) => policy({ grants: [{ name: "one", ...rule }] });

describe("a grant without rules", () => {
  test("is what the limits of leases allow", () => {
    expect(judgeGrant(ask(), policy({}))).toEqual({
      ...{ kind: "granted", rule: "default", approvals: 0 },
      why: ["the rule default grants it"],
    });
  });

  test.each([["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"]])(
    "never opens a sensitive port to everybody, whatever the limits: %s",
    (...texts) => {
      const open = policy({ lease: { sourceWidthMax: { v4: 0, v6: 0 } }, grants: [{ name: "one" }] });
      for (const change of [{}, { ports: { from: 1, to: 100 } }, { protocol: "all", ports: null }]) {
        const verdict = judgeGrant(ask({ ...change, sources: sources(...texts) }), open);
        expect(verdict).toMatchObject({ kind: "refused", rule: null, limit: true });
      }
      const harmless = { ports: { from: 8080, to: 8080 }, sources: sources(...texts) };
      expect(judgeGrant(ask(harmless), open).kind).toBe("granted");
    },
  );

  test("is no longer than a lease may be, and no wider where it reaches a sensitive port", () => {
    const narrow = policy({ lease: { periodMax: 600, sensitivePorts: [22], sourceWidthMax: { v4: 24, v6: 56 } } });
    const judged = (change: Partial<GrantAsk>) => judgeGrant(ask(change), narrow);
    expect(judged({}).kind).toBe("granted");
    expect(judged({ periodMs: 601_000 })).toMatchObject({ kind: "refused", rule: null, limit: true });
    expect(judged({ sources: sources("10.0.0.0/24", "2001:db8::/56") }).kind).toBe("granted");
    for (const texts of [["10.0.0.0/23"], ["10.0.0.0/25", "10.1.0.0/24"], ["2001:db8::/55"]]) {
      const wide = { sources: sources(...texts) };
      for (const change of [wide, { ...wide, ports: { from: 20, to: 30 } }])
        expect(judged(change)).toMatchObject({ kind: "refused", rule: null, limit: true });
      expect(judged({ ...wide, protocol: "all", ports: null }).kind).toBe("refused");
      expect(judged({ ...wide, ports: { from: 23, to: 30 } }).kind).toBe("granted");
      expect(judged({ ...wide, protocol: "icmp", ports: null }).kind).toBe("granted");
    }
  });

  test("has no more ports than a lease may have; `all` has every port", () => {
    const narrow = policy({ lease: { portsMax: 10 } });
    expect(judgeGrant(ask({ ports: { from: 8000, to: 8009 } }), narrow).kind).toBe("granted");
    expect(judgeGrant(ask({ ports: { from: 8000, to: 8010 } }), narrow).kind).toBe("refused");
    expect(judgeGrant(ask({ protocol: "all", ports: null }), narrow).kind).toBe("refused");
    expect(judgeGrant(ask({ protocol: "icmp", ports: null }), narrow).kind).toBe("granted");
  });
});

describe("a rule", () => {
  test.each<[string, object, Partial<GrantAsk>, boolean]>([
    ["names a person", { persons: ["ann"] }, {}, true],
    ["names another person", { persons: ["bob"] }, {}, false],
    ["names a role", { roles: ["requester"] }, {}, true],
    ["names another role", { roles: ["admin"] }, {}, false],
    ["names a person or a role", { persons: ["bob"], roles: ["requester"] }, {}, true],
    ["names the group", { groups: ["web"] }, {}, true],
    ["names another group", { groups: ["db"] }, {}, false],
    ["names a tag", { tags: ["env=prod"] }, {}, true],
    ["names the protocol", { protocols: ["tcp"] }, {}, true],
    ["names another protocol", { protocols: ["udp"] }, {}, false],
    ["names tcp, and all is asked", { protocols: ["tcp"] }, { protocol: "all", ports: null }, false],
    ["names the port", { ports: ["22"] }, {}, true],
    ["names a part of the ports", { ports: ["22"] }, { ports: { from: 22, to: 23 } }, false],
    ["names ranges that join", { ports: ["22", "23-30"] }, { ports: { from: 22, to: 30 } }, true],
    ["names ports, and icmp has none", { ports: ["22"] }, { protocol: "icmp", ports: null }, false],
    ["names a block around the source", { sources: ["203.0.113.0/24"] }, {}, true],
    [
      "names a part of the sources",
      { sources: ["203.0.113.0/24"] },
      { sources: sources("203.0.113.1", "198.51.100.1") },
      false,
    ],
    [
      "names two halves of the source",
      { sources: ["10.0.0.0/9", "10.128.0.0/9"] },
      { sources: sources("10.0.0.0/8"), ports: { from: 8080, to: 8080 } },
      true,
    ],
  ])("that %s", (_, rule, change, isGranted) => {
    const verdict = judgeGrant(ask(change), allow(rule));
    expect(verdict.kind).toBe(isGranted ? "granted" : "refused");
    if (!isGranted) expect(verdict).toMatchObject({ rule: null, limit: false });
  });

  test.each<[string, object, Partial<GrantAsk>, RegExp]>([
    ["a period", { periodMax: 300 }, {}, /300 seconds at most/],
    ["a ticket", { ticket: "needed" }, { ticket: "  " }, /number of a ticket/],
    ["a width of ports", { portsMax: 2 }, { ports: { from: 8000, to: 8002 } }, /2 ports at most/],
    ["a width of sources", { sourceWidthMax: { v4: 30 } }, { sources: sources("10.0.0.0/29") }, /\/30 at most/],
  ])("bounds %s, and is named", (_, rule, change, why) => {
    const verdict = judgeGrant(ask(change), policy({ grants: [{ name: "one", ...rule }, { name: "two" }] }));
    expect(verdict).toMatchObject({ kind: "refused", rule: "one", limit: true });
    expect(verdict.why.join()).toMatch(why);
  });

  test("that denies matches what it touches, and the first that matches decides", () => {
    const rules = [{ name: "no-db", effect: "deny", ports: ["3306"], sources: ["10.0.0.0/8"] }, { name: "rest" }];
    const judged = (change: Partial<GrantAsk>) => judgeGrant(ask(change), policy({ grants: rules }));
    const from = { sources: sources("10.1.0.0/24") };
    expect(judged({ ports: { from: 3000, to: 4000 }, ...from })).toMatchObject({ kind: "refused", rule: "no-db" });
    expect(judged({ protocol: "all", ports: null, ...from })).toMatchObject({ kind: "refused", rule: "no-db" });
    expect(judged({ ports: { from: 3000, to: 4000 } })).toMatchObject({ kind: "granted", rule: "rest" });
    expect(judged({ ports: { from: 22, to: 22 }, ...from })).toMatchObject({ kind: "granted", rule: "rest" });
  });

  test("asks for second persons, and so do ports and groups; the most that anything asks for counts", () => {
    const strict = policy({
      grants: [{ name: "one", approvals: 1 }],
      approval: { ports: ["3306"], groups: ["vault"], count: 2 },
    });
    expect(judgeGrant(ask(), strict)).toMatchObject({ approvals: 1 });
    expect(judgeGrant(ask({ ports: { from: 3000, to: 4000 } }), strict)).toMatchObject({ approvals: 2 });
    const vault = { groupId: "sg-2", name: "vault", tags: {} };
    expect(judgeGrant(ask({ group: vault }), strict)).toMatchObject({ approvals: 2 });
    expect(judgeGrant(ask({ group: vault }), policy({ approval: { groups: ["vault"] } }))).toMatchObject({
      approvals: 1,
    });
  });

  test("is for every principal of a person", () => {
    const aliases = { persons: { ann: ["ann-laptop", "corp/ann"] }, grants: [{ name: "one", persons: ["ann"] }] };
    expect(judgeGrant(ask({ principal: "corp/ann" }), policy(aliases)).kind).toBe("granted");
    expect(judgeGrant(ask({ principal: "corp/bob" }), policy(aliases)).kind).toBe("refused");
  });
});

describe("for any rules and any ask", () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  const range = fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  const text = range.map(({ from, to }) => `${from}-${to}`);
  const rule = fc.record({ effect: fc.constantFrom("allow", "deny"), ports: fc.array(text, { maxLength: 3 }) });

  test("no port is granted that the first touching deny or no allow takes in", () => {
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), range, (rules, ports) => {
        const grants = rules.map((it, index) => ({ name: `r${index}`, ...it }));
        const verdict = judgeGrant(ask({ ports, sources: sources("10.0.0.1") }), policy({ grants }));
        if (verdict.kind !== "granted") return;
        const covers = ({ ports: allowed }: { ports: string[] }, at: number) =>
          allowed.length === 0 ||
          allowed.some((it) => {
            const [from = 0, to = 0] = it.split("-").map(Number);
            return from <= at && at <= to;
          });
        const decider = rules[grants.findIndex((it) => it.name === verdict.rule)];
        for (const at of [ports.from, ports.to, Math.floor((ports.from + ports.to) / 2)]) {
          expect(decider !== undefined && decider.effect === "allow" && covers(decider, at)).toBe(true);
          const before = rules.slice(
            0,
            grants.findIndex((it) => it.name === verdict.rule),
          );
          expect(before.some((it) => it.effect === "deny" && covers(it, at))).toBe(false);
        }
      }),
    );
  });
});
