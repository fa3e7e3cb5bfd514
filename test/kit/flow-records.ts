// Flow records as the VPC service writes them, by what they are labelled: for logs that nobody has to connect for.
import type { Cloud } from "../../local/cloud.ts";

/** One conversation, or an attempt, with a host's port. */
export interface Talk {
  readonly eniId: string;
  readonly peer: string;
  readonly port: number;
  readonly peerPort?: number;
  readonly own?: string;
  /** First packet, milliseconds. */
  readonly at: number;
  readonly protocol?: number;
}

type Fields = Readonly<Record<string, string>>;

/** A record of one direction. */
interface Way {
  readonly packets: number;
  readonly bytes: number;
  readonly flags: number | null;
  readonly action?: "ACCEPT" | "REJECT";
}

const WINDOW_MS = 600_000;
const [FIN, SYN, RST, PSH, SYN_ACK] = [1, 2, 4, 8, 18];

const s = (ms: number): string => String(Math.floor(ms / 1000));
const windowEnd = (at: number): number => (Math.floor(at / WINDOW_MS) + 1) * WINDOW_MS;

function record(talk: Talk, direction: "in" | "out", { packets, bytes, flags, action = "ACCEPT" }: Way): Fields {
  const { eniId, peer, port, peerPort = 40_000, own = "10.0.0.1", at, protocol = 6 } = talk;
  const [src, srcport, dst, dstport] = direction === "in" ? [peer, peerPort, own, port] : [own, port, peer, peerPort];
  return {
    version: "1",
    "eni-id": eniId,
    "vm-id": eniId.replace("eni", "i"),
    type: peer.includes(":") ? "IPv6" : "IPv4",
    protocol: String(protocol),
    srcaddr: src,
    srcport: String(srcport),
    dstaddr: dst,
    dstport: String(dstport),
    direction,
    action,
    packets: String(packets),
    bytes: String(bytes),
    start: s(at),
    end: s(windowEnd(at) - 1000),
    ...(flags === null ? {} : { "tcp-flags": String(flags) }),
    "log-status": "OK",
  };
}

/** A session with data both ways. */
export const aSession = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 9, bytes: 900, flags: SYN | PSH | FIN }),
  record({ ...talk, at: talk.at + 1 }, "out", { packets: 8, bytes: 4000, flags: SYN_ACK | PSH | FIN }),
];

/** A session with a few bytes both ways. */
export const aSmallSession = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 4, bytes: 230, flags: SYN | PSH | FIN }),
  record(talk, "out", { packets: 4, bytes: 240, flags: SYN_ACK | PSH | FIN }),
];

/** Much from the host, nothing but acknowledgements back. */
export const aOneSidedSession = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 40, bytes: 1600, flags: SYN }),
  record(talk, "out", { packets: 60, bytes: 90_000, flags: SYN_ACK | PSH }),
];

/** A session that goes on: opened in an earlier window. */
export const aLongSession = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 5, bytes: 400, flags: PSH }),
  record(talk, "out", { packets: 5, bytes: 400, flags: PSH }),
];

/** A handshake that a scanner, or a monitor, ends at once. */
export const aScan = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 2, bytes: 100, flags: SYN | RST }),
  record(talk, "out", { packets: 1, bytes: 60, flags: SYN_ACK }),
];

/** A scanner that reads a banner and goes. */
export const aBannerScan = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 4, bytes: 210, flags: SYN | RST }),
  record(talk, "out", { packets: 2, bytes: 110, flags: SYN_ACK | PSH }),
];

/** Nothing listens: a reset. */
export const aClosedPort = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 1, bytes: 60, flags: SYN }),
  record(talk, "out", { packets: 1, bytes: 40, flags: RST }),
];

/** The host's own firewall says nothing. */
export const aSilentPort = (talk: Talk): Fields[] => [record(talk, "in", { packets: 3, bytes: 180, flags: SYN })];

/** Refused by a rule. */
export const aRefusal = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 1, bytes: 60, flags: SYN, action: "REJECT" }),
];

/** The host connects to somebody's `peerPort`. */
export const anOwnSession = (talk: Talk): Fields[] => [
  record(talk, "out", { packets: 9, bytes: 900, flags: SYN | PSH | FIN }),
  record(talk, "in", { packets: 8, bytes: 4000, flags: SYN_ACK | PSH | FIN }),
];

/** A datagram and its answer. */
export const anExchange = (talk: Talk): Fields[] => [
  record({ protocol: 17, ...talk }, "in", { packets: 1, bytes: 60, flags: 0 }),
  record({ protocol: 17, ...talk, at: talk.at + 1000 }, "out", { packets: 1, bytes: 160, flags: 0 }),
];

/** A datagram that nobody answers. */
export const anUnansweredDatagram = (talk: Talk): Fields[] => [
  record({ protocol: 17, ...talk }, "in", { packets: 1, bytes: 60, flags: 0 }),
];

/** Datagrams that want no answer, each from a port of its own: lines of a log, counters, traps. */
export const aStream = (talk: Talk, datagrams: number): Fields[] =>
  Array.from({ length: datagrams }, (_, n) =>
    record({ protocol: 17, ...talk, peerPort: 40_000 + n }, "in", { packets: 1, bytes: 200, flags: 0 }),
  );

/** Data comes in here, and the answers go out by another interface. */
export const aOneWaySession = (talk: Talk): Fields[] => [
  record(talk, "in", { packets: 9, bytes: 900, flags: SYN | PSH | FIN }),
];

/** As a log of an old kind has it: without flags. */
export const withoutFlags = (records: readonly Fields[]): Fields[] =>
  records.map(({ "tcp-flags": _, ...rest }) => rest);

/** One record a window for each interface, over a span: nothing else, or records lost. */
export function aQuietLog(
  eniIds: readonly string[],
  span: { readonly from: number; readonly until: number },
  status: "NODATA" | "SKIPDATA" = "NODATA",
  windowMs = WINDOW_MS,
): Fields[] {
  const records: Fields[] = [];
  for (let at = span.from; at < span.until; at += windowMs)
    for (const eniId of eniIds)
      records.push({
        version: "1",
        "eni-id": eniId,
        "vm-id": eniId.replace("eni", "i"),
        start: s(at),
        end: s(at + windowMs),
        "log-status": status,
      });
  return records;
}

/** Writes records as the service does: each when its window is over. */
export function putFlows(
  cloud: Cloud,
  logstore: { project: string; logstore: string },
  records: readonly Fields[],
): void {
  cloud.sls.put(
    logstore.project,
    logstore.logstore,
    records.map((fields) => ({ at: windowEnd(Number(fields["start"]) * 1000), topic: "flow_log", fields })),
  );
}
