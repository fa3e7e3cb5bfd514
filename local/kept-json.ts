// Small states of services as JSON files, replaced whole.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What was kept, or `fallback` when nothing readable was. */
export function keptJson<Value>(file: string, fallback: Value): Value {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Value;
  } catch {
    return fallback;
  }
}

/** A value that outlives the process where there is a place for it. */
export interface Kept<Value> {
  readonly value: Value;
  keep(value: Value): void;
}

/** In memory alone. */
export function nothingKept<Value>(first: Value): Kept<Value> {
  let value = first;
  return {
    get value() {
      return value;
    },
    keep: (next) => {
      value = next;
    },
  };
}

/** In a file, or in memory without one. */
export function keptIn<Value>(file: string | undefined, fallback: Value): Kept<Value> {
  if (file === undefined) return nothingKept(fallback);
  const memory = nothingKept(keptJson(file, fallback));
  return {
    get value() {
      return memory.value;
    },
    keep: (value) => {
      memory.keep(value);
      keepJson(file, value);
    },
  };
}

/** A file of a service, if anything is kept. */
export const fileIn = ({ directory }: { readonly directory?: string }, name: string): string | undefined =>
  directory === undefined ? undefined : join(directory, name);

/** Keeps a value; a kill leaves the earlier one or this one. */
export function keepJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
}
