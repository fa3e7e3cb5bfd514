// Evidence: what is known about the use of a host's ports on one day, and how two readings of the same day become one.
//
// Everything here only grows: windows are joined, instants are the later of two, peers are put together. Reading the same logs again,
// in whatever order and however often, changes nothing; so reading late data again costs time and never correctness.
import { type Cidr, cidrOf, formatBare, parseObservedCidr } from "./cidr.ts";

/** A day of UTC, `2026-11-20`. */
export type Day = string;

export const DAY_MS = 86_400_000;
/** Coverage is counted in windows of ten minutes, the longest aggregation of flow logs. */
export const WINDOW_MS = 600_000;
export const WINDOWS_PER_DAY = 144;

/** Windows of a day: bit `n` is the window that begins `n` times ten minutes after midnight. */
export type Windows = bigint;

/** Somebody who used a port or tried to. */
export interface Peer {
  /** An address, `203.0.113.7`; a `/24` (IPv6 `/64`) where there were too many to keep each. */
  readonly block: string;
  /** Addresses in the block, at least; 1 for an address. */
  readonly count: number;
  /** Hours of the day in which it was seen: bit `n` is the hour that begins at `n`:00. */
  readonly hours: number;
  /** End of the last session or attempt, milliseconds. */
  readonly lastAt: number;
}

/** Peers of a port on a day: each address up to 256, then blocks (of `shaken` the 256 that come most). */
export interface Peers {
  /** By block, each once. */
  readonly list: readonly Peer[];
  /** True when there were even more than are kept: then anybody may be among them. */
  readonly more: boolean;
}

/** What one port of one interface was used for on one day. */
export interface PortUse {
  /** `tcp`, `udp`, `icmp`, `icmpv6`, `gre`, else the IANA number. */
  readonly protocol: string;
  /** 0 where the protocol has none. */
  readonly port: number;
  /** Two-way sessions. */
  readonly real: Peers;
  /** TCP handshakes that were answered, after which next to nothing was sent: scans, probes, idle monitors. */
  readonly shaken: Peers;
  /** What the rules or the network's own list refused. */
  readonly refused: Peers;
  /** When something was last answered by a reset alone, never answered, or could not be told; null: never. */
  readonly closedAt: number | null;
  readonly silentAt: number | null;
  readonly unclearAt: number | null;
  /** When a source that knows no peers last told of use: counters on the host. */
  readonly unnamedAt: number | null;
  /** When the metrics of a load balancer last told of use through it. */
  readonly balancedAt: number | null;
}

/** One day of one interface: how much of it is known, and what its ports were used for. A port that is not there was not used. */
export interface MemberDay {
  /** The interface, `eni-…`; the instance, `i-…`, where a source knows no interfaces. */
  readonly member: string;
  readonly day: Day;
  /** Windows of which everything is known. */
  readonly seen: Windows;
  /** Windows in which the log says that it lost records. */
  readonly skipped: Windows;
  readonly ports: readonly PortUse[];
  /** Ports that were only tried and are not listed, because there were too many. */
  readonly unlisted: number;
  /** Ports at which somebody was refused, and nothing else, that are not listed either. */
  readonly unlistedRefused: number;
  /** Sources that told of it. */
  readonly sources: readonly string[];
  /** There where a source that told of it knows nothing of IPv6: what came by that is not known, whatever was seen. */
  readonly ipv4Only?: true;
}

/** A host that the rule acts on, with what is known of it. */
export interface MemberEvidence {
  /** The interface. */
  readonly eniId: string;
  /** What people call it. */
  readonly name: string;
  /** Its private addresses. */
  readonly addresses: readonly string[];
  /** Days in any order; a day that is not there is not known. Of interface and instance together. */
  readonly days: readonly MemberDay[];
  /** True for one that was a member and is none now: what it was used for counts, and no silence is asked of it. */
  readonly left?: boolean;
}

/** A port that was used on a host of which nobody knows in which groups it was. */
export interface StrayUse {
  readonly eniId: string;
  readonly protocol: string;
  readonly port: number;
  /** End of the last session, milliseconds. */
  readonly at: number;
}

export const PEERS_MAX = 256;
/** Ports that nobody used but somebody tried: more are counted only. */
const TRIED_PORTS_MAX = 64;
/** Ports at which somebody was refused and that nobody watches: a scan may try all there are. */
const REFUSED_PORTS_MAX = 256;

const nobody: Peers = { list: [], more: false };

/** A port of which nothing is known. */
export const unusedPort = (protocol: string, port: number): PortUse => ({
  protocol,
  port,
  real: nobody,
  shaken: nobody,
  refused: nobody,
  closedAt: null,
  silentAt: null,
  unclearAt: null,
  unnamedAt: null,
  balancedAt: null,
});

/** A day of which nothing is known. */
export const unknownDay = (member: string, day: Day): MemberDay => ({
  member,
  day,
  seen: 0n,
  skipped: 0n,
  ports: [],
  unlisted: 0,
  unlistedRefused: 0,
  sources: [],
});

/** The day an instant lies in. */
export const dayOf = (at: number): Day => new Date(at).toISOString().slice(0, 10);

/** The first instant of a day. */
export const startOf = (day: Day): number => Date.parse(`${day}T00:00:00Z`);

/** The day so many days later. */
export const dayAfter = (day: Day, days: number): Day => dayOf(startOf(day) + days * DAY_MS);

/** The days from one to another, the second not included. */
export function daysBetween(from: Day, until: Day): Day[] {
  const days: Day[] = [];
  for (let day = from; day < until; day = dayAfter(day, 1)) days.push(day);
  return days;
}

/** The window of its day that an instant lies in, as a set of one. */
export const windowOf = (at: number): Windows => 1n << BigInt(Math.floor((at % DAY_MS) / WINDOW_MS));

/** How many windows or hours a set holds. */
export function sizeOf(set: Windows | number): number {
  let size = 0;
  for (let rest = BigInt(set); rest > 0n; rest &= rest - 1n) size += 1;
  return size;
}

/** Windows of the day that are known whole: seen, and nothing lost. */
export const knownWindows = ({ seen, skipped }: MemberDay): number => sizeOf(seen & ~skipped);

/** Peers of both, each block once. */
export function joinPeers(one: Peers, other: Peers): Peers {
  const more = one.more || other.more;
  const all = [...one.list, ...other.list];
  const joined = byBlock(all);
  const isInBlocks = all.some(({ block }) => block.includes("/"));
  if (!isInBlocks && joined.length <= PEERS_MAX) return { list: joined, more };
  // In blocks nobody can tell who is the same: of two counts the larger one is certain.
  const blocks = isInBlocks ? byBlock([...inBlocks(one.list), ...inBlocks(other.list)]) : byBlock(inBlocks(joined));
  if (blocks.length <= PEERS_MAX) return { list: blocks, more };
  // Of those that are as late the first by name: so they are sorted already.
  const latest = [...blocks].sort((a, b) => b.lastAt - a.lastAt).slice(0, PEERS_MAX);
  return { list: latest.sort(byName), more: true };
}

/**
 * As `joinPeers`, but where there are too many those that keep coming are kept: scanners come once, and who comes every hour is the one
 * to know.
 */
export function joinVisitors(one: Peers, other: Peers): Peers {
  const joined = byBlock([...one.list, ...other.list]);
  if (joined.length <= PEERS_MAX) return { list: joined, more: one.more || other.more };
  const steady = joined.sort((a, b) => sizeOf(b.hours) - sizeOf(a.hours) || b.lastAt - a.lastAt).slice(0, PEERS_MAX);
  return { list: steady.sort(byName), more: true };
}

/** What is known of a port by both. */
const joinPort = (one: PortUse, other: PortUse): PortUse => ({
  protocol: one.protocol,
  port: one.port,
  real: joinPeers(one.real, other.real),
  shaken: joinVisitors(one.shaken, other.shaken),
  refused: joinPeers(one.refused, other.refused),
  closedAt: later(one.closedAt, other.closedAt),
  silentAt: later(one.silentAt, other.silentAt),
  unclearAt: later(one.unclearAt, other.unclearAt),
  unnamedAt: later(one.unnamedAt, other.unnamedAt),
  balancedAt: later(one.balancedAt, other.balancedAt),
});

/**
 * What is known of a day by both. The member and day of the first. Of ports that were only tried the first are kept, and the others
 * counted; those that `isKept` names are always kept, and take their place among them.
 */
export function joinDay(one: MemberDay, other: MemberDay, isKept: (port: PortUse) => boolean = () => false): MemberDay {
  const ports = new Map<string, PortUse>();
  for (const use of [...one.ports, ...other.ports]) {
    const known = ports.get(portName(use));
    ports.set(portName(use), known === undefined ? use : joinPort(known, use));
  }
  const sorted = [...ports.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
  const tried = beyond(
    sorted.filter((use) => !isTelling(use) && !isRefused(use)),
    TRIED_PORTS_MAX,
    () => false,
  );
  const refused = beyond(
    sorted.filter((use) => !isTelling(use) && isRefused(use)),
    REFUSED_PORTS_MAX,
    isKept,
  );
  const left = new Set([...tried, ...refused]);
  return {
    member: one.member,
    day: one.day,
    seen: one.seen | other.seen,
    skipped: one.skipped | other.skipped,
    ports: sorted.filter((use) => !left.has(use)),
    unlisted: Math.max(one.unlisted, other.unlisted, tried.length),
    unlistedRefused: Math.max(one.unlistedRefused, other.unlistedRefused, refused.length),
    sources: [...new Set([...one.sources, ...other.sources])].sort(),
    ...(one.ipv4Only || other.ipv4Only ? { ipv4Only: true } : {}),
  };
}

/** What is more than `max`, but for what is kept. */
function beyond(ports: readonly PortUse[], max: number, isKept: (port: PortUse) => boolean): readonly PortUse[] {
  const kept = ports.filter(isKept).length;
  return ports.filter((port) => !isKept(port)).slice(Math.max(0, max - kept));
}

/** `tcp 22`; the protocol alone where there are no ports. */
export const portName = ({ protocol, port }: Pick<PortUse, "protocol" | "port">): string =>
  port === 0 ? protocol : `${protocol} ${port}`;

const isRefused = ({ refused: { list, more } }: PortUse): boolean => list.length > 0 || more;

/** False for a port that was tried in ways that prove nothing for it: what is left out of a crowded day. */
const isTelling = ({ real, shaken, unclearAt, unnamedAt, balancedAt }: PortUse): boolean =>
  [real, shaken].some(({ list, more }) => list.length > 0 || more) ||
  [unclearAt, unnamedAt, balancedAt].some((at) => at !== null);

const later = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.max(one, other);

function byBlock(peers: readonly Peer[]): Peer[] {
  const joined = new Map<string, Peer>();
  for (const peer of peers) {
    const known = joined.get(peer.block);
    joined.set(peer.block, known === undefined ? peer : joinPeer(known, peer, Math.max(known.count, peer.count)));
  }
  return [...joined.values()].sort(byName);
}

const byName = (a: Peer, b: Peer): number => (a.block < b.block ? -1 : 1);

/** Addresses of one side as blocks, counted; what is a block already stays. */
function inBlocks(peers: readonly Peer[]): Peer[] {
  const joined = new Map<string, Peer>();
  for (const peer of peers) {
    const block = wider(peer.block);
    const known = joined.get(block);
    joined.set(
      block,
      known === undefined ? { ...peer, block } : joinPeer(known, { ...peer, block }, known.count + peer.count),
    );
  }
  return [...joined.values()];
}

const joinPeer = (one: Peer, other: Peer, count: number): Peer => ({
  block: one.block,
  count,
  hours: one.hours | other.hours,
  lastAt: Math.max(one.lastAt, other.lastAt),
});

/** The `/24` or `/64` of an address; anything else as it is. */
function wider(block: string): string {
  if (block.includes("/")) return block;
  const cidr = parseObservedCidr(block);
  if (cidr === null) return block;
  return formatBare(cidrOf(cidr.family, cidr.first, cidr.family === 4 ? 24 : 64));
}

/** The block as a set of addresses; null when it is none that can be read. */
export const cidrOfPeer = ({ block }: Peer): Cidr | null => parseObservedCidr(block);
