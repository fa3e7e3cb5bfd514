// Virtual time in which everything that happens is one event after another: who acts next is up to the seed alone.
import { createHash } from "node:crypto";
import { nextTurn } from "../../local/clock.ts";
import type { Clock } from "../../shared/ports/clock.ts";

/** Chance of a seed, cheap enough for every call: a 32-bit generator, and picks made with it. */
export class Dice {
  #state: number;

  constructor(seed: string) {
    this.#state = createHash("sha256").update(seed).digest().readUInt32BE(0);
  }

  /** In [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  happens(chance: number): boolean {
    return this.fraction() < chance;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)] as T;
  }
}

/** Once in so many events the machine's own turn comes: for whoever has an eye on the run, and times it. */
const TURN_EVERY = 500;

/** Lets everything run that is ready to; far cheaper than a turn of the machine, for which nothing waits here. */
const untilIdle = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

interface Event {
  readonly at: number;
  readonly seq: number;
  readonly run: () => void;
}

/** The one line of time of a run. */
export class Schedule {
  readonly #startMs: number;
  #now = 0;
  #seq = 0;
  readonly #heap: Event[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): void {
    const { length } = this.#heap;
    this.#heap.push({ at: this.#now + Math.max(0, ms), seq: this.#seq++, run });
    this.#up(length);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** The clock of everybody: what differs between processes is when they get to look at it. */
  clock(sleep: (ms: number) => Promise<void>): Clock {
    return { now: () => this.#startMs + Math.round(this.#now), monotonicMs: () => this.#now, sleep };
  }

  /** Lets one event happen after another until the work is done. Throws when nothing is left that could bring it on. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const ended = work.finally(() => {
      isDone = true;
    });
    ended.catch(() => undefined);
    for (let events = 0; ; events++) {
      await (events % TURN_EVERY === 0 ? nextTurn() : untilIdle());
      if (isDone) return ended;
      const next = this.#pop();
      if (!next) throw new Error("nothing is left to happen, and the work is not done");
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
  }

  #up(from: number): void {
    const heap = this.#heap;
    for (let index = from; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Event, heap[index] as Event)) return;
      [heap[parent], heap[index]] = [heap[index] as Event, heap[parent] as Event];
      index = parent;
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2])
        if (child < heap.length && isBefore(heap[child] as Event, heap[least] as Event)) least = child;
      if (least === index) return top;
      [heap[least], heap[index]] = [heap[index] as Event, heap[least] as Event];
      index = least;
    }
  }
}

const isBefore = (one: Event, other: Event): boolean => (one.at === other.at ? one.seq < other.seq : one.at < other.at);
