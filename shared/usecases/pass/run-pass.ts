// A pass: one reconcile of one group. Reads, plans, writes down, calls and reads back, until nothing is left to do.
import type { EntryId, GroupRef, LeaseId } from "../../domain/ids.ts";
import type { Entry, IntendedRule } from "../../domain/ledger-entry.ts";
import type { Mode } from "../../domain/mode.ts";
import type { Rule } from "../../domain/rule.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { type Plan, planGroup } from "../../plan/plan-group.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { Write } from "../../ports/tables.ts";
import { dueDelete, dueDrift, dueGroup, dueWrite } from "../../store/due.ts";
import { intentDelete, listIntents } from "../../store/intents.ts";
import { listEntries } from "../../store/ledger.ts";
import { acquireLock, type Lock } from "../../store/lock.ts";
import { readMode } from "../../store/mode.ts";
import { type RecordedChange, writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { isStateKnown } from "../operation/own-state.ts";
import { overdueRules } from "./overdue-rules.ts";
import { PassCalls } from "./pass-calls.ts";
import { PassDrift } from "./pass-drift.ts";
import { PassIntents } from "./pass-intents.ts";
import { PassLeases } from "./pass-leases.ts";
import { PassOpenings } from "./pass-openings.ts";
import type { PassOptions, PassReport } from "./pass-report.ts";
import { recoverDrop } from "./recover-drop.ts";
import { recoverLease } from "./recover-lease.ts";

const ROUNDS_MAX = 6;
const REREAD_BASE_MS = 150;
/** With the next tick a group is looked at again of whose ledger a row cannot be read: nobody knows what is due for it by then. */
const UNREADABLE_AGAIN_MS = 45_000;

/** The entries of a group, and the ids of rows that cannot be read. */
type Ledger = Awaited<ReturnType<typeof listEntries>>;
/** The rules of a group as they were read at an instant; without a digest those of a group that is gone. */
interface Reading {
  readonly at: number;
  readonly rules: readonly Rule[];
  readonly digest: string | null;
}
/** What a pass begins with: the open intents of the group, the ids of those that cannot be read, and the first reading. */
type Begun = Awaited<ReturnType<typeof listIntents>> & { readonly first: Reading };

/**
 * Runs a pass, or answers null when somebody else holds the group's lock. Throws CloudFailure when the group cannot be read; and
 * STATE_UNREADABLE where it is to be compared and nobody can read how it is guarded, once what ends has ended.
 */
export async function runPass(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  const { lockMs, lockMarginMs: marginMs } = app.settings;
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const terms = { holder, lockMs, marginMs };
  const lock = await acquireLock(app.tables, app.clock, group.groupId, terms, options.lockRow);
  if (!lock) return null;
  try {
    const [stateKnown, { intents, unreadable }, { mode }, reading] = await Promise.all([
      options.stateKnown ?? isStateKnown(app),
      listIntents(app.tables, group),
      readMode(app.tables),
      // What differs is judged by what was written before it was read.
      options.drift ? null : readGroup(app, group, options.priority),
    ]);
    // Without its own policy nobody knows how the group is guarded.
    const isCompared = options.drift && stateKnown && !options.policy.isStandIn;
    const run = async (drift: PassDrift | null, its: PassOptions): Promise<PassReport> => {
      const first = reading ?? (await readGroup(app, group, options.priority));
      const begun = { intents, unreadable, first };
      return await new Pass(app, group, { ...its, stateKnown, mode }, lock, begun, drift).run();
    };
    if (!isCompared) return await run(null, options);
    let drift: PassDrift | null;
    try {
      drift = await PassDrift.read(app, group, options.policy);
    } catch (error) {
      // How the group is guarded nobody knows until somebody puts that right, and the rows stay until then. What ends does not wait for it.
      if (isUnreadable(error)) await run(null, { ...options, rows: [] });
      throw error;
    }
    return await run(drift, options);
  } finally {
    await lock.release().catch(() => undefined);
  }
}

class Pass {
  private readonly app: App;
  private readonly group: GroupRef;
  private readonly options: PassOptions & { readonly stateKnown: boolean; readonly mode: Mode };
  private readonly lock: Lock;
  private readonly intents: PassIntents;
  private readonly calls: PassCalls;
  private readonly leases: PassLeases;
  private readonly openings: PassOpenings;
  private readonly drift: PassDrift | null;
  private readonly lines: string[] = [];
  private readonly findings = new Set<string>();
  private entries: readonly Entry[] = [];
  /** As the last reading has shown them. */
  private rules: readonly Rule[] = [];
  /** Ids of ledger rows that cannot be read. */
  private unreadable: ReadonlySet<string> = new Set();
  /** Ids of intents that cannot be read. While there are any, nothing is done in the group but what ends. */
  private unreadIntents: readonly string[];
  private isHalfRead = false;
  /** Instants that have a due row already. */
  private readonly booked = new Set<number>();
  /** Of the last reading; null for a group that is gone. */
  private digest: string | null = null;
  private recovered = 0;
  private leftBehind = false;
  private seen: ReadonlyMap<EntryId, Entry> = new Map();
  private readonly first: Reading;

  constructor(
    app: App,
    group: GroupRef,
    options: Pass["options"],
    lock: Lock,
    { intents, unreadable, first }: Begun,
    drift: PassDrift | null,
  ) {
    this.drift = drift;
    this.app = app;
    this.first = first;
    this.group = group;
    this.options = options;
    this.lock = lock;
    this.intents = new PassIntents(app, group, lock, intents);
    this.unreadIntents = unreadable;
    this.calls = new PassCalls(app, this.intents, {
      group,
      lock,
      priority: options.priority,
      limits: options.policy.limits,
      ruleOf: (ruleId) => this.rules.find((rule) => rule.id === ruleId) ?? null,
      rulesOfOurs: () => this.entries.filter((entry) => entry.standing.kind === "ours").length,
      say: (lines) => this.lines.push(...lines),
    });
    this.leases = new PassLeases(app, lock.fence);
    this.openings = new PassOpenings(app, group, options, { calls: this.calls, leases: this.leases });
  }

  async run(): Promise<PassReport> {
    const { app, group, calls } = this;
    let held: ReadonlySet<LeaseId> = new Set();
    let plan: Plan | null = null;
    let converged = false;
    let isFirst = false;
    let known: Ledger | null = null;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // The reading comes first: an entry is older than its rule, so every rule of ours that is read finds its entry.
      const {
        rules,
        at: readAt,
        digest,
      } = round === 0 ? this.first : await readGroup(app, group, this.options.priority);
      this.rules = rules;
      this.digest = digest;
      // Whoever has the lock now books before it revokes, and enters that before its intent goes: read in between, either tells of it.
      const isAlone = this.lock.isHeld();
      if (!isAlone) {
        const stored = await listIntents(app.tables, group);
        this.intents.learn(stored.intents);
        this.unreadIntents = stored.unreadable;
      }
      // Nobody but this pass has opened anything since it read the ledger; what others have entered is for their own passes.
      const ledger: Ledger = isAlone && known !== null ? known : await listEntries(app.tables, group);
      known = null;
      const { entries, unreadable } = ledger;
      this.entries = entries;
      this.unreadable = new Set(unreadable);
      this.isHalfRead = unreadable.length > 0 || this.unreadIntents.length > 0;
      for (const id of this.unreadIntents)
        this.findings.add(`the intent ${id} cannot be read: nothing but what ends is done here until it can`);
      for (const id of unreadable) this.findings.add(`the ledger row ${id} cannot be read; its rule ends by its mark`);
      if (round === 0) held = leasesOf(this.entries);
      if (round === 0 && !this.options.stateKnown) await this.leases.bookEnds(group, entries, readAt);
      plan = await this.plan(rules, readAt);
      this.leftBehind ||= plan.leftBehind;
      if (await this.giveWay()) continue;
      if (await this.writeDown(plan, readAt)) continue;
      if (plan.calls.length === 0) {
        // Holders that have just ended leave something to remove or to settle.
        if (plan.patches.some((patch) => patch.ends !== "none" && !patch.settled)) continue;
        converged = plan.readAgainAt === null;
        isFirst = converged && round === 0;
        if (converged) break;
      }
      if (!this.mayCall()) break;
      const worth = calls.worthTrying(plan.calls);
      if (worth.length > 0) {
        // What is opened for a time has to be closed, should this process die: these rows are there before the calls.
        await this.bookLooks(plan.lookAt);
        await calls.perform(worth);
        if (this.isLedgerLeft(plan)) known = ledger;
      } else if (plan.readAgainAt !== null) {
        await app.clock.sleep(Math.max(1, plan.readAgainAt - app.clock.now()));
      } else if (plan.calls.some((call) => calls.hasSucceeded(call))) {
        // Done, but the reading is stale: look again a little later.
        await app.clock.sleep(REREAD_BASE_MS * 2 ** round * (1 + app.random.fraction()));
      } else break;
    }
    // Everything else is done by now; the due rows stay, and bring the next pass.
    if (this.leases.untold !== null) throw this.leases.untold;
    const report = await this.finish(plan, converged, held);
    if (isFirst) await this.settle();
    return report;
  }

  /**
   * The very first reading asked for nothing: as long as it stays the same, the full pass may leave the group out. Not while anything
   * of the plan came from elsewhere than the group, its ledger and due rows.
   */
  private async settle(): Promise<void> {
    const { drift, digest, entries, intents } = this;
    const isAlone =
      this.options.mode === "normal" && !this.openings.hasFacts && !this.isHalfRead && intents.open.length === 0;
    if (drift === null || digest === null || !isAlone || entries.some(isHeld)) return;
    await drift.settle(digest, entries);
  }

  /** True where the round has written nothing into the ledger as it was read. */
  private isLedgerLeft({ recovered }: Plan): boolean {
    return recovered.length === 0 && this.drift === null && !this.leases.hasEntered;
  }

  private mayCall(): boolean {
    return this.lock.isHeld() && this.app.clock.monotonicMs() < this.options.deadlineAt;
  }

  private async plan(rules: readonly Rule[], readAt: number): Promise<Plan> {
    const { installation, markSecret, lateEffectMaxMs } = this.app.settings;
    const { policy } = this.options;
    const now = this.app.clock.now();
    const { entries, refusals } = await this.openings.judge(rules, this.entries, now);
    this.entries = entries;
    const { waits } = this.openings;
    const overdue = await overdueRules(this.app, this.group, this.options.rows, {
      entries,
      unreadable: this.unreadable,
    });
    const planned = (): Plan =>
      planGroup({
        now,
        readAt,
        readSince: this.first.at,
        group: this.group,
        rules,
        entries: this.entries,
        unreadable: this.unreadable,
        overdue,
        intents: this.intents.open,
        stateKnown: this.options.stateKnown,
        installation,
        markSecret,
        lateEffectMaxMs,
        hasUnreadIntents: this.unreadIntents.length > 0,
        mode: this.unreadIntents.length > 0 ? "halt" : this.options.mode,
        refusals,
        waits,
        doubted: this.leases.doubted,
        revoked: this.calls.revoked,
        accepted: this.calls.accepted,
        restated: this.calls.restated,
        undone: { max: policy.drift.revertsMax, withinMs: policy.drift.revertsWithinMs },
        watch: this.drift?.watch(this.entries, this.isHalfRead, now) ?? null,
      });
    const first = planned();
    const plan = (await this.drift?.countHosts(first.drift)) ? planned() : first;
    for (const finding of plan.findings) this.findings.add(finding);
    return plan;
  }

  /** Answers true when rows of this group have changed and the plan is out of date. */
  private async giveWay(): Promise<boolean> {
    if (!this.mayCall()) return false;
    const { isChanged, lines } = await this.openings.giveWay(this.entries, this.app.clock.now());
    this.lines.push(...lines);
    return isChanged;
  }

  /** Books what a reading has shown. Answers true when a row had changed meanwhile and the plan is out of date. */
  private async writeDown(plan: Plan, readAt: number): Promise<boolean> {
    const { app, group } = this;
    const now = app.clock.now();
    for (const { rule, mark } of plan.recovered) {
      const recover = rule.policy === "drop" ? recoverDrop : recoverLease;
      const holderId = await recover(app, group, rule, mark.until, now);
      if (holderId === null) continue;
      this.recovered += 1;
      this.lines.push(`the rule ${rule.id} was booked again as ${holderId} from its mark`);
    }
    const before = this.entries;
    // Whoever has the lock now may have begun the same rollback, as an item of its own.
    const isTooLate = plan.drift.reverts.length > 0 && !this.lock.isHeld();
    const moved = this.drift !== null && !isTooLate && (await this.drift.writeDown(plan.drift, before, now));
    const { stale, entries } = await this.leases.writeDown(plan.patches, before, now);
    this.seen = entries;
    const isReadBack = ({ entryId }: IntendedRule): boolean =>
      this.calls.cleared.has(entryId) || (entries.get(entryId)?.standing.kind ?? "none") !== "none";
    if (!stale && !moved) this.intents.read(readAt, isReadBack);
    return stale || moved;
  }

  /** Has the group looked at again, and compared again where this pass does. */
  private async bookLooks(instants: readonly number[]): Promise<void> {
    const { app, group, booked } = this;
    const now = app.clock.now();
    const fresh = [...new Set(instants)].filter((at) => !booked.has(at));
    const row = this.drift ? dueDrift : dueGroup;
    const rows = fresh.map((at) => dueWrite(row(group, Math.max(at, now + 1000), app.settings.shards)));
    if (rows.length > 0) await app.tables.writeAll(rows);
    for (const at of fresh) booked.add(at);
    // Open hours end to the second, like leases, where wake-ups are on.
    if (this.entries.some((entry) => entry.allocation?.openHours))
      await inParallel(fresh, (at) => app.wakeup.arm(dueGroup(group, at, app.settings.shards).shard, at));
  }

  /** Writes what is left: looks still to come, then the record, and once that is there, what is over. */
  private async finish(plan: Plan | null, converged: boolean, held: ReadonlySet<LeaseId>): Promise<PassReport> {
    const { app, group, options } = this;
    const { closed, opened, statuses } = this.leases;
    const now = app.clock.now();
    const isUnsettled = (leaseId: LeaseId): boolean =>
      !closed.has(leaseId) && (!converged || statuses.get(leaseId)?.state !== "open");
    const unsettled = new Set([...held].filter(isUnsettled));
    // What may still act is looked at when it no longer can. These rows are there before any row goes.
    const quietAt = this.intents.quietAt();
    // Whoever came after a pass that was frozen may not know of an item that it stored so late, nor may anybody have come to begin a rollback.
    const isLeft = this.drift?.hasStored === true || (plan?.drift.reverts.length ?? 0) > 0;
    await this.bookLooks([
      ...(plan?.lookAt ?? []),
      ...(quietAt === null ? [] : [quietAt]),
      ...(this.unreadable.size === 0 ? [] : [now + UNREADABLE_AGAIN_MS]),
      ...(this.lock.isHeld() || !isLeft ? [] : [now]),
    ]);
    if (this.leftBehind && this.drift === null)
      await app.tables.writeAll([dueWrite(dueDrift(group, now + 1000, app.settings.shards))]);

    const isSettled = converged && unsettled.size === 0;
    // What an attempt that nobody can read may still do is looked for until somebody can.
    const own = this.unreadIntents.length > 0 ? [] : options.rows;
    const rowsDone = own.filter((row) =>
      row.kind === "group" || row.kind === "drift"
        ? // What was lost is recovered first, and the policy has to be read: until then nothing is compared, and the row stays.
          isSettled && (row.kind === "group" || (options.stateKnown && !options.policy.isStandIn))
        : held.has(row.id as LeaseId) && !unsettled.has(row.id as LeaseId),
    );
    const done = [
      ...this.lines,
      ...this.intents.outcomes,
      ...[...closed.keys()].map((leaseId) => `${leaseId} has ended`),
      ...this.findings,
      ...(this.drift?.lines ?? []),
    ];
    const lines = done.length > 0 ? [...(options.says ?? []), ...done] : done;
    const { cause, actor, from, policy } = options;
    const decided = [...(options.decidedBy === undefined ? [] : [options.decidedBy]), ...(this.drift?.decidedBy ?? [])];
    const decidedBy = decided.length === 0 ? undefined : decided.join("; ");
    const record = {
      ...{ at: now, group, cause, actor, from, policyVersion: policy.version, decidedBy, lines },
      changes: [...this.calls.changed, ...leaseChanges(this.leases)],
    };
    if (this.calls.isEndRefused)
      app.log.write("error", `a lease of ${group.groupId} is past its end and the cloud refuses to close it`);
    // Rows written together may come in any order, and not all of them: without its intent nobody would record what a call has done.
    if (lines.length > 0) await writeRecord(app, record);
    // Whoever was frozen past its lock may not know of the last attempt of an intent: what is over is left to the next pass.
    const mayDelete = this.lock.isHeld() || this.intents.over.length === 0;
    if (!mayDelete) await this.bookLooks([app.clock.now()]);
    const writes: Write[] = [...(mayDelete ? this.intents.over : []).map(intentDelete), ...rowsDone.map(dueDelete)];
    if (writes.length > 0) await app.tables.writeAll(writes);
    return {
      closed: [...closed].map(([leaseId, ruleIds]) => ({ leaseId, ruleIds })),
      opened: [...opened],
      unsettled,
      held: new Set([...held].filter((leaseId) => !this.leases.partial.has(leaseId))),
      statuses,
      recovered: this.recovered,
      entries: this.seen,
      refusals: new Map([...this.calls.unwritten, ...this.calls.refusals]),
      rules: this.rules,
      gaveWay: this.openings.gaveWay,
      rowsLeft: options.rows.length - rowsDone.length,
      endRefused: this.calls.isEndRefused,
      lines,
    };
  }
}

async function readGroup(app: App, group: GroupRef, priority: PassOptions["priority"]): Promise<Reading> {
  const at = app.clock.now();
  try {
    return { at, ...(await app.firewall.readGroup(group, priority)) };
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return { at, rules: [], digest: null };
    throw error;
  }
}

function leaseChanges({ opened, closed, statuses }: PassLeases): readonly RecordedChange[] {
  const ended = [...closed.keys()].map((leaseId) => {
    const status = statuses.get(leaseId);
    const before = status?.openedAt === null ? "opening" : "open";
    return { what: `lease ${leaseId}`, before, after: status?.state ?? "closed" };
  });
  return [...[...opened].map((leaseId) => ({ what: `lease ${leaseId}`, before: "opening", after: "open" })), ...ended];
}

const leasesOf = (entries: readonly Entry[]): ReadonlySet<LeaseId> =>
  new Set(entries.flatMap((entry) => entry.holders.flatMap((it) => (it.kind === "lease" ? [it.holderId] : []))));

/** True for what changes with time or by somebody's word, besides what people grant for good. */
const isHeld = ({ holders, suspension, allocation }: Entry): boolean =>
  holders.length > 0 || suspension !== null || (allocation !== null && allocation.openHours !== null);
