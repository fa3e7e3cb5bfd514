// A process of the program in virtual time: each of its calls takes its time, may be lost, and meets all others in between.
import { StoreFailure, type Tables } from "../../shared/ports/tables.ts";
import type { Dice, Schedule } from "./schedule.ts";

/** What all processes of a run share. */
export interface ProcessSurroundings {
  readonly schedule: Schedule;
  readonly dice: Dice;
  readonly tables: Tables;
  /** How likely each kind of trouble is at a call; changed while the run goes on. */
  readonly trouble: Trouble;
  readonly tell: (line: string) => void;
  /** Told of every trouble that comes, and how long it lasts. */
  readonly onTrouble?: (kind: string, lastsMs: number) => void;
}

/** Chances per call. */
export interface Trouble {
  /** The process stops for longer than its lock lives. */
  freeze: number;
  /** The process dies: what it awaits never comes. */
  death: number;
  lostBefore: number;
  lostAfter: number;
  /** The reply is lost, and the effect comes later. */
  late: number;
  throttled: number;
  /** A reading is some seconds old. */
  stale: number;
}

export const NO_TROUBLE: Trouble = {
  freeze: 0,
  death: 0,
  lostBefore: 0,
  lostAfter: 0,
  late: 0,
  throttled: 0,
  stale: 0,
};

const FREEZE_MS = [13_000, 90_000] as const;
const LATE_MS = [1_000, 55_000] as const;

export type Service = "ecs" | "tables" | "trail" | "logs";

/** A call about to be made. */
export interface ProcessCall {
  readonly name: string;
  readonly service: Service;
  readonly isWrite: boolean;
}

/** What becomes of a call, and of who makes it. */
export type Fate = "answered" | "dies before" | "dies after" | "lost before" | "lost after" | "late" | "throttled";

/** Whoever calls the cloud: a process of the program, or a person. */
export class MortalProcess {
  readonly name: string;
  /** Resolves when the process dies. */
  readonly died: Promise<void>;
  isDead = false;
  /** True to have every batch of writes go in two halves, the later one first. */
  isSplitting = false;
  #frozenUntil = 0;
  #die: () => void = () => undefined;
  readonly #around: ProcessSurroundings;

  constructor(name: string, around: ProcessSurroundings) {
    this.name = name;
    this.#around = around;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /** Runs what reaches this process, once it is not frozen; never when it is dead. */
  #reach(ms: number, run: () => void): void {
    const { schedule } = this.#around;
    schedule.after(ms, () => {
      if (this.isDead) return;
      const left = this.#frozenUntil - schedule.elapsed;
      if (left > 0) this.#reach(left, run);
      else run();
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#reach(ms, resolve));
  }

  /** What becomes of a call: up to chance, unless a test decides it. */
  fate: (call: ProcessCall) => Fate = ({ service, isWrite }) => {
    const { dice, trouble } = this.#around;
    const comes = (chance: number): boolean => chance > 0 && dice.happens(chance);
    if (comes(trouble.death)) return "dies before";
    if (service === "ecs" && comes(trouble.throttled)) return "throttled";
    if (comes(trouble.lostBefore)) return "lost before";
    if (service === "ecs" && isWrite && comes(trouble.late)) return "late";
    return comes(trouble.lostAfter) ? "lost after" : "answered";
  };

  /** One call, from its sending to its answer. `lose` makes the error that says nobody knows. */
  call<T>(
    name: string,
    service: Service,
    isWrite: boolean,
    act: () => T | Promise<T>,
    lose: (kind: "unknown" | "throttled") => Error,
  ): Promise<T> {
    const { dice, schedule, tell, onTrouble } = this.#around;
    const fate = this.fate({ name, service, isWrite });
    if (fate !== "answered") {
      tell(`${this.name} ${name}: ${fate}`);
      onTrouble?.(fate, fate === "late" ? LATE_MS[1] : 0);
    }
    if (fate === "dies before") this.#end();
    this.#mayFreeze(name);
    return new Promise<T>((resolve, reject) => {
      const answer = (outcome: { readonly value: T | Promise<T> } | { readonly error: unknown }): void => {
        this.#mayFreeze(name);
        this.#reach(dice.between(0, 12), () => {
          if ("value" in outcome) resolve(outcome.value);
          else reject(outcome.error);
        });
      };
      const effect = (): { readonly value: T | Promise<T> } | { readonly error: unknown } => {
        try {
          const value = act();
          // A failure that nobody is left to hear.
          if (value instanceof Promise) value.catch(() => undefined);
          tell(`${this.name} ${name}`);
          return { value };
        } catch (error) {
          tell(`${this.name} ${name}: ${(error as Error).message}`);
          return { error };
        }
      };
      const arrive = (): void => {
        if (fate === "late") schedule.after(dice.between(...LATE_MS), effect);
        const isDone = fate !== "throttled" && fate !== "late" && fate !== "lost before";
        const outcome = isDone ? effect() : { error: lose(fate === "throttled" ? "throttled" : "unknown") };
        if (fate === "dies after") this.#end();
        answer(fate === "lost after" ? { error: lose("unknown") } : outcome);
      };
      // Sending is the process's own doing; from then on the call is on its way, whatever becomes of the process.
      this.#reach(dice.between(0, 5), () => {
        schedule.after(dice.happens(0.01) ? dice.between(100, 3000) : dice.between(1, 12), arrive);
      });
    });
  }

  #end(): void {
    this.isDead = true;
    this.#die();
  }

  #mayFreeze(name: string): void {
    const { dice, trouble, tell } = this.#around;
    if (trouble.freeze === 0 || !dice.happens(trouble.freeze)) return;
    const ms = dice.between(...FREEZE_MS);
    tell(`${this.name} is frozen at ${name} for ${ms} ms`);
    this.#around.onTrouble?.("frozen", ms);
    this.freeze(ms);
  }

  /** Stops the process for so long; what it has sent is on its way all the same. */
  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#around.schedule.elapsed + ms);
  }

  /** The tables as this process reaches them. */
  tables(): Tables {
    const { tables } = this.#around;
    const named = <T>(name: string, isWrite: boolean, act: () => Promise<T>): Promise<T> =>
      // What the tables in memory do is done when they answer.
      this.call(
        name,
        "tables",
        isWrite,
        () => act(),
        () => new StoreFailure("unavailable", name),
      );
    return {
      get: (table, key) => named(`get ${table}`, false, () => tables.get(table, key)),
      put: (table, key, ...rest) => named(`put ${table} ${key.join("/")}`, true, () => tables.put(table, key, ...rest)),
      update: (table, key, ...rest) => named(`update ${table}`, true, () => tables.update(table, key, ...rest)),
      delete: (table, key, ...rest) =>
        named(`delete ${table} ${key.join("/")}`, true, () => tables.delete(table, key, ...rest)),
      range: (query) => named(`range ${query.table}`, false, () => tables.range(query)),
      writeAll: async (writes) => {
        // The service takes them in any order, and a process may die half-way.
        const half = Math.ceil(writes.length / 2);
        const isSplit = writes.length > 1 && (this.isSplitting || this.#around.dice.happens(0.2));
        const parts = isSplit ? [writes.slice(half), writes.slice(0, half)] : [writes];
        for (const part of parts)
          await named(`write ${part.map((it) => `${it.kind} ${it.table} ${it.key.join("/")}`).join(", ")}`, true, () =>
            tables.writeAll(part),
          );
      },
      createTables: (schemas) => named("create tables", true, () => tables.createTables(schemas)),
    };
  }
}
