// The last lines that functions wrote, each with its function and request, and the same lines in a file when asked for.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** One line of a function's output. */
export interface LogLine {
  readonly at: number;
  readonly function: string;
  readonly requestId: string;
  readonly text: string;
}

const LINES_MAX = 5_000;

/** Keeps the last 5,000 lines in memory; with a directory every line also goes to `functions.log` there. */
export class LogRing {
  readonly #lines: LogLine[] = [];
  #file: number | undefined;

  constructor(directory?: string) {
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    this.#file = openSync(join(directory, "functions.log"), "a");
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX * 2) this.#lines.splice(0, this.#lines.length - LINES_MAX);
    if (this.#file === undefined) return;
    writeSync(this.#file, `${new Date(line.at).toISOString()} ${line.function} ${line.requestId} ${line.text}\n`);
  }

  /** The lines kept, oldest first. */
  lines(): readonly LogLine[] {
    return this.#lines.slice(-LINES_MAX);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
