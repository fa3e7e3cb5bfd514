// Which test files a reading can change: those that read its switch when they last ran, and those of which nobody knows.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** What decides how a test goes. */
const SOURCES = ["cli", "functions", "local", "shared", "test", "package-lock.json", "s.yaml"];

const root = join(import.meta.dirname, "../..");

/** Where a whole run of the tests leaves what each file read. */
export const readsFolder = join(root, "node_modules", ".cache", "safeport-switch-reads");

/** The kinds of tests that a reading is tried on. */
export const kinds = ["contract", "crash", "story"];

/** Their files. */
export const triedFiles = (): readonly string[] =>
  kinds.flatMap((kind) =>
    readdirSync(join(root, "test", kind))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `test/${kind}/${name}`),
  );

/** Name of the entry of a test file. */
export const entryOf = (file: string): string => `${relative(root, file).replaceAll(/[^\w.-]/g, "_")}.json`;

/** Test files that cannot notice another value of the switch: they did not read it, and nothing has changed since. */
export function unreached(
  files: readonly string[],
  name: string,
  folder = readsFolder,
  sources = SOURCES,
): readonly string[] {
  const changedAt = Math.max(...sources.map((source) => newestIn(join(root, source))));
  return files.filter((file) => {
    const entry = join(folder, entryOf(join(root, file)));
    if (!existsSync(entry)) return false;
    const { startedAt, switches } = JSON.parse(readFileSync(entry, "utf8")) as {
      readonly startedAt: number;
      readonly switches: readonly string[];
    };
    return startedAt > changedAt && !switches.includes(name);
  });
}

/** When the newest file of a folder was written, milliseconds since the epoch. */
function newestIn(path: string): number {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== "node_modules" && name !== "dist");
  return Math.max(0, ...inside.map((name) => newestIn(join(path, name))));
}
