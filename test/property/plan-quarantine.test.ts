// The quarantine against brute force: a world of a few addresses and ports, every packet decided with the drop and without the rule.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Cidr, cidrOf } from "../../shared/domain/cidr.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Ports, Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { planQuarantine, type QuarantineAsk } from "../../shared/plan/plan-quarantine.ts";

interface Packet {
  readonly wire: "tcp" | "udp" | "icmp";
  readonly port: number;
  readonly sourcePort: number;
  readonly source: bigint;
}

const SOURCES = [0n, 1n, 2n, 3n];
const PORTS = [1, 2, 3, 65535];
const PACKETS: readonly Packet[] = SOURCES.flatMap((source) => [
  { wire: "icmp" as const, port: 0, sourcePort: 0, source },
  ...PORTS.flatMap((port) =>
    [1, 65535].flatMap((sourcePort) =>
      (["tcp", "udp"] as const).map((wire): Packet => ({ wire, port, sourcePort, source })),
    ),
  ),
]);

const aPort = fc.constantFrom(...PORTS);
const someRange: fc.Arbitrary<Ports> = fc
  .tuple(aPort, aPort)
  .map(([a, b]) => ({ kind: "range", range: { from: Math.min(a, b), to: Math.max(a, b) } }));
const anyPorts = fc.constant<Ports>({ kind: "any" });
const aSource: fc.Arbitrary<Cidr> = fc
  .tuple(fc.constantFrom(...SOURCES), fc.constantFrom(0, 30, 31, 32, 32))
  .map(([address, prefix]) => cidrOf(4, address, prefix));
const host = (address: bigint): Cidr => cidrOf(4, address, 32);

const aRule: fc.Arbitrary<Rule> = fc.constantFrom("tcp", "tcp", "tcp", "udp", "icmp", "all").chain((protocol) => {
  const hasPorts = protocol === "tcp" || protocol === "udp";
  return fc.record<Rule>({
    direction: fc.constant("ingress"),
    protocol: fc.constant(protocol as "tcp"),
    ports: hasPorts ? someRange : anyPorts,
    peer: aSource.map((cidr) => ({ kind: "cidr", cidr })),
    policy: fc.constantFrom("accept", "accept", "drop"),
    priority: fc.constantFrom(1, 2, 3, 100),
    sourcePorts: hasPorts
      ? fc.oneof(anyPorts, anyPorts, fc.constant<Ports>({ kind: "range", range: { from: 1, to: 9 } }))
      : anyPorts,
    dest: fc.option(fc.constantFrom(0n, 1n).map(host), { freq: 5 }),
    id: fc.nat().map((id) => `sgr-${id}` as RuleId),
    description: fc.constant(""),
    createdAt: fc.constant(null),
  });
});

const inPorts = (ports: Ports, port: number): boolean =>
  ports.kind !== "range" || (ports.range.from <= port && port <= ports.range.to);

function matches(rule: RuleSpec, packet: Packet, own: bigint): boolean {
  if (rule.protocol !== "all" && rule.protocol !== packet.wire) return false;
  if (rule.peer.kind !== "cidr") return false;
  const { cidr } = rule.peer;
  return (
    inPorts(rule.ports, packet.port) &&
    inPorts(rule.sourcePorts, packet.sourcePort) &&
    cidr.first <= packet.source &&
    packet.source <= cidr.last &&
    (rule.dest === null || rule.dest.first === own)
  );
}

/** By the words of the cloud: strongest priority, drop before accept at a tie, nothing matches: denied. */
function accepted(rules: readonly RuleSpec[], packet: Packet, own: bigint): boolean {
  const matching = rules.filter((rule) => matches(rule, packet, own));
  const strongest = Math.min(...matching.map((rule) => rule.priority));
  const deciding = matching.filter((rule) => rule.priority === strongest);
  return deciding.length > 0 && deciding.every((rule) => rule.policy === "accept");
}

const aWorld = fc
  .record({
    target: aRule.map((rule): Rule => ({ ...rule, policy: "accept", id: "sgr-target" as RuleId })),
    own: fc.array(aRule, { maxLength: 3 }),
    other: fc.array(aRule, { maxLength: 3 }),
    hosts: fc.uniqueArray(fc.constantFrom(0n, 1n), { minLength: 1, maxLength: 2 }),
  })
  .map(({ target, own, other, hosts }) => {
    const group = { groupId: "sg-own", isOpenInside: false, rules: [target, ...own] };
    const second = { groupId: "sg-other", isOpenInside: false, rules: other };
    // The first host is in both groups, the second in the rule's own alone.
    const interfaces = hosts.map((address, index) => ({
      eniId: `eni-${index}`,
      addresses: [host(address)],
      groups: index === 0 ? [group, second] : [group],
    }));
    const ask: QuarantineAsk = {
      ...{ rule: target, group, interfaces, protectedBy: null, operatorPath: [], rulesMax: 1000, sets: [] },
    };
    return { ask, target, hosts };
  });

const rulesOf = (ask: QuarantineAsk, index: number): readonly Rule[] =>
  ask.interfaces[index]?.groups.flatMap((group) => group.rules) ?? [];

it("what is planned decides about every packet of every host as the rule's deletion would", () => {
  let planned = 0;
  fc.assert(
    fc.property(aWorld, ({ ask, target, hosts }) => {
      const plan = planQuarantine(ask);
      if (plan.kind !== "drop") return;
      planned += 1;
      for (const [index, own] of hosts.entries()) {
        const rules = rulesOf(ask, index);
        const deleted = rules.filter((rule) => rule !== target);
        for (const packet of PACKETS)
          expect(accepted([...rules, plan.spec], packet, own)).toBe(accepted(deleted, packet, own));
      }
    }),
    { numRuns: 4000 },
  );
  expect(planned).toBeGreaterThan(800);
});

it("what is planned is the rule's own twin: it matches no packet that the rule does not", () => {
  fc.assert(
    fc.property(aWorld, ({ ask, target }) => {
      const plan = planQuarantine(ask);
      if (plan.kind !== "drop") return;
      expect(plan.spec).toEqual({
        ...{ direction: "ingress", protocol: target.protocol, ports: target.ports, peer: target.peer },
        ...{ policy: "drop", priority: target.priority, sourcePorts: target.sourcePorts },
        dest: target.dest,
      });
    }),
    { numRuns: 500 },
  );
});

it("what is refused would have hit something, or stopped nothing, but where several rules only together say so", () => {
  let [refused, needless] = [0, 0];
  fc.assert(
    fc.property(aWorld, ({ ask, target, hosts }) => {
      const plan = planQuarantine(ask);
      if (plan.kind !== "refused") return;
      refused += 1;
      const drop = { ...target, policy: "drop" as const, priority: target.priority };
      const hasReason = hosts.some((own, index) => {
        const rules = rulesOf(ask, index);
        const deleted = rules.filter((rule) => rule !== target);
        const isHit = PACKETS.some(
          (packet) => accepted([...rules, drop], packet, own) !== accepted(deleted, packet, own),
        );
        const isVain = PACKETS.every(
          (packet) => accepted([...rules, drop], packet, own) === accepted(rules, packet, own),
        );
        return isHit || isVain;
      });
      if (!hasReason) needless += 1;
    }),
    { numRuns: 4000, seed: 20261127 },
  );
  expect(needless / refused).toBeLessThan(0.15);
});
