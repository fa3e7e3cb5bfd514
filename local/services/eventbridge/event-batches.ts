// Events that wait a moment for others, to be pushed as one list.

import type { SchedulingClock } from "../../clock.ts";

interface Batch {
  readonly elements: unknown[];
  readonly end: (taken: boolean) => void;
  readonly ended: Promise<boolean>;
}

/** One open batch per target; who adds to it hears how the push of the whole went. */
export class EventBatches<Target> {
  readonly #clock: SchedulingClock;
  readonly #push: (target: Target, elements: readonly unknown[]) => Promise<boolean>;
  readonly #open = new Map<Target, Batch>();

  constructor(clock: SchedulingClock, push: (target: Target, elements: readonly unknown[]) => Promise<boolean>) {
    this.#clock = clock;
    this.#push = push;
  }

  /** Adds to the target's batch; the first of a batch opens it for `windowMs`. */
  add(target: Target, element: unknown, windowMs: number): Promise<boolean> {
    const batch = this.#open.get(target) ?? this.#begin(target, windowMs);
    batch.elements.push(element);
    return batch.ended;
  }

  /** Forgets what waits. */
  clear(): void {
    for (const { end } of this.#open.values()) end(false);
    this.#open.clear();
  }

  #begin(target: Target, windowMs: number): Batch {
    let end: (taken: boolean) => void = () => undefined;
    const ended = new Promise<boolean>((resolve) => {
      end = resolve;
    });
    const batch: Batch = { elements: [], end, ended };
    this.#open.set(target, batch);
    this.#clock.schedule(windowMs, () => {
      if (this.#open.get(target) !== batch) return;
      this.#open.delete(target);
      void this.#push(target, batch.elements).then(end);
    });
    return batch;
  }
}
