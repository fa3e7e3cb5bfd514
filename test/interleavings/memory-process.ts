// A process of the program on an account in memory: each of its calls takes its time, may be lost, and meets all others in between.
import { seededRandom } from "../../local/random.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { CloudFailure, type Firewall, type Inventory } from "../../shared/ports/firewall.ts";
import { StoreFailure, type Tables } from "../../shared/ports/tables.ts";
import type { Trail } from "../../shared/ports/trail.ts";
import type { App, Settings } from "../../shared/usecases/app.ts";
import { type Change, type MemoryAccount, readingOf, type TrailRecord } from "./memory-account.ts";
import type { Dice, Schedule } from "./schedule.ts";

export const settings: Settings = {
  installation: "test",
  markSecret: "0123456789abcdef0123456789abcdef",
  lateEffectMaxMs: 60_000,
  lockMs: 30_000,
  lockMarginMs: 12_000,
  answerWithinMs: 10_000,
  skewMaxMs: 5_000,
  shards: 1,
  fullPassGroups: 5000,
};

/** What all processes of a run share. */
export interface Surroundings {
  readonly schedule: Schedule;
  readonly dice: Dice;
  readonly account: MemoryAccount;
  readonly tables: Tables;
  /** What the trail can be asked for by now. */
  readonly trail: ReadonlyMap<string, TrailRecord>;
  /** How likely each kind of trouble is at a call; changed while the run goes on. */
  readonly trouble: Trouble;
  readonly tell: (line: string) => void;
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
const STALE_MS = 20_000;

export type Service = "ecs" | "tables" | "trail";

/** A call about to be made. */
export interface ProcessCall {
  readonly name: string;
  readonly service: Service;
  readonly isWrite: boolean;
}

/** What becomes of a call, and of who makes it. */
export type Fate = "answered" | "dies before" | "dies after" | "lost before" | "lost after" | "late" | "throttled";

/** Whoever calls the cloud: a process of the program, or a person. */
export class Caller {
  readonly name: string;
  /** Resolves when the process dies. */
  readonly died: Promise<void>;
  isDead = false;
  /** True to have every batch of writes go in two halves. */
  isSplitting = false;
  #frozenUntil = 0;
  #die: () => void = () => undefined;
  readonly #around: Surroundings;
  #pasts: readonly { readonly at: number; readonly rules: ReadonlyMap<GroupId, readonly Rule[]> }[] = [];

  constructor(name: string, around: Surroundings) {
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
    act: () => T,
    lose: (kind: "unknown" | "throttled") => Error,
  ): Promise<T> {
    const { dice, schedule, tell } = this.#around;
    const fate = this.fate({ name, service, isWrite });
    if (fate !== "answered") tell(`${this.name} ${name}: ${fate}`);
    if (fate === "dies before") this.#end();
    this.#mayFreeze(name);
    return new Promise<T>((resolve, reject) => {
      const answer = (outcome: { readonly value: T } | { readonly error: unknown }): void => {
        this.#mayFreeze(name);
        this.#reach(dice.between(0, 12), () => {
          if ("value" in outcome) resolve(outcome.value);
          else reject(outcome.error);
        });
      };
      const effect = (): { readonly value: T } | { readonly error: unknown } => {
        try {
          const value = act();
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
    const { dice, trouble, schedule, tell } = this.#around;
    if (trouble.freeze === 0 || !dice.happens(trouble.freeze)) return;
    const ms = dice.between(...FREEZE_MS);
    tell(`${this.name} is frozen at ${name} for ${ms} ms`);
    this.#frozenUntil = Math.max(this.#frozenUntil, schedule.elapsed + ms);
  }

  firewall(): Firewall {
    const { account } = this.#around;
    const read = <T>(name: string, act: () => T): Promise<T> => this.call(name, "ecs", false, act, ecsLoss(name));
    const change = (wanted: Omit<Change, "who">): Promise<void> => {
      const name = `${wanted.kind} ${wanted.ref.groupId} ${describe(wanted)}`;
      return this.call(
        name,
        "ecs",
        true,
        () => account.change({ ...wanted, who: this.name.split("-")[0] ?? "" }),
        ecsLoss(name),
      );
    };
    return {
      readGroup: (ref) =>
        read(`read ${ref.groupId}`, () => {
          const rules = this.#rulesOf(ref.groupId);
          return { ref, vpcId: "vpc-1", innerAccessPolicy: "accept", rules, digest: digestOf(rules) };
        }),
      glance: (ref, { digest, mark }) =>
        read(`glance ${ref.groupId}`, () => {
          const rules = this.#rulesOf(ref.groupId);
          if (digestOf(rules) === digest) return { kind: "same" };
          return { kind: "other", marked: rules.some((rule) => rule.description.startsWith(mark)) };
        }),
      authorize: (ref, rules, token) => change({ ref, kind: "authorize", rules, ruleIds: [], token }),
      revoke: (ref, ruleIds, token) => change({ ref, kind: "revoke", rules: [], ruleIds, token }),
      modify: (ref, ruleId, rule, token) => change({ ref, kind: "modify", rules: [rule], ruleIds: [ruleId], token }),
      skewMs: () => 0,
    };
  }

  #rulesOf(groupId: GroupId): readonly Rule[] {
    const { account, dice, trouble, schedule, tell } = this.#around;
    const now = schedule.elapsed;
    const rules = new Map(account.facts().map(({ ref }) => [ref.groupId, account.rules(ref.groupId)]));
    this.#pasts = [...this.#pasts.filter(({ at }) => at > now - STALE_MS), { at: now, rules }].slice(-20);
    if (trouble.stale > 0 && dice.happens(trouble.stale)) {
      const past = dice.pick(this.#pasts);
      tell(`${this.name} reads ${groupId} as it was ${now - past.at} ms ago`);
      return past.rules.get(groupId) ?? [];
    }
    return rules.get(groupId) ?? account.rules(groupId);
  }

  inventory(): Inventory {
    const { account } = this.#around;
    const read = <T>(name: string, act: () => T): Promise<T> => this.call(name, "ecs", false, act, ecsLoss(name));
    const of = (groupId: GroupId) => account.members().filter((member) => member.groupIds.includes(groupId));
    return {
      listGroups: () => read("list groups", () => account.facts()),
      groupPage: () => read("list groups", () => ({ groups: account.facts(), next: null })),
      group: (ref) => read("group", () => account.facts().find((it) => it.ref.groupId === ref.groupId) ?? null),
      members: (ref) => read("members", () => of(ref.groupId)),
      serviceMembers: () => read("members", () => []),
      instance: (_region, id) => read("instance", () => account.members().filter((it) => it.instanceId === id)),
    };
  }

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
      ).then((it) => it);
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
        const halves = [writes.slice(0, half), writes.slice(half)];
        const isSplit = writes.length > 1 && (this.isSplitting || this.#around.dice.happens(0.2));
        const parts = !isSplit ? [writes] : this.isSplitting ? halves : halves.reverse();
        for (const part of parts)
          await named(`write ${part.map((it) => `${it.kind} ${it.table} ${it.key.join("/")}`).join(", ")}`, true, () =>
            tables.writeAll(part),
          );
      },
      createTables: (schemas) => named("create tables", true, () => tables.createTables(schemas)),
    };
  }

  trail(): Trail {
    const { trail, schedule } = this.#around;
    const clock = schedule.clock(() => Promise.resolve());
    return {
      read: (record, receivedAt) => readingOf(record as TrailRecord, receivedAt, false),
      lookUp: (_region, eventId) =>
        this.call(
          `look up ${eventId}`,
          "trail",
          false,
          () => {
            const record = trail.get(eventId);
            return record ? readingOf(record, clock.now(), true) : null;
          },
          ecsLoss("LookupEvents"),
        ),
    };
  }

  /** The program in this process. */
  app(seed: string): App {
    return {
      clock: this.#around.schedule.clock((ms) => this.sleep(ms)),
      random: seededRandom(seed),
      firewall: this.firewall(),
      inventory: this.inventory(),
      traffic: async () => ({}),
      metrics: async () => ({ publish: async () => ({ published: 0, calls: 0 }) }),
      trail: this.trail(),
      tables: this.tables(),
      wakeup: { arm: async () => undefined },
      notifier: { send: async () => ({ kind: "sent" }) },
      log: { write: () => undefined },
      settings,
    };
  }
}

const ecsLoss =
  (operation: string) =>
  (kind: "unknown" | "throttled"): Error =>
    new CloudFailure(kind, operation);

const describe = ({ rules, ruleIds }: Omit<Change, "who">): string =>
  [...ruleIds, ...rules.map(({ spec, description }) => `${ruleKey(spec)} "${description}"`)].join(" ");

const digestOf = (rules: readonly Rule[]): string =>
  rules.map((rule) => `${rule.id} ${ruleKey(rule)} ${rule.description}`).join("\n");
