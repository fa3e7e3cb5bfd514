// The calls of a pass: booked, made, and what was answered. The only place that calls Authorize, Modify or Revoke.
import type { EntryId, GroupRef, RuleId } from "../../domain/ids.ts";
import type { Entry, IntendedRule, Intent } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule, RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import type { PlannedCall } from "../../plan/entry-plan.ts";
import { isHolding, type Refusal } from "../../plan/picture.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { dueGroup, dueWrite } from "../../store/due.ts";
import type { Lock } from "../../store/lock.ts";
import type { RecordedChange } from "../../store/records.ts";
import type { App } from "../app.ts";
import { chunks, inParallel } from "../in-parallel.ts";
import type { PassIntents } from "./pass-intents.ts";

const ATTEMPTS_MAX = 3;
/** The API takes 100; with long descriptions so many would not fit into what a gateway takes as a request line. */
const AUTHORIZE_BATCH = 20;
const AUTHORIZES_AT_ONCE = 4;
const REVOKE_BATCH = 100;

type Outcome = "done" | "gone" | "unknown" | "refused" | "invalid" | "later" | "again";
type Authorize = Extract<PlannedCall, { kind: "authorize" }>;
type Modify = Extract<PlannedCall, { kind: "modify" }>;
type Revoke = Extract<PlannedCall, { kind: "revoke" }>;

/** Under what the calls are made. */
export interface CallTerms {
  readonly group: GroupRef;
  readonly lock: Lock;
  readonly priority: CallPriority;
  readonly limits: Policy["limits"];
  /** A rule as the last reading has shown it. */
  readonly ruleOf: (ruleId: RuleId) => Rule | null;
  /** How many rules of ours stand in the group. */
  readonly rulesOfOurs: () => number;
  /** Takes what was called and answered, in words. */
  readonly say: (lines: readonly string[]) => void;
}

/** What a pass has called so far, and what it learned of that. */
export class PassCalls {
  /** Ids that are gone, whatever a stale reading says. */
  readonly revoked = new Set<RuleId>();
  /** Entries whose authorize was answered with success. */
  readonly accepted = new Set<EntryId>();
  /** Entries of which a rule was modified. */
  readonly restated = new Set<EntryId>();
  /** Entries of which a rule was revoked. */
  readonly cleared = new Set<EntryId>();
  /** Rules before and after each call that was answered with success. */
  readonly changed: RecordedChange[] = [];
  /** Entries the cloud does not let open. */
  readonly refusals = new Map<EntryId, Refusal>();
  /** Granted entries whose rule the cloud does not let be written as it was granted; it stands, and nothing is open or closed by that. */
  readonly unwritten = new Map<EntryId, Refusal>();
  private readonly app: App;
  private readonly intents: PassIntents;
  private readonly terms: CallTerms;
  private readonly succeeded = new Set<string>();
  private readonly attempts = new Map<string, number>();
  /** Entries that are authorized one by one: a batch with them was refused. */
  private readonly singly = new Set<EntryId>();
  /** Ids that are revoked one by one, for the same reason. */
  private readonly revokedSingly = new Set<RuleId>();
  /** Changes made that are no ends. */
  private changes = 0;
  private endRefused = false;

  constructor(app: App, intents: PassIntents, terms: CallTerms) {
    this.app = app;
    this.intents = intents;
    this.terms = terms;
  }

  /** True when the cloud refused to close something. */
  get isEndRefused(): boolean {
    return this.endRefused;
  }

  /** True when the call was answered with success: that it is planned again shows a stale reading. */
  hasSucceeded(call: PlannedCall): boolean {
    return this.succeeded.has(nameOf(call));
  }

  /** What of a plan is still to be tried, within the ceiling of a pass. Ends are exempt from that, and what a lockdown asks for. */
  worthTrying(planned: readonly PlannedCall[]): readonly PlannedCall[] {
    const calls = planned.filter(
      (call) => !this.hasSucceeded(call) && (this.attempts.get(nameOf(call)) ?? 0) < ATTEMPTS_MAX,
    );
    const exempt = calls.filter((call) => isEnd(call) || isOrdered(call));
    const rest = calls.filter((call) => !isEnd(call) && !isOrdered(call));
    return [...exempt, ...rest.slice(0, this.terms.limits.changesPerPass - this.changes)];
  }

  /** Makes the calls. Never throws for what the cloud answers. */
  async perform(calls: readonly PlannedCall[]): Promise<void> {
    // Ends run first and alone: nothing else may hold them up.
    const revokes = calls.filter(isRevoke);
    const ends = revokes.filter(isEnd);
    await this.revokeAll(ends);
    this.changes += calls.filter((call) => !isEnd(call) && !isOrdered(call)).length;
    await this.revokeAll(revokes.filter((call) => !isEnd(call)));
    await inParallel(
      calls.filter((call) => call.kind === "modify"),
      (call) => this.modify(call),
    );
    const authorizes = calls.filter((call) => call.kind === "authorize");
    const isSingle = (call: Authorize) => this.singly.has(call.entry.entryId);
    const together = authorizes.filter((call) => !isSingle(call));
    const batches = [
      ...chunks(together.filter(isOrdered), AUTHORIZE_BATCH),
      ...chunks(
        together.filter((call) => !isOrdered(call)),
        AUTHORIZE_BATCH,
      ),
      ...chunks(authorizes.filter(isSingle), 1),
    ];
    await inParallel(batches, (batch) => this.authorize(batch), AUTHORIZES_AT_ONCE);
  }

  private async revokeAll(calls: readonly Revoke[]): Promise<void> {
    const isSingle = (call: Revoke) => !call.seen || this.revokedSingly.has(call.ruleId);
    const together = calls.filter((call) => !isSingle(call));
    for (const batch of chunks(together, REVOKE_BATCH)) await this.revoke(batch);
    for (const call of calls.filter(isSingle)) await this.revoke([call]);
  }

  private async revoke(batch: readonly Revoke[]): Promise<void> {
    const { group } = this.terms;
    const areEnds = batch.every(isEnd);
    const priority = areEnds ? "end" : "drift";
    const ruleIds = batch.map((call) => call.ruleId);
    const intent = this.intents.fresh({ call: "revoke", rules: [], ruleIds, cause: batch[0]?.cause ?? "" });
    const outcome = await this.call(intent, batch, () =>
      this.app.firewall.revoke(group, ruleIds, intent.token, priority),
    );
    // Not by an unknown outcome and a reading that does not show it: that may be older than the rule.
    if (outcome === "done" || outcome === "gone") {
      for (const id of ruleIds) this.revoked.add(id);
      for (const { entryId } of batch) if (entryId !== null) this.cleared.add(entryId);
    }
    if (
      areEnds &&
      batch.some((call) => call.suspends === undefined) &&
      (outcome === "refused" || (outcome === "invalid" && batch.length === 1))
    )
      this.endRefused = true;
    // One rule the cloud will not have must not hold up the others of its batch.
    if (outcome === "invalid" || outcome === "again") for (const id of ruleIds) this.revokedSingly.add(id);
  }

  private async modify(call: Modify): Promise<void> {
    const { group } = this.terms;
    const rule = { spec: call.entry.spec, description: call.description };
    const rules = [{ entryId: call.entry.entryId, ...rule, beforeIds: [] }];
    const intent = this.intents.fresh({ call: "modify", rules, ruleIds: [call.ruleId], cause: call.cause });
    const priority = call.rollback === undefined ? "end" : "drift";
    const modify = () => this.app.firewall.modify(group, call.ruleId, rule, intent.token, priority);
    const isGone = (await this.call(intent, [call], modify)) === "gone";
    // Who has it open has lost it to whoever removed it, and readings tell them so. For all others it is made anew.
    if (isGone && (call.opens || !isOpen(call.entry, this.app.clock.now()))) this.revoked.add(call.ruleId);
  }

  private async authorize(batch: readonly Authorize[]): Promise<void> {
    const { group, priority } = this.terms;
    const rules: IntendedRule[] = batch.map((call) => ({
      entryId: call.entry.entryId,
      spec: call.entry.spec,
      description: call.description,
      beforeIds: call.beforeIds,
    }));
    const cause = batch[0]?.cause ?? "";
    const asked = batch.every(isOrdered)
      ? "lockdown"
      : batch.every((call) => call.rollback !== undefined)
        ? "drift"
        : priority === "end"
          ? "open"
          : priority;
    // What is put back may have been written by the same words before and taken away since: its old token would do nothing.
    const repeated = batch.some(isOrdered) ? null : this.intents.repeated(rules);
    const intent = repeated ?? this.intents.fresh({ call: "authorize", rules, ruleIds: [], cause });
    const outcome = await this.call(intent, batch, () =>
      this.app.firewall.authorize(group, intent.rules, intent.token, asked),
    );
    if (!["again", "refused", "invalid"].includes(outcome) || batch.length === 1) return;
    for (const call of batch) {
      this.singly.add(call.entry.entryId);
      this.attempts.delete(nameOf(call));
    }
  }

  /** Books, calls and keeps the outcome. */
  private async call(intent: Intent, calls: readonly PlannedCall[], act: () => Promise<void>): Promise<Outcome> {
    const { app } = this;
    const { group, lock, say } = this.terms;
    for (const call of calls) this.attempts.set(nameOf(call), (this.attempts.get(nameOf(call)) ?? 0) + 1);
    await this.intents.book(intent);
    if (!lock.isHeld()) return "later";
    try {
      await act();
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      return await this.failed(intent, calls, error);
    } finally {
      // A process that was frozen in the call has lost its lock: whatever the call did, somebody has to look.
      if (!lock.isHeld()) await app.tables.writeAll([dueWrite(dueGroup(group, app.clock.now(), app.settings.shards))]);
    }
    for (const call of calls) {
      this.succeeded.add(nameOf(call));
      if (call.kind === "authorize") this.accepted.add(call.entry.entryId);
      if (call.kind === "modify") this.restated.add(call.entry.entryId);
    }
    say(calls.map((call) => `${inWords(call)}: done`));
    this.changed.push(...calls.map((call) => this.changeOf(call)));
    // Of what says something else now nobody else knows that a reading is stale which shows what it said.
    await (calls.some((call) => this.isMoving(call)) ? this.intents.inDoubt(intent) : this.intents.succeeded(intent));
    return "done";
  }

  /** True for what makes another rule of one, and not just its description. */
  private isMoving(call: PlannedCall): boolean {
    const found = call.kind === "modify" ? this.terms.ruleOf(call.ruleId) : null;
    return call.kind === "modify" && found !== null && ruleKey(found) !== call.entry.key;
  }

  private async failed(intent: Intent, calls: readonly PlannedCall[], error: CloudFailure): Promise<Outcome> {
    const { group, limits, rulesOfOurs, say } = this.terms;
    const said = error.cloudCode ?? error.kind;
    say(calls.map((call) => `${inWords(call)}: ${said}`));
    this.app.log.write("warn", `${error.operation} of ${group.groupId} failed`, {
      kind: error.kind,
      code: said,
      requestId: error.requestId,
    });
    if (error.kind === "unknown") {
      await this.intents.inDoubt(intent);
      return "unknown";
    }
    if (error.kind === "ruleGone" && calls.length > 1) this.intents.refusedForOne(intent);
    else await this.intents.concluded(intent);
    switch (error.kind) {
      case "throttled":
        for (const call of calls) this.attempts.set(nameOf(call), ATTEMPTS_MAX);
        return "later";
      case "groupGone":
        this.refuse(calls, "GROUP_UNKNOWN", { group: group.groupId, region: group.region });
        return "done";
      case "ruleGone":
        // With one id gone nothing may be concluded of the others of a batch: the next reading tells.
        return calls.length === 1 ? "gone" : "again";
      case "quota": {
        const max = limits.rulesPerInterface - limits.rulesKeptFree;
        if (calls.length === 1)
          this.refuse(calls, "RULE_QUOTA_REACHED", { group: group.groupId, used: rulesOfOurs(), max });
        return "again";
      }
      default:
        if (calls.length === 1) this.refuse(calls, "RULE_REFUSED", { cloudCode: said });
        return error.kind === "invalid" ? "invalid" : "refused";
    }
  }

  private changeOf(call: PlannedCall): RecordedChange {
    const shown = (rule: Pick<Rule, "description"> & RuleSpec) => ({
      key: ruleKey(rule),
      description: rule.description,
    });
    const found = call.kind === "authorize" ? null : this.terms.ruleOf(call.ruleId);
    const what = call.kind === "authorize" ? `rule ${call.entry.key}` : `rule ${call.ruleId}`;
    const after = call.kind === "revoke" ? null : shown({ ...call.entry.spec, description: call.description });
    return { what, before: found && shown(found), after };
  }

  /** Only what opens can be refused, and what is granted be kept from being written. */
  private refuse(calls: readonly PlannedCall[], code: string, detail: Refusal["detail"]): void {
    for (const call of calls)
      if (call.kind === "authorize" || (call.kind === "modify" && call.opens))
        this.refusals.set(call.entry.entryId, { code, detail });
      else if (call.kind === "modify" && call.entry.allocation !== null)
        this.unwritten.set(call.entry.entryId, { code, detail });
  }
}

const isRevoke = (call: PlannedCall): call is Revoke => call.kind === "revoke";

/** Closing what the program opened; never what undoes drift. */
const isEnd = (call: PlannedCall): call is Revoke => call.kind === "revoke" && call.rollback === undefined;

/** Drops that are held, and what a suspension gives back: asked for by name, and too urgent to be portioned. */
const isOrdered = (call: PlannedCall): boolean =>
  call.kind === "authorize" &&
  call.rollback === undefined &&
  (call.entry.suspension !== null || call.entry.holders.some((holder) => holder.kind !== "lease"));

/** True where a lease has been seen open by the entry's rule, and is not over. */
const isOpen = ({ holders }: Entry, now: number): boolean =>
  holders.some((it) => it.kind === "lease" && it.openedAt !== null && isHolding(it, now));

const nameOf = (call: PlannedCall): string =>
  call.kind === "revoke"
    ? `revoke ${call.ruleId}`
    : call.kind === "modify"
      ? `modify ${call.ruleId} ${call.description}`
      : `authorize ${call.entry.entryId} ${call.description}`;

const inWords = (call: PlannedCall): string => {
  const what = call.kind === "authorize" ? call.entry.key : call.ruleId;
  return `${call.kind} ${what} (${call.cause})`;
};
