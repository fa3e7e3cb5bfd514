// Laws of a passage through a drop: what it lets in is let in, and everything else is stopped as before.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { overlaps } from "../../shared/domain/cidr.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { besides } from "../../shared/plan/plan-passage.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../kit/rules.ts";

const SOURCES = ["0.0.0.0/0", "203.0.113.7/32", "203.0.113.0/24", "10.0.0.0/8", "::/0", "2001:db8::/56"];
const PORTS = ["22/22", "80/80", "1/79", "81/442", "444/65535", "1/65535", "8000/8010"];
const ADDRESSES = [
  "203.0.113.7/32",
  "203.0.113.8/32",
  "10.1.2.3/32",
  "198.51.100.1/32",
  "2001:db8::1/128",
  "2001::1/128",
];
const PROBES = [1, 22, 79, 80, 81, 443, 8000, 8005, 8011, 65_535];

const aRule = (policy: "accept" | "drop", ...more: readonly string[]) =>
  fc
    .record({
      ports: fc.constantFrom(...PORTS),
      source: fc.constantFrom(...SOURCES),
      protocol: fc.constantFrom("tcp", "udp", ...more),
    })
    .map(({ ports, source, protocol }): RuleSpec => {
      const spec = aSpec({
        ports: somePorts(protocol === "all" ? "-1/-1" : ports),
        peer: fromCidr(source),
        policy,
        priority: 1,
      });
      return { ...spec, protocol: protocol as RuleSpec["protocol"] };
    });

const isIn = (spec: RuleSpec, protocol: string, port: number, source: string): boolean =>
  (spec.protocol === protocol || spec.protocol === "all") &&
  (spec.ports.kind === "any" ||
    (spec.ports.kind === "range" && spec.ports.range.from <= port && port <= spec.ports.range.to)) &&
  spec.peer.kind === "cidr" &&
  spec.peer.cidr.family === aCidr(source).family &&
  overlaps(spec.peer.cidr, aCidr(source));

test("the drops beside a passage stop all that the drop stopped, but what passes", () => {
  fc.assert(
    fc.property(aRule("drop"), aRule("accept", "all"), (drop, accept) => {
      const pieces = besides(drop, accept) ?? [drop];
      for (const { ports, policy } of pieces)
        expect([policy, ports.kind === "range" && ports.range.from <= ports.range.to]).toEqual(["drop", true]);
      for (const protocol of ["tcp", "udp"])
        for (const port of PROBES)
          for (const source of ADDRESSES) {
            const wanted = isIn(drop, protocol, port, source) && !isIn(accept, protocol, port, source);
            expect(pieces.some((piece) => isIn(piece, protocol, port, source))).toBe(wanted);
          }
    }),
    { numRuns: 200 },
  );
});

const drop = aSpec({ policy: "drop", ports: somePorts("1/65535"), peer: fromCidr("10.0.0.0/8") });
const way = aSpec({ ports: somePorts("22/22"), peer: fromCidr("10.0.0.0/9") });
const list = { kind: "prefixList", prefixListId: "pl-1" } as const;
const portList = { kind: "list", portRangeListId: "prl-1" } as const;

test.each([
  ["an accept gives way to nobody", { ...drop, policy: "accept" }, way],
  ["another protocol's way", drop, { ...way, protocol: "udp" }],
  ["the drop's sources are on a list", { ...drop, peer: list }, way],
  ["the way's sources are on a list", drop, { ...way, peer: list }],
  ["the drop's ports are on a list", { ...drop, ports: portList }, way],
  ["the way's ports are on a list", drop, { ...way, ports: portList }],
  ["other ports", { ...drop, ports: somePorts("23/65535") }, way],
  ["other sources", drop, { ...way, peer: fromCidr("192.0.2.0/24") }],
] as const)("there is no passage: %s", (_what, stop, open) => {
  expect(besides(drop, way)).toHaveLength(3);
  expect(besides(stop, open)).toBeNull();
});

test("a passage through what has no ports leaves all of it for the other sources", () => {
  const ping = { protocol: "icmp", ports: { kind: "any" } } as const;
  const left = { ...drop, ...ping, peer: fromCidr("10.128.0.0/9") };
  for (const open of [ping, { protocol: "all", ports: ping.ports } as const])
    expect(besides({ ...drop, ...ping }, { ...way, ...open })).toEqual([left]);
});
