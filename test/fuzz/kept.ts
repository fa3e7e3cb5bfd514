// Inputs that found something once: one file each, `kept/<target>.<digest>`, tried by every run of the suite.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "./fuzz.ts";

const FOLDER = join("test", "fuzz", "kept");
const nameOf = (target: string): string => target.replaceAll(" ", "-");

/** The kept inputs of a target, by file name. */
export const keptInputs = (target: string): readonly { readonly file: string; readonly input: Uint8Array }[] =>
  readdirSync(FOLDER)
    .filter((file) => file.startsWith(`${nameOf(target)}.`))
    .map((file) => ({ file, input: readFileSync(join(FOLDER, file)) }));

/** Keeps an input; answers the path of its file. */
export function keep({ target, input }: Finding): string {
  const path = join(FOLDER, `${nameOf(target)}.${createHash("sha256").update(input).digest("hex").slice(0, 12)}`);
  writeFileSync(path, input);
  return path;
}
