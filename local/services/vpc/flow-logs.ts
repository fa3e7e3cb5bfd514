// The flow logs at work: flow records of the data plane, written to logstores as the service writes them.

import type { Random } from "../../../shared/ports/random.ts";
import type { SchedulingClock } from "../../clock.ts";
import type { DataPlane } from "../../dataplane/data-plane.ts";
import { type FlowPlace, type FlowRecord, flowLogFields } from "../../dataplane/flow-record.ts";
import { Courier } from "../../delivery.ts";
import type { FaultTable } from "../../faults.ts";
import { keepJson, keptJson } from "../../kept-json.ts";
import { newId } from "../ecs/operation.ts";
import type { Sls } from "../sls/sls.ts";
import { SlsError } from "../sls/sls-error.ts";
import type { DeliveryState, FlowLog } from "./flow-log.ts";
import type { VpcSwitches } from "./switches.ts";

/** What the flow logs stand on. */
export interface FlowLogsOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  /** Keeps the flow logs across restarts. */
  readonly directory?: string;
  readonly faults: FaultTable;
  readonly sls: Pick<Sls, "put">;
  readonly switches: VpcSwitches;
  readonly dataPlane: Pick<DataPlane, "recordFlows">;
  readonly place: FlowPlace;
}

interface Entry {
  log: FlowLog;
  delivery: DeliveryState;
  cancel: () => void;
  stop: () => Promise<void>;
}

const ACTION_OF = { Allow: "ACCEPT", Drop: "REJECT" } as const;

/** The flow logs of one account. */
export class FlowLogs {
  readonly #options: FlowLogsOptions;
  readonly #file: string | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #courier: Courier;

  constructor(options: FlowLogsOptions) {
    this.#options = options;
    this.#courier = new Courier(options.clock);
    this.#file = options.directory === undefined ? undefined : `${options.directory}/flow-logs.json`;
  }

  /** Takes up the flow logs of an earlier run. */
  async load(): Promise<void> {
    const kept = this.#file === undefined ? [] : keptJson<readonly FlowLog[]>(this.#file, []);
    for (const log of kept) await this.#begin(log);
  }

  all(): readonly FlowLog[] {
    return [...this.#entries.values()].map(({ log }) => log);
  }

  deliveryOf(flowLogId: string): DeliveryState {
    return this.#entries.get(flowLogId)?.delivery ?? "SUCCESS";
  }

  /** A new flow log; it records after the wait that the switches say, or when this resolves without one. */
  async create(
    asked: Omit<FlowLog, "flowLogId" | "regionId" | "createdAt" | "activeFrom">,
    waitMs = this.#options.switches.flowLogActivatingMs,
  ): Promise<FlowLog> {
    const { clock, random, place } = this.#options;
    const now = clock.now();
    const log: FlowLog = {
      ...asked,
      flowLogId: newId(random, "fl"),
      regionId: place.regionId,
      createdAt: now,
      activeFrom: now + waitMs,
    };
    await this.#begin(log);
    this.#keep();
    return log;
  }

  /** Stops or resumes the recording: a gap. Answers whether there is such a flow log. */
  async setActive(flowLogId: string, isActive: boolean): Promise<boolean> {
    const entry = this.#entries.get(flowLogId);
    if (entry === undefined) return false;
    if (isActive === (entry.log.activeFrom !== null)) return true;
    await this.#end(entry);
    const { clock, switches } = this.#options;
    await this.#begin({ ...entry.log, activeFrom: isActive ? clock.now() + switches.flowLogActivatingMs : null });
    this.#keep();
    return true;
  }

  async delete(flowLogId: string): Promise<boolean> {
    const entry = this.#entries.get(flowLogId);
    if (entry === undefined) return false;
    await this.#end(entry);
    this.#entries.delete(flowLogId);
    this.#keep();
    return true;
  }

  /** Forgets every flow log, and what is on its way. */
  async clear(): Promise<void> {
    for (const entry of this.#entries.values()) await this.#end(entry);
    this.#entries.clear();
    this.#courier.clear();
    this.#keep();
  }

  #keep(): void {
    if (this.#file !== undefined) keepJson(this.#file, this.all());
  }

  async #begin(log: FlowLog): Promise<void> {
    const { clock, dataPlane } = this.#options;
    const entry: Entry = { log, delivery: "SUCCESS", cancel: () => undefined, stop: async () => undefined };
    this.#entries.set(log.flowLogId, entry);
    if (log.activeFrom === null) return;
    const record = async (): Promise<void> => {
      const stop = await dataPlane.recordFlows((records) => this.#deliver(entry, records), log.windowMs);
      if (this.#entries.get(log.flowLogId) === entry) entry.stop = stop;
      else await stop();
    };
    const waitMs = log.activeFrom - clock.now();
    if (waitMs > 0) entry.cancel = clock.schedule(waitMs, () => void record());
    else await record();
  }

  async #end(entry: Entry): Promise<void> {
    entry.cancel();
    await entry.stop();
  }

  #deliver(entry: Entry, records: readonly FlowRecord[]): void {
    const { faults, clock, switches } = this.#options;
    const { log } = entry;
    const byEni = new Map<string, FlowRecord[]>();
    for (const record of records) {
      if (log.resourceType === "NetworkInterface" && record.eniId !== log.resourceId) continue;
      byEni.set(record.eniId, [...(byEni.get(record.eniId) ?? []), record]);
    }
    for (const [eniId, ofEni] of byEni) {
      const { flowLogId, project, logstore } = log;
      const params = { flowLogId, eniId, project, logstore };
      const fault = faults.take({ service: "flowlog", operation: log.name, params });
      const told = fault?.kind === "skip-data" ? [withoutFlow(ofEni, "SKIPDATA")] : wantedOf(log, ofEni);
      clock.schedule(switches.flowLogDelayMs, () => {
        if (this.#entries.get(flowLogId) !== entry) return;
        this.#courier.send({
          fault: fault?.kind === "skip-data" ? undefined : fault,
          attempt: async () => this.#put(entry, told),
        });
      });
    }
  }

  /** Whether the logstore took the records. Where there is none they are lost, and the flow log says so. */
  #put(entry: Entry, records: readonly FlowRecord[]): boolean {
    const { sls, place } = this.#options;
    // A log's time is the end of its window, when the service had it.
    const logs = records.map((record) => ({
      at: record.windowEnd,
      topic: "flow_log",
      fields: flowLogFields(record, place),
    }));
    try {
      sls.put(entry.log.project, entry.log.logstore, logs);
      entry.delivery = "SUCCESS";
    } catch (error) {
      if (!(error instanceof SlsError)) throw error;
      entry.delivery = "FAILED";
    }
    return entry.delivery === "SUCCESS";
  }
}

/** One record that says of the window what `status` says, and of traffic nothing. */
function withoutFlow(records: readonly FlowRecord[], status: "NODATA" | "SKIPDATA"): FlowRecord {
  const [first] = records;
  if (first === undefined) throw new Error("an interface has a record in every window");
  const { eniId, instanceId, windowStart, windowEnd } = first;
  return { eniId, instanceId, windowStart, windowEnd, origin: "derived", logStatus: status };
}

/** What a flow log tells of an interface's window: of the traffic that it is about. */
function wantedOf({ trafficType, ipVersion }: FlowLog, records: readonly FlowRecord[]): readonly FlowRecord[] {
  const wanted = records.filter(
    ({ flow }) =>
      flow === undefined ||
      ((ipVersion === "DualStack" || flow.type === "IPv4") &&
        (trafficType === "All" || flow.action === ACTION_OF[trafficType])),
  );
  return wanted.length === 0 ? [withoutFlow(records, "NODATA")] : wanted;
}
