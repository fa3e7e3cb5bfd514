// Cut paths against brute force: what is not named as cut still lets every packet through that surely came through before.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Cidr, cidrOf, formatCidr } from "../../shared/domain/cidr.ts";
import { cutPaths, type OperatorPath } from "../../shared/domain/operator-path.ts";
import type { PortRange } from "../../shared/domain/port-range.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { letsThrough } from "../../shared/domain/verdict.ts";
import { aCidr, aRule, aSpec, fromCidr } from "../kit/rules.ts";

// Four sources, four ports.
const aBlock: fc.Arbitrary<Cidr> = fc
  .tuple(fc.constantFrom(0n, 1n, 2n, 3n), fc.constantFrom(30, 31, 32))
  .map(([address, prefix]) => cidrOf(4, address, prefix));
const someRange = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const aWrittenRule: fc.Arbitrary<Rule> = fc
  .record({
    policy: fc.constantFrom("accept" as const, "accept" as const, "drop" as const),
    priority: fc.integer({ min: 1, max: 3 }),
    cidr: aBlock,
    range: someRange,
  })
  .map(({ policy, priority, cidr, range }) =>
    aRule({ policy, priority, peer: { kind: "cidr", cidr }, ports: { kind: "range", range } }),
  );
const aPath: fc.Arbitrary<OperatorPath> = fc
  .record({ range: someRange, sources: fc.array(aBlock, { minLength: 1, maxLength: 2 }) })
  .map(({ range, sources }) => ({
    protocol: "tcp",
    port: `${range.from}-${range.to}`,
    sources: sources.map(formatCidr),
  }));
const aWorld = fc.record({
  rules: fc.array(aWrittenRule, { maxLength: 5 }),
  removed: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  added: fc.array(aWrittenRule, { maxLength: 2 }),
  paths: fc.array(aPath, { maxLength: 3 }),
});
const afterOf = ({ rules, removed, added }: { rules: Rule[]; removed: boolean[]; added: Rule[] }) => [
  ...rules.filter((_, index) => !removed[index]),
  ...added,
];

interface Packet {
  readonly source: bigint;
  readonly port: number;
}

/** By the words of the cloud: strongest priority, drop before accept, and no without a rule. */
function accepts(rules: readonly Rule[], packet: Packet): boolean {
  const matching = rules.filter(
    ({ peer, ports }) =>
      peer.kind === "cidr" &&
      ports.kind === "range" &&
      peer.cidr.first <= packet.source &&
      packet.source <= peer.cidr.last &&
      ports.range.from <= packet.port &&
      packet.port <= ports.range.to,
  );
  const strongest = Math.min(...matching.map((rule) => rule.priority));
  const deciding = matching.filter((rule) => rule.priority === strongest);
  return deciding.length > 0 && deciding.every((rule) => rule.policy === "accept");
}

function rangeOf(path: OperatorPath): PortRange {
  const [from = 0, to = 0] = path.port.split("-").map(Number);
  return { from, to };
}

/** Every packet of one source of the path. */
function packetsOf(path: OperatorPath, source: string): Packet[] {
  const { from, to } = rangeOf(path);
  const { first, last } = aCidr(source);
  const packets: Packet[] = [];
  for (let at = first; at <= last; at += 1n) {
    for (let port = from; port <= to; port += 1) packets.push({ source: at, port });
  }
  return packets;
}

it("a path that is not named still lets through what surely came through before", () => {
  let held = 0;
  let cut = 0;
  fc.assert(
    fc.property(aWorld, (world) => {
      const after = afterOf(world);
      const named = cutPaths(world.rules, after, world.paths);
      cut += named.length;
      for (const path of world.paths.filter((each) => !named.includes(each))) {
        for (const source of path.sources) {
          const spec = aSpec({ ports: { kind: "range", range: rangeOf(path) }, peer: fromCidr(source) });
          if (!letsThrough(spec, world.rules)) continue;
          held += 1;
          for (const packet of packetsOf(path, source)) expect(accepts(after, packet)).toBe(true);
        }
      }
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(held, cut)).toBeGreaterThan(100);
});

it("a drop on a list that stands all the time hides no cut from the guard", () => {
  const listed = aRule({
    policy: "drop",
    priority: 1,
    peer: { kind: "prefixList", prefixListId: "pl-1" },
    ports: { kind: "range", range: { from: 1, to: 4 } },
  });
  let cut = 0;
  fc.assert(
    fc.property(aWorld, (world) => {
      const after = afterOf(world);
      const named = cutPaths([listed, ...world.rules], [listed, ...after], world.paths);
      expect(named).toEqual(cutPaths(world.rules, after, world.paths));
      cut += named.length;
      // One that comes with the change may take the path away.
      for (const path of cutPaths(world.rules, [listed, ...world.rules], world.paths)) {
        const specs = path.sources.map((source) =>
          aSpec({ ports: { kind: "range", range: rangeOf(path) }, peer: fromCidr(source) }),
        );
        expect(specs.some((spec) => letsThrough(spec, world.rules))).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
  expect(cut).toBeGreaterThan(50);
});

it("a named path had every packet of one source let through before", () => {
  fc.assert(
    fc.property(aWorld, (world) => {
      for (const path of cutPaths(world.rules, afterOf(world), world.paths)) {
        const whole = path.sources.filter((source) =>
          packetsOf(path, source).every((packet) => accepts(world.rules, packet)),
        );
        expect(whole).not.toEqual([]);
      }
    }),
    { numRuns: 3000 },
  );
});

it("no change, and a mere accept, cut nothing", () => {
  fc.assert(
    fc.property(aWorld, ({ rules, added, paths }) => {
      const accepted = added.filter((rule) => rule.policy === "accept");
      expect(cutPaths(rules, rules, paths)).toEqual([]);
      expect(cutPaths(rules, [...accepted, ...rules], paths)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
