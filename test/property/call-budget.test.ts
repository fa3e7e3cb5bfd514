// Laws of the call budget over several instances: any order of calls, replies, conflicts, freezes and ends of minutes.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { CloudClock, nextTurn } from "../../local/clock.ts";
import { seededRandom } from "../../local/random.ts";
import { type CallBudgetGate, callBudget } from "../../shared/adapters/alibaba/call-budget.ts";
import { windowOf } from "../../shared/domain/call-budget.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { type CallPriority, CloudFailure } from "../../shared/ports/firewall.ts";
import { StoreFailure, type Tables } from "../../shared/ports/tables.ts";
import { tableBudgets } from "../../shared/store/budget.ts";
import { schemas } from "../../shared/store/tables.ts";
import { memoryTables } from "../kit/memory-tables.ts";

const LIMIT = 40;
const INSTANCES = 4;
const priorities: readonly CallPriority[] = ["lockdown", "end", "open", "drift", "inventory"];
const exempt = (priority: CallPriority): boolean => priority === "lockdown" || priority === "end";

type Step =
  | { readonly kind: "calls"; readonly instance: number; readonly priority: CallPriority; readonly times: number }
  | { readonly kind: "replies"; readonly times: number }
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "throttled" | "settle"; readonly instance: number }
  | { readonly kind: "jump"; readonly instance: number; readonly ms: number }
  | { readonly kind: "store"; readonly works: boolean };

const instance = fc.nat(INSTANCES - 1);
const calls = fc.record({
  kind: fc.constant("calls" as const),
  instance,
  priority: fc.constantFrom(...priorities),
  times: fc.integer({ min: 1, max: 25 }),
});
const replies = fc.record({ kind: fc.constant("replies" as const), times: fc.integer({ min: 1, max: 12 }) });
const time = (...most: number[]) =>
  fc.record({ kind: fc.constant("time" as const), ms: fc.oneof(...most.map((max) => fc.nat(max))) });
const settle = fc.record({ kind: fc.constant("settle" as const), instance });
const throttled = fc.record({ kind: fc.constant("throttled" as const), instance });
const jump = fc.record({ kind: fc.constant("jump" as const), instance, ms: fc.integer({ min: -90_000, max: 90_000 }) });
const store = fc.record({ kind: fc.constant("store" as const), works: fc.boolean() });

interface Call {
  readonly instance: number;
  readonly priority: CallPriority;
  readonly window: number;
}

/** Several instances over one store that answers when told to, in any order. */
class World {
  readonly clock = new CloudClock({ startMs: Date.parse("2026-11-05T08:00:00Z") });
  readonly made: Call[] = [];
  readonly tables = memoryTables(schemas);
  works = true;
  readonly #offsets = Array.from({ length: INSTANCES }, () => 0);
  readonly #gates: readonly CallBudgetGate[];
  readonly #running = new Set<Promise<void>>();
  readonly #scheduler: fc.Scheduler;

  constructor(scheduler: fc.Scheduler, limit: number) {
    this.#scheduler = scheduler;
    const answer = async <Value>(work: () => Promise<Value>): Promise<Value> => {
      await scheduler.schedule(Promise.resolve());
      if (!this.works) throw new StoreFailure("unavailable", "down");
      const value = await work();
      await scheduler.schedule(Promise.resolve());
      return value;
    };
    const tables: Tables = {
      ...this.tables,
      get: (...args) => answer(() => this.tables.get(...args)),
      put: (...args) => answer(() => this.tables.put(...args)),
    };
    this.#gates = this.#offsets.map((_, index) =>
      callBudget({
        clock: this.#clockOf(index),
        random: seededRandom(`budget ${index}`),
        log: { write: () => undefined },
        budgets: tableBudgets(tables),
        callsPerMinute: limit,
      }),
    );
  }

  #clockOf(index: number): Clock {
    return {
      now: () => this.clock.now() + (this.#offsets[index] ?? 0),
      monotonicMs: () => this.clock.monotonicMs(),
      sleep: (ms, signal) => this.clock.sleep(ms, signal),
    };
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
    // Everything ends: with replies and time no caller is left waiting.
    for (let n = 0; n < 500 && this.#running.size > 0; n++) {
      await this.#step({ kind: "replies", times: 50 });
      await this.#step({ kind: "time", ms: 50 });
    }
    expect(this.#running.size).toBe(0);
  }

  async #step(step: Step): Promise<void> {
    switch (step.kind) {
      case "calls":
        for (let n = 0; n < step.times; n++) this.#call(step.instance, step.priority);
        break;
      case "replies":
        for (let n = 0; n < step.times && this.#scheduler.count() > 0; n++) {
          await this.#scheduler.waitOne();
          await nextTurn();
        }
        break;
      case "time":
        await this.clock.advance(step.ms);
        break;
      case "throttled":
        this.#gates[step.instance]?.throttled("r", "A");
        break;
      case "settle":
        this.#track(this.#gates[step.instance]?.settle());
        break;
      case "jump":
        this.#offsets[step.instance] = step.ms;
        break;
      case "store":
        this.works = step.works;
        break;
    }
    await nextTurn();
  }

  #call(index: number, priority: CallPriority): void {
    const note = (): void => {
      this.made.push({ instance: index, priority, window: windowOf(this.clock.now()) });
    };
    let admitted: Promise<void> | void;
    try {
      admitted = this.#gates[index]?.admit("r", "A", priority);
    } catch (error) {
      this.#refused(priority, error);
      return;
    }
    // An end that gets a promise has waited: for the store or for nothing.
    if (exempt(priority)) expect(admitted).toBeUndefined();
    if (admitted === undefined) note();
    else this.#track(admitted.then(note, (error) => this.#refused(priority, error)));
  }

  #refused(priority: CallPriority, error: unknown): void {
    expect(exempt(priority)).toBe(false);
    expect(error).toMatchObject({ kind: "throttled", cloudCode: null });
    expect(error).toBeInstanceOf(CloudFailure);
  }

  #track(work: Promise<void> | undefined): void {
    if (work === undefined) return;
    const running = work.finally(() => this.#running.delete(running));
    running.catch(() => undefined);
    this.#running.add(running);
  }

  /** Calls of some priorities in the fullest minute. */
  most(...counted: CallPriority[]): number {
    const perWindow = new Map<number, number>();
    for (const { window, priority } of this.made)
      if (counted.includes(priority)) perWindow.set(window, (perWindow.get(window) ?? 0) + 1);
    return Math.max(0, ...perWindow.values());
  }
}

it("no minute sees more calls than the shares allow, over all instances and with a store that answers", async () => {
  // The store answers within its second here: time moves little while a reply is due.
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: calls }, replies, settle), { maxLength: 12 });
  const turns = fc.array(fc.tuple(steps, fc.oneof(fc.nat(900), fc.nat(15_000), fc.nat(70_000))), { maxLength: 8 });
  let fullest = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), turns, async (scheduler, all) => {
      const world = new World(scheduler, LIMIT);
      for (const [some, ms] of all) {
        await world.run(some);
        await world.run([{ kind: "time", ms }]);
      }
      expect(world.most("open", "drift", "inventory")).toBeLessThanOrEqual(LIMIT * 0.85);
      expect(world.most("drift", "inventory")).toBeLessThanOrEqual(LIMIT * 0.7);
      expect(world.most("inventory")).toBeLessThanOrEqual(LIMIT * 0.5);
      fullest = Math.max(fullest, world.most("open", "drift", "inventory"));
    }),
    { numRuns: 150 },
  );
  // Otherwise the law would hold for a budget that admits nothing.
  expect(fullest).toBe(LIMIT * 0.85);
});

it("slow, failing and frozen stores add at most a quarter for each instance", async () => {
  const step = fc.oneof({ weight: 3, arbitrary: calls }, replies, settle, throttled, store, time(900, 15_000, 70_000));
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 40 }), async (scheduler, steps) => {
      const world = new World(scheduler, LIMIT);
      await world.run(steps);
      const most = LIMIT * 0.85 + INSTANCES * Math.floor((LIMIT / 4) * 0.85);
      expect(world.most("open", "drift", "inventory")).toBeLessThanOrEqual(most);
    }),
    { numRuns: 150 },
  );
});

it("whatever clocks and store do, ends go at once, refusals say throttled, and every caller gets an answer", async () => {
  const step = fc.oneof(calls, replies, settle, throttled, store, jump, time(900, 15_000, 70_000));
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 40 }), async (scheduler, steps) => {
      await new World(scheduler, LIMIT).run(steps);
    }),
    { numRuns: 150 },
  );
});
