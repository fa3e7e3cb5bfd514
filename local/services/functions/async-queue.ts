// Asynchronous invocations: accepted once, run at least once, tried again when the function fails.

import type { SchedulingClock } from "../../clock.ts";
import type { InvocationOutcome } from "./function-definition.ts";
import { type JournalContents, type QueuedInvocation, QueueJournal } from "./queue-journal.ts";

/** What the queue needs. */
export interface AsyncQueueOptions {
  readonly clock: SchedulingClock;
  readonly directory?: string;
  /** Runs one invocation; undefined while no function of that name is deployed. */
  readonly invoke: (invocation: QueuedInvocation) => Promise<InvocationOutcome> | undefined;
  readonly retriesMax: (functionName: string) => number;
  /** Wait before the first retry; doubled each time. Default 1000. */
  readonly backoffMs?: number;
}

/** How a submission ended. */
export type Acceptance = "accepted" | "duplicate";

// Nobody publishes how long a task id stays taken; a week is longer than any delivery here lives.
const TASK_KEPT_MS = 7 * 24 * 3_600_000;
const DELAY_MS_MAX = 3_600_000;

/** Keeps accepted invocations until they have succeeded or used up their tries. */
export class AsyncQueue {
  readonly #options: AsyncQueueOptions;
  readonly #journal: QueueJournal;
  readonly #contents: JournalContents;
  readonly #scheduled = new Map<string, () => void>();
  readonly #running = new Set<string>();
  #closed = false;

  constructor(options: AsyncQueueOptions) {
    this.#options = options;
    this.#journal = new QueueJournal(options.directory);
    this.#contents = this.#journal.read();
    this.#prune();
    this.#journal.rewrite(this.#contents);
  }

  /** Invocations that wait or run. */
  get size(): number {
    return this.#contents.invocations.size;
  }

  /** Takes an invocation for good, unless its task id was used before. `taskId` defaults to the request's id. */
  submit(submission: {
    readonly id: string;
    readonly function: string;
    readonly event: Buffer;
    readonly delayMs?: number;
    readonly taskId?: string;
  }): Acceptance {
    const { id, event, delayMs = 0, taskId = id } = submission;
    const key = `${submission.function}/${taskId}`;
    if (this.#contents.tasks.has(key)) return "duplicate";
    const acceptedAt = this.#options.clock.now();
    const invocation: QueuedInvocation = {
      id,
      function: submission.function,
      event: event.toString("base64"),
      taskId,
      acceptedAt,
      dueAt: acceptedAt + delayMs,
      attempt: 0,
    };
    // The invocation is written before its name: a crash between the two may run it twice, but never lose it.
    this.#put(invocation);
    // Only a name that a caller chose can come back; the generated ones need not be remembered.
    if (submission.taskId !== undefined) {
      this.#contents.tasks.set(key, acceptedAt);
      this.#journal.append({ task: { key, at: acceptedAt } });
    }
    this.#schedule(invocation, delayMs);
    return "accepted";
  }

  /** Arms what waits for a function that has just been deployed, in order of acceptance. */
  wake(functionName: string): void {
    const nowMs = this.#options.clock.now();
    for (const invocation of this.#contents.invocations.values()) {
      if (invocation.function !== functionName || this.#running.has(invocation.id)) continue;
      if (this.#scheduled.has(invocation.id)) continue;
      // After a run on virtual time an instant may lie far ahead of the machine's clock; no delay is longer than an hour.
      const delayMs = invocation.dueAt - nowMs;
      this.#schedule(invocation, delayMs > DELAY_MS_MAX ? 0 : delayMs);
    }
  }

  /** Forgets every invocation and task id. */
  clear(): void {
    for (const cancel of this.#scheduled.values()) cancel();
    this.#scheduled.clear();
    this.#contents.invocations.clear();
    this.#contents.tasks.clear();
    this.#journal.rewrite(this.#contents);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#scheduled.values()) cancel();
    this.#journal.close();
  }

  #schedule(invocation: QueuedInvocation, delayMs: number): void {
    if (delayMs <= 0) {
      this.#start(invocation);
      return;
    }
    this.#scheduled.set(
      invocation.id,
      this.#options.clock.schedule(delayMs, () => this.#start(invocation)),
    );
  }

  #start(invocation: QueuedInvocation): void {
    this.#scheduled.delete(invocation.id);
    if (this.#closed) return;
    const run = this.#options.invoke(invocation);
    if (!run) return;
    this.#running.add(invocation.id);
    void run.then((outcome) => this.#finish(invocation, outcome));
  }

  #finish(invocation: QueuedInvocation, outcome: InvocationOutcome): void {
    this.#running.delete(invocation.id);
    // A killed cloud must find the invocation again; a cleared queue must not.
    if (this.#closed || !this.#contents.invocations.has(invocation.id)) return;
    if (outcome.errorType !== undefined && invocation.attempt < this.#options.retriesMax(invocation.function)) {
      const delayMs = (this.#options.backoffMs ?? 1_000) * 2 ** invocation.attempt;
      const again = { ...invocation, attempt: invocation.attempt + 1, dueAt: this.#options.clock.now() + delayMs };
      this.#put(again);
      this.#schedule(again, delayMs);
      return;
    }
    this.#contents.invocations.delete(invocation.id);
    this.#journal.append({ done: invocation.id });
    if (!this.#journal.isStale(this.#contents)) return;
    this.#prune();
    this.#journal.rewrite(this.#contents);
  }

  #put(invocation: QueuedInvocation): void {
    this.#contents.invocations.set(invocation.id, invocation);
    this.#journal.append({ put: invocation });
  }

  #prune(): void {
    const beforeMs = this.#options.clock.now() - TASK_KEPT_MS;
    for (const [key, at] of this.#contents.tasks) if (at < beforeMs) this.#contents.tasks.delete(key);
  }
}
