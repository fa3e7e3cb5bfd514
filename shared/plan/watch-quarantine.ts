// What the evidence says since a quarantine began: who was refused, who talks on, who only scans, and how long nobody came. Pure.
import { overlaps } from "../domain/cidr.ts";
import {
  cidrOfPeer,
  DAY_MS,
  dayAfter,
  dayOf,
  daysBetween,
  joinPeers,
  type MemberDay,
  type MemberEvidence,
  type Peer,
  type Peers,
  type PortUse,
  sizeOf,
  startOf,
  WINDOW_MS,
  WINDOWS_PER_DAY,
  type Windows,
} from "../domain/evidence.ts";
import { isWide } from "../domain/port-span.ts";
import type { EarlierPeers } from "../domain/recycling-item.ts";
import type { EvidencePolicy, QueuePolicy } from "../domain/recycling-policy.ts";
import type { RuleSpec } from "../domain/rule.ts";
import type { QuarantineWatch, Visitor } from "./advance-item.ts";
import { NEWEST_DAYS, tellingOf } from "./known-time.ts";
import { coversPort, type Weight, weigherOf } from "./weigh-peer.ts";

type WatchTerms = EvidencePolicy & Pick<QueuePolicy, "quarantineMs">;

/** What a quarantine is watched by. */
export interface WatchAsk {
  /** The quarantined rule. */
  readonly rule: RuleSpec;
  /** From when the drop may have stood: who was turned away since, or talks on. */
  readonly since: number;
  /** When a reading first showed it, `since` or later: the silence counts from then. */
  readonly shownAt: number;
  readonly now: number;
  /** Who had real sessions before. */
  readonly earlier: EarlierPeers;
  /** Every interface that the rule acts on, with its days since the quarantine began and, for scans, all of its ports. */
  readonly members: readonly MemberEvidence[];
  /** Addresses of members that reach each other whatever the rules say. */
  readonly sameGroup: readonly string[];
  readonly recycling: WatchTerms;
}

/** Ports, of whichever of the group's interfaces, on which somebody who only scans was refused or found nothing, at least. */
const SWEPT_MIN = 3;
/** Days on which somebody unknown who only wants this port was refused, at least, before a person is asked. */
const STRANGER_DAYS = 2;

/** Everybody who had a real session that the rule may have let in, before an instant; told day by day, in any order. */
export class EarlierTally {
  private readonly rule: RuleSpec;
  private readonly before: number;
  private readonly recycling: EvidencePolicy;
  private readonly weigh: (peer: Peer) => Weight;
  private all: Peers = { list: [], more: false };

  constructor(rule: RuleSpec, before: number, recycling: EvidencePolicy) {
    this.rule = rule;
    this.before = before;
    this.recycling = recycling;
    this.weigh = weigherOf({ rule, sameGroup: [] }, { recycling });
  }

  day({ ports }: MemberDay): void {
    const { rule, before } = this;
    for (const port of ports)
      if (coversPort(rule, port)) {
        const came = sessionsOf(port, this.recycling);
        const list = came.filter((peer) => this.weigh(peer) === "counts" && peer.lastAt < before);
        // Counters on the host know of somebody, and not of whom.
        const isUnnamed = port.unnamedAt !== null && port.unnamedAt < before && came.length === 0;
        if (list.length > 0 || port.real.more || isUnnamed)
          this.all = joinPeers(this.all, { list, more: port.real.more || isUnnamed });
      }
  }

  peers(): EarlierPeers {
    return { blocks: this.all.list.map(({ block }) => block), more: this.all.more };
  }
}

/** The watch, from whatever days and ports are known; a port that is not there was not touched. */
export function watchQuarantine(ask: WatchAsk): QuarantineWatch {
  const { rule, since, members, earlier, recycling } = ask;
  const weigh = weigherOf(ask, { recycling });
  const counts = (peer: Peer): boolean => weigh(peer) === "counts";
  // Who was refused does not get past the rules, in the same group or not.
  const mattersRefused = (peer: Peer): boolean => counts(peer) || weigh(peer) === "sameGroup";
  const visitors = new Map<string, Visitor>();
  const strangers = new Map<string, Set<string>>();
  const crowded = new Set<string>();
  const swept = sweptPorts(members, since);
  const visit = (peer: string, how: Visitor["how"], at: number): void => {
    const known = visitors.get(peer);
    if (known === undefined || known.at < at) visitors.set(peer, { peer, how, at });
  };
  for (const { days } of members)
    for (const { day, ports, unlistedRefused } of days) {
      // Of the ports of a wide rule not all are kept at which somebody was refused, nor does a log tell of all.
      const isCut = unlistedRefused > 0 || ports.some(({ refused }) => refused.more);
      if (isCut && isWide(rule) && startOf(day) + DAY_MS > since) crowded.add(day);
      for (const port of ports) {
        if (!coversPort(rule, port)) continue;
        for (const peer of sessionsOf(port, recycling))
          if (peer.lastAt > since && counts(peer)) visit(peer.block, "talking", peer.lastAt);
        const { real, unnamedAt } = port;
        if (real.more && startOf(day) > since) visit("somebody", "talking", startOf(day));
        if (unnamedAt !== null && unnamedAt > since) visit("somebody", "talking", unnamedAt);
        for (const peer of port.refused.list) {
          if (peer.lastAt <= since || !mattersRefused(peer)) continue;
          const isScanner = (swept.get(peer.block)?.size ?? 0) >= SWEPT_MIN;
          if (isEarlier(peer, earlier) && !(earlier.more && isScanner)) visit(peer.block, "refused", peer.lastAt);
          else if (!isScanner) strangers.set(peer.block, (strangers.get(peer.block) ?? new Set()).add(day));
        }
        // Of whom is not kept nobody knows whether they came before.
        if (port.refused.more && port.refused.list.some(({ lastAt }) => lastAt > since)) crowded.add(day);
      }
    }
  return {
    visitors: [...visitors.values()].sort((a, b) => a.at - b.at),
    strangers: [
      ...[...strangers].flatMap(([block, on]) =>
        on.size >= STRANGER_DAYS
          ? [{ who: block, text: `${block}, who was never seen before, was refused on ${on.size} days` }]
          : [],
      ),
      ...(crowded.size > 0 && (earlier.more || earlier.blocks.length > 0)
        ? [
            {
              // Whoever approves of one has not seen the next.
              who: `a crowd on ${[...crowded].sort().at(-1)}`,
              text: `more were refused than are kept, on ${crowded.size} days${isWide(rule) ? ", of a rule for more than 1,024 ports" : ""}: who came before may be among them`,
              mayBeEarlier: true as const,
            },
          ]
        : []),
    ],
    ...silenceOf(ask),
  };
}

/** Sessions, and handshakes of somebody who keeps coming though nothing is sent. */
const sessionsOf = ({ real, shaken }: PortUse, { session }: EvidencePolicy): readonly Peer[] => [
  ...real.list,
  ...shaken.list.filter(({ hours }) => sizeOf(hours) >= session.repeatHours),
];

/** True where the peer may be one of those who came before: an address in a block counts as all of it. */
function isEarlier(peer: Peer, { blocks, more }: EarlierPeers): boolean {
  if (more) return true;
  const cidr = cidrOfPeer(peer);
  return blocks.some((block) => {
    if (block === peer.block) return true;
    const other = cidrOfPeer({ ...peer, block });
    return cidr !== null && other !== null && overlaps(cidr, other);
  });
}

/**
 * Who was turned away at how many ports, by block: who tries many has no business with any. The same port of many hosts counts once:
 * so comes a client of what runs on all of them.
 */
function sweptPorts(members: readonly MemberEvidence[], since: number): ReadonlyMap<string, ReadonlySet<string>> {
  const swept = new Map<string, Set<string>>();
  for (const { days } of members)
    for (const { ports } of days)
      for (const { protocol, port, refused, shaken } of ports)
        for (const peer of [...refused.list, ...shaken.list])
          if (peer.lastAt > since)
            swept.set(peer.block, (swept.get(peer.block) ?? new Set()).add(`${protocol} ${port}`));
  return swept;
}

/**
 * How long it has been silent: days on which too little is known do not count. While too little is known of the latest time, as long
 * as a quarantine lasts, the clock stands altogether.
 */
function silenceOf({ rule, shownAt, now, members, recycling }: WatchAsk): Pick<QuarantineWatch, "silentMs" | "gaps"> {
  // Of one that has left no silence is asked: who was refused there counts.
  const present = members.filter(({ left }) => left !== true).map((member) => tellingOf(rule, member));
  if (present.length === 0) return { silentMs: 0, gaps: ["no host is known that the rule acts on"] };
  const days = daysBetween(dayOf(shownAt), dayOf(now + DAY_MS));
  const newest = dayAfter(dayOf(now), -NEWEST_DAYS);
  const isPast = (at: number): boolean => at + WINDOW_MS <= now;
  const wanted = new Map(days.map((day) => [day, windowsSince(day, shownAt, isPast)]));
  const gaps: string[] = [];
  const silent = present.map((member) => {
    let [silentMs, known, due] = [0, 0, 0];
    const unread: string[] = [];
    for (const [day, windows] of wanted) {
      const all = sizeOf(windows);
      const seen = sizeOf(seenOf(member, day) & windows);
      const isKnown = seen * 100 >= all * recycling.coverageMin;
      if (isKnown) silentMs += seen * WINDOW_MS;
      // Today is still being collected.
      if (day === dayOf(now)) continue;
      if (startOf(day) + DAY_MS <= now - recycling.quarantineMs) continue;
      known += seen;
      due += all;
      if (!isKnown && day >= newest) unread.push(day);
    }
    if (known * 100 < due * recycling.coverageMin)
      gaps.push(
        `${Math.floor((known / due) * 100)} % of the latest days in quarantine are known of ${member.name}; ${recycling.coverageMin} % is needed`,
      );
    // However long a quarantine is: who was refused may be in what has not been read yet.
    else if (unread.length > 0)
      gaps.push(`too little is known of ${member.name} on ${unread.join(" and ")}, the latest days in quarantine`);
    return silentMs;
  });
  return { silentMs: Math.min(...silent), gaps };
}

/** Of a quarantine only the logs of the network tell: counters on the host do not see who was refused before it. */
function seenOf({ days }: MemberEvidence, day: string): Windows {
  const told = days.filter((it: MemberDay) => it.day === day && it.sources.includes("flowLog"));
  const seen = told.reduce((all, it) => all | it.seen, 0n);
  return seen & ~told.reduce((all, it) => all | it.skipped, 0n);
}

/** The windows of a day that begin after the quarantine and have ended. */
function windowsSince(day: string, since: number, isPast: (at: number) => boolean): Windows {
  let windows = 0n;
  for (let n = 0; n < WINDOWS_PER_DAY; n++) {
    const at = startOf(day) + n * WINDOW_MS;
    if (at >= since && isPast(at)) windows |= 1n << BigInt(n);
  }
  return windows;
}
