// The verdict against brute force: a world of a few addresses and ports, every packet of it decided one by one.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Cidr, cidrOf } from "../../shared/domain/cidr.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Ports, Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { letsThrough, mergeRules, shadowOf, unresolvedDrops } from "../../shared/domain/verdict.ts";

type Wire = "tcp" | "udp" | "icmp" | "gre";
interface Packet {
  readonly wire: Wire;
  readonly port: number;
  readonly sourcePort: number;
  readonly source: bigint;
  readonly own: bigint;
}

// Four addresses on either side, ports 1 to 3 and the rest of them as one port, 65535.
const SOURCES = [0n, 1n, 2n, 3n];
const PORTS = [1, 2, 3, 65535];
const PACKETS: Packet[] = [];
for (const source of SOURCES) {
  for (const own of [0n, 1n]) {
    PACKETS.push(
      { wire: "icmp", port: 0, sourcePort: 0, source, own },
      { wire: "gre", port: 0, sourcePort: 0, source, own },
    );
    for (const port of PORTS) {
      for (const sourcePort of PORTS) {
        PACKETS.push({ wire: "tcp", port, sourcePort, source, own }, { wire: "udp", port, sourcePort, source, own });
      }
    }
  }
}

const aPort = fc.constantFrom(...PORTS);
const someRange: fc.Arbitrary<Ports> = fc
  .tuple(aPort, aPort)
  .map(([a, b]) => ({ kind: "range", range: { from: Math.min(a, b), to: Math.max(a, b) } }));
const anyPorts = fc.constant<Ports>({ kind: "any" });
const aSource: fc.Arbitrary<Cidr> = fc
  .tuple(fc.constantFrom(...SOURCES), fc.constantFrom(0, 30, 31, 32))
  .map(([address, prefix]) => cidrOf(4, address, prefix));
const aDest = fc.option(
  fc.constantFrom(0n, 1n).map((address) => cidrOf(4, address, 32)),
  { freq: 2 },
);

/** Both sides as the cloud writes them: ports with tcp and udp only. */
const aSpec: fc.Arbitrary<RuleSpec> = fc
  .constantFrom<Wire | "all">("tcp", "tcp", "udp", "icmp", "gre", "all")
  .chain((protocol) => {
    const hasPorts = protocol === "tcp" || protocol === "udp";
    return fc.record<RuleSpec>({
      direction: fc.constant("ingress"),
      protocol: fc.constantFrom(protocol, ...(protocol === "tcp" ? [{ other: "6" }] : [])),
      ports: hasPorts ? someRange : anyPorts,
      peer: aSource.map((cidr) => ({ kind: "cidr", cidr })),
      policy: fc.constant("accept"),
      priority: fc.integer({ min: 1, max: 4 }),
      sourcePorts: hasPorts ? fc.oneof(anyPorts, anyPorts, someRange) : anyPorts,
      dest: aDest,
    });
  });
const aRule: fc.Arbitrary<Rule> = fc
  .tuple(aSpec, fc.constantFrom("accept" as const, "drop" as const), fc.nat())
  .map(([spec, policy, id]) => ({ ...spec, policy, id: `sgr-${id}` as RuleId, description: "", createdAt: null }));

function inPorts(ports: Ports, port: number): boolean {
  return ports.kind !== "range" || (ports.range.from <= port && port <= ports.range.to);
}

function matches(rule: RuleSpec, packet: Packet): boolean {
  const wire =
    rule.protocol === "all" ||
    rule.protocol === packet.wire ||
    (typeof rule.protocol === "object" && packet.wire === "tcp");
  if (!wire || rule.peer.kind !== "cidr") return false;
  const { cidr } = rule.peer;
  return (
    inPorts(rule.ports, packet.port) &&
    inPorts(rule.sourcePorts, packet.sourcePort) &&
    cidr.first <= packet.source &&
    packet.source <= cidr.last &&
    (rule.dest === null || rule.dest.first === packet.own)
  );
}

/** The rule that decides, by the words of the cloud: strongest priority, drop before accept; undefined is the implicit deny. */
function decides(rules: readonly Rule[], packet: Packet): Rule | undefined {
  return rules
    .filter((rule) => matches(rule, packet))
    .reduce<Rule | undefined>((best, rule) => {
      if (best === undefined || rule.priority < best.priority) return rule;
      return rule.priority === best.priority && rule.policy === "drop" ? rule : best;
    }, undefined);
}

const asRule = (spec: RuleSpec): Rule => ({ ...spec, id: null, description: "", createdAt: null });
const aWorld = fc.tuple(aSpec, fc.array(aRule, { maxLength: 6 }));

it("no drop is missed: a packet of the grant that is dropped has a shadow", () => {
  fc.assert(
    fc.property(aWorld, ([spec, rules]) => {
      if (shadowOf(spec, rules) !== null) return;
      const after = [...rules, asRule(spec)];
      for (const packet of PACKETS.filter((packet) => matches(spec, packet))) {
        expect(decides(after, packet)?.policy).toBe("accept");
      }
    }),
    { numRuns: 3000 },
  );
});

it("a named drop is one that overlaps the grant and comes before it", () => {
  fc.assert(
    fc.property(aWorld, ([spec, rules]) => {
      const drop = shadowOf(spec, rules);
      if (drop === null) return;
      expect(drop.policy).toBe("drop");
      expect(drop.priority).toBeLessThanOrEqual(spec.priority);
      expect(PACKETS.some((packet) => matches(spec, packet) && matches(drop, packet))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it("without accepts the shadow is exact", () => {
  fc.assert(
    fc.property(aWorld, ([spec, rules]) => {
      const drops = rules.filter((rule) => rule.policy === "drop");
      const after = [...drops, asRule(spec)];
      const dropped = PACKETS.some((packet) => matches(spec, packet) && decides(after, packet)?.policy === "drop");
      expect(shadowOf(spec, drops) !== null).toBe(dropped);
    }),
    { numRuns: 2000 },
  );
});

it("what is said to be let through is accepted to the last packet", () => {
  let through = 0;
  fc.assert(
    fc.property(aWorld, fc.boolean(), ([spec, rules], written) => {
      const after = written ? [...rules, asRule(spec)] : rules;
      if (!letsThrough(spec, after)) return;
      through += 1;
      for (const packet of PACKETS.filter((packet) => matches(spec, packet))) {
        expect(decides(after, packet)?.policy).toBe("accept");
      }
    }),
    { numRuns: 3000 },
  );
  // The property would hold of a function that never says yes.
  expect(through).toBeGreaterThan(300);
});

it("a written grant without a shadow is let through, and the order of the rules does not matter", () => {
  fc.assert(
    fc.property(aWorld, ([spec, rules]) => {
      const after = [...rules, asRule(spec)];
      expect(unresolvedDrops(spec, after)).toEqual([]);
      if (shadowOf(spec, after) === null) expect(letsThrough(spec, after)).toBe(true);
      expect(letsThrough(spec, [...after].reverse())).toBe(letsThrough(spec, after));
      expect(mergeRules([rules, [asRule(spec)]]).map((rule) => rule.priority)).toEqual(
        after.map((rule) => rule.priority).sort((a, b) => a - b),
      );
    }),
    { numRuns: 1000 },
  );
});
