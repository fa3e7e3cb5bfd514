// The file behind the asynchronous queue: one JSON line per fact, appended before the fact is acknowledged where the disk takes it.

import { join } from "node:path";
import { LineFile } from "../../line-file.ts";

/** One accepted asynchronous invocation. */
export interface QueuedInvocation {
  readonly id: string;
  readonly function: string;
  /** Base64. */
  readonly event: string;
  readonly taskId: string;
  readonly acceptedAt: number;
  readonly dueAt: number;
  /** How many tries have failed. */
  readonly attempt: number;
  /** How often it was throttled. */
  readonly throttled?: number;
}

/** A task id that was used, and when. */
export interface UsedTask {
  readonly key: string;
  readonly at: number;
}

type Fact = { readonly put: QueuedInvocation } | { readonly done: string } | { readonly task: UsedTask };

/** What the file says. */
export interface JournalContents {
  readonly invocations: Map<string, QueuedInvocation>;
  readonly tasks: Map<string, number>;
}

const DEAD_LINES_MAX = 5_000;

/**
 * Append-only, rewritten when most of it is history. Without a directory it keeps nothing. What a full disk does not take stays in
 * memory and is written with the next fact that it takes: nothing stands still, and only a crash meanwhile loses it.
 */
export class QueueJournal {
  readonly #file: LineFile<Fact>;
  readonly #onUnwritable: (error: unknown) => void;
  #isBehind = false;

  constructor(directory: string | undefined, onUnwritable: (error: unknown) => void) {
    this.#onUnwritable = onUnwritable;
    this.#file = new LineFile(directory === undefined ? undefined : join(directory, "async-queue.jsonl"));
  }

  /** Reads what earlier processes left. */
  read(): JournalContents {
    const invocations = new Map<string, QueuedInvocation>();
    const tasks = new Map<string, number>();
    for (const fact of this.#file.read()) {
      if ("put" in fact) invocations.set(fact.put.id, fact.put);
      else if ("done" in fact) invocations.delete(fact.done);
      else tasks.set(fact.task.key, fact.task.at);
    }
    return { invocations, tasks };
  }

  /** Appends a fact that `contents` hold already. */
  append(fact: Fact, contents: JournalContents): void {
    if (this.#isBehind) this.rewrite(contents);
    else this.#write(() => this.#file.append(fact));
  }

  /** Whether a rewrite is worth its cost. */
  isStale(contents: JournalContents): boolean {
    return this.#file.length > DEAD_LINES_MAX + 2 * (contents.invocations.size + contents.tasks.size);
  }

  /** Replaces the file by what still counts. */
  rewrite(contents: JournalContents): void {
    this.#write(() =>
      this.#file.replace([
        ...[...contents.invocations.values()].map((put) => ({ put })),
        ...[...contents.tasks].map(([key, at]) => ({ task: { key, at } })),
      ]),
    );
  }

  #write(write: () => void): void {
    try {
      write();
      this.#isBehind = false;
    } catch (error) {
      this.#isBehind = true;
      this.#onUnwritable(error);
    }
  }

  close(): void {
    this.#file.close();
  }
}
