// Laws of evidence: readings of a day join to one whatever their order, and no more use ever makes a rule look idle.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containsCidr, overlaps } from "../../shared/domain/cidr.ts";
import {
  cidrOfPeer,
  joinDay,
  joinPeers,
  joinVisitors,
  type MemberDay,
  PEERS_MAX,
  type Peer,
  type Peers,
  type PortUse,
} from "../../shared/domain/evidence.ts";
import { isRecyclable, judgeUse } from "../../shared/plan/judge-use.ts";
import { aDay, aMember, aPort, aQuestion, daysAgo, someUseTerms, WHOLE_DAY } from "../kit/evidence.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../kit/rules.ts";

const address = fc
  .tuple(fc.constantFrom("203.0.113", "198.51.100", "10.0.0"), fc.integer({ min: 1, max: 254 }))
  .map(([net, host]) => `${net}.${host}`);
const aPeerOf = (block: fc.Arbitrary<string>): fc.Arbitrary<Peer> =>
  fc.record({
    block,
    count: fc.constant(1),
    hours: fc.integer({ min: 1, max: 2 ** 24 - 1 }),
    lastAt: fc.integer({ min: 1, max: 1e12 }),
  });
const somePeers = (max: number): fc.Arbitrary<Peers> =>
  fc
    .uniqueArray(aPeerOf(address), { maxLength: max, selector: ({ block }) => block })
    .map((list) => ({ list: list.sort((a, b) => (a.block < b.block ? -1 : 1)), more: false }));
const instant = fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: null });
const aPortUse: fc.Arbitrary<PortUse> = fc.record({
  protocol: fc.constantFrom("tcp", "udp", "icmp"),
  port: fc.constantFrom(22, 80, 443),
  real: somePeers(4),
  shaken: somePeers(4),
  refused: somePeers(4),
  closedAt: instant,
  silentAt: instant,
  unclearAt: instant,
  unnamedAt: instant,
  balancedAt: instant,
});
const windows = fc.bigInt({ min: 0n, max: WHOLE_DAY });
const aDayOf = (day: string): fc.Arbitrary<MemberDay> =>
  fc.record({
    member: fc.constant("eni-1"),
    day: fc.constant(day),
    seen: windows,
    skipped: windows,
    ports: fc.uniqueArray(aPortUse, { maxLength: 4, selector: ({ protocol, port }) => `${protocol} ${port}` }),
    unlisted: fc.nat(3),
    unlistedRefused: fc.nat(3),
    sources: fc.subarray(["flowLog", "host"]),
  });
const DAY = daysAgo(3);
/** As `joinDay` leaves it: sorted. */
const rested = (day: MemberDay): MemberDay => joinDay(day, day);

describe("two readings of a day", () => {
  it("join to the same in either order, and again to the same", () => {
    fc.assert(
      fc.property(aDayOf(DAY), aDayOf(DAY), (one, other) => {
        const joined = joinDay(one, other);
        expect(joinDay(other, one)).toEqual(joined);
        expect(joinDay(joined, other)).toEqual(joined);
        expect(joinDay(joined, one)).toEqual(joined);
        expect(rested(rested(one))).toEqual(rested(one));
      }),
    );
  });

  it("join to the same however they are grouped", () => {
    fc.assert(
      fc.property(aDayOf(DAY), aDayOf(DAY), aDayOf(DAY), (a, b, c) => {
        expect(joinDay(joinDay(a, b), c)).toEqual(joinDay(a, joinDay(b, c)));
      }),
    );
  });

  it("lose no peer, however many there are", () => {
    fc.assert(
      fc.property(somePeers(300), somePeers(300), (one, other) => {
        const joined = joinPeers(one, other);
        expect(joined.list.length).toBeLessThanOrEqual(PEERS_MAX);
        const blocks = joined.list.flatMap((peer) => cidrOfPeer(peer) ?? []);
        for (const { block } of [...one.list, ...other.list])
          expect(joined.more || blocks.some((it) => containsCidr(it, aCidr(block)))).toBe(true);
        expect(joinPeers(joined, other)).toEqual(joined);
        const distinct = new Set([...one.list, ...other.list].map(({ block }) => block)).size;
        expect(joined.list.reduce((sum, { count }) => sum + count, 0)).toBe(distinct);
      }),
      { numRuns: 30 },
    );
  });

  it("keep the visitors that come most", () => {
    fc.assert(
      fc.property(somePeers(250), somePeers(250), (one, other) => {
        const steady: Peer = { block: "192.0.2.1", count: 1, hours: 2 ** 24 - 1, lastAt: 0 };
        const joined = joinVisitors(joinVisitors(one, { list: [steady], more: false }), other);
        expect(joined.list.length).toBeLessThanOrEqual(PEERS_MAX);
        expect(joined.list.some(({ hours }) => hours === steady.hours)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

const aRuleOf = fc
  .record({
    ports: fc.constantFrom("22/22", "1/65535", "80/443"),
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "all" as const),
    peer: fc.constantFrom("0.0.0.0/0", "203.0.113.0/24", "10.0.0.0/8"),
  })
  .map(({ ports, protocol, peer }) => aRule({ createdAt: 1, protocol, ports: somePorts(ports), peer: fromCidr(peer) }));
const someDays = fc.uniqueArray(
  fc.integer({ min: 0, max: 50 }).chain((ago) => aDayOf(daysAgo(ago))),
  { maxLength: 8, selector: ({ day }) => day },
);

describe("a verdict", () => {
  const terms = someUseTerms();
  const verdictOf = (rule: ReturnType<typeof aRule>, days: readonly MemberDay[]) =>
    judgeUse(aQuestion({ rule, members: [aMember(days)] }), terms);
  const rank = { idle: 0, unknown: 1, used: 2 } as const;

  it("is idle only when every part of the window is known and no covered peer had a session", () => {
    fc.assert(
      fc.property(aRuleOf, someDays, (rule, days) => {
        const verdict = verdictOf(rule, days);
        if (verdict.use !== "idle") return;
        expect(verdict.coverage).toBeGreaterThanOrEqual(95);
        for (const day of days) {
          if (day.day < verdict.window.from) continue;
          if (day.day < verdict.window.until) expect(day.skipped).toBe(0n);
          for (const port of day.ports) {
            const isCovered =
              rule.protocol === "all" || (rule.protocol === port.protocol && port.port <= portsTo(rule));
            const { peer } = rule;
            if (!isCovered || peer.kind !== "cidr" || port.port < portsFrom(rule)) continue;
            for (const { block } of port.real.list) expect(overlaps(peer.cidr, aCidr(block))).toBe(false);
            expect(port.unnamedAt).toBeNull();
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never comes nearer to idle by more evidence of use", () => {
    fc.assert(
      fc.property(aRuleOf, someDays, aPortUse, fc.nat(7), (rule, days, more, at) => {
        const before = verdictOf(rule, days);
        const day = days[at % Math.max(1, days.length)];
        if (day === undefined) return;
        const grown = days.map((it) =>
          it === day ? joinDay(it, { ...it, seen: 0n, skipped: 0n, unlisted: 0, ports: [more] }) : it,
        );
        const after = verdictOf(rule, grown);
        expect(rank[after.use]).toBeGreaterThanOrEqual(rank[before.use]);
        if (isRecyclable(after)) expect(isRecyclable(before)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("never becomes idle by knowing less", () => {
    fc.assert(
      fc.property(aRuleOf, someDays, windows, fc.integer({ min: 1, max: 45 }), (rule, days, seen, ago) => {
        if (verdictOf(rule, days).use === "idle") return;
        const less = days.map((it) => (it.day === daysAgo(ago) ? { ...it, seen: it.seen & seen } : it));
        expect(verdictOf(rule, less).use).not.toBe("idle");
      }),
      { numRuns: 200 },
    );
  });

  it("of a wider rule is used whenever that of a narrower one is", () => {
    const narrow = aRule({ createdAt: 1, ports: somePorts("22/22"), peer: fromCidr("203.0.113.0/24") });
    const wide = aRule({ createdAt: 1, ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0") });
    fc.assert(
      fc.property(someDays, (days) => {
        if (verdictOf(narrow, days).use === "used") expect(verdictOf(wide, days).use).toBe("used");
      }),
    );
  });

  it("of two hosts is idle only when it is of each", () => {
    fc.assert(
      fc.property(aRuleOf, someDays, someDays, (rule, one, other) => {
        const members = [aMember(one), aMember(other, { eniId: "eni-2", name: "web-2" })];
        const isIdle = judgeUse(aQuestion({ rule, members }), terms).use === "idle";
        expect(isIdle).toBe(verdictOf(rule, one).use === "idle" && verdictOf(rule, other).use === "idle");
      }),
    );
  });
});

function portsFrom({ ports }: ReturnType<typeof aRule>): number {
  return ports.kind === "range" ? ports.range.from : 1;
}
function portsTo({ ports }: ReturnType<typeof aRule>): number {
  return ports.kind === "range" ? ports.range.to : 65_535;
}

// Days without anything said are whole and quiet, so that verdicts of all three kinds come up.
it("the generated days give every verdict", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(aRuleOf, someDays, (rule, days) => {
      seen.add(
        judgeUse(aQuestion({ rule, members: [aMember(days.slice(0, 1))] }), someUseTerms({ skippedMax: 144 })).use,
      );
    }),
    { numRuns: 300 },
  );
  seen.add(judgeUse(aQuestion({ members: [aMember([aDay(DAY, { ports: [aPort()] })])] }), someUseTerms()).use);
  expect([...seen].sort()).toEqual(["idle", "unknown", "used"]);
});
