// Small states of services as JSON files, replaced whole.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What was kept, or `fallback` when nothing readable was. */
export function keptJson<Value>(file: string, fallback: Value): Value {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Value;
  } catch {
    return fallback;
  }
}

/** Keeps a value; a kill leaves the earlier one or this one. */
export function keepJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
}
