// Asynchronous invocations: accepted once, run at least once, tried again when the function fails.

import type { SchedulingClock } from "../../clock.ts";
import { Courier, type DeliveryEnd } from "../../delivery.ts";
import type { DeliveryFault } from "../../faults.ts";
import type { InvocationOutcome } from "./function-definition.ts";
import { type JournalContents, type QueuedInvocation, QueueJournal } from "./queue-journal.ts";

/** What the queue needs. */
export interface AsyncQueueOptions {
  readonly clock: SchedulingClock;
  readonly directory?: string;
  readonly isDeployed: (functionName: string) => boolean;
  /** Runs one invocation; never rejects. Undefined: it could not be run now, and is throttled. */
  readonly invoke: (invocation: QueuedInvocation) => Promise<InvocationOutcome | undefined>;
  readonly retriesMax: (functionName: string) => number;
  /** Milliseconds from its acceptance after which an invocation is not begun any more. */
  readonly ageMsMax: (functionName: string) => number;
  readonly takeFault?: (functionName: string) => DeliveryFault | undefined;
  /** Told when an invocation has ended for good; without an outcome it was never run. */
  readonly onEnd?: (invocation: QueuedInvocation, outcome: InvocationOutcome | undefined) => void;
  /** Wait before the first retry; doubled each time. Default 1000. */
  readonly backoffMs?: number;
  /** Told why what is accepted could not be written down; it is run all the same. Absent: written to the standard error stream. */
  readonly onUnwritable?: (error: unknown) => void;
}

/** How a submission ended. */
export type Acceptance = "accepted" | "duplicate";

// Nobody publishes how long a task id stays taken; a week is longer than any delivery here lives.
const TASK_KEPT_MS = 7 * 24 * 3_600_000;
const DELAY_MS_MAX = 3_600_000;
// What is throttled is tried again for five hours, all waits together.
const THROTTLED_MS_MIN = 500;
const THROTTLED_MS_MAX = 5 * 3_600_000;

/** Keeps accepted invocations until they have succeeded or used up their tries. */
export class AsyncQueue {
  readonly #options: AsyncQueueOptions;
  readonly #journal: QueueJournal;
  readonly #contents: JournalContents;
  readonly #scheduled = new Map<string, () => void>();
  readonly #running = new Set<string>();
  readonly #courier: Courier;
  #closed = false;
  #held = false;

  constructor(options: AsyncQueueOptions) {
    this.#options = options;
    this.#courier = new Courier(options.clock);
    this.#journal = new QueueJournal(options.directory, options.onUnwritable ?? console.error);
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
      this.#journal.append({ task: { key, at: acceptedAt } }, this.#contents);
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
    this.#courier.clear();
    this.#running.clear();
    this.#contents.invocations.clear();
    this.#contents.tasks.clear();
    this.#journal.rewrite(this.#contents);
  }

  /** Accepts and keeps, and starts nothing more. */
  hold(): void {
    this.#held = true;
    for (const cancel of this.#scheduled.values()) cancel();
    this.#scheduled.clear();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#scheduled.values()) cancel();
    this.#journal.close();
  }

  #schedule(invocation: QueuedInvocation, delayMs: number): void {
    if (this.#held) return;
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
    const { function: name, id, acceptedAt } = invocation;
    const { clock, isDeployed, ageMsMax, takeFault, invoke } = this.#options;
    this.#scheduled.delete(id);
    if (this.#closed || !isDeployed(name)) return;
    if (clock.now() - acceptedAt > ageMsMax(name)) {
      this.#end(invocation, undefined);
      return;
    }
    this.#running.add(id);
    let outcome: InvocationOutcome | undefined;
    this.#courier.send({
      fault: takeFault?.(name),
      attempt: async () => {
        outcome = await invoke(invocation);
        return outcome !== undefined;
      },
      onEnd: (end) => this.#tried(invocation, end, outcome),
    });
  }

  #tried(invocation: QueuedInvocation, end: DeliveryEnd, outcome: InvocationOutcome | undefined): void {
    this.#running.delete(invocation.id);
    // A killed cloud must find the invocation again; a cleared queue must not.
    if (this.#closed || !this.#contents.invocations.has(invocation.id)) return;
    const { attempt, throttled = 0 } = invocation;
    const throttledMs = THROTTLED_MS_MIN * 2 ** throttled;
    // Refused without a run is throttled, refused after one is a run that nobody heard of.
    const waitedMs = throttledMs - THROTTLED_MS_MIN;
    const isThrottled = end === "refused" && outcome === undefined && waitedMs + throttledMs <= THROTTLED_MS_MAX;
    const hasFailed = outcome !== undefined && (end === "refused" || outcome.errorType !== undefined);
    if (isThrottled) this.#again({ ...invocation, throttled: throttled + 1 }, throttledMs);
    else if (hasFailed && attempt < this.#options.retriesMax(invocation.function))
      this.#again({ ...invocation, attempt: attempt + 1 }, (this.#options.backoffMs ?? 1_000) * 2 ** attempt);
    else this.#end(invocation, outcome);
  }

  #again(invocation: QueuedInvocation, delayMs: number): void {
    const again = { ...invocation, dueAt: this.#options.clock.now() + delayMs };
    this.#put(again);
    this.#schedule(again, delayMs);
  }

  #end(invocation: QueuedInvocation, outcome: InvocationOutcome | undefined): void {
    this.#contents.invocations.delete(invocation.id);
    this.#journal.append({ done: invocation.id }, this.#contents);
    this.#options.onEnd?.(invocation, outcome);
    if (!this.#journal.isStale(this.#contents)) return;
    this.#prune();
    this.#journal.rewrite(this.#contents);
  }

  #put(invocation: QueuedInvocation): void {
    this.#contents.invocations.set(invocation.id, invocation);
    this.#journal.append({ put: invocation }, this.#contents);
  }

  #prune(): void {
    const beforeMs = this.#options.clock.now() - TASK_KEPT_MS;
    for (const [key, at] of this.#contents.tasks) if (at < beforeMs) this.#contents.tasks.delete(key);
  }
}
