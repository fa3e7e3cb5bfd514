import fc from "fast-check";
import { expect, test } from "vitest";
import type { Group, Packet, Rule, Topology } from "../../local/dataplane/topology.ts";
import { verdict } from "../../local/dataplane/verdict.ts";

// A second evaluator, written the long way round: addresses are strings of bits, priorities are tried one by one.

function bits(address: string): string {
  if (!address.includes(":")) {
    return address
      .split(".")
      .map((octet) => Number(octet).toString(2).padStart(8, "0"))
      .join("");
  }
  const [head = "", tail = ""] = address.split("::");
  const words = (side: string) => (side === "" ? [] : side.split(":"));
  const zeros = new Array<string>(8 - words(head).length - words(tail).length).fill("0");
  return [...words(head), ...zeros, ...words(tail)]
    .map((w) => Number.parseInt(w, 16).toString(2).padStart(16, "0"))
    .join("");
}

function covers(block: string, address: string): boolean {
  const [base = "", prefix] = block.split("/");
  const length = prefix === undefined ? bits(base).length : Number(prefix);
  return bits(base).length === bits(address).length && bits(address).startsWith(bits(base).slice(0, length));
}

function portCovered(range: string | undefined, port: number | undefined): boolean {
  if (!range || range === "-1/-1") return true;
  const [first, last] = range.split("/").map(Number);
  for (let p = first ?? 1; p <= (last ?? 0); p += 1) if (p === port) return true;
  return false;
}

function bruteForce(topology: Topology, packet: Packet, destHonoured: boolean): boolean {
  const owner = topology.enis.find(
    (eni) => eni.privateIp === packet.destAddress || eni.ipv6?.includes(packet.destAddress),
  );
  if (owner === undefined) return false;
  const sourceGroups = topology.enis
    .filter((eni) => eni.privateIp === packet.sourceAddress || eni.ipv6?.includes(packet.sourceAddress))
    .flatMap((eni) => eni.groupIds);
  const groups = topology.groups.filter((group) => owner.groupIds.includes(group.groupId));
  for (const group of groups) {
    if (group.type === "normal" && group.innerAccessPolicy === "Accept" && sourceGroups.includes(group.groupId))
      return true;
  }
  const destGroups = owner.groupIds;
  const sender = topology.enis.find(
    (eni) => eni.privateIp === packet.sourceAddress || eni.ipv6?.includes(packet.sourceAddress),
  );
  const senderGroups = topology.groups.filter((group) => sender?.groupIds.includes(group.groupId));
  const destAddresses = [packet.destAddress, destGroups] as const;
  const sourceAddresses = [packet.sourceAddress, sourceGroups] as const;
  if (sender !== undefined) {
    const left = firstMatch(senderGroups, "egress", topology, packet, destAddresses, destHonoured);
    if (!(left ?? !senderGroups.some(({ type }) => type === "enterprise"))) return false;
  }
  return firstMatch(groups, "ingress", topology, packet, sourceAddresses, destHonoured) ?? false;
}

function firstMatch(
  groups: readonly Group[],
  direction: string,
  { prefixLists = [], portRangeLists = [] }: Topology,
  packet: Packet,
  [peerAddress, peerGroups]: readonly [string, readonly string[]],
  ownHonoured: boolean,
): boolean | undefined {
  const ownAddress = direction === "ingress" ? packet.destAddress : packet.sourceAddress;
  for (let priority = 1; priority <= 100; priority += 1) {
    for (const policy of ["Drop", "Accept"]) {
      for (const rule of groups.flatMap((group) => group.rules)) {
        if (rule.direction !== direction || rule.priority !== priority || rule.policy !== policy) continue;
        if (rule.ipProtocol !== "ALL" && rule.ipProtocol !== packet.protocol) continue;
        const list = portRangeLists.find(({ portRangeListId }) => portRangeListId === rule.portRangeListId);
        const ranges = rule.portRange || !rule.portRangeListId ? [rule.portRange] : (list?.entries ?? []);
        if (ranges.length === 0) continue;
        const ported = rule.ipProtocol === "TCP" || rule.ipProtocol === "UDP";
        if (ported && !ranges.some((range) => portCovered(range, packet.destPort))) continue;
        if (ported && !portCovered(rule.sourcePortRange, packet.sourcePort)) continue;
        const [peerBlock, peerGroup, peerList, ownBlock] =
          direction === "ingress"
            ? [
                rule.sourceCidrIp || rule.ipv6SourceCidrIp,
                rule.sourceGroupId,
                rule.sourcePrefixListId,
                rule.destCidrIp || rule.ipv6DestCidrIp,
              ]
            : [
                rule.destCidrIp || rule.ipv6DestCidrIp,
                rule.destGroupId,
                rule.destPrefixListId,
                rule.sourceCidrIp || rule.ipv6SourceCidrIp,
              ];
        const entries = prefixLists.find(({ prefixListId }) => prefixListId === peerList)?.entries ?? [];
        const meetsPeer = peerBlock
          ? covers(peerBlock, peerAddress)
          : peerGroup
            ? peerGroups.includes(peerGroup)
            : entries.some((entry) => covers(entry, peerAddress));
        if (!meetsPeer) continue;
        if (ownHonoured && ownBlock && !covers(ownBlock, ownAddress)) continue;
        return policy === "Accept";
      }
    }
  }
  return undefined;
}

const groupIds = ["sg-a", "sg-b", "sg-c"];
const members = ["10.0.0.1", "10.0.0.2", "10.0.1.1"];
const members6 = ["2001:db8::1", "2001:db8::2", "2001:db8:1::1"];
const address4 = fc.constantFrom(...members, "10.0.0.9", "203.0.113.5", "255.255.255.255");
const address6 = fc.constantFrom(...members6, "2001:db8::9", "::1", "ffff::");
const blockOf = (address: fc.Arbitrary<string>, width: number) =>
  fc.oneof(
    address,
    fc.tuple(address, fc.oneof(fc.constantFrom(0, width, width - 8), fc.nat(width))).map(([a, p]) => `${a}/${p}`),
  );
const ports = fc.constantFrom("-1/-1", "22/22", "20/22", "22/80", "81/90");
const peer = fc.oneof(
  blockOf(address4, 32).map((block) => ({ kind: "CidrIp", block })),
  blockOf(address6, 128).map((block) => ({ kind: "Ipv6", block })),
  fc.constantFrom(...groupIds, "sg-gone").map((block) => ({ kind: "GroupId", block })),
  fc.constantFrom("pl-1", "pl-gone").map((block) => ({ kind: "PrefixListId", block })),
);
const rule: fc.Arbitrary<Rule> = fc
  .tuple(
    fc.record({
      ruleId: fc.constant("sgr"),
      direction: fc.constantFrom("ingress", "ingress", "ingress", "egress"),
      policy: fc.constantFrom("Accept", "Drop"),
      priority: fc.constantFrom(1, 2, 10, 100),
      ipProtocol: fc.constantFrom("TCP", "TCP", "UDP", "ICMP", "ICMPv6", "GRE", "ALL"),
      sourcePortRange: fc.constantFrom("", "", "53/53"),
    }),
    fc.oneof(
      { weight: 4, arbitrary: ports.map((portRange) => ({ portRange })) },
      fc.constantFrom("prl-1", "prl-gone").map((portRangeListId) => ({ portRange: "", portRangeListId })),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant("") }, blockOf(address4, 32)),
    peer,
  )
  .map(([base, portsOf, own, { kind, block }]) => {
    const [near, far] = base.direction === "ingress" ? ["source", "dest"] : ["dest", "source"];
    const name = kind === "Ipv6" ? `ipv6${near === "source" ? "Source" : "Dest"}CidrIp` : `${near}${kind}`;
    return { ...base, ...portsOf, [`${far}CidrIp`]: own, [name]: block };
  });
const group = (groupId: string): fc.Arbitrary<Group> =>
  fc.record({
    groupId: fc.constant(groupId),
    type: fc.constantFrom("normal", "enterprise"),
    innerAccessPolicy: fc.constantFrom("Accept", "Drop"),
    rules: fc.array(rule, { maxLength: 6 }),
  });
const topology: fc.Arbitrary<Topology> = fc
  .tuple(fc.tuple(...groupIds.map(group)), fc.tuple(...members.map(() => fc.subarray(groupIds))))
  .map(([groups, memberships]) => ({
    groups,
    enis: members.map((privateIp, at) => ({
      eniId: `eni-${at}`,
      privateIp,
      ipv6: members6.slice(at, at + 1),
      groupIds: memberships[at] ?? [],
    })),
    instances: [],
    prefixLists: [{ prefixListId: "pl-1", entries: ["10.0.0.2/31", "203.0.113.5", "2001:db8::2"] }],
    portRangeLists: [{ portRangeListId: "prl-1", entries: ["22/22", "79/81"] }],
  }));
const packet: fc.Arbitrary<Packet> = fc
  .tuple(
    fc.oneof(fc.tuple(address4, fc.constantFrom(...members)), fc.tuple(address6, fc.constantFrom(...members6))),
    fc.record({
      protocol: fc.constantFrom(
        "TCP" as const,
        "TCP" as const,
        "UDP" as const,
        "ICMP" as const,
        "ICMPv6" as const,
        "GRE" as const,
      ),
      sourcePort: fc.constantFrom(53, 40_000),
      destPort: fc.constantFrom(19, 20, 22, 80, 81, 443),
    }),
  )
  .map(([[sourceAddress, destAddress], rest]) => ({ sourceAddress, destAddress, ...rest }));

test("the verdict is that of an evaluator which tries every priority in turn", () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(
      topology,
      fc.array(packet, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (world, packets, honoured) => {
        for (const one of packets) {
          const expected = bruteForce(world, one, honoured);
          seen[expected ? "accepted" : "refused"] += 1;
          expect(verdict(world, one, { destCidrIp: honoured ? "honoured" : "ignored" }).accept).toBe(expected);
        }
      },
    ),
    { numRuns: 3000 },
  );
  // A generator that only ever produced one answer would prove nothing.
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(500);
});
