// What is asked of VPC flow logs in the log service, and what its rows say. Source of the fields and of `tcp-flags`: the service's page
// on flow log fields; a record has one direction, flags are joined over its window, and SYN with ACK counts as 18.
import {
  PEERS_MAX,
  type Peers,
  type PortUse,
  unusedPort,
  WINDOW_MS,
  type Windows,
  windowOf,
} from "../../domain/evidence.ts";
import type { PortSpan } from "../../domain/port-span.ts";
import type { SessionThresholds } from "../../domain/recycling-policy.ts";

/** One row of an answer: every value is text. */
export type LogRow = Readonly<Record<string, unknown>>;

/** A part of a log. Milliseconds, the second not included. */
export interface LogSpan {
  readonly from: number;
  readonly until: number;
  /** These interfaces alone; absent: all. */
  readonly members?: readonly string[] | undefined;
  /** Ports of which everybody who is refused is answered. */
  readonly watched?: readonly PortSpan[] | undefined;
}

/** A record is written with the end of its window or later; so much later it is still looked for. */
const LATER_S = 900;
/** Ports of clients, as hosts choose them; a peer below 1024 that such a port speaks with is a server. */
const CLIENT_PORT = 32_768;
const SERVER_PORT_MAX = 1023;
/** What hosts ask others for without TCP: names, leases of addresses, the time, web pages. Clients may have any other port below 1024 of their own. */
const ASKED_PORTS = [53, 67, 123, 443, 547] as const;

/** Finds nothing: of no usable name nothing is asked. */
const NOBODY = '"eni-id": "none"';

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The range of log times to ask for, in seconds. */
export const timesOf = ({ from, until }: LogSpan): { readonly from: number; readonly to: number } => ({
  from: seconds(from),
  to: seconds(until) + LATER_S,
});

function searchOf(span: LogSpan, more = ""): string {
  // What is no id of an interface names nothing, and must not become a part of the query.
  const names = span.members?.filter((eniId) => /^[\w-]{1,64}$/.test(eniId));
  const members = names?.map((eniId) => `"eni-id": "${eniId}"`).join(" or ");
  return `__topic__: flow_log${more}${members === undefined ? "" : ` and (${members || NOBODY})`}`;
}

const inSpan = ({ from, until }: LogSpan): string =>
  `cast("start" as bigint) >= ${seconds(from)} and cast("start" as bigint) < ${seconds(until)}`;

const page = (offset: number, size: number): string => `limit ${offset}, ${size}`;

/** Per interface and window of ten minutes: how many aggregation windows of the log are there, and whether one lost records. */
export function coverageQuery(
  span: LogSpan,
  at: { readonly aggregationS: number; readonly offset: number; readonly size: number },
): string {
  const bucket = `cast("start" as bigint) / ${WINDOW_MS / 1000}`;
  return [
    searchOf(span),
    "|",
    `select "eni-id" as eni, max("vpc-id") as vpc, max("vswitch-id") as vswitch, ${bucket} as bucket,`,
    `count(distinct cast("start" as bigint) / ${at.aggregationS}) as parts,`,
    `count_if("log-status" = 'SKIPDATA') as skipped`,
    `from log where ${inSpan(span)}`,
    `group by "eni-id", ${bucket} order by eni, bucket ${page(at.offset, at.size)}`,
  ].join(" ");
}

/**
 * Per interface, protocol and port: who had sessions, who only shook hands, who was refused, and whether anything else was tried.
 *
 * A tuple of addresses and ports is judged first:
 *
 *     TCP, by flags     SYN-ACK went out                      served; `real` by what was sent, else `shaken`
 *                       SYN-ACK came in, or SYN went out      a session of the host's own: nothing
 *                       SYN came in, RST went out             `closed`
 *                       in alone                              `silent`; `unclear` where more than attempts came
 *                       no SYN, both directions               a session that goes on: as served
 *                       no flags in the record                `real` by what was sent, else `unclear`
 *     others            both directions, and not out first    `real`; `unclear` where it may be an answer to the host as well
 *                       in alone                              `silent`; `unclear` where the peer sends more packets than a scan
 *     any               in, refused                           `refused`
 *
 * What comes in alone may be wanted so, as the lines of a log by UDP are, or its answers may take another interface.
 *
 * A session is real when both sides sent data (PSH), or one of them sent more than handshakes do. Peers above 256 are answered in
 * blocks of `/24`, and no more than 256 of those; ports that were only tried are no more than 256 for an interface, and so are refused
 * attempts at ports that are not watched.
 */
export function flowsQuery(
  span: LogSpan,
  at: { readonly thresholds: SessionThresholds; readonly offset: number; readonly size: number },
): string {
  const { bytes, packets } = at.thresholds;
  const records = [
    `select "eni-id" as eni, protocol as proto, action, direction,`,
    "case when direction = 'in' then dstport else srcport end as port,",
    "case when direction = 'in' then srcport else dstport end as peerport,",
    "case when direction = 'in' then srcaddr else dstaddr end as peer,",
    `cast(packets as bigint) as packets, cast(bytes as bigint) as bytes, cast("tcp-flags" as bigint) as flags,`,
    `cast("start" as bigint) as first, cast("end" as bigint) as last from log where ${inSpan(span)}`,
  ].join(" ");
  const flagsOf = (way: string) => `coalesce(bitwise_or_agg(case when direction = '${way}' then flags else 0 end), 0)`;
  const sumOf = (what: string, way: string) => `sum(case when direction = '${way}' then ${what} else 0 end)`;
  const tuples = [
    "select eni, proto, action, cast(port as bigint) as port, cast(peerport as bigint) as peerport, peer,",
    `${sumOf("packets", "in")} as inpackets, ${sumOf("packets", "out")} as outpackets,`,
    `${sumOf("bytes", "in")} as inbytes, ${sumOf("bytes", "out")} as outbytes,`,
    `${flagsOf("in")} as inflags, ${flagsOf("out")} as outflags, count_if(flags is null) as flagless,`,
    "min(case when direction = 'in' then first else null end) as firstin,",
    "min(case when direction = 'out' then first else null end) as firstout, max(last) as last",
    `from (${records}) group by eni, proto, action, port, peerport, peer`,
  ].join(" ");
  const has = (flags: string, bit: number) => `bitwise_and(${flags}, ${bit}) <> 0`;
  const isLarge = `(inbytes > ${bytes} or outbytes > ${bytes} or inpackets > ${packets} or outpackets > ${packets})`;
  const isReal = `((${has("inflags", 8)} and ${has("outflags", 8)}) or ${isLarge})`;
  const isOwn = `(port >= ${CLIENT_PORT} and peerport <= ${SERVER_PORT_MAX})`;
  const isAsked = `(port >= ${CLIENT_PORT} and peerport in (${ASKED_PORTS.join(", ")}))`;
  const alone = (isMore: string) => `case when ${isMore} then 'unclear' else 'silent' end`;
  // Who sends datagrams may do so from a port of its own for each.
  const unanswered =
    "sum(case when outpackets = 0 then inpackets else 0 end) over (partition by eni, proto, action, port, peer)";
  const kind = [
    "case when action = 'REJECT' then case when inpackets > 0 then 'refused' else 'own' end",
    "when inpackets = 0 then 'own'",
    `when proto <> '6' then case when outpackets = 0 then ${alone(`${unanswered} > ${packets}`)} when firstout < firstin or ${isAsked} then 'own' when ${isOwn} then 'unclear' else 'real' end`,
    `when flagless > 0 then case when outpackets = 0 then ${alone(isLarge)}`,
    `when ${isOwn} then 'own' when ${isLarge} then 'real' else 'unclear' end`,
    `when ${has("inflags", 16)} then 'own'`,
    `when ${has("outflags", 16)} then case when ${isReal} then 'real' else 'shaken' end`,
    `when ${has("outflags", 2)} then 'own'`,
    `when outpackets = 0 then ${alone(`${has("inflags", 8)} and ${isLarge}`)}`,
    `when ${has("inflags", 2)} then case when ${has("outflags", 4)} then 'closed' else 'unclear' end`,
    `when ${isOwn} then 'own' when ${isReal} then 'real' else 'shaken' end`,
  ].join(" ");
  const hour = "cast(power(2, (coalesce(firstin, firstout) % 86400) / 3600) as bigint)";
  const judged = `select eni, proto, port, peer, last, ${hour} as hour, ${kind} as kind from (${tuples})`;
  const named = "('real', 'shaken', 'refused')";
  const peers = [
    `select eni, proto, port, kind, case when kind in ${named} then peer else '' end as peer, max(last) as last, bitwise_or_agg(hour) as hours`,
    `from (${judged}) where kind <> 'own'`,
    `group by eni, proto, port, kind, case when kind in ${named} then peer else '' end`,
  ].join(" ");
  const counted = `select *, count(*) over (partition by eni, proto, port, kind) as total from (${peers})`;
  const isCrowded = `total > ${PEERS_MAX} and kind <> 'shaken' and strpos(peer, ':') = 0`;
  const blocks = [
    "select eni, proto, port, kind, who, count(*) as peers, max(last) as last, bitwise_or_agg(hours) as hours from",
    `(select eni, proto, port, kind, last, hours, case when ${isCrowded} then regexp_replace(peer, '[0-9]+$', '0/24') else peer end as who`,
    `from (${counted})) group by eni, proto, port, kind, who`,
  ].join(" ");
  // Ports that were only tried share one list for each interface, and so do refused attempts at ports that nobody watches. Those that
  // are unclear share one for each protocol: who sends to very many must not have each of them kept.
  const isListed = `kind in ('silent', 'closed') or (kind = 'refused' and not (${watchedIn(span)}))`;
  const list = `eni, kind, case when ${isListed} then '' when kind = 'unclear' then proto else proto || ' ' || cast(port as varchar) end`;
  const ranked = [
    `select *, count(*) over (partition by ${list}) as whos,`,
    `row_number() over (partition by ${list} order by last desc, proto, port, who) as place from (${blocks})`,
  ].join(" ");
  return [
    searchOf(span, ` and "log-status": OK`),
    "|",
    `select eni, proto, port, kind, who, peers, last, hours, whos from (${ranked}) where place <= ${PEERS_MAX}`,
    `order by eni, proto, port, kind, place ${page(at.offset, at.size)}`,
  ].join(" ");
}

function watchedIn({ watched = [] }: LogSpan): string {
  const spans = watched.flatMap(({ protocol, from, to }) => {
    const number = NUMBERS[protocol] ?? protocol;
    return /^\d{1,3}$/.test(number) ? [`(proto = '${number}' and port between ${Number(from)} and ${Number(to)})`] : [];
  });
  return spans.length === 0 ? "1 = 0" : spans.join(" or ");
}

/** Windows of each interface, of the day that the span lies in. */
export interface Coverage {
  seen: Windows;
  skipped: Windows;
}

/** What is captured into a log. */
export interface Capture {
  /** The longest window of its flow logs. */
  readonly aggregationS: number;
  /** From when the flow logs of today vouch for an interface, by the ids of it, its vSwitch and its VPC. Milliseconds. */
  readonly vouchesFrom: (places: readonly string[]) => number;
}

/**
 * Adds rows of `coverageQuery`. A window counts when every aggregation window of it is there, and when what is captured today was
 * captured then.
 */
export function readCoverage(rows: readonly LogRow[], capture: Capture, into: Map<string, Coverage>): void {
  const { aggregationS, vouchesFrom } = capture;
  for (const row of rows) {
    const eniId = String(row["eni"] ?? "");
    const at = Number(row["bucket"]) * WINDOW_MS;
    if (eniId === "" || eniId === "null" || !Number.isFinite(at)) continue;
    const known = into.get(eniId) ?? { seen: 0n, skipped: 0n };
    const isWhole = Number(row["parts"]) >= WINDOW_MS / 1000 / aggregationS;
    if (isWhole && at >= vouchesFrom([eniId, String(row["vswitch"]), String(row["vpc"])])) known.seen |= windowOf(at);
    if (Number(row["skipped"]) > 0) known.skipped |= windowOf(at);
    into.set(eniId, known);
  }
}

const NAMES: Readonly<Record<string, string>> = { "1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "58": "icmpv6" };
const NUMBERS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMES).map(([number, name]) => [name, number]),
);
const none: Peers = { list: [], more: false };

/** Ports of each interface by rows of `flowsQuery`. */
export function readFlows(rows: readonly LogRow[], span: LogSpan, into: Map<string, Map<string, PortUse>>): void {
  for (const row of rows) {
    const [eniId, kind, proto] = [String(row["eni"] ?? ""), String(row["kind"]), String(row["proto"])];
    const port = Number(row["port"]);
    const lastAt = Math.min(Math.max(Number(row["last"]) * 1000, span.from), span.until - 1);
    if (eniId === "" || eniId === "null" || !Number.isInteger(port) || !Number.isFinite(lastAt)) continue;
    const ports = into.get(eniId) ?? new Map<string, PortUse>();
    // Of more than are listed nobody knows which they are: they may be any of the protocol.
    const isAny = kind === "unclear" && Number(row["whos"]) > PEERS_MAX;
    for (const at of isAny ? [port, 0] : [port]) {
      const name = `${proto} ${at}`;
      const use = ports.get(name) ?? unusedPort(NAMES[proto] ?? proto, at);
      ports.set(name, withKind(use, kind, { row, lastAt }));
    }
    into.set(eniId, ports);
  }
}

function withKind(
  use: PortUse,
  kind: string,
  { row, lastAt }: { readonly row: LogRow; readonly lastAt: number },
): PortUse {
  const later = (at: number | null): number => Math.max(at ?? 0, lastAt);
  if (kind === "closed") return { ...use, closedAt: later(use.closedAt) };
  if (kind === "silent") return { ...use, silentAt: later(use.silentAt) };
  if (kind !== "real" && kind !== "shaken" && kind !== "refused") return { ...use, unclearAt: later(use.unclearAt) };
  const before = use[kind] ?? none;
  const peer = {
    block: String(row["who"]),
    count: Math.max(1, Number(row["peers"]) || 1),
    hours: Number(row["hours"]) || 0,
    lastAt,
  };
  return { ...use, [kind]: { list: [...before.list, peer], more: before.more || Number(row["whos"]) > PEERS_MAX } };
}
