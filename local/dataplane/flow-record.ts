// Flow records: what VPC flow logs say about the traffic of an interface in one aggregation window.

/** TCP flags as flow logs count them, in `tcpFlags`. A SYN with an ACK counts as 18. */
export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, SYN_ACK: 18, URG: 32 } as const;

/** One record. Times are milliseconds since the epoch on the data plane's clock. */
export interface FlowRecord {
  readonly eniId: string;
  readonly instanceId: string;
  readonly windowStart: number;
  readonly windowEnd: number;
  /** `NODATA`: no traffic in the window. `SKIPDATA`: there may have been traffic that could not be seen. */
  readonly logStatus: "OK" | "NODATA" | "SKIPDATA";
  /** Where it is from: real packets, what the listeners saw, or the option that makes scan noise up. */
  readonly origin: "packets" | "derived" | "noise";
  /** What the rest is about; absent unless `logStatus` is `OK`. */
  readonly flow?: FlowDetail;
}

/** The traffic of one record: packets of one direction between two ports. */
export interface FlowDetail {
  readonly type: "IPv4" | "IPv6";
  /** IANA number. */
  readonly protocol: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destAddress: string;
  readonly destPort: number;
  /** Relative to the interface. */
  readonly direction: "in" | "out";
  readonly action: "ACCEPT" | "REJECT";
  readonly packets: number;
  readonly bytes: number;
  /** The first packet. */
  readonly start: number;
  /** The last packet of a session that closed, else the end of the window. */
  readonly end: number;
  readonly tcpFlags: number;
}

/** Where an interface is, for the fields of a log line. */
export interface FlowPlace {
  readonly accountId: string;
  readonly regionId: string;
  readonly vpcId: string;
  readonly vSwitchId: string;
}

/** The record as the log service keeps it: every value text, times in seconds. */
export function flowLogFields(record: FlowRecord, place: FlowPlace): Readonly<Record<string, string>> {
  const { flow } = record;
  const seconds = (ms: number): string => String(Math.floor(ms / 1000));
  const detail: Record<string, string> =
    flow === undefined
      ? { start: seconds(record.windowStart), end: seconds(record.windowEnd) }
      : {
          type: flow.type,
          protocol: String(flow.protocol),
          srcaddr: flow.sourceAddress,
          srcport: String(flow.sourcePort),
          dstaddr: flow.destAddress,
          dstport: String(flow.destPort),
          direction: flow.direction,
          action: flow.action,
          packets: String(flow.packets),
          bytes: String(flow.bytes),
          start: seconds(flow.start),
          end: seconds(flow.end),
          "tcp-flags": String(flow.tcpFlags),
          traffic_path: "0",
        };
  return {
    version: "1",
    "account-id": place.accountId,
    region: place.regionId,
    "vpc-id": place.vpcId,
    "vswitch-id": place.vSwitchId,
    "eni-id": record.eniId,
    "vm-id": record.instanceId,
    ...detail,
    "log-status": record.logStatus,
  };
}
