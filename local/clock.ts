// The embedded cloud's clock: real by default, virtual from the first `advance` on.

import type { Clock } from "../shared/ports/clock.ts";

/** A clock that can also run a callback later, without the detour over a promise. */
export interface SchedulingClock extends Clock {
  /** Runs `run` once, `delayMs` of this clock from now. The returned function calls it off. */
  schedule(delayMs: number, run: () => void): () => void;
  /** This clock's wall time minus the machine's, for processes that read the machine's. */
  machineOffsetMs(): number;
}

/** How the clock moves: with the machine, or by `advance` alone. */
export type ClockMode = "real" | "virtual";

/** Where real time comes from; replaced in tests. */
export interface RealTime {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  /** Arms one timer; the returned function disarms it. */
  readonly arm: (delayMs: number, run: () => void) => () => void;
}

interface Sleeper {
  readonly dueMs: number;
  readonly seq: number;
  readonly run: () => void;
  cancelled: boolean;
}

// The longest delay the platform's timer takes; a longer sleep is armed in steps.
const ARM_MS_MAX = 2 ** 31 - 1;

const machineTime: RealTime = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  arm: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Sleepers are kept on a monotonic line that moves with the machine in real mode and by `advance` in virtual mode, so a
 * sleeper keeps its remaining time when the mode changes; only the wall time jumps back to the machine's in `toReal`.
 */
export class CloudClock implements SchedulingClock {
  readonly #real: RealTime;
  readonly #heap: Sleeper[] = [];
  #mode: ClockMode = "real";
  #virtualWallMs = 0;
  // The line's position when real time was last anchored, and the machine's monotonic reading then.
  #lineMs = 0;
  #anchorMs: number;
  #seq = 0;
  #sleeping = 0;
  #disarm: (() => void) | undefined;
  #advancing: Promise<void> = Promise.resolve();
  #closed = false;

  /** Real time, unless `startMs` is given: then virtual time from that instant on. */
  constructor(options: { readonly startMs?: number; readonly real?: RealTime } = {}) {
    this.#real = options.real ?? machineTime;
    this.#anchorMs = this.#real.monotonicMs();
    if (options.startMs !== undefined) {
      this.#mode = "virtual";
      this.#virtualWallMs = options.startMs;
    }
  }

  get mode(): ClockMode {
    return this.#mode;
  }

  /** How many `sleep` calls are waiting: work that cannot end before time moves. `schedule` does not count. */
  get sleeping(): number {
    return this.#sleeping;
  }

  now(): number {
    // The line has fractions of a millisecond when it comes from the machine; wall time has none.
    return this.#mode === "real" ? this.#real.wallMs() : Math.round(this.#virtualWallMs);
  }

  monotonicMs(): number {
    if (this.#mode === "virtual") return this.#lineMs;
    return this.#lineMs + (this.#real.monotonicMs() - this.#anchorMs);
  }

  machineOffsetMs(): number {
    return this.#mode === "real" ? 0 : this.now() - this.#real.wallMs();
  }

  schedule(delayMs: number, run: () => void): () => void {
    const sleeper: Sleeper = {
      dueMs: this.monotonicMs() + Math.max(0, delayMs),
      seq: this.#seq++,
      run,
      cancelled: false,
    };
    if (this.#closed) return () => undefined;
    if (delayMs <= 0 && this.#mode === "virtual") {
      // Due already: it needs no step of time, but must not run inside its caller.
      setImmediate(() => {
        if (!sleeper.cancelled && !this.#closed) run();
      });
    } else {
      this.#push(sleeper);
      if (this.#mode === "real" && this.#heap[0] === sleeper) this.#rearm();
    }
    return () => {
      sleeper.cancelled = true;
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      this.#sleeping += 1;
      const onAbort = (): void => {
        cancel();
        this.#sleeping -= 1;
        reject(signal?.reason);
      };
      const cancel = this.schedule(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        this.#sleeping -= 1;
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * Switches to virtual time and moves it by `ms`. Sleepers run in order of their instants, those of one instant together;
   * `settle` runs before time first moves, after each such instant and at the end, so work ends at the time that caused it.
   * Calls queue up behind each other.
   */
  advance(ms: number, settle: () => Promise<void> = nextTurn): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) return Promise.reject(new RangeError(`cannot advance by ${ms} ms`));
    const turn = this.#advancing.then(() => this.#advance(ms, settle));
    this.#advancing = turn.catch(() => undefined);
    return turn;
  }

  async #advance(ms: number, settle: () => Promise<void>): Promise<void> {
    this.#toVirtual();
    const endMs = this.#lineMs + ms;
    await settle();
    for (;;) {
      const dueMs = this.#nextDueMs();
      if (dueMs === undefined || dueMs > endMs || this.#mode !== "virtual") break;
      this.#moveTo(dueMs);
      for (const sleeper of this.#takeDue(dueMs)) if (!sleeper.cancelled) sleeper.run();
      await settle();
    }
    if (this.#mode !== "virtual") return;
    this.#moveTo(endMs);
    await settle();
  }

  /** Back to the machine's time. Sleepers keep the time they still had to wait. */
  toReal(): void {
    if (this.#mode === "real") return;
    this.#anchorMs = this.#real.monotonicMs();
    this.#mode = "real";
    this.#rearm();
  }

  /** Drops every sleeper; their promises stay pending. For shutting the cloud down. */
  close(): void {
    this.#closed = true;
    this.#heap.length = 0;
    this.#disarm?.();
  }

  #toVirtual(): void {
    if (this.#mode === "virtual") return;
    this.#virtualWallMs = this.#real.wallMs();
    this.#lineMs = this.monotonicMs();
    this.#mode = "virtual";
    this.#disarm?.();
    this.#disarm = undefined;
  }

  #moveTo(lineMs: number): void {
    this.#virtualWallMs += Math.max(0, lineMs - this.#lineMs);
    this.#lineMs = Math.max(lineMs, this.#lineMs);
  }

  #rearm(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    const dueMs = this.#nextDueMs();
    if (dueMs === undefined) return;
    const delayMs = Math.min(ARM_MS_MAX, Math.max(0, Math.ceil(dueMs - this.monotonicMs())));
    this.#disarm = this.#real.arm(delayMs, () => {
      this.#disarm = undefined;
      if (this.#mode !== "real") return;
      for (const sleeper of this.#takeDue(this.monotonicMs())) if (!sleeper.cancelled) sleeper.run();
      this.#rearm();
    });
  }

  #nextDueMs(): number | undefined {
    while (this.#heap[0]?.cancelled) this.#pop();
    return this.#heap[0]?.dueMs;
  }

  #takeDue(lineMs: number): Sleeper[] {
    const due: Sleeper[] = [];
    for (let dueMs = this.#nextDueMs(); dueMs !== undefined && dueMs <= lineMs; dueMs = this.#nextDueMs()) {
      const sleeper = this.#pop();
      if (sleeper) due.push(sleeper);
    }
    return due;
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let index = heap.push(sleeper) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (!parent || isBefore(parent, sleeper)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = sleeper;
  }

  #pop(): Sleeper | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const rightFirst = left && right ? isBefore(right, left) : false;
      const child = rightFirst ? right : left;
      if (!child || isBefore(last, child)) break;
      heap[index] = child;
      index = 2 * index + (rightFirst ? 2 : 1);
    }
    heap[index] = last;
    return top;
  }
}

function isBefore(one: Sleeper, other: Sleeper): boolean {
  return one.dueMs === other.dueMs ? one.seq < other.seq : one.dueMs < other.dueMs;
}

/** Lets everything that is already runnable run: the default way to settle. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
