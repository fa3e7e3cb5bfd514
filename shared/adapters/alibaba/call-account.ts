// One instance's account with the budget of one API in one region: its block of calls, and what the store has yet to hear.
import {
  allowance,
  blockFor,
  budgetAt,
  endOfWindow,
  isBlocked,
  type KeptBudget,
  limitOf,
  windowOf,
  withTaken,
  withThrottling,
} from "../../domain/call-budget.ts";
import type { Budgets } from "../../ports/budgets.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { StoreFailure } from "../../ports/tables.ts";

/** What every account of an instance works with. */
export interface AccountSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly budgets: Budgets;
  /** Calls a minute while nothing is throttled, all instances together. */
  readonly callsPerMinute: number;
  /** Calls in a block at most. */
  readonly block: number;
  /** Hears every failure of the store, and null for every success. */
  readonly storeAnswered: (failure: unknown) => void;
}

/** A block lapses after this long, on either clock: the cloud counts a call in the minute in which it is made. */
const LAPSE_MS = 10_000;
/** How long a caller waits for the store before it goes on without. */
const STORE_WAIT_MS = 1_000;
/** Writes that lose against others before the caller goes on without the store. */
const ATTEMPTS = 10;
const PAUSE_MS = 20;
/** Blocks that lapse on their way before the caller goes on without the store. */
const LAPSED_BLOCKS = 3;
/** What one instance may use of the limit, times its share, while the store does not answer. */
const WITHOUT_STORE = 1 / 4;

/** A moment on both clocks. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** Calls `next` to `last` of the minute, counted over all instances. */
interface Block {
  next: number;
  readonly last: number;
  readonly limit: number;
  readonly since: Moment;
  readonly window: number;
  /** False: made up while the store did not answer. */
  readonly booked: boolean;
}

/** The store's word that calls beyond `taken` are not to be had. */
interface Refusal {
  readonly taken: number;
  readonly limit: number;
  readonly since: Moment;
  readonly window: number;
}

/** Tells one that may not go from one that may. */
export type Admission = { readonly kind: "go" } | { readonly kind: "refused"; readonly until: number };

const GO: Admission = { kind: "go" };

/** Not shared between processes; the row behind it is. */
export class CallAccount {
  readonly #region: string;
  readonly #api: string;
  readonly #settings: AccountSettings;
  #block: Block | null = null;
  #refusal: Refusal | null = null;
  #kept: KeptBudget | null = null;
  /** Calls made and not in the row, less those in the row and given up; of one minute. */
  #owed = { window: -1, calls: 0 };
  /** Calls made without the store's word. */
  #unasked = { window: -1, calls: 0 };
  #throttled: { readonly window: number; told: boolean } | null = null;
  #asking: Promise<void> | null = null;
  /** When the store last failed. */
  #failed: { readonly since: Moment; readonly window: number } | null = null;

  constructor(region: string, api: string, settings: AccountSettings) {
    this.#region = region;
    this.#api = api;
    this.#settings = settings;
  }

  /** Counts a call that nothing holds up. */
  count(): void {
    if (this.#usable() === null) this.#owe(1);
    else this.#use();
  }

  /** Whether a call with this share of the limit may go; a promise only when the store has to be asked. */
  admit(share: number): Admission | Promise<Admission> {
    return this.#goes(share) ? GO : this.#askAndAdmit(share);
  }

  /** Asks for a block now where the next call with this share would have to; that call waits for the answer then. */
  foresee(share: number): void {
    if (this.#untold() || this.#storeJustFailed() || this.#refusedUntil(share) !== null) return;
    const block = this.#usable();
    if (block === null || block.next > allowance(block.limit, share)) void this.#ask(share);
  }

  /** Notes a Throttling answer; the store hears of it with the next request or at `settle`. */
  throttled(): void {
    const window = windowOf(this.#settings.clock.now());
    if (this.#throttled?.window !== window) this.#throttled = { window, told: false };
    this.#giveUpBlock();
  }

  /** Tells the store what it must know. Never rejects. */
  async settle(): Promise<void> {
    await this.#asking;
    if (this.#untold() || this.#owedNow() >= this.#settings.block) await this.#ask(null);
  }

  async #askAndAdmit(share: number): Promise<Admission> {
    for (let asked = 0; asked < LAPSED_BLOCKS; ) {
      // A refusal from here must not keep a Throttling answer from the store.
      const tellsFirst = asked === 0 && this.#untold() && !this.#storeJustFailed();
      const until = tellsFirst ? null : this.#refusedUntil(share);
      if (until !== null) return { kind: "refused", until };
      if (this.#asking === null) asked++;
      await this.#ask(share);
      if (this.#goes(share)) return GO;
    }
    this.#blockWithoutStore(share);
    if (this.#goes(share)) return GO;
    return { kind: "refused", until: endOfWindow(windowOf(this.#settings.clock.now())) };
  }

  /** Asks the store, or waits for the question that is already on its way. */
  #ask(share: number | null): Promise<void> {
    this.#asking ??= this.#exchange(share).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #exchange(share: number | null): Promise<void> {
    const { clock, random, storeAnswered } = this.#settings;
    try {
      for (let lost = 0; lost < ATTEMPTS; lost++) {
        // The first loss is mostly our own old reading.
        if (lost > 1) await clock.sleep(random.fraction() * PAUSE_MS * lost);
        if (await this.#exchangeOnce(share)) {
          storeAnswered(null);
          return;
        }
      }
      throw new StoreFailure("unavailable", `the budget of ${this.#api} is too busy`);
    } catch (failure) {
      this.#kept = null;
      const since = this.#now();
      this.#failed = { since, window: windowOf(since.wall) };
      storeAnswered(failure);
      if (share !== null) this.#blockWithoutStore(share);
    }
  }

  /** False when another instance was quicker, or when our last reading no longer decides. */
  async #exchangeOnce(share: number | null): Promise<boolean> {
    const { budgets, callsPerMinute: most, block } = this.#settings;
    // Before the store is asked: a process frozen while it waits finds its block lapsed.
    const since = this.#now();
    const remembered = this.#kept;
    const kept = remembered ?? (await this.#inTime(budgets.read(this.#region, this.#api)));
    const start = budgetAt(kept?.budget ?? null, since.wall);
    const { throttled, owed } = { throttled: this.#throttled, owed: this.#owedIn(start.window, since.wall) };
    const told = throttled !== null && !throttled.told ? withThrottling(start, throttled.window, most) : start;
    const before = withTaken(told, owed);
    const count = share === null ? 0 : blockFor(before, { most, share, block });
    if (count > 0 || owed !== 0 || told !== start) {
      this.#kept = await this.#inTime(budgets.write(this.#region, this.#api, withTaken(before, count), kept));
      if (this.#kept === null) return false;
      if (this.#owed.window === windowOf(since.wall)) this.#owed.calls -= owed;
    } else {
      this.#kept = remembered === null ? kept : null;
      if (this.#kept === null && remembered !== null) return false;
    }
    if (throttled !== null) throttled.told = true;
    const limit = limitOf(before, most);
    if (count > 0) {
      this.#giveUpBlock();
      const [next, last] = [before.taken + 1, before.taken + count];
      this.#block = { next, last, limit, since, window: before.window, booked: true };
      this.#refusal = null;
    } else if (share !== null) {
      const taken = isBlocked(before) ? Number.POSITIVE_INFINITY : before.taken;
      this.#refusal = { taken, limit, since, window: before.window };
    }
    return true;
  }

  #blockWithoutStore(share: number): void {
    const since = this.#now();
    const window = windowOf(since.wall);
    const limit = this.#settings.callsPerMinute * WITHOUT_STORE;
    const used = this.#unasked.window === window ? this.#unasked.calls : 0;
    const last = Math.min(used + this.#settings.block, allowance(limit, share));
    if (last <= used) {
      this.#refusal = { taken: used, limit, since, window };
      return;
    }
    this.#giveUpBlock();
    this.#block = { next: used + 1, last, limit, since, window, booked: false };
  }

  #goes(share: number): boolean {
    if (this.#throttled?.window === windowOf(this.#settings.clock.now())) return false;
    const block = this.#usable();
    if (block === null || block.next > allowance(block.limit, share)) return false;
    this.#use();
    return true;
  }

  /** The block, unless it is used up or lapsed. */
  #usable(): Block | null {
    if (this.#block !== null && (this.#block.next > this.#block.last || !this.#holds(this.#block))) this.#giveUpBlock();
    return this.#block;
  }

  #use(): void {
    if (this.#block === null) return;
    this.#block.next++;
    if (this.#block.booked) return;
    this.#owe(1);
    const { window } = this.#block;
    this.#unasked = { window, calls: (this.#unasked.window === window ? this.#unasked.calls : 0) + 1 };
  }

  /** What is left of a booked block goes back with the next request of the same minute. */
  #giveUpBlock(): void {
    const block = this.#block;
    this.#block = null;
    if (block?.booked && block.window === windowOf(this.#settings.clock.now())) this.#owe(block.next - block.last - 1);
  }

  /** Until when the last answers refuse this share; null when they do not. */
  #refusedUntil(share: number): number | null {
    const window = windowOf(this.#settings.clock.now());
    if (this.#throttled?.window === window) return endOfWindow(window);
    const refusal = this.#refusal;
    if (refusal === null || !this.#holds(refusal)) return null;
    return refusal.taken >= allowance(refusal.limit, share) ? endOfWindow(refusal.window) : null;
  }

  #owe(calls: number): void {
    const window = windowOf(this.#settings.clock.now());
    this.#owed = { window, calls: (this.#owed.window === window ? this.#owed.calls : 0) + calls };
  }

  #owedNow(): number {
    return this.#owed.window === windowOf(this.#settings.clock.now()) ? this.#owed.calls : 0;
  }

  /** What a row of `window` must hear. Nothing goes back into another minute than it was taken from. */
  #owedIn(window: number, wall: number): number {
    if (this.#owed.window !== windowOf(wall)) return 0;
    return this.#owed.window === window ? this.#owed.calls : Math.max(0, this.#owed.calls);
  }

  #untold(): boolean {
    return this.#throttled?.told === false;
  }

  #storeJustFailed(): boolean {
    return this.#failed !== null && this.#holds(this.#failed);
  }

  #holds({ since, window }: { since: Moment; window: number }): boolean {
    const now = this.#now();
    const age = now.wall - since.wall;
    return age >= 0 && age < LAPSE_MS && now.monotonic - since.monotonic < LAPSE_MS && windowOf(now.wall) <= window;
  }

  #now(): Moment {
    const { clock } = this.#settings;
    return { wall: clock.now(), monotonic: clock.monotonicMs() };
  }

  async #inTime<Value>(answer: Promise<Value>): Promise<Value> {
    const answered = new AbortController();
    const late = this.#settings.clock.sleep(STORE_WAIT_MS, answered.signal).then(() => {
      throw new StoreFailure("unavailable", "no answer in time");
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      answered.abort();
    }
  }
}
