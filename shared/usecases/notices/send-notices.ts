// Sends what is in the outbox: what is urgent first, each target at its own pace, and what fails again later.
import {
  backoffMs,
  type DeliveryState,
  freshPace,
  MINUTE_MS,
  paceAfter,
  roomOf,
  type TargetPace,
  type TargetState,
} from "../../domain/delivery.ts";
import { sha256Hex } from "../../domain/digest.ts";
import { formatUtc } from "../../domain/instant.ts";
import { NOTICE_PRIORITIES, type Notice } from "../../domain/notice.ts";
import type { NotifyTarget } from "../../domain/notification-policy.ts";
import type { Policy } from "../../domain/policy.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { digestText, linkText, noticeText } from "../../plan/notice-text.ts";
import { type PlannedMessage, planMessages, targetsOf } from "../../plan/plan-messages.ts";
import type { Message, SendOutcome } from "../../ports/notifier.ts";
import { deliveryWrite, paceWrite, readDelivery, readPace } from "../../store/deliveries.ts";
import { outboxDelete, outboxProgress, type Pending, readOutbox } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { linkFor } from "../approval/approval-links.ts";
import { inParallel } from "../in-parallel.ts";

export interface SendOptions {
  readonly policy: Policy;
  /** Monotonic instant after which no message is begun. */
  readonly deadlineAt: number;
}

/** What became of a run. */
export interface SendReport {
  /** Messages that were sent, or could not be. */
  readonly tried: number;
  /** When to look again; null when nothing waits. */
  readonly nextAt: number | null;
}

/** Notices of one run that somebody takes now. */
const PAGE = 500;
/** How long one message may take, and a whole run: a target that hangs keeps the sweep from nothing for long. */
const SEND_WITHIN_MS = 5000;
const RUN_MS = 20_000;
const DIGEST_LINES = 20;
/** So many refusals in a row are the target's, not the messages'. */
const REFUSALS_MAX = 2;

/**
 * A message is sent, and then it is written down that it was: a crash in between has it sent again, under the same id. A notice leaves
 * the outbox after its ending is remembered. Nothing that a target does makes this reject.
 */
export async function sendNotices(app: App, options: SendOptions): Promise<SendReport> {
  const run = new Run(app, options);
  const isMore = await run.takeIn();
  await run.send();
  await run.finish();
  const next = [...(isMore ? [app.clock.now() + 1000] : []), ...run.retryAts()];
  return { tried: run.tried, nextAt: next.length === 0 ? null : Math.min(...next) };
}

/** One notice in a run, and how far the telling is, as far as that is known. */
interface Telling {
  readonly row: Pending;
  readonly notice: Notice;
  readonly targets: readonly NotifyTarget[];
  state: DeliveryState;
}

const isFinal = (state: TargetState | undefined): boolean => state?.kind === "told" || state?.kind === "dead";

class Run {
  private readonly app: App;
  private readonly options: SendOptions;
  private readonly stopAt: number;
  /** By this instant who takes what is told once for the whole run. */
  private readonly now: number;
  private readonly tellings = new Map<string, Telling>();
  private readonly lines: string[] = [];
  private readonly paces = new Map<string, TargetPace>();
  private over: Pending[] = [];
  tried = 0;
  /** Rows of a notice that several targets move are written one after the other. */
  private writing: Promise<void> = Promise.resolve();

  constructor(app: App, options: SendOptions) {
    this.app = app;
    this.options = options;
    this.stopAt = Math.min(options.deadlineAt, app.clock.monotonicMs() + RUN_MS);
    this.now = app.clock.now();
  }

  /**
   * Takes in what waits, until there is enough that somebody takes now: what is for targets alone that take nothing hides nothing behind it.
   * Answers whether there is more.
   */
  async takeIn(): Promise<boolean> {
    const { app, options } = this;
    let page = await readOutbox(app.tables, PAGE);
    if (page.pending.length === 0) return false;
    const { targets } = options.policy.notifications;
    await inParallel(targets, async ({ name }) => void this.paces.set(name, await readPace(app.tables, name)));
    for (let wanted = 0; ; ) {
      wanted += await this.take(page.pending);
      const last = page.pending.at(-1);
      if (!page.more || !last) return false;
      if (wanted >= PAGE || app.clock.monotonicMs() >= this.stopAt) return true;
      page = await readOutbox(app.tables, PAGE, last);
    }
  }

  /** A notice in two rows is one: a pass that a crash repeated has told it twice. Answers how many of them somebody takes now. */
  private async take(pending: readonly Pending[]): Promise<number> {
    const { notifications } = this.options.policy;
    const rows = new Map<string, Pending & { readonly notice: Notice }>();
    for (const row of pending) {
      const notice = row.notice && isTellable(row.notice) ? row.notice : null;
      if (notice === null) this.lines.push(`the notice ${row.key.join("/")} cannot be read and is given up`);
      if (notice === null || rows.has(notice.id) || this.tellings.has(notice.id)) this.over.push(row);
      else rows.set(notice.id, { ...row, notice });
    }
    let wanted = 0;
    await inParallel([...rows.values()], async (row) => {
      const { notice } = row;
      const targets = targetsOf(notice, notifications);
      const takes = (target: NotifyTarget): boolean => {
        const state = row.state?.[target.name];
        const isTurn = state?.kind === "refused" ? state.nextAt <= this.now : !isFinal(state);
        return isTurn && roomOf(this.paceOf(target), target.perMinute, this.now) > 0;
      };
      const isLeft = targets.length > 0 && !targets.some(takes) && !this.isOver(notice);
      // As long as nobody takes it, it does not matter whether it was told before.
      const known = row.state ?? (isLeft ? null : await this.remembered(notice));
      if (!isLeft) wanted += 1;
      this.tellings.set(notice.id, { row, notice, targets, state: known ?? {} });
    });
    return wanted;
  }

  /** Where that cannot be read it may be told once more. */
  private async remembered({ id }: Notice): Promise<DeliveryState | null> {
    try {
      return await readDelivery(this.app.tables, id);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return null;
    }
  }

  private isOver({ at }: Notice): boolean {
    return at + this.options.policy.notifications.deadAfterMs <= this.now;
  }

  private paceOf({ name }: NotifyTarget): TargetPace {
    return this.paces.get(name) ?? freshPace;
  }

  /** All targets side by side. Rejects when the store does, but not before every target has come to its end. */
  async send(): Promise<void> {
    const { targets } = this.options.policy.notifications;
    const failures: unknown[] = [];
    await inParallel(targets, async (target) => {
      const own = this.openFor(target);
      if (own.length === 0) return;
      try {
        this.paces.set(target.name, await this.sendTo(target, own));
      } catch (error) {
        failures.push(error);
      }
    });
    if (failures.length > 0) throw failures[0];
  }

  /** When something is to be tried again, for each target that has something left. */
  retryAts(): readonly number[] {
    const now = this.app.clock.now();
    return this.options.policy.notifications.targets.flatMap((target) => {
      const left = this.openFor(target);
      return left.length > 0 ? [retryAt(target, left, this.paceOf(target), now)] : [];
    });
  }

  private openFor(target: NotifyTarget): readonly Telling[] {
    return [...this.tellings.values()]
      .filter(({ targets, state }) => targets.includes(target) && !isFinal(state[target.name]))
      .sort((a, b) => compareKeys(a.row, b.row));
  }

  /** What is still open when its time is over is given up; what is final for all its targets leaves the outbox. */
  async finish(): Promise<void> {
    const { app, over, lines, options } = this;
    const { policy } = options;
    const now = app.clock.now();
    for (const telling of this.tellings.values()) {
      const { notice, targets } = telling;
      if (!this.isOver(notice)) continue;
      for (const { name } of targets.filter((target) => !isFinal(telling.state[target.name]))) {
        telling.state = { ...telling.state, [name]: { kind: "dead", at: now } };
        lines.push(`the notice ${notice.id} (${notice.kind}) could not be told to ${name} and is given up`);
      }
    }
    const ended = [...this.tellings.values()].filter(({ targets, state }) =>
      targets.every((target) => isFinal(state[target.name])),
    );
    const record = { at: now, group: null, cause: "notify", actor: "safeport", policyVersion: policy.version, lines };
    const kept = ended.filter(({ targets }) => targets.length > 0);
    const memory = kept.map(({ notice, state }) => deliveryWrite(notice.id, state));
    if (lines.length > 0) await writeRecord(app, record, memory);
    else if (memory.length > 0) await app.tables.writeAll(memory);
    const gone = [...over, ...ended.map(({ row }) => row)];
    if (gone.length > 0) await app.tables.writeAll(gone.map(outboxDelete));
  }

  private async sendTo(target: NotifyTarget, own: readonly Telling[]): Promise<TargetPace> {
    const { app, options } = this;
    const { clock, tables } = app;
    const { now } = this;
    let pace = this.paceOf(target);
    const room = roomOf(pace, target.perMinute, now);
    const isNew = ({ state }: Telling): boolean => state[target.name] === undefined;
    const fresh = own.filter(isNew).map(({ notice }) => notice);
    // What was refused is tried by itself, and so refuses nothing else.
    const again = own.filter((it) => !isNew(it) && refusal(it, target).nextAt <= now);
    const { digestOver } = options.policy.notifications;
    const planned = planMessages(fresh, target, { room, digestOver });
    const left = Math.max(0, room - planned.length);
    const messages = [...planned, ...again.slice(0, left).map(({ notice }) => ({ notices: [notice] as const }))];
    let refusals = 0;
    for (const message of messages) {
      if (clock.monotonicMs() >= this.stopAt || pace.pausedUntil > clock.now()) break;
      pace = paceAfter(pace, clock.now());
      await tables.writeAll([paceWrite(target.name, pace)]);
      this.tried += 1;
      const outcome = await app.notifier.send(target, this.messageTo(message, target), SEND_WITHIN_MS);
      refusals = outcome.kind === "refused" ? refusals + 1 : 0;
      pace = this.paced(pace, outcome, refusals >= REFUSALS_MAX);
      await this.note(message.notices, target, outcome);
      if (outcome.kind !== "sent") {
        const fields = { target: target.name, outcome: outcome.kind, why: outcome.why };
        app.log.write("warn", "a notice could not be sent; it is tried again", fields);
      }
    }
    if (messages.length > 0) await tables.writeAll([paceWrite(target.name, pace)]);
    return pace;
  }

  private paced(pace: TargetPace, outcome: SendOutcome, isRefusing: boolean): TargetPace {
    const { clock, random } = this.app;
    if (outcome.kind === "sent") return { ...pace, failures: 0, why: null };
    if (outcome.kind === "refused" && !isRefusing) return { ...pace, why: outcome.why };
    const failures = pace.failures + 1;
    const waitMs = outcome.kind === "busy" ? outcome.retryAfterMs : null;
    return {
      ...pace,
      failures,
      why: outcome.why,
      pausedUntil: clock.now() + (waitMs ?? backoffMs(failures, random.fraction())),
    };
  }

  /** A request's message carries the asked person's link, where it goes to that person alone. It is made here and kept nowhere. */
  private messageTo(planned: PlannedMessage, target: NotifyTarget): Message {
    const message = messageOf(planned, target);
    const [notice, ...others] = planned.notices;
    const link = others.length > 0 ? null : linkFor(this.app, this.options.policy, notice, target);
    if (link === null) return message;
    return {
      ...message,
      lines: [...message.lines, linkText(link, target.language)],
      facts: { ...message.facts, link },
    };
  }

  /** Writes down what became of a message. One that was not taken by nobody's fault is as if it had not been tried. */
  private async note(notices: readonly Notice[], target: NotifyTarget, outcome: SendOutcome): Promise<void> {
    if (outcome.kind !== "sent" && outcome.kind !== "refused") return;
    const { clock, random, tables } = this.app;
    const now = clock.now();
    const moved = notices.flatMap(({ id }) => this.tellings.get(id) ?? []);
    for (const telling of moved) {
      const tries = refusal(telling, target).tries + 1;
      const next: TargetState =
        outcome.kind === "sent"
          ? { kind: "told", at: now }
          : { kind: "refused", tries, nextAt: now + backoffMs(tries, random.fraction()) };
      telling.state = { ...telling.state, [target.name]: next };
    }
    const turn = this.writing.then(() =>
      tables.writeAll(moved.map(({ row, notice, state }) => outboxProgress(row, notice, state))),
    );
    this.writing = turn.catch(() => undefined);
    await turn;
  }
}

/** False where it lacks what its words need, as one of another version may. */
function isTellable(notice: Notice): boolean {
  try {
    formatUtc(notice.at);
    noticeText(notice, "en");
    return true;
  } catch {
    return false;
  }
}

const refusal = ({ state }: Telling, { name }: NotifyTarget): { readonly tries: number; readonly nextAt: number } => {
  const its = state[name];
  return its?.kind === "refused" ? its : { tries: 0, nextAt: 0 };
};

function compareKeys({ key: a }: Pending, { key: b }: Pending): number {
  return Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]);
}

function retryAt(target: NotifyTarget, left: readonly Telling[], pace: TargetPace, now: number): number {
  if (pace.pausedUntil > now) return pace.pausedUntil;
  const soonest = Math.min(...left.map((it) => refusal(it, target).nextAt));
  if (soonest > now) return soonest;
  const [oldest] = pace.sentAt;
  return oldest === undefined ? now + 1000 : Math.max(now + 1000, oldest + MINUTE_MS);
}

function messageOf({ notices }: PlannedMessage, { language }: NotifyTarget): Message {
  const [notice, ...others] = notices;
  const priority = NOTICE_PRIORITIES[notice.kind];
  if (others.length === 0) {
    const { id, at, kind, data, group } = notice;
    const facts = { ...data, ...(group ? { region: group.region, group: group.groupId } : {}) };
    return { id, at, type: kind, priority, facts, ...noticeText(notice, language) };
  }
  const id = `nd-${sha256Hex(notices.map((it) => it.id).join("\n")).slice(0, 20)}`;
  const said = digestText(notices, language, DIGEST_LINES);
  return { id, at: notice.at, type: "digest", priority, facts: {}, ...said };
}
