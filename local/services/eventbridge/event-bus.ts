// The default event bus: every event goes to the functions whose pattern it meets, tried again while they fail.

import type { Random } from "../../../shared/ports/random.ts";
import type { SchedulingClock } from "../../clock.ts";
import { Courier, type DeliveryEnd } from "../../delivery.ts";
import type { DeliveryFault, FaultTable } from "../../faults.ts";
import type { EventTarget, FunctionRegistry } from "../functions/function-registry.ts";
import { type Queues, queueIn } from "../smq/queues.ts";
import { type BusOwner, type CloudEvent, cloudEventOf, type Told, utcSeconds } from "./cloud-event.ts";
import { EventBatches } from "./event-batches.ts";
import { matchesPattern } from "./event-pattern.ts";
import { type BusSwitches, defaultBusSwitches } from "./switches.ts";

/** What the bus needs. */
export interface EventBusOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly owner: BusOwner;
  readonly registry: FunctionRegistry;
  readonly faults: FaultTable;
  /** Where events end that a function did not take. */
  readonly queues?: Queues;
  /** Mutable at run time. */
  readonly switches?: BusSwitches;
}

/** An event that has been on the bus, and what became of it. */
export interface BusRecord {
  /** Grows by one with every event, never reused. */
  readonly seq: number;
  readonly at: number;
  readonly event: CloudEvent;
  readonly deliveries: ReadonlyArray<{
    readonly function: string;
    readonly fault?: string;
    /** Tries so far. */
    readonly attempts: number;
    /** `waiting` until it has ended; `refused` is a dead letter. */
    readonly state: DeliveryEnd | "waiting";
  }>;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const RECORDS_MAX = 1_000;
const ASYNC_BYTES_MAX = 128 * 1024;
// One day of tries.
const DECAY_RETRIES_MAX = 176;
const DECAY_MS_MAX = 512_000;
const BACKOFF_RETRIES_MAX = 3;

/** Delivers at least once, in no promised order. */
export class EventBus {
  readonly #options: EventBusOptions;
  readonly #switches: BusSwitches;
  readonly #courier: Courier;
  readonly #batches: EventBatches<EventTarget>;
  #records: BusRecord[] = [];
  #next = 1;

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#switches = options.switches ?? defaultBusSwitches;
    this.#courier = new Courier(options.clock);
    this.#batches = new EventBatches(options.clock, (target, elements) => this.#push(target, elements));
  }

  get inFlight(): number {
    return this.#courier.inFlight;
  }

  /** Resolves when no delivery is being tried. */
  idle(): Promise<void> {
    return this.#courier.idle();
  }

  /** Puts what a service tells on the bus now. */
  tell(told: Told): void {
    const { owner, random, clock } = this.#options;
    this.publish(cloudEventOf(told, { owner, random, switches: this.#switches }, clock.now()));
  }

  /** Puts a finished event on the bus now; it need not be well formed beyond its pattern. */
  publish(event: CloudEvent): void {
    const deliveries: Array<Writable<BusRecord["deliveries"][number]>> = [];
    for (const target of this.#options.registry.eventTargets()) {
      if (!matchesPattern(target.pattern, event)) continue;
      const fault = this.#faultOf(event, target);
      const delivery: Writable<BusRecord["deliveries"][number]> = {
        function: target.function,
        ...(fault === undefined ? {} : { fault: fault.kind }),
        attempts: 0,
        state: "waiting",
      };
      deliveries.push(delivery);
      const given = this.#asGiven(fault?.kind === "skew" ? skewed(event, fault.ms) : event, target);
      this.#courier.send({
        fault,
        attempt: () => {
          delivery.attempts += 1;
          const { eventBatchMs } = this.#switches;
          return eventBatchMs > 0 ? this.#batches.add(target, given, eventBatchMs) : this.#push(target, given);
        },
        retryMs: (retry) => this.#retryMs(target, retry),
        onEnd: (end) => {
          delivery.state = end;
          const queue = end === "refused" && target.deadLetter !== undefined ? queueIn(target.deadLetter) : undefined;
          if (queue !== undefined)
            this.#options.queues?.send(queue, { at: this.#options.clock.now(), body: JSON.stringify(event) });
        },
      });
    }
    this.#records.push({ seq: this.#next++, at: this.#options.clock.now(), event, deliveries });
    if (this.#records.length >= RECORDS_MAX * 2) this.#records = this.#records.slice(-RECORDS_MAX);
  }

  /** The last 1,000 events, from a sequence number or an instant on. */
  since(since: number): { readonly events: readonly BusRecord[]; readonly next: number } {
    const isInstant = since >= 1_000_000_000_000;
    const kept = this.#records.slice(-RECORDS_MAX);
    return { events: kept.filter(({ seq, at }) => (isInstant ? at : seq) >= since), next: this.#next };
  }

  /** Forgets the past and what is still to be delivered. */
  clear(): void {
    this.#courier.clear();
    this.#batches.clear();
    this.#records = [];
  }

  #faultOf(event: CloudEvent, target: EventTarget): DeliveryFault | undefined {
    const { eventName, userIdentity, resourceName } = (event.data ?? {}) as Partial<Record<string, unknown>>;
    const { accessKeyId } = (userIdentity ?? {}) as { readonly accessKeyId?: unknown };
    return this.#options.faults.take({
      service: "eventbridge",
      operation: typeof eventName === "string" ? eventName : event.type,
      ...(typeof accessKeyId === "string" ? { accessKeyId } : {}),
      params: {
        function: target.function,
        type: event.type,
        ...(typeof resourceName === "string" ? { resourceName } : {}),
      },
    });
  }

  /** What the function is to get of an event. */
  #asGiven(event: CloudEvent, target: EventTarget): unknown {
    if (target.schema === "RawData") return event.data;
    return this.#switches.eventData === "text" ? { ...event, data: JSON.stringify(event.data) } : event;
  }

  async #push(target: EventTarget, given: unknown): Promise<boolean> {
    const { registry } = this.#options;
    const bytes = Buffer.from(JSON.stringify(given) ?? "null");
    if (!target.async) return (await registry.invoke(target.function, bytes)).errorType === undefined;
    if (bytes.length > ASYNC_BYTES_MAX) return false;
    registry.submit(target.function, bytes);
    return true;
  }

  #retryMs(target: EventTarget, retry: number): number | undefined {
    if (target.retry === "EXPONENTIAL_DECAY_RETRY")
      return retry > DECAY_RETRIES_MAX ? undefined : Math.min(DECAY_MS_MAX, 1_000 * 2 ** (retry - 1));
    return retry > BACKOFF_RETRIES_MAX ? undefined : 10_000 + Math.floor(this.#options.random.fraction() * 10_000);
  }
}

/** The event as a service tells it whose clock is off. */
function skewed(event: CloudEvent, ms: number): CloudEvent {
  const shifted = (text: unknown): string => utcSeconds(Date.parse(String(text)) + ms);
  const { data } = event;
  const eventTime = (data as { readonly eventTime?: unknown } | null)?.eventTime;
  return {
    ...event,
    time: shifted(event.time),
    data: eventTime === undefined ? data : { ...(data as object), eventTime: shifted(eventTime) },
  };
}
