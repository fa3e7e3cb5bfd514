// Rules of any kind, for properties.
import * as fc from "fast-check";
import { addressBits, type Cidr, cidrOf } from "../../shared/domain/cidr.ts";
import type { Peer, Ports, Protocol, RuleSpec } from "../../shared/domain/rule.ts";

/** Any block of either family. */
export const anyCidr: fc.Arbitrary<Cidr> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc
      .tuple(fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(family))) - 1n }), fc.nat(addressBits(family)))
      .map(([address, prefix]) => cidrOf(family, address, prefix)),
  );

const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'|"\\\n*,:-/1a'), maxLength: 6 }),
);

const anyPorts: fc.Arbitrary<Ports> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
    .map(([a, b]): Ports => ({ kind: "range", range: { from: Math.min(a, b), to: Math.max(a, b) } })),
  anyText.map((portRangeListId): Ports => ({ kind: "list", portRangeListId })),
  fc.constant<Ports>({ kind: "any" }),
);

const anyPeer: fc.Arbitrary<Peer> = fc.oneof(
  anyCidr.map((cidr): Peer => ({ kind: "cidr", cidr })),
  anyText.map((groupId): Peer => ({ kind: "group", groupId })),
  anyText.map((prefixListId): Peer => ({ kind: "prefixList", prefixListId })),
  anyText.map((text): Peer => ({ kind: "opaque", text })),
);

const anyProtocol: fc.Arbitrary<Protocol> = fc.oneof(
  fc.constantFrom<Protocol>("tcp", "udp", "icmp", "icmpv6", "gre", "all"),
  anyText.map((other): Protocol => ({ other: other.toLowerCase() })),
);

/** Any rule that the types allow, with free text in every place that takes some. */
export const anySpec: fc.Arbitrary<RuleSpec> = fc.record<RuleSpec, keyof RuleSpec>(
  {
    direction: fc.constantFrom("ingress", "egress"),
    protocol: anyProtocol,
    ports: anyPorts,
    peer: anyPeer,
    policy: fc.constantFrom("accept", "drop"),
    priority: fc.integer({ min: 1, max: 110 }),
    sourcePorts: anyPorts,
    dest: fc.option(anyCidr),
  },
  { noNullPrototype: true },
);
