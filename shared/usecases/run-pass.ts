// A pass: one reconcile of one group. The only place that calls Authorize, Modify or Revoke.
import type { EntryId, GroupRef, LeaseId, RuleId } from "../domain/ids.ts";
import type { LeaseStatus } from "../domain/lease-record.ts";
import type { Entry, IntendedRule, Intent } from "../domain/ledger-entry.ts";
import type { Policy } from "../domain/policy.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import { isHolding, mayStillAct, type Refusal } from "../plan/picture.ts";
import { applyPatch, type PlannedCall } from "../plan/plan-entry.ts";
import { type Plan, planGroup } from "../plan/plan-group.ts";
import { type CallPriority, CloudFailure, type Member } from "../ports/firewall.ts";
import type { Write } from "../ports/tables.ts";
import { type Due, dueDelete, dueGroup, dueLease, dueWrite, isInstalled } from "../store/due.ts";
import { intentDelete, intentWrite, listIntents } from "../store/intents.ts";
import { createLease, newLeaseId, writeStatus } from "../store/leases.ts";
import { deleteEntry, getEntry, listEntries, saveEntry } from "../store/ledger.ts";
import { acquireLock, type Lock, releaseLock } from "../store/lock.ts";
import { recordWrite } from "../store/records.ts";
import type { App } from "./app.ts";
import { type LeasePart, leaseStatus } from "./lease-status.ts";
import { isOpening, type OpenFacts, readOpenFacts, refusalsOf } from "./open-facts.ts";

export interface PassOptions {
  readonly cause: string;
  readonly actor: string;
  readonly policy: Policy;
  readonly priority: CallPriority;
  /** Monotonic instant after which no further change is started. */
  readonly deadlineAt: number;
  /** Due rows that brought the pass about; those whose lease or group is at rest after it are deleted. */
  readonly rows: readonly Due[];
  /** False when this installation's state is lost; looked up when absent. */
  readonly stateKnown?: boolean;
  /** Interfaces the caller already knows, where the leases to open name one instance. */
  readonly members?: readonly Member[];
}

/** What a pass saw and did. */
export interface PassReport {
  /** Leases that reached their final state in this pass, with the ids of their rules. */
  readonly closed: readonly { readonly leaseId: LeaseId; readonly ruleIds: readonly RuleId[] }[];
  readonly opened: readonly LeaseId[];
  /** Leases of the group that still need something: their due rows stay. */
  readonly unsettled: ReadonlySet<LeaseId>;
  /** All leases the ledger of the group held when the pass began. */
  readonly held: ReadonlySet<LeaseId>;
  /** Where the leases of the ledger stand. */
  readonly statuses: ReadonlyMap<LeaseId, LeaseStatus>;
  readonly recovered: number;
  /** How many of the due rows stay. */
  readonly rowsLeft: number;
  readonly lines: readonly string[];
}

const ROUNDS_MAX = 6;
const ATTEMPTS_MAX = 3;
const AUTHORIZE_BATCH = 20;
const REVOKE_BATCH = 100;
const REREAD_BASE_MS = 150;

const KNOWN_MS = 60_000;
const knownSince = new WeakMap<App, number>();

/** Whether this installation's state exists; that it does is remembered for a minute. */
async function isStateKnown(app: App): Promise<boolean> {
  const now = app.clock.monotonicMs();
  const since = knownSince.get(app);
  if (since !== undefined && now - since < KNOWN_MS) return true;
  const known = await isInstalled(app.tables, app.settings.installation);
  if (known) knownSince.set(app, now);
  return known;
}

/** Runs a pass, or answers null when somebody else holds the group's lock. Throws CloudFailure when the group cannot be read. */
export async function runPass(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  const { lockMs, lockMarginMs: marginMs } = app.settings;
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const lock = await acquireLock(app.tables, app.clock, group, { holder, lockMs, marginMs });
  if (!lock) return null;
  try {
    return await new Pass(app, group, options, lock).run();
  } finally {
    await releaseLock(app.tables, lock).catch(() => undefined);
  }
}

type Outcome = "done" | "unknown" | "refused" | "later" | "again";

class Pass {
  private readonly app: App;
  private readonly group: GroupRef;
  private readonly options: PassOptions;
  private readonly lock: Lock;
  private readonly lines: string[] = [];
  private readonly findings = new Set<string>();
  private readonly revoked = new Set<RuleId>();
  private readonly succeeded = new Set<string>();
  private readonly accepted = new Set<EntryId>();
  /** Intents whose authorize was answered with success and is not read back yet. */
  private readonly answered = new Set<string>();
  /** Intents of which an attempt may still take effect, whatever a later attempt was told. */
  private readonly uncertain = new Set<string>();
  /** Entries of which a rule was revoked. */
  private readonly cleared = new Set<EntryId>();
  private readonly attempts = new Map<string, number>();
  private readonly singly = new Set<EntryId>();
  private readonly refusals = new Map<EntryId, Refusal>();
  private readonly closed = new Map<LeaseId, RuleId[]>();
  private readonly opened = new Set<LeaseId>();
  /** Statuses this pass has written, as text. */
  private readonly statuses = new Map<LeaseId, string>();
  private readonly seen = new Map<LeaseId, LeaseStatus>();
  /** Intents that are over; deleted with the last write of the pass. */
  private readonly over: Intent[] = [];
  private intents: Intent[] = [];
  private entries: Entry[] = [];
  private facts: OpenFacts | null = null;
  private recovered = 0;
  private overdue = false;

  constructor(app: App, group: GroupRef, options: PassOptions, lock: Lock) {
    this.app = app;
    this.group = group;
    this.options = options;
    this.lock = lock;
  }

  async run(): Promise<PassReport> {
    const { app, group } = this;
    const [stateKnown, intents] = await Promise.all([
      this.options.stateKnown ?? isStateKnown(app),
      listIntents(app.tables, group),
    ]);
    this.intents = [...intents];
    for (const intent of intents) this.uncertain.add(intent.intentId);
    let held: ReadonlySet<LeaseId> = new Set();
    let plan: Plan | null = null;
    let converged = false;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // The reading comes first: an entry is older than its rule, so every rule of ours that is read finds its entry.
      const readAt = app.clock.now();
      const rules = await this.readRules();
      this.entries = [...(await listEntries(app.tables, group))];
      if (round === 0) held = new Set(this.entries.flatMap((entry) => entry.holders.map((it) => it.leaseId)));
      const now = app.clock.now();
      const refusals = await this.judgeOpenings(rules, now);
      plan = planGroup({
        now,
        group,
        rules,
        entries: this.entries,
        intents: this.intents,
        stateKnown,
        installation: app.settings.installation,
        markSecret: app.settings.markSecret,
        lateEffectMaxMs: app.settings.lateEffectMaxMs,
        refusals,
        revoked: this.revoked,
        accepted: this.accepted,
      });
      for (const finding of plan.findings) this.findings.add(finding);
      const replan = await this.writeDown(plan, readAt);
      if (replan) continue;
      if (plan.calls.length === 0) {
        // Holders that have just ended leave something to remove or to settle.
        if (plan.patches.some((patch) => patch.ends !== "none" && !patch.settled)) continue;
        converged = true;
        break;
      }
      if (!this.mayCall()) break;
      const calls = this.withinCeiling(plan.calls.filter((call) => this.isWorthTrying(call)));
      if (calls.length > 0) await this.perform(calls);
      else if (plan.calls.some((call) => this.succeeded.has(callName(call)))) {
        // Done, but the reading is stale: look again a little later.
        await app.clock.sleep(REREAD_BASE_MS * 2 ** round * (1 + app.random.fraction()));
      } else break;
    }
    return this.finish(plan, converged, held);
  }

  private async readRules() {
    try {
      return (await this.app.firewall.readGroup(this.group, this.options.priority)).rules;
    } catch (error) {
      if (error instanceof CloudFailure && error.kind === "groupGone") return [];
      throw error;
    }
  }

  private mayCall(): boolean {
    return this.lock.isHeld() && this.app.clock.monotonicMs() < this.options.deadlineAt;
  }

  private async judgeOpenings(
    rules: Awaited<ReturnType<Pass["readRules"]>>,
    now: number,
  ): Promise<ReadonlyMap<EntryId, Refusal>> {
    const opening = this.entries.some((entry) => isOpening(entry, now));
    if (!opening) return this.refusals;
    this.facts ??= await readOpenFacts(this.app, this.group, this.options.members);
    const { policy } = this.options;
    const picture = { ref: this.group, rules, entries: this.entries, facts: this.facts, policy };
    const found = refusalsOf(picture, now, this.app.firewall.skewMs(), this.app.settings.skewMaxMs);
    return new Map([...found, ...this.refusals]);
  }

  /** Books what a reading has shown. Answers true when a row had changed meanwhile and the plan is out of date. */
  private async writeDown(plan: Plan, readAt: number): Promise<boolean> {
    const { app } = this;
    const now = app.clock.now();
    for (const { rule, mark } of plan.recovered) await this.recover(rule, mark.until, now);

    const patched = new Map(
      plan.patches.map((patch) => [patch.entry.entryId, applyPatch(patch.entry, patch, now, new Set())]),
    );
    // A lease that ended in one of its rules has ended in all of them.
    const endings = new Map<LeaseId, NonNullable<Entry["holders"][number]["ended"]>>();
    for (const entry of patched.values())
      for (const it of entry.holders) if (it.ended) endings.set(it.leaseId, it.ended);
    const settledBy = new Map(plan.patches.map((patch) => [patch.entry.entryId, patch.settled]));
    const standingBefore = new Map(plan.patches.map((patch) => [patch.entry.entryId, patch.entry.standing]));
    const parts = new Map<LeaseId, LeasePart[]>();
    for (const entry of patched.values()) {
      const held = entry.holders.some((it) => isHolding(it, now) && !endings.has(it.leaseId));
      for (const it of entry.holders) {
        const ended = it.ended ?? endings.get(it.leaseId) ?? null;
        const done =
          ended !== null && (held || entry.standing.kind === "preExisting" || settledBy.get(entry.entryId) === true);
        parts.set(it.leaseId, [
          ...(parts.get(it.leaseId) ?? []),
          {
            entry,
            before: standingBefore.get(entry.entryId) ?? entry.standing,
            holder: { ...it, ended },
            done,
            shared: held,
          },
        ]);
      }
    }
    const final = new Set<LeaseId>();
    await inParallel([...parts], async ([leaseId, its]) => {
      const status = leaseStatus(its, now);
      if (status.closedAt !== null) {
        final.add(leaseId);
        this.closed.set(leaseId, [...status.ruleIds]);
      } else if (status.state === "open" && its.some((part) => part.holder.openedAt === now)) this.opened.add(leaseId);
      const before = its.every(({ entry }) =>
        this.entries.some((it) => it.entryId === entry.entryId && sameHolder(it, entry, leaseId)),
      );
      const text = JSON.stringify({ ...status, closedAt: null });
      this.seen.set(leaseId, status);
      // Leases are booked as opening, and an open one is rewritten only when something moved. Any other may be one that an earlier
      // pass left between two writes.
      if (before && (status.state === "open" || status.state === "opening")) return;
      if (this.statuses.get(leaseId) === text && status.closedAt === null) return;
      this.statuses.set(leaseId, text);
      await writeStatus(app.tables, leaseId, status, this.lock.fence);
    });

    let stale = false;
    await inParallel(plan.patches, async (patch) => {
      const change = (entry: Entry): Entry => {
        const next = applyPatch(entry, patch, now, final);
        const holders = next.holders.map((it) => ({ ...it, ended: it.ended ?? endings.get(it.leaseId) ?? null }));
        return { ...next, holders: holders.filter((it) => !final.has(it.leaseId)) };
      };
      const next = change(patch.entry);
      const empty = next.holders.length === 0 && (patch.settled || next.standing.kind === "preExisting");
      if (!empty && JSON.stringify(comparable(next)) === JSON.stringify(comparable(patch.entry))) return;
      if (empty ? await deleteEntry(app.tables, patch.entry) : await saveEntry(app.tables, next)) return;
      stale = true;
    });
    const readBack = ({ entryId }: IntendedRule): boolean =>
      this.cleared.has(entryId) || (patched.get(entryId)?.standing.kind ?? "none") !== "none";
    const done = this.intents.filter((intent) =>
      this.answered.has(intent.intentId) && !this.uncertain.has(intent.intentId)
        ? !stale && intent.rules.every(readBack)
        : readAt >= intent.attemptsEndAt + app.settings.lateEffectMaxMs,
    );
    this.over.push(...done);
    this.intents = this.intents.filter((intent) => !done.includes(intent));
    return stale;
  }

  /** Ends are exempt from the ceiling. */
  private withinCeiling(calls: readonly PlannedCall[]): readonly PlannedCall[] {
    const ends = calls.filter((call) => call.kind === "revoke");
    const rest = calls.filter((call) => call.kind !== "revoke");
    return [...ends, ...rest.slice(0, this.options.policy.limits.changesPerPass)];
  }

  private isWorthTrying(call: PlannedCall): boolean {
    const name = callName(call);
    return !this.succeeded.has(name) && (this.attempts.get(name) ?? 0) < ATTEMPTS_MAX;
  }

  private async perform(calls: readonly PlannedCall[]): Promise<void> {
    // Ends run first and alone: nothing that is opened may hold them up.
    const revokes = calls.filter((call) => call.kind === "revoke");
    const seen = revokes.filter((call) => call.seen);
    for (const batch of chunks(seen, REVOKE_BATCH)) await this.revoke(batch);
    for (const call of revokes.filter((it) => !it.seen)) await this.revoke([call]);
    await inParallel(
      calls.filter((call) => call.kind === "modify"),
      (call) => this.modify(call),
    );
    const authorizes = calls.filter((call) => call.kind === "authorize");
    const single = authorizes.filter((call) => this.singly.has(call.entry.entryId));
    const batches = [
      ...chunks(
        authorizes.filter((call) => !single.includes(call)),
        AUTHORIZE_BATCH,
      ),
      ...single.map((call) => [call]),
    ];
    await inParallel(batches, (batch) => this.authorize(batch), 4);
  }

  private async revoke(batch: readonly Extract<PlannedCall, { kind: "revoke" }>[]): Promise<void> {
    const ruleIds = batch.map((call) => call.ruleId);
    const intent = this.newIntent("revoke", [], ruleIds, batch[0]?.cause ?? "");
    const outcome = await this.call(intent, batch, "end", () =>
      this.app.firewall.revoke(this.group, ruleIds, intent.token, "end"),
    );
    if (outcome === "done" || outcome === "unknown") {
      // A reading decides about an unknown outcome: an id that is no longer shown is gone.
      if (outcome === "done" || batch.every((call) => !call.seen)) for (const id of ruleIds) this.revoked.add(id);
    }
    if (outcome === "done") for (const { entryId } of batch) if (entryId !== null) this.cleared.add(entryId);
    if (outcome === "refused") this.overdue = true;
  }

  private async modify(call: Extract<PlannedCall, { kind: "modify" }>): Promise<void> {
    const rule = { spec: call.entry.spec, description: call.description };
    const intended = { entryId: call.entry.entryId, ...rule, beforeIds: [] };
    const intent = this.newIntent("modify", [intended], [call.ruleId], call.cause);
    await this.call(intent, [call], "end", () =>
      this.app.firewall.modify(this.group, call.ruleId, rule, intent.token, "end"),
    );
  }

  private async authorize(batch: readonly Extract<PlannedCall, { kind: "authorize" }>[]): Promise<void> {
    const intended: IntendedRule[] = batch.map((call) => ({
      entryId: call.entry.entryId,
      spec: call.entry.spec,
      description: call.description,
      beforeIds: call.beforeIds,
    }));
    const intent = this.repeated(intended) ?? this.newIntent("authorize", intended, [], batch[0]?.cause ?? "");
    const outcome = await this.call(intent, batch, "open", () =>
      this.app.firewall.authorize(
        this.group,
        intent.rules,
        intent.token,
        this.options.priority === "end" ? "open" : this.options.priority,
      ),
    );
    if (outcome !== "again" && outcome !== "refused") return;
    if (batch.length > 1) {
      for (const call of batch) {
        this.singly.add(call.entry.entryId);
        this.attempts.delete(callName(call));
      }
    }
  }

  /** An open intent for just these rules: a retry reuses its token, marks and ends. */
  private repeated(intended: readonly IntendedRule[]): Intent | null {
    const names = (rules: readonly IntendedRule[]) =>
      JSON.stringify(rules.map((rule) => [rule.entryId, rule.description]).sort());
    const now = this.app.clock.now();
    const found = this.intents.find(
      (intent) =>
        intent.call === "authorize" &&
        mayStillAct(intent, now, this.app.settings.lateEffectMaxMs) &&
        names(intent.rules) === names(intended),
    );
    return found ? { ...found, attemptsEndAt: this.lock.expiresAt } : null;
  }

  private newIntent(
    call: Intent["call"],
    rules: readonly IntendedRule[],
    ruleIds: readonly RuleId[],
    cause: string,
  ): Intent {
    const id = Buffer.from(this.app.random.bytes(12)).toString("hex");
    const now = this.app.clock.now();
    return {
      group: this.group,
      intentId: id,
      call,
      token: `sp-${id}`,
      rules,
      ruleIds,
      cause,
      bookedAt: now,
      attemptsEndAt: this.lock.expiresAt,
    };
  }

  /** Books, calls and notes the outcome. Never throws for what the cloud answers. */
  private async call(
    intent: Intent,
    calls: readonly PlannedCall[],
    kind: "end" | "open",
    act: () => Promise<void>,
  ): Promise<Outcome> {
    const { app } = this;
    for (const call of calls) this.attempts.set(callName(call), (this.attempts.get(callName(call)) ?? 0) + 1);
    await this.keep(intent);
    if (!this.lock.isHeld()) return "later";
    try {
      await act();
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      return this.failed(intent, calls, kind, error);
    } finally {
      // A process that was frozen in the call has lost its lock: whatever the call did, somebody has to look.
      if (!this.lock.isHeld())
        await app.tables.writeAll([dueWrite(dueGroup(this.group, app.clock.now(), app.settings.shards))]);
    }
    for (const call of calls) {
      this.succeeded.add(callName(call));
      if (call.kind === "authorize") this.accepted.add(call.entry.entryId);
    }
    this.lines.push(...calls.map((call) => `${inWords(call)}: done`));
    // What an authorize has written is not known before it is read back.
    if (intent.call === "authorize") this.answered.add(intent.intentId);
    else await this.forget(intent);
    return "done";
  }

  private async failed(
    intent: Intent,
    calls: readonly PlannedCall[],
    kind: "end" | "open",
    error: CloudFailure,
  ): Promise<Outcome> {
    const said = error.cloudCode ?? error.kind;
    this.lines.push(...calls.map((call) => `${inWords(call)}: ${said}`));
    this.app.log.write("warn", `${error.operation} of ${this.group.groupId} failed`, {
      kind: error.kind,
      code: said,
      requestId: error.requestId,
    });
    switch (error.kind) {
      case "unknown": {
        this.uncertain.add(intent.intentId);
        await this.keep({ ...intent, attemptsEndAt: this.app.clock.now() });
        return "unknown";
      }
      case "throttled":
        await this.forget(intent);
        for (const call of calls) this.attempts.set(callName(call), ATTEMPTS_MAX);
        return "later";
      case "groupGone":
        await this.forget(intent);
        if (kind === "open")
          this.refuse(calls, "GROUP_UNKNOWN", { group: this.group.groupId, region: this.group.region });
        return "done";
      case "ruleGone":
        await this.forget(intent);
        // With one id gone nothing may be concluded of the others of a batch: the next reading tells.
        return calls.length === 1 ? "done" : "again";
      case "quota":
        await this.forget(intent);
        if (calls.length === 1) this.refuse(calls, "RULE_QUOTA_REACHED", this.quotaDetail());
        return "again";
      default:
        await this.forget(intent);
        if (kind === "open" && calls.length === 1) this.refuse(calls, "RULE_REFUSED", { cloudCode: said });
        return "refused";
    }
  }

  private quotaDetail(): Refusal["detail"] {
    const standing = this.entries.filter((entry) => entry.standing.kind === "ours").length;
    return {
      group: this.group.groupId,
      used: standing,
      max: this.options.policy.limits.rulesPerInterface - this.options.policy.limits.rulesKeptFree,
    };
  }

  private refuse(calls: readonly PlannedCall[], code: string, detail: Refusal["detail"]): void {
    for (const call of calls) if (call.kind === "authorize") this.refusals.set(call.entry.entryId, { code, detail });
  }

  /** Deletes the intent of an attempt whose outcome is known, unless an earlier attempt may still act. */
  private async forget(intent: Intent): Promise<void> {
    if (this.uncertain.has(intent.intentId)) {
      await this.keep({ ...intent, attemptsEndAt: this.app.clock.now() });
      return;
    }
    this.over.push(intent);
    this.intents = this.intents.filter((it) => it.intentId !== intent.intentId);
  }

  private async keep(intent: Intent): Promise<void> {
    await this.app.tables.writeAll([intentWrite(intent)]);
    this.intents = [...this.intents.filter((it) => it.intentId !== intent.intentId), intent];
  }

  /** Books a lease again from the mark of its rule. */
  private async recover(
    rule: Parameters<typeof ruleKey>[0] & { readonly id: RuleId | null },
    until: number,
    now: number,
  ): Promise<void> {
    const { app, group } = this;
    const key = ruleKey(rule);
    const entryId = entryIdOf(group.groupId, key);
    if (!rule.id || (await getEntry(app.tables, group, entryId))) return;
    const leaseId = newLeaseId(now, app.random);
    await app.tables.writeAll([dueWrite(dueLease(group, leaseId, until, app.settings.shards))]);
    const reason = "recovered from its mark";
    const { direction, protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
    const spec = { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
    const request = {
      leaseId,
      principal: "recovered",
      group,
      groupName: group.groupId,
      instanceId: null,
      specs: [spec],
      entryIds: [entryId],
      periodMs: until - now,
      reason,
      ticket: "",
      requestedAt: now,
    };
    const status = {
      state: "open" as const,
      until,
      openedAt: now,
      closedAt: null,
      preExisting: false,
      ruleIds: [rule.id],
      note: reason,
      noteDetail: null,
    };
    await createLease(app.tables, { request, status });
    const holders = [
      { leaseId, principal: "recovered", reason, until, openedAt: now, statedUntil: until, ended: null },
    ];
    await saveEntry(app.tables, {
      group,
      entryId,
      key,
      spec,
      provenance: "lease",
      holders,
      standing: { kind: "ours", ruleId: rule.id },
      missingSince: null,
      rev: 0,
    });
    this.recovered += 1;
    this.lines.push(`the rule ${rule.id} was booked again as ${leaseId} from its mark`);
  }

  private async finish(plan: Plan | null, converged: boolean, held: ReadonlySet<LeaseId>): Promise<PassReport> {
    const { app, group, options } = this;
    const now = app.clock.now();
    const unsettled = new Set<LeaseId>();
    for (const leaseId of held) {
      if (this.closed.has(leaseId)) continue;
      if (!converged || this.seen.get(leaseId)?.state !== "open") unsettled.add(leaseId);
    }
    // What may still act is looked at when it no longer can. These rows are there before any row goes.
    const looks = this.intents.map((intent) => intent.attemptsEndAt + app.settings.lateEffectMaxMs);
    const lookAt = new Set([...(plan?.lookAt ?? []), ...(looks.length > 0 ? [Math.max(...looks)] : [])]);
    const looked = [...lookAt].map((at) => dueWrite(dueGroup(group, Math.max(at, now + 1000), app.settings.shards)));
    if (looked.length > 0) await app.tables.writeAll(looked);

    const isSettled = converged && unsettled.size === 0;
    const rowsDone = options.rows.filter((row) =>
      row.kind === "group" ? isSettled : held.has(row.id as LeaseId) && !unsettled.has(row.id as LeaseId),
    );
    const writes: Write[] = [...this.over.map(intentDelete), ...rowsDone.map(dueDelete)];
    const lines = [...this.lines, ...[...this.closed].map(([leaseId]) => `${leaseId} has ended`), ...this.findings];
    if (lines.length > 0) {
      writes.push(
        recordWrite(
          { at: now, group, cause: options.cause, actor: options.actor, policyVersion: options.policy.version, lines },
          app.random,
        ),
      );
    }
    if (this.overdue)
      app.log.write("error", `a lease of ${group.groupId} is past its end and the cloud refuses to close it`);
    if (writes.length > 0) await app.tables.writeAll(writes);
    return {
      closed: [...this.closed].map(([leaseId, ruleIds]) => ({ leaseId, ruleIds })),
      opened: [...this.opened],
      unsettled,
      held,
      statuses: this.seen,
      recovered: this.recovered,
      rowsLeft: options.rows.length - rowsDone.length,
      lines,
    };
  }
}

const callName = (call: PlannedCall): string =>
  call.kind === "revoke"
    ? `revoke ${call.ruleId}`
    : call.kind === "modify"
      ? `modify ${call.ruleId} ${call.description}`
      : `authorize ${call.entry.entryId}`;

const inWords = (call: PlannedCall): string =>
  call.kind === "revoke"
    ? `revoke ${call.ruleId} (${call.cause})`
    : call.kind === "modify"
      ? `modify ${call.ruleId} (${call.cause})`
      : `authorize ${call.entry.key} (${call.cause})`;

/** An entry for comparison: without its parsed spec, which holds integers JSON does not know. */
const comparable = (entry: Entry) => ({
  standing: entry.standing,
  missingSince: entry.missingSince,
  holders: entry.holders,
});

const sameHolder = (a: Entry, b: Entry, leaseId: LeaseId): boolean =>
  JSON.stringify(a.holders.find((it) => it.leaseId === leaseId)) ===
  JSON.stringify(b.holders.find((it) => it.leaseId === leaseId));

function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Runs `work` on all items, at most `limit` at a time. */
export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
  limit = 16,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
