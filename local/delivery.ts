// The way from the cloud to a receiver: tried, tried again, and disturbed by the faults of deliveries.

import type { SchedulingClock } from "./clock.ts";
import type { DeliveryFault } from "./faults.ts";

/** How a delivery ended: `refused` when every try was. */
export type DeliveryEnd = "delivered" | "lost" | "refused";

/** One thing to deliver. */
export interface Delivery {
  readonly fault?: DeliveryFault | undefined;
  /** One try; whether the receiver took it. Must not reject. */
  readonly attempt: () => Promise<boolean>;
  /** Wait before the n-th further try, from 1; undefined: no more. Absent: never tried again. */
  readonly retryMs?: (retry: number) => number | undefined;
  readonly onEnd?: (end: DeliveryEnd) => void;
}

const REORDER_MS_MAX = 60_000;

/** Delivers one stream of things, each on its own; `reorder` holds one back until a later one has arrived. */
export class Courier {
  readonly #clock: SchedulingClock;
  #held: Array<() => void> = [];
  #generation = 0;
  #trying = 0;
  #idleListeners: Array<() => void> = [];

  constructor(clock: SchedulingClock) {
    this.#clock = clock;
  }

  /** Tries that run now. */
  get inFlight(): number {
    return this.#trying;
  }

  /** Resolves when no try runs. */
  idle(): Promise<void> {
    if (this.#trying === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  /** Forgets what waits for its time. */
  clear(): void {
    this.#generation += 1;
    this.#held = [];
  }

  send(delivery: Delivery): void {
    const { fault } = delivery;
    if (fault?.kind === "drop-before") delivery.onEnd?.("lost");
    else if (fault?.kind === "delay") this.#later(fault.ms, () => void this.#try(delivery, 0));
    else if (fault?.kind === "reorder") this.#hold(delivery, fault.ms ?? REORDER_MS_MAX);
    else void this.#try(delivery, 0);
  }

  async #try(delivery: Delivery, retry: number): Promise<void> {
    const { fault, retryMs, onEnd } = delivery;
    const generation = this.#generation;
    const isFirst = retry === 0;
    let taken = false;
    if (!isFirst || fault?.kind !== "reject") taken = await this.#attempt(delivery);
    if (isFirst && fault?.kind === "duplicate")
      for (let copy = 0; copy < (fault.times ?? 1); copy += 1) taken = (await this.#attempt(delivery)) || taken;
    if (generation !== this.#generation) return;
    if (taken && !(isFirst && fault?.kind === "drop-after")) {
      onEnd?.("delivered");
      this.#release();
      return;
    }
    const waitMs = retryMs?.(retry + 1);
    if (waitMs === undefined) onEnd?.("refused");
    else this.#later(waitMs, () => void this.#try(delivery, retry + 1));
  }

  async #attempt({ attempt }: Delivery): Promise<boolean> {
    this.#trying += 1;
    try {
      return await attempt();
    } finally {
      this.#trying -= 1;
      if (this.#trying === 0) setImmediate(() => this.#tellIdle());
    }
  }

  #tellIdle(): void {
    if (this.#trying === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }

  #hold(delivery: Delivery, ms: number): void {
    let isHeld = true;
    const go = (): void => {
      if (!isHeld) return;
      isHeld = false;
      void this.#try(delivery, 0);
    };
    this.#held.push(go);
    this.#later(ms, go);
  }

  #release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  #later(ms: number, run: () => void): void {
    const generation = this.#generation;
    this.#clock.schedule(ms, () => {
      if (generation === this.#generation) run();
    });
  }
}
