// A file of JSON values, one a line: appended before what they say is acknowledged, rewritten when most of it is history.

import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** Without a path it keeps nothing. */
export class LineFile<Line> {
  readonly #path: string | undefined;
  #file: number | undefined;
  #length = 0;

  constructor(path: string | undefined) {
    this.#path = path;
    if (path !== undefined) mkdirSync(dirname(path), { recursive: true });
  }

  /** Lines that the file has. */
  get length(): number {
    return this.#length;
  }

  /** What earlier processes left. A torn last line is one that was never acknowledged. */
  read(): readonly Line[] {
    if (this.#path === undefined || !existsSync(this.#path)) return [];
    const text = readFileSync(this.#path, "utf8");
    // What is appended next must not continue a torn line.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(this.#path, "\n");
    const lines = text.split("\n");
    this.#length = lines.length;
    return lines.flatMap((line) => parsed<Line>(line));
  }

  append(...lines: readonly Line[]): void {
    if (this.#path === undefined || lines.length === 0) return;
    this.#file ??= openSync(this.#path, "a");
    // The whole of it, or it throws: a nearly full disk takes a part.
    appendFileSync(this.#file, textOf(lines));
    this.#length += lines.length;
  }

  /** Replaces the file, in one rename; the earlier one stays where that throws. */
  replace(lines: readonly Line[]): void {
    if (this.#path === undefined) return;
    this.close();
    const draft = `${this.#path}.new`;
    try {
      writeFileSync(draft, textOf(lines));
      renameSync(draft, this.#path);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
    this.#length = lines.length;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

const textOf = (lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

function parsed<Line>(line: string): readonly Line[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Line];
  } catch {
    return [];
  }
}
