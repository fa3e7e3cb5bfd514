// Turns what the data plane sees into flow records while somebody listens: packets where they can be captured, else what the
// sockets saw.

import { createHash } from "node:crypto";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Datagram } from "./bind.ts";
import { packetsOf } from "./derived-packets.ts";
import type { Flow } from "./flow.ts";
import { type FlowListener, FlowLog, type SeenPackets } from "./flow-log.ts";
import type { Endpoint } from "./listeners.ts";
import type { PortMap } from "./nft-rules.ts";
import { type PacketCapture, startCapture } from "./packet-capture.ts";
import { recordsOf } from "./packet-records.ts";
import type { Policies } from "./policy.ts";
import { probe, type ScanNoise } from "./scan-noise.ts";
import type { Topology } from "./topology.ts";

/** What the recording stands on. */
export interface FlowRecorderOptions {
  readonly clock: Clock;
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  readonly tableName: string;
  readonly canCapture: boolean;
  /** Whether the sockets see what the rules refuse. */
  readonly seesDrops: boolean;
  readonly windowMs: number;
  readonly scanNoise?: ScanNoise;
  readonly topology: () => Topology;
  readonly policies: () => Policies;
  readonly endpoints: () => ReadonlyMap<string, Endpoint>;
  readonly mapped: () => ReadonlyMap<string, PortMap>;
  /** Called when `logGroup` has changed; resolves when the table says so. */
  readonly onGroupChanged: () => Promise<void>;
}

const UDP = 17;
const UDP_HEADER_BYTES = 28;

/** An NFLOG group from the table's name, so that clouds of one host do not share one. */
function logGroupOf(tableName: string): number {
  return 1 + (createHash("sha256").update(tableName).digest().readUInt16BE(0) % 65_534);
}

/** Records flows between the first `record` and the end of the last. */
export class FlowRecorder {
  readonly #options: FlowRecorderOptions;
  /** By the length of their windows. */
  readonly #logs = new Map<number, FlowLog>();
  #capture: PacketCapture | undefined;
  #captureFailed = false;
  #cancelNoise: (() => void) | undefined;
  #eniByAddress: { readonly of: Topology; readonly map: ReadonlyMap<string, string> } | undefined;
  #changing: Promise<void> = Promise.resolve();

  constructor(options: FlowRecorderOptions) {
    this.#options = options;
  }

  /** The group that the table tells packets to; undefined while nobody captures. */
  get logGroup(): number | undefined {
    return this.#capture === undefined ? undefined : logGroupOf(this.#options.tableName);
  }

  /** Records for the listener too, in windows of that length; answers how to stop. */
  async record(listener: FlowListener, windowMs = this.#options.windowMs): Promise<() => Promise<void>> {
    const log = this.#logs.get(windowMs) ?? this.#newLog(windowMs);
    this.#logs.set(windowMs, log);
    const unsubscribe = log.subscribe(listener);
    await this.#follow();
    return async () => {
      unsubscribe();
      await this.#follow();
    };
  }

  flush(): void {
    for (const log of this.#logs.values()) log.flush();
  }

  problems(): readonly string[] {
    return this.#captureFailed
      ? ["packets are not captured (tcpdump and NFLOG): flow records are derived and lack what was dropped"]
      : [];
  }

  async stop(): Promise<void> {
    this.#cancelNoise?.();
    await this.#changing;
    const capture = this.#capture;
    this.#capture = undefined;
    await capture?.stop();
  }

  /** Tells of packets that were not captured and could not be. */
  tell(packets: SeenPackets): void {
    this.#see(packets);
  }

  onFlow = (flow: Flow): void => {
    // The table tells of IPv4 packets alone.
    if (this.#capture !== undefined && !flow.destAddress.includes(":")) return;
    for (const packets of packetsOf(flow)) this.#see(packets);
  };

  onDatagram = ({ sourceAddress, sourcePort, data }: Datagram, endpoint: Endpoint, answerBytes?: number): void => {
    const { eniId, address, port } = endpoint;
    if (this.#capture !== undefined && !address.includes(":")) return;
    const common = { eniId, origin: "derived", protocol: UDP, packets: 1, tcpFlags: 0 } as const;
    this.#see({
      ...common,
      direction: "in",
      action: answerBytes === undefined ? "REJECT" : "ACCEPT",
      ...{ sourceAddress, sourcePort, destAddress: address, destPort: port },
      bytes: data.length + UDP_HEADER_BYTES,
    });
    if (answerBytes === undefined) return;
    this.#see({
      ...common,
      direction: "out",
      action: "ACCEPT",
      ...{ sourceAddress: address, sourcePort: port, destAddress: sourceAddress, destPort: sourcePort },
      bytes: answerBytes + UDP_HEADER_BYTES,
    });
  };

  /** Starts or stops what recording needs, one change after the other. */
  #follow(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change());
    return this.#changing;
  }

  async #change(): Promise<void> {
    const { canCapture, onGroupChanged } = this.#options;
    if (this.#isActive()) {
      this.#makeNoise();
      if (this.#capture !== undefined || !canCapture) return;
      const group = logGroupOf(this.#options.tableName);
      this.#capture = await startCapture(group, this.#seePacket, () => void this.#lost());
      this.#captureFailed = this.#capture === undefined;
      if (this.#capture !== undefined) await onGroupChanged();
      return;
    }
    this.#cancelNoise?.();
    this.#cancelNoise = undefined;
    const capture = this.#capture;
    if (capture === undefined) return;
    this.#capture = undefined;
    await capture.stop();
    await onGroupChanged();
  }

  async #lost(): Promise<void> {
    this.#capture = undefined;
    this.#captureFailed = true;
    await this.#options.onGroupChanged().catch(() => undefined); // It stops: there is nothing left to change.
  }

  #seePacket = (packet: Parameters<typeof recordsOf>[0]): void => {
    const { mapped } = this.#options;
    for (const seen of recordsOf(packet, { eniOf: (address) => this.#eniOf(address), mapped })) this.#see(seen);
  };

  #see(seen: SeenPackets): void {
    for (const log of this.#logs.values()) log.see(seen);
  }

  #isActive(): boolean {
    return [...this.#logs.values()].some(({ active }) => active);
  }

  #newLog(windowMs: number): FlowLog {
    const { clock, schedule, topology, seesDrops } = this.#options;
    return new FlowLog({
      windowMs,
      now: () => clock.now(),
      schedule,
      enis: () => topology().enis.map(({ eniId, instanceId = "" }) => ({ eniId, instanceId })),
      blind: () => this.#capture === undefined && !seesDrops,
    });
  }

  #eniOf(address: string): string | undefined {
    const topology = this.#options.topology();
    if (this.#eniByAddress?.of !== topology) {
      const map = new Map(topology.enis.map(({ privateIp, eniId }) => [privateIp, eniId]));
      this.#eniByAddress = { of: topology, map };
    }
    return this.#eniByAddress.map.get(address);
  }

  #makeNoise(): void {
    const { scanNoise, schedule, policies, endpoints } = this.#options;
    if (scanNoise === undefined || this.#cancelNoise !== undefined) return;
    const next = (): void => {
      this.#cancelNoise = schedule(scanNoise.everyMs, () => {
        for (const packets of probe(scanNoise.random, policies(), endpoints())) this.#see(packets);
        next();
      });
    };
    next();
  }
}
