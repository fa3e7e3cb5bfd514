// The intents of a pass: booked before each call, and kept for as long as an attempt may still take effect.
import type { GroupRef } from "../../domain/ids.ts";
import type { IntendedRule, Intent } from "../../domain/ledger-entry.ts";
import { mintToken } from "../../domain/own-token.ts";
import { mayStillAct } from "../../plan/picture.ts";
import { intentWrite } from "../../store/intents.ts";
import type { Lock } from "../../store/lock.ts";
import type { App } from "../app.ts";

/** What a call is about to do. */
export type Intention = Pick<Intent, "call" | "rules" | "ruleIds" | "cause">;

/** The open intents of a group while a pass holds its lock. */
export class PassIntents {
  private readonly app: App;
  private readonly group: GroupRef;
  private readonly lock: Lock;
  /** Those that were answered, of which nothing is written down yet. */
  private readonly answered = new Set<string>();
  /** Of these, revokes of several rules that were refused as one of them was gone: nobody knows what became of the others. */
  private readonly missed = new Set<string>();
  /** Those of which an attempt may still take effect, whatever a later attempt was told. */
  private readonly uncertain: Set<string>;
  private readonly done: Intent[] = [];
  /** Those of earlier passes, which have died before they could record an outcome. */
  private readonly inherited: ReadonlySet<string>;
  private intents: readonly Intent[];

  constructor(app: App, group: GroupRef, lock: Lock, stored: readonly Intent[]) {
    this.app = app;
    this.group = group;
    this.lock = lock;
    this.intents = stored;
    this.uncertain = new Set(stored.map((intent) => intent.intentId));
    this.inherited = new Set(this.uncertain);
  }

  /** Those that are not over. */
  get open(): readonly Intent[] {
    return this.intents;
  }

  /** Those that are over; to be deleted with the last write of the pass. */
  get over(): readonly Intent[] {
    return this.done;
  }

  /** The outcome record of what an earlier pass began and did not live to record. */
  get outcomes(): readonly string[] {
    return this.done.flatMap((intent) => {
      if (!this.inherited.has(intent.intentId)) return [];
      const what = [...intent.ruleIds, ...intent.rules.map((rule) => rule.entryId)].join(", ");
      return [`${intent.call} ${what} (${intent.cause}), begun by an earlier pass, is over; what stands was read back`];
    });
  }

  /** An intent of its own token. */
  fresh(intention: Intention): Intent {
    const { clock, random, settings } = this.app;
    const id = Buffer.from(random.bytes(12)).toString("hex");
    const at = clock.now();
    return {
      group: this.group,
      intentId: id,
      token: mintToken(id, { groupId: this.group.groupId, call: intention.call, at }, settings.markSecret),
      ...intention,
      bookedAt: at,
      attemptsEndAt: this.lock.expiresAt,
    };
  }

  /**
   * The open authorize of just these rules, if there is one: a retry reuses its token, marks and ends. Not for longer than its first
   * attempts may take effect: a rule that came and was taken away since would never come again by that token, which each retry keeps
   * alive, and the cloud would call it a success every time.
   */
  repeated(rules: readonly IntendedRule[]): Intent | null {
    const { clock, settings } = this.app;
    const now = clock.now();
    const found = this.intents.find(
      (intent) =>
        intent.call === "authorize" &&
        mayStillAct(intent, now, settings.lateEffectMaxMs) &&
        now < intent.bookedAt + settings.lockMs + settings.lateEffectMaxMs &&
        namesOf(intent.rules) === namesOf(rules),
    );
    return found ? { ...found, attemptsEndAt: this.lock.expiresAt } : null;
  }

  /** What others have booked since this pass lost its lock: their attempts may have taken effect, and are theirs to conclude. */
  learn(stored: readonly Intent[]): void {
    const isDone = new Set(this.done.map((intent) => intent.intentId));
    const known = new Set(this.intents.map((intent) => intent.intentId));
    const fresh = stored.filter(({ intentId }) => !known.has(intentId) && !isDone.has(intentId));
    for (const { intentId } of fresh) this.uncertain.add(intentId);
    this.intents = [...this.intents, ...fresh];
  }

  /** Stores the intent; before its call. */
  async book(intent: Intent): Promise<void> {
    await this.app.tables.writeAll([intentWrite(intent)]);
    this.intents = [...this.intents.filter((it) => it.intentId !== intent.intentId), intent];
  }

  /**
   * The call was answered with success. What an authorize has written is not known before it is read back, and whose doing it is that
   * something is gone is told by a revoke's intent alone until the ledger has it.
   */
  async succeeded(intent: Intent): Promise<void> {
    if (intent.call === "modify") return this.concluded(intent);
    this.answered.add(intent.intentId);
    // Where one of several stood still, the call that was refused for another has closed none of them.
    const named = (it: Intent) => it.ruleIds.some((id) => intent.ruleIds.includes(id));
    for (const it of this.intents) if (this.missed.has(it.intentId) && named(it)) await this.concluded(it);
  }

  /** A revoke of several rules was refused, as one of them was gone. Whether the others are gone by it is told by calls that follow. */
  refusedForOne(intent: Intent): void {
    this.answered.add(intent.intentId);
    this.missed.add(intent.intentId);
  }

  /**
   * What the attempt comes to is not known: its reply was lost, and it may take effect late; or readings may show for a while what was before
   * it. It stays open until neither can be.
   */
  async inDoubt(intent: Intent): Promise<void> {
    this.uncertain.add(intent.intentId);
    await this.book({ ...intent, attemptsEndAt: this.app.clock.now() });
  }

  /** The outcome of the attempt is known. The intent is over, unless an earlier attempt may still act. */
  async concluded(intent: Intent): Promise<void> {
    if (this.uncertain.has(intent.intentId)) return this.book({ ...intent, attemptsEndAt: this.app.clock.now() });
    this.done.push(intent);
    this.intents = this.intents.filter((it) => it.intentId !== intent.intentId);
  }

  /**
   * A reading of `readAt` was planned and written down: what it shows, and what can no longer act, is over. Not before the ledger has it, as whose
   * doing it is that something is gone is told by a revoke's intent alone until then.
   */
  read(readAt: number, isReadBack: (rule: IntendedRule) => boolean): void {
    const { lateEffectMaxMs } = this.app.settings;
    const isOver = (intent: Intent): boolean =>
      this.answered.has(intent.intentId) && !this.uncertain.has(intent.intentId)
        ? intent.rules.every(isReadBack)
        : readAt >= intent.attemptsEndAt + lateEffectMaxMs;
    this.done.push(...this.intents.filter(isOver));
    this.intents = this.intents.filter((intent) => !isOver(intent));
  }

  /** When the last of the open ones can no longer act; null without any. */
  quietAt(): number | null {
    if (this.intents.length === 0) return null;
    return Math.max(...this.intents.map((it) => it.attemptsEndAt)) + this.app.settings.lateEffectMaxMs;
  }
}

const namesOf = (rules: readonly IntendedRule[]): string =>
  JSON.stringify(rules.map((rule) => [rule.entryId, rule.description]).sort());
