// Aggregates packets into flow records, window by window.

import type { FlowDetail, FlowRecord } from "./flow-record.ts";

/** Packets of one direction, as they pass an interface or are dropped there. */
export interface SeenPackets {
  readonly eniId: string;
  readonly origin: FlowRecord["origin"];
  readonly direction: FlowDetail["direction"];
  readonly action: FlowDetail["action"];
  readonly protocol: number;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destAddress: string;
  readonly destPort: number;
  readonly packets: number;
  readonly bytes: number;
  readonly tcpFlags: number;
}

/** Told of every record of a window when the window ends. */
export type FlowListener = (records: readonly FlowRecord[]) => void;

/** What the aggregation stands on. */
export interface FlowLogOptions {
  readonly windowMs: number;
  readonly now: () => number;
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  /** Every interface, with its instance: each gets at least one record a window. */
  readonly enis: () => readonly { readonly eniId: string; readonly instanceId: string }[];
  /** Whether something may have passed unseen in the present window. */
  readonly blind: () => boolean;
}

interface Row {
  readonly seen: SeenPackets;
  packets: number;
  bytes: number;
  tcpFlags: number;
  readonly first: number;
  last: number;
}

const ENDING_FLAGS = 1 | 4;

/** Collects while somebody listens; windows begin at multiples of their length. */
export class FlowLog {
  readonly #options: FlowLogOptions;
  readonly #listeners = new Set<FlowListener>();
  #rows = new Map<string, Row>();
  #windowStart = 0;
  #cancel: (() => void) | undefined;

  constructor(options: FlowLogOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#listeners.size > 0;
  }

  /** Collects for this listener too; answers how to stop. */
  subscribe(listener: FlowListener): () => void {
    if (!this.active) {
      this.#windowStart = this.#options.now();
      this.#rows.clear();
      this.#arm();
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.active) return;
      this.#cancel?.();
      this.#rows.clear();
    };
  }

  /** Counts packets in the present window. */
  see(seen: SeenPackets): void {
    if (!this.active) return;
    const at = this.#options.now();
    const { eniId, direction, action, protocol, sourceAddress, sourcePort, destAddress, destPort, origin } = seen;
    const key = [eniId, direction, action, protocol, sourceAddress, sourcePort, destAddress, destPort, origin].join(
      " ",
    );
    const row = this.#rows.get(key);
    if (row === undefined) {
      const { packets, bytes, tcpFlags } = seen;
      this.#rows.set(key, { seen, packets, bytes, tcpFlags, first: at, last: at });
      return;
    }
    row.packets += seen.packets;
    row.bytes += seen.bytes;
    row.tcpFlags |= seen.tcpFlags;
    row.last = at;
  }

  /** Ends the window now. The next one is short, so that windows stay aligned. */
  flush(): void {
    this.#cancel?.();
    this.#emit();
    if (this.active) this.#arm();
  }

  #arm(): void {
    const { windowMs, now, schedule } = this.#options;
    this.#cancel = schedule(windowMs - (now() % windowMs), () => this.flush());
  }

  #emit(): void {
    const windowEnd = this.#options.now();
    const windowStart = this.#windowStart;
    const rows = [...this.#rows.values()];
    const enis = this.#options.enis();
    const instances = new Map(enis.map(({ eniId, instanceId }) => [eniId, instanceId]));
    const blind = this.#options.blind();
    const base = (eniId: string) => ({ eniId, instanceId: instances.get(eniId) ?? "", windowStart, windowEnd });
    const withTraffic = new Set(rows.map(({ seen }) => seen.eniId));
    const records: FlowRecord[] = rows.map((row) => ({
      ...base(row.seen.eniId),
      logStatus: "OK",
      origin: row.seen.origin,
      flow: detailOf(row, windowEnd),
    }));
    for (const { eniId } of enis) {
      if (blind) records.push({ ...base(eniId), logStatus: "SKIPDATA", origin: "derived" });
      else if (!withTraffic.has(eniId)) records.push({ ...base(eniId), logStatus: "NODATA", origin: "derived" });
    }
    this.#rows = new Map();
    this.#windowStart = windowEnd;
    for (const listener of this.#listeners) listener(records);
  }
}

function detailOf({ seen, packets, bytes, tcpFlags, first, last }: Row, windowEnd: number): FlowDetail {
  const { protocol, sourceAddress, sourcePort, destAddress, destPort, direction, action } = seen;
  return {
    type: sourceAddress.includes(":") ? "IPv6" : "IPv4",
    protocol,
    sourceAddress,
    sourcePort,
    destAddress,
    destPort,
    direction,
    action,
    packets,
    bytes,
    start: first,
    end: (tcpFlags & ENDING_FLAGS) === 0 ? windowEnd : last,
    tcpFlags,
  };
}
