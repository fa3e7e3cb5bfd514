// One simulated account: the embedded ECS and its trail, the program's processes on it, and the people who change it meanwhile.
import type { KeptEvents } from "../../local/services/actiontrail/kept-events.ts";
import type { EcsRule } from "../../local/services/ecs/model.ts";
import type { EcsInProcess } from "../../local/services/ecs/start-ecs.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { GroupRef } from "../../shared/domain/ids.ts";
import type { Role } from "../../shared/domain/permission.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import { readAuditEvent } from "../../shared/events/audit-event.ts";
import type { AddressLists } from "../../shared/ports/address-lists.ts";
import type { Firewall } from "../../shared/ports/firewall.ts";
import type { SendOutcome } from "../../shared/ports/notifier.ts";
import type { Row, StoreFailure, TableName, Tables } from "../../shared/ports/tables.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { lookAtEvent } from "../../shared/usecases/drift/look-at-event.ts";
import { memoryTables } from "../kit/memory-tables.ts";
import { NO_TROUBLE, type Trouble } from "../kit/mortal-process.ts";
import { Dice, Schedule } from "../kit/schedule.ts";
import { freshCounts } from "./counts.ts";
import { EventBus } from "./event-bus.ts";
import { overtakes } from "./fallen-back.ts";
import { SimFlowLog } from "./flow-log.ts";
import { KnownAllocations } from "./known-allocations.ts";
import { KnownHours } from "./known-hours.ts";
import { KnownLockdowns } from "./known-lockdowns.ts";
import { KnownRecycling } from "./known-recycling.ts";
import { type Grant, type ObservedCall, type SentCall, wordsOf } from "./observed.ts";
import { ACCOUNT_ID, type AccountPart, DOCUMENT, GROUPS, type Person, REGION, SETTINGS } from "./sim-account.ts";
import { createCloud } from "./sim-cloud.ts";
import { DEADLINE_MS, SimPlatform } from "./sim-platform.ts";
import { SimPolicy } from "./sim-policy.ts";
import { SimProcess, type SimSurroundings } from "./sim-process.ts";
import { type UnreadableRow, UnreadableRows } from "./unreadable-rows.ts";
import { type RowWrite, watchedTables } from "./watched-tables.ts";
import { FAIR, type Weather } from "./weather.ts";

const START_MS = Date.UTC(2026, 10, 20, 8, 0, 0);
const MINUTE_MS = 60_000;
const WATCHED: ReadonlySet<TableName> = new Set(["lease", "lock", "group", "recycling", "lockdown", "drift"]);
/** What a mode has kept back is looked at again within so long. */
const MODE_AGAIN_MS = 5 * MINUTE_MS;

/** What must never happen and did, with the checker that saw it. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
  readonly at: number;
}

/** What the program has thrown. */
export interface Failure {
  readonly error: unknown;
  /** The work that it ended; null where nobody awaited it. */
  readonly during: string | null;
}

export class SimWorld {
  readonly seed: string;
  readonly dice: Dice;
  readonly schedule = new Schedule(START_MS);
  readonly tables: Tables = watchedTables(memoryTables(schemas), WATCHED, (write) => {
    if (overtakes(write)) this.overtaken.add(String(write.key[1]));
    for (const watch of this.watchers.written) watch(write);
  });
  readonly platform: SimPlatform;
  readonly policies: SimPolicy;
  readonly ecs: EcsInProcess;
  readonly grants: Grant[] = [];
  /** Words of rules that stood in the baseline, by group. */
  readonly baseline = new Map<string, Set<string>>();
  /** Words of rules that the program has no business with, by group. */
  readonly untouchable = new Map<string, Set<string>>();
  readonly violations: Violation[] = [];
  readonly trace: string[] = [];
  readonly counts = freshCounts();
  /** What a pipeline that the policy trusts has last said of rules of the enforced group, by their words. */
  readonly pipeline = new Map<string, "stands" | "gone" | "unknown">();
  /** Groups in whose ledger a change was announced over another that was under way. */
  readonly overtaken = new Set<string>();
  /** Who has written each rule first, what it said then, and the id that it had before it was closed for a lockdown; by rule id. */
  readonly born = new Map<string, { readonly who: string; readonly words: string; readonly formerId?: string }>();
  /** Ids of rules that somebody changed before any pass could have read them: from then on nothing in the cloud tells whose they were. */
  readonly unknown = new Set<string>();
  readonly lockdowns = new KnownLockdowns({ now: () => this.now(), troubledAt: () => this.troubledAt() });
  readonly recycling = new KnownRecycling({ now: () => this.now(), tables: this.tables });
  readonly allocations = new KnownAllocations(() => this.now());
  readonly hours = new KnownHours(() => this.now());
  /** Null where the account keeps none. */
  readonly flowLog: SimFlowLog | null;
  readonly bus: EventBus;
  /** Whether lists for lockdowns are switched on. */
  hasLists = true;
  /** When a stranger last changed a list; endless while one does. */
  meddledAt = Number.NEGATIVE_INFINITY;
  /** Tables that cannot be used, and how that is answered. */
  readonly failing = new Map<TableName, StoreFailure["kind"]>();
  /** What intents said that could not be read afterwards. */
  readonly unreadableIntents: string[] = [];
  readonly unreadable = new UnreadableRows();
  /** Until when the program is told to do less; endless while it is. */
  lessUntil = 0;
  readonly watchers: {
    readonly sent: ((call: SentCall) => void)[];
    readonly made: ((call: ObservedCall) => void)[];
    readonly minute: (() => void)[];
    readonly opened: ((grant: Grant) => void)[];
    readonly written: ((write: RowWrite) => void)[];
    readonly failed: ((failure: Failure) => void)[];
  } = { sent: [], made: [], minute: [], opened: [], written: [], failed: [] };
  /** When something last went wrong that the program may still be busy with; by the true clock. */
  disturbedAt = 0;
  readonly weather: Weather = { ...FAIR };
  readonly #away = new Map<"ecs" | "tables" | "trail", number>();
  readonly #kept: KeptEvents;
  readonly #isTraced: boolean;
  #tokens = 0;
  /** True once nothing goes wrong any more. */
  isCalm = false;

  constructor(
    seed: string,
    {
      isTraced = false,
      features = [],
    }: { readonly isTraced?: boolean; readonly features?: readonly AccountPart[] } = {},
  ) {
    this.seed = seed;
    this.#isTraced = isTraced;
    this.dice = new Dice(seed);
    this.platform = new SimPlatform({
      ...{ seed, dice: this.dice, schedule: this.schedule, weather: this.weather },
      surroundings: (trouble) => this.#surroundings(trouble),
      policy: () => this.policy,
      tell: (line) => this.tell(line),
      failed: (error, during) => this.failed({ error, during }),
      count: (kind) => this.count(kind),
      disturb: (kind, lastsMs) => this.disturb(kind, lastsMs),
      onTick: () => {
        this.counts.ticks += 1;
      },
      onMinute: () => this.#minute(),
    });
    const document = policySchema.parse(Object.assign({}, DOCUMENT, ...features.map((it) => it.policy)));
    const written = policyOf(document, 1, REGION);
    const policy = features.reduce((it, { terms }) => terms?.(it, seed) ?? it, written);
    this.policies = new SimPolicy(
      policy,
      () => this.now(),
      (line) => this.tell(line),
    );
    const { schedule, dice } = this;
    this.bus = new EventBus({
      ...{ dice, schedule, weather: this.weather, tell: (line) => this.tell(line) },
      onFault: (kind) => this.disturb(kind, 0),
      handOver: (event) => {
        this.counts.events += 1;
        void this.platform.start("event", (app) => this.#handOver(app, event));
      },
    });
    const cloud = createCloud(seed, schedule, features, (event) => this.bus.told(event));
    this.ecs = cloud.ecs;
    this.#kept = cloud.kept;
    this.flowLog = features.some((it) => it.hasFlowLog) ? new SimFlowLog(seed, () => this.now()) : null;
    for (const { groupId } of GROUPS) {
      this.baseline.set(groupId, new Set());
      this.untouchable.set(groupId, new Set());
    }
  }

  /** The true time. */
  now(): number {
    return START_MS + Math.round(this.schedule.elapsed);
  }

  /** In force now. */
  get policy(): Policy {
    return this.policies.policy;
  }

  tell(line: string): void {
    this.counts.calls += 1;
    if (this.#isTraced) this.trace.push(`${(this.schedule.elapsed / 1000).toFixed(3).padStart(11)} ${line}`);
  }

  violated(checker: string, text: string): void {
    this.tell(`VIOLATED ${checker}: ${text}`);
    this.violations.push({ checker, text, at: this.schedule.elapsed });
  }

  failed(failure: Failure): void {
    for (const watch of this.watchers.failed) watch(failure);
  }

  setWeather(weather: Partial<Weather>): void {
    Object.assign(this.weather, FAIR, weather);
    if (weather.storeAway === undefined) this.#away.clear();
  }

  /** What goes wrong without keeping the program from anything. */
  count(kind: string): void {
    this.counts.faults.set(kind, (this.counts.faults.get(kind) ?? 0) + 1);
  }

  disturb(kind: string, lastsMs: number): void {
    this.count(kind);
    this.disturbedAt = Math.max(this.disturbedAt, this.now() + lastsMs);
  }

  #surroundings(trouble: Trouble): SimSurroundings {
    const { schedule, dice, tables, ecs } = this;
    return {
      ...{ schedule, dice, tables, ecs, trouble, settings: SETTINGS },
      flowLog: this.flowLog,
      onStale: () => this.count("stale reading"),
      hasLists: () => this.hasLists,
      tell: (line) => this.tell(line),
      onTrouble: (kind, lastsMs) => this.disturb(kind, lastsMs),
      isHollow: () => {
        if (!this.dice.happens(this.weather.hollow)) return false;
        this.disturb("hollow success", 0);
        return true;
      },
      onArm: (call, delayMs) => this.platform.arm(call, delayMs),
      kept: (eventId) => this.#kept.between(0, this.now(), this.now()).find((event) => event["eventId"] === eventId),
      onSend: (call) => {
        for (const watch of this.watchers.sent) watch(call);
      },
      onCall: (call) => this.#called(call),
      notice: () => this.#notice(trouble),
      failing: trouble === this.weather ? this.failing : new Map(),
      isAway: (service) => (this.#away.get(service) ?? 0) > this.now() && trouble === this.weather,
    };
  }

  /** What becomes of a message to people. */
  #notice(trouble: Trouble): SendOutcome {
    if (trouble !== this.weather || !this.dice.happens(this.weather.lostNotice)) return { kind: "sent" };
    this.disturb("lost notice", 0);
    const why = "the simulation has it so";
    return this.dice.pick<SendOutcome>([
      { kind: "refused", why },
      { kind: "busy", why, retryAfterMs: 90_000 },
      { kind: "unreached", why },
    ]);
  }

  #called(call: ObservedCall): void {
    const known = new Set(call.before.map((rule) => rule.ruleId));
    for (const rule of call.after)
      if (!known.has(rule.ruleId)) {
        const words = wordsOf(rule);
        // What is given back after a lockdown is whose it was.
        const former = call.who === "safeport" ? this.lockdowns.toGiveBack(call.groupId, words) : undefined;
        this.born.set(rule.ruleId, {
          who: former?.owner ?? call.who,
          words,
          ...(former && { formerId: former.ruleId }),
        });
      }
    if (call.who === "safeport" && call.before !== call.after) this.counts.changes += 1;
    this.#noteUnknown(call);
    for (const watch of this.watchers.made) watch(call);
    this.recycling.note(call);
    this.allocations.note(call);
    this.hours.note(call);
    this.lockdowns.noteClosed(call, (rule) => this.#writerOf(call.groupId, rule));
  }

  #noteUnknown({ who, groupId, before, after }: ObservedCall): void {
    if (who === "safeport" || before === after) return;
    const now = new Map(after.map((rule) => [rule.ruleId, rule]));
    const changed = before.filter((rule) => now.has(rule.ruleId) && now.get(rule.ruleId) !== rule);
    if (changed.length === 0) return;
    void this.tables.range({ table: "ledger", from: [groupId], to: [groupId, "~"], limit: 5000 }).then(({ rows }) => {
      for (const { ruleId } of changed)
        if (!rows.some(({ columns }) => JSON.stringify(columns).includes(ruleId))) this.unknown.add(ruleId);
    });
  }

  /**
   * Who has written a rule first, or has made another of one that nobody knew yet or that the program had put back for its owner; undefined
   * before the run.
   */
  #writerOf(groupId: string, rule: EcsRule): string | undefined {
    const born = this.born.get(rule.ruleId);
    if (born === undefined || born.words === wordsOf(rule)) return born?.who;
    if (this.unknown.has(rule.ruleId)) return "whoever changed it";
    const wasPutBack = this.baseline.get(groupId)?.has(born.words) || this.allocations.wasAsked(groupId, born.words);
    return born.who === "safeport" && wasPutBack ? "whoever changed it" : born.who;
  }

  /** The ids under which a rule has stood: each time that it is given back after a lockdown it has a new one. */
  idsOf(ruleId: string): readonly string[] {
    const formerId = this.born.get(ruleId)?.formerId;
    return formerId === undefined ? [ruleId] : [ruleId, ...this.idsOf(formerId)];
  }

  /**
   * When something last kept the program from what it has to do, a mode included; by the true clock. Of rows that could not be read only those
   * that matter.
   */
  troubledAt(matters: (row: UnreadableRow) => boolean = () => true): number {
    return Math.max(this.disturbedAt, this.unreadable.until(matters), this.lessUntil + MODE_AGAIN_MS);
  }

  /** A row, as it is before, cannot be read for so long: its column `column` is broken. */
  noteUnreadable(table: TableName, row: Row, column: string, ms: number): void {
    this.count("unreadable row");
    this.unreadable.note(table, row, this.now() + ms);
    if (table === "intent") this.unreadableIntents.push(String(row.columns[column]));
  }

  /** A person with a key of their own; the network treats them well. */
  person(name: Person): { readonly firewall: Firewall; readonly lists: AddressLists; token(): string } {
    const around = this.#surroundings({ ...NO_TROUBLE });
    const machine = new SimProcess(name, around, { who: name, accessKeyId: `ak-${name}`, isProgram: false });
    return { firewall: machine.firewall(), lists: machine.lists(), token: () => `${name}-${++this.#tokens}` };
  }

  /** A call of a person for which the program has no adapter. */
  async callAs(name: Person, operation: string, params: Readonly<Record<string, string>>): Promise<void> {
    const outcome = await this.ecs.answer({
      ...{ operation, version: "2014-05-26", accessKeyId: `ak-${name}`, params: { RegionId: REGION, ...params } },
      ...{ clientAddress: "203.0.113.98", userAgent: "simulation" },
    });
    this.tell(`${name} ${operation} ${outcome.kind === "drop" ? "lost" : outcome.status}`);
  }

  /** Who makes a request, under the policy in force now. Each try is a request of its own: it goes by the policy of its own time. */
  asker(principal: string, role: Role = "requester"): Caller {
    return { principal, roles: [role], scopes: [], policy: this.policy };
  }

  #minute(): void {
    const { dice, weather } = this;
    if (dice.happens(weather.storeAway)) this.#goAway("tables");
    if (dice.happens(weather.cloudAway)) this.#goAway("ecs");
    for (const watch of this.watchers.minute) watch();
  }

  #goAway(service: "ecs" | "tables"): void {
    const ms = this.dice.between(5_000, 240_000);
    this.disturb(`${service} away`, ms);
    this.tell(`${service} is away for ${ms} ms`);
    this.#away.set(service, this.now() + ms);
  }

  async #handOver(app: App, event: string): Promise<void> {
    const deadlineAt = app.clock.monotonicMs() + DEADLINE_MS;
    for (const record of readAuditEvent(event))
      await lookAtEvent(app, record, { accountId: ACCOUNT_ID, policy: this.policy, deadlineAt });
  }

  /** True for a drop of the program's on a list that is empty: it stops nobody. */
  isStandby({ ruleId, policy, sourcePrefixListId }: EcsRule): boolean {
    if (policy !== "Drop" || sourcePrefixListId === "" || this.born.get(ruleId)?.who !== "safeport") return false;
    return this.ecs.lists().some(({ listId, entries }) => listId === sourcePrefixListId && entries.length === 0);
  }

  rules(group: GroupRef): readonly EcsRule[] {
    return this.ecs.groups().find((it) => it.groupId === group.groupId)?.rules ?? [];
  }
}
