// Laws of a lockdown's plan: core ports and operators come in as before, and nobody else comes in at all.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complementOf, coverage, formatBare, mergeCidrs, overlaps } from "../../shared/domain/cidr.ts";
import { parseCorePort } from "../../shared/domain/core-port.ts";
import { cutPaths, type OperatorPath } from "../../shared/domain/operator-path.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { letsThrough } from "../../shared/domain/verdict.ts";
import { type LockdownPicture, planLockdown, planSuspensions } from "../../shared/plan/plan-lockdown.ts";
import { ruleId } from "../kit/plan-pictures.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../kit/rules.ts";

const SOURCES = [
  "0.0.0.0/0",
  "203.0.113.7/32",
  "203.0.113.0/24",
  "198.51.100.0/25",
  "10.0.0.0/8",
  "::/0",
  "2001:db8::/56",
];
const PORTS = ["22/22", "80/80", "79/81", "443/443", "1/65535", "8000/8010", "3389/3389"];
const CORES = ["80", "443", "8000-8010", "udp/443"];

const aRule = fc
  .record({
    ports: fc.constantFrom(...PORTS),
    source: fc.constantFrom(...SOURCES),
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "all" as const, "gre" as const),
    priority: fc.constantFrom(1, 2, 50, 100),
    policy: fc.constantFrom("accept" as const, "accept" as const, "accept" as const, "drop" as const),
  })
  .map(({ ports, source, protocol, ...rest }): RuleSpec => {
    const hasPorts = protocol === "tcp" || protocol === "udp";
    return aSpec({ ...rest, protocol, peer: fromCidr(source), ports: hasPorts ? somePorts(ports) : { kind: "any" } });
  });
const someRules = fc
  .array(aRule, { maxLength: 6 })
  .map((specs) => specs.map((spec, n): Rule => ({ ...spec, id: ruleId(`${n}`), description: "", createdAt: null })));
const aPath: fc.Arbitrary<OperatorPath> = fc.record({
  protocol: fc.constantFrom("tcp", "udp"),
  port: fc.constantFrom("22", "8005", "3380-3390", "80"),
  sources: fc.subarray(["203.0.113.7", "198.51.100.0/24", "2001:db8::/60"], { minLength: 1 }),
});
const aPicture = fc.record({
  type: fc.constantFrom("normal" as const, "normal" as const, "enterprise" as const),
  rules: someRules,
  interfaces: fc.array(
    someRules.map((otherRules) => ({ addresses: [aCidr("10.0.0.1"), aCidr("2001:db8::1")], otherRules })),
    { minLength: 1, maxLength: 2 },
  ),
  core: fc.subarray(CORES),
  operatorPath: fc.array(aPath, { maxLength: 3 }),
  rulesPerInterface: fc.constantFrom(5, 1000),
});

const asRules = (specs: readonly RuleSpec[]): Rule[] =>
  specs.map((spec) => ({ ...spec, id: null, description: "", createdAt: null }));

/** A single connection to a port, from an address. */
const knock = (protocol: "tcp" | "udp", port: number, source: string): RuleSpec =>
  aSpec({ protocol, ports: somePorts(`${port}/${port}`), peer: fromCidr(source) });

const KNOCKS = [22, 79, 80, 81, 443, 3306, 3389, 8005, 8011, 65535].flatMap((port) =>
  ["203.0.113.7/32", "203.0.113.9/32", "198.51.100.3/32", "192.0.2.1/32", "2001:db8::5/128", "2001:db9::5/128"].flatMap(
    (source) => (["tcp", "udp"] as const).map((protocol) => ({ protocol, port, source })),
  ),
);

describe("a lockdown", () => {
  test("leaves core ports and operators as they are, and lets nobody else in where drops are put", () => {
    fc.assert(
      fc.property(aPicture, (picture) => {
        const plan = planLockdown(picture);
        const gone = new Set(plan.suspends);
        expect(gone.size === 0 || plan.drops.length === 0).toBe(true);
        const isGone = (rule: Rule) =>
          plan.suspends.some((spec) => JSON.stringify(text(spec)) === JSON.stringify(text(rule)));
        const after = [
          ...picture.rules.filter((rule) => !isGone(rule)),
          ...asRules(plan.drops),
          ...asRules(plan.keeps),
        ];
        for (const { otherRules, addresses } of picture.interfaces) {
          const [then, now] = [
            [...picture.rules, ...otherRules],
            [...after, ...otherRules],
          ];
          expect(cutPaths(then, now, picture.operatorPath, addresses)).toEqual([]);
          for (const { protocol, port, source } of KNOCKS) {
            const ask = knock(protocol, port, source);
            const isCore = picture.core.some((word) => {
              const core = parseCorePort(word);
              return core?.protocol === protocol && core.range.from <= port && port <= core.range.to;
            });
            const [before, later] = [letsThrough(ask, then), letsThrough(ask, now)];
            if (isCore) expect(later, `core ${protocol} ${port} ${source}`).toBe(before);
            else if (plan.way === "drops" && !isOperator(picture.operatorPath, protocol, port, source))
              expect(later, `${protocol} ${port} from ${source}`).toBe(false);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test("that is whole without drops lets nobody in by the group's own rules but to core ports, and operators", () => {
    fc.assert(
      fc.property(aPicture, (picture) => {
        const plan = planLockdown({ ...picture, type: "enterprise", rulesPerInterface: 1000 });
        if (plan.way === "none") return;
        const gone = new Set(plan.suspends.map(ruleKey));
        const after = [...picture.rules.filter((rule) => !gone.has(ruleKey(rule))), ...asRules(plan.keeps)];
        for (const { protocol, port, source } of KNOCKS) {
          const ask = knock(protocol, port, source);
          const isNeeded =
            picture.core.some((word) => {
              const core = parseCorePort(word);
              return core?.protocol === protocol && core.range.from <= port && port <= core.range.to;
            }) || isOperator(picture.operatorPath, protocol, port, source);
          const [before, later] = [letsThrough(ask, picture.rules), letsThrough(ask, after)];
          if (isNeeded) expect(later, `needed ${protocol} ${port} ${source}`).toBe(before);
          else if (plan.isWhole) expect(later, `${protocol} ${port} ${source}`).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("without drops leaves no wide accept where there is room for what is needed of it", () => {
    fc.assert(
      fc.property(aPicture, (picture) => {
        const plan = planLockdown({ ...picture, type: "enterprise", rulesPerInterface: 1000 });
        if (plan.way !== "none") expect(plan.isWhole, plan.left.join()).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("suspends and says what stays where drops are not possible", () => {
    fc.assert(
      fc.property(aPicture, (picture) => {
        const plan = planLockdown({ ...picture, type: "enterprise" });
        expect(plan.drops).toEqual([]);
        if (plan.way === "none") return;
        const accepts = picture.rules.filter((rule) => rule.policy === "accept");
        expect(plan.suspends.length + plan.left.length).toBe(accepts.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a group of accepts that stay", () => {
  const picture = (port: string): LockdownPicture => ({
    ...{ type: "enterprise", interfaces: [], core: ["80", "443"], rulesPerInterface: 1000 },
    rules: [
      {
        ...aSpec({ ports: somePorts(port), peer: fromCidr("0.0.0.0/0") }),
        ...{ id: ruleId("sgr-1"), description: "", createdAt: null },
      },
    ],
    operatorPath: [{ protocol: "tcp", port: "22", sources: ["203.0.113.50/32"] }],
  });

  test.each([
    ["80/80", true],
    ["80/443", false],
    ["1/65535", false],
    ["22/22", false],
  ])("for %s is closed by them where there is no room for narrower ones: %s", (port, isWhole) => {
    const plan = planLockdown({ ...picture(port), rulesPerInterface: 1 });
    expect([plan.way, plan.left.length, plan.keeps, plan.isWhole]).toEqual(["suspend", 1, [], isWhole]);
  });

  test.each([
    ["80/443", ["tcp 80 everybody", "tcp 443 everybody"]],
    ["1/65535", ["tcp 80 everybody", "tcp 443 everybody", "tcp 22 203.0.113.50"]],
    ["22/22", ["tcp 22 203.0.113.50"]],
    ["80/80", []],
  ])("of %s keeps %s", (port, kept) => {
    const plan = planLockdown(picture(port));
    const inWords = plan.keeps.map(({ protocol, ports, peer }) => {
      const from = peer.kind === "cidr" && peer.cidr.prefix > 0 ? formatBare(peer.cidr) : "everybody";
      return `${String(protocol)} ${ports.kind === "range" ? ports.range.from : ""} ${from}`;
    });
    expect([inWords, plan.suspends.length, plan.isWhole]).toEqual([kept, kept.length > 0 ? 1 : 0, true]);
  });
});

const text = (spec: RuleSpec) => [
  spec.protocol,
  JSON.stringify(spec.ports),
  spec.peer.kind === "cidr" ? String(spec.peer.cidr.first) + spec.peer.cidr.prefix : "",
  spec.policy,
  spec.priority,
];

const isOperator = (paths: readonly OperatorPath[], protocol: string, port: number, source: string): boolean =>
  paths.some((path) => {
    const [from = 0, to = from] = path.port.split("-").map(Number);
    const isSource = path.sources.some((it) => overlaps(aCidr(it), aCidr(source)));
    return path.protocol === protocol && from <= port && port <= to && isSource;
  });

test("a complement has every address that the blocks lack, and none of theirs", () => {
  const all = { 4: 1n << 32n, 6: 1n << 128n } as const;
  fc.assert(
    fc.property(
      fc.subarray(SOURCES.filter((it) => !it.endsWith("/0"))),
      fc.constantFrom(4 as const, 6 as const),
      (texts, family) => {
        const blocks = texts.map(aCidr);
        const rest = complementOf(blocks, family);
        const [own, others] = [coverage(blocks), coverage(rest)];
        const count = family === 4 ? own.v4 + others.v4 : own.v6 + others.v6;
        expect(count).toBe(all[family]);
        expect(rest.some((it) => blocks.some((block) => overlaps(it, block)))).toBe(false);
        expect(mergeCidrs(rest)).toEqual(rest);
      },
    ),
  );
});

test("what is closed already is planned once more as if it stood: the same is closed, and the same kept of it", () => {
  const keysOf = (specs: readonly RuleSpec[]) => [...new Set(specs.map(ruleKey))].sort();
  fc.assert(
    fc.property(aPicture, (given) => {
      const picture = { ...given, rulesPerInterface: 1000 };
      const first = planSuspensions(picture, "no room");
      fc.pre(first.way === "suspend");
      const gone = new Set(first.suspends.map(ruleKey));
      const left = picture.rules.filter((rule) => !gone.has(ruleKey(rule)));
      const kept = first.keeps.map(
        (spec, n): Rule => ({ ...spec, id: ruleId(`k${n}`), description: "", createdAt: null }),
      );
      const again = planSuspensions({ ...picture, rules: [...left, ...kept], closed: first.suspends }, "no room");
      expect([again.way, keysOf(again.suspends), keysOf(again.keeps)]).toEqual([
        "suspend",
        keysOf(first.suspends),
        keysOf(first.keeps),
      ]);
    }),
  );
});
