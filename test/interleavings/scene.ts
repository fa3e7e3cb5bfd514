// One run: an account, the processes of the program that come and go on it, and the people who change it meanwhile.
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { GroupId, GroupRef, LeaseId, RuleId } from "../../shared/domain/ids.ts";
import type { Notice } from "../../shared/domain/notice.ts";
import type { Role } from "../../shared/domain/permission.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { Firewall } from "../../shared/ports/firewall.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App, Caller as Asker } from "../../shared/usecases/app.ts";
import { lookAtEvent } from "../../shared/usecases/drift/look-at-event.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { memoryTables } from "../kit/memory-tables.ts";
import { NO_TROUBLE, type Trouble } from "../kit/mortal-process.ts";
import { aSpec, fromCidr, somePorts } from "../kit/rules.ts";
import { Dice, Schedule } from "../kit/schedule.ts";
import { ACCOUNT_ID, type Change, MemoryAccount, REGION, type TrailRecord } from "./memory-account.ts";
import { Caller, type Surroundings } from "./memory-process.ts";

const START_MS = Date.UTC(2026, 10, 20, 8, 0, 0);

/** Enforced, its baseline confirmed. */
export const WEB: GroupRef = { region: REGION, groupId: "sg-web" as GroupId };
/** Not guarded. */
export const APP: GroupRef = { region: REGION, groupId: "sg-app" as GroupId };

const DOCUMENT = {
  defaultTarget: "web",
  groups: { guards: { web: "enforce" } },
  lease: { priority: 1 },
  drift: { unknownWriterWait: 600 },
  foreignWriters: [{ name: "DMS", sources: ["100.104.0.0/16"] }],
  trustedPrincipals: [{ principal: "user/terraform", treat: "adopt" }],
};

/** A rule of the customer's: tcp, from a block, with a description. */
export const ruleOf = (port: number, source: string, priority = 1): RuleSpec =>
  aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source), priority });

/** What a person wants to find at the end, and answers when it is not so. */
export type Expectation = () => string | null | Promise<string | null>;

export interface SceneOptions {
  readonly isTraced?: boolean;
  /** Parts of the policy document instead of its own. */
  readonly document?: Readonly<Record<string, unknown>>;
  /** False where the test hands the records of `records` to the program itself. */
  readonly isDelivering?: boolean;
}

/** A lease that somebody was given, and the rule that it holds or rides on. */
export interface LeaseHeld {
  readonly leaseId: LeaseId;
  readonly group: GroupRef;
  readonly spec: RuleSpec;
  readonly rides: boolean;
}

export class Scene {
  readonly dice: Dice;
  readonly schedule = new Schedule(START_MS);
  readonly policy: Policy;
  readonly account: MemoryAccount;
  readonly tables: Tables = this.#noting(memoryTables(schemas));
  readonly expectations: Expectation[] = [];
  /** Of rules that are not the program's business, however far the group is guarded. */
  readonly always: Expectation[] = [];
  /** What must never happen and did. */
  readonly wrong: string[] = [];
  readonly trace: string[] = [];
  /** Leases that were opened. */
  readonly leases: LeaseHeld[] = [];
  /** Kinds of the notices that were written down. */
  readonly notices = new Set<string>();
  /** Calls of the program that changed a rule, with their instants. */
  readonly changes: (Change & { readonly at: number })[] = [];
  calls = 0;
  readonly #seed: string;
  readonly #isTraced: boolean;
  readonly #trail = new Map<string, TrailRecord>();
  readonly #trouble: Trouble = { ...NO_TROUBLE };
  readonly #processes: { readonly caller: Caller; readonly app: App }[] = [];
  /** Rules of people that the program has no business with, by group and key or id. */
  readonly #untouchable = new Set<string>();
  readonly #works = new Set<Promise<void>>();
  #born = 0;
  #tokens = 0;

  /** Records of calls, where the test delivers them itself. */
  readonly records: TrailRecord[] = [];
  readonly #isDelivering: boolean;

  constructor(seed: string, { isTraced = false, document = {}, isDelivering = true }: SceneOptions = {}) {
    this.#seed = seed;
    this.#isTraced = isTraced;
    this.#isDelivering = isDelivering;
    this.dice = new Dice(seed);
    this.policy = policyOf(policySchema.parse({ ...DOCUMENT, ...document }), 1, REGION);
    const clock = this.schedule.clock(() => Promise.resolve());
    this.account = new MemoryAccount(
      () => clock.now(),
      [
        { groupId: WEB.groupId, name: "web" },
        { groupId: APP.groupId, name: "app" },
      ],
    );
    this.account.onChange = (change) => this.#check(change);
    this.account.onRecord = (record) => this.#told(record);
  }

  tell(line: string): void {
    this.calls += 1;
    if (this.#isTraced) this.trace.push(`${(this.schedule.elapsed / 1000).toFixed(3).padStart(9)} ${line}`);
  }

  #noting(tables: Tables): Tables {
    const writeAll: Tables["writeAll"] = (writes) => {
      for (const one of writes)
        if (one.kind === "put" && one.table === "outbox")
          this.notices.add((JSON.parse(String(one.columns["body"])) as Notice).kind);
      return tables.writeAll(writes);
    };
    return { ...tables, writeAll };
  }

  setTrouble(trouble: Partial<Trouble>): void {
    Object.assign(this.#trouble, NO_TROUBLE, trouble);
  }

  #surroundings(trouble: Trouble): Surroundings {
    const { schedule, dice, account, tables } = this;
    return { schedule, dice, account, tables, trail: this.#trail, trouble, tell: (line) => this.tell(line) };
  }

  /** Some process of the program; those that have died are replaced. */
  process(): { readonly caller: Caller; readonly app: App } {
    const size = 3;
    const slot = this.dice.between(0, size - 1);
    const living = this.#processes[slot];
    if (living && !living.caller.isDead) return living;
    this.#born += 1;
    const caller = new Caller(`safeport-${this.#born}`, this.#surroundings(this.#trouble));
    const born = { caller, app: caller.app(`${this.#seed}/${this.#born}`) };
    this.#processes[slot] = born;
    return born;
  }

  /** A process of its own that only the caller uses; nothing troubles it but what the caller does to it. */
  newProcess(): { readonly caller: Caller; readonly app: App } {
    this.#born += 1;
    const caller = new Caller(`safeport-${this.#born}`, this.#surroundings({ ...NO_TROUBLE }));
    return { caller, app: caller.app(`${this.#seed}/${this.#born}`) };
  }

  quietApp(): App {
    return this.newProcess().app;
  }

  asker(principal: string, role: Role = "admin"): Asker {
    return { principal, roles: [role], scopes: [], policy: this.policy };
  }

  /** A person with a key of their own; the network treats them well. */
  person(name: string): { readonly firewall: Firewall; token(): string } {
    const firewall = new Caller(name, this.#surroundings({ ...NO_TROUBLE })).firewall();
    return { firewall, token: () => `${name}-${++this.#tokens}` };
  }

  /** Time passes between two moves of somebody: mostly no more than a few calls of the others. */
  async pause(): Promise<void> {
    const { dice, schedule } = this;
    const ms = dice.pick([dice.between(0, 40), dice.between(0, 400), dice.between(0, 3000), dice.between(0, 20_000)]);
    await schedule.sleep(ms);
  }

  /** Work of the program on some process. When it fails or its process dies, the platform has another one try again. */
  start(name: string, work: (app: App) => Promise<unknown>, tries = 4): Promise<boolean> {
    const task = this.#attempt(name, work, tries);
    const tracked = task.then(() => undefined);
    this.#works.add(tracked);
    void tracked.then(() => this.#works.delete(tracked));
    return task;
  }

  async #attempt(name: string, work: (app: App) => Promise<unknown>, tries: number): Promise<boolean> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const { caller, app } = this.process();
      const ended = work(app).then(
        () => true,
        (error: Error) => {
          this.tell(`${caller.name} ${name} fails: ${error.message}`);
          return false;
        },
      );
      if (await Promise.race([ended, caller.died.then(() => false)])) return true;
      await this.schedule.sleep(this.dice.between(1000, 10_000));
    }
    return false;
  }

  /** Waits for all work that was started. */
  async rest(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works);
  }

  look(name: string): void {
    const deadline = (app: App) => app.clock.monotonicMs() + 45_000;
    void this.start(
      name,
      (app) => sweep(app, { policy: this.policy, cause: name, deadlineAt: deadline(app), jobs: allJobs }),
      1,
    );
  }

  /** The rule is somebody's that the program has no business with from now on. */
  guardRule(ref: GroupRef, spec: RuleSpec): void {
    this.#untouchable.add(`${ref.groupId} ${ruleKey(spec)}`);
  }

  rule(ref: GroupRef, spec: RuleSpec): (Rule & { readonly id: RuleId }) | undefined {
    const key = ruleKey(spec);
    return this.account
      .rules(ref.groupId)
      .find((rule): rule is Rule & { readonly id: RuleId } => rule.id !== null && ruleKey(rule) === key);
  }

  #check(change: Change): void {
    if (change.who !== "safeport") return;
    this.changes.push({ ...change, at: START_MS + this.schedule.elapsed });
    const rules = this.account.rules(change.ref.groupId).filter((rule) => rule.id && change.ruleIds.includes(rule.id));
    for (const rule of rules)
      if (this.#untouchable.has(`${change.ref.groupId} ${ruleKey(rule)}`))
        this.wrong.push(`the program has made ${change.kind} on ${ruleKey(rule)}, which is not its business`);
  }

  /** The trail has a record some time after the call, and events tell of it some time after, once or more often. */
  #told(record: TrailRecord): void {
    const { schedule, dice } = this;
    if (!this.#isDelivering) {
      this.#trail.set(record.eventId, record);
      this.records.push(record);
      return;
    }
    schedule.after(dice.between(0, 30_000), () => this.#trail.set(record.eventId, record));
    const times = dice.happens(0.2) ? 3 : 1;
    for (let n = 0; n < times; n++) {
      const delay = dice.happens(0.2) ? dice.between(5000, 60_000) : dice.between(0, 3000);
      schedule.after(delay, () => void this.start(record.eventId, (app) => this.deliver(app, record)));
    }
  }

  deliver(app: App, record: TrailRecord): Promise<unknown> {
    const deadlineAt = app.clock.monotonicMs() + 45_000;
    return lookAtEvent(app, record, { accountId: ACCOUNT_ID, policy: this.policy, deadlineAt });
  }
}
