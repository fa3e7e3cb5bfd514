// The file behind the asynchronous queue: one JSON line per fact, appended before the fact is acknowledged.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

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

/** Append-only, rewritten when most of it is history. Without a directory it keeps nothing. */
export class QueueJournal {
  readonly #path: string | undefined;
  #file: number | undefined;
  #lines = 0;

  constructor(directory?: string) {
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    this.#path = join(directory, "async-queue.jsonl");
  }

  /** Reads what earlier processes left. A torn last line is one that was never acknowledged. */
  read(): JournalContents {
    const invocations = new Map<string, QueuedInvocation>();
    const tasks = new Map<string, number>();
    if (this.#path === undefined || !existsSync(this.#path)) return { invocations, tasks };
    for (const line of readFileSync(this.#path, "utf8").split("\n")) {
      const fact = parseFact(line);
      if (!fact) continue;
      if ("put" in fact) invocations.set(fact.put.id, fact.put);
      else if ("done" in fact) invocations.delete(fact.done);
      else tasks.set(fact.task.key, fact.task.at);
    }
    return { invocations, tasks };
  }

  append(fact: Fact): void {
    if (this.#path === undefined) return;
    this.#file ??= openSync(this.#path, "a");
    writeSync(this.#file, `${JSON.stringify(fact)}\n`);
    this.#lines += 1;
  }

  /** Whether a rewrite is worth its cost. */
  isStale(contents: JournalContents): boolean {
    return this.#lines > DEAD_LINES_MAX + 2 * (contents.invocations.size + contents.tasks.size);
  }

  /** Replaces the file by what still counts, in one rename. */
  rewrite(contents: JournalContents): void {
    if (this.#path === undefined) return;
    this.close();
    const facts: Fact[] = [
      ...[...contents.invocations.values()].map((put) => ({ put })),
      ...[...contents.tasks].map(([key, at]) => ({ task: { key, at } })),
    ];
    writeFileSync(`${this.#path}.new`, facts.map((fact) => `${JSON.stringify(fact)}\n`).join(""));
    renameSync(`${this.#path}.new`, this.#path);
    this.#lines = facts.length;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function parseFact(line: string): Fact | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as Fact;
  } catch {
    return undefined;
  }
}
