// The program as it is built, in a folder of its own: made once per state of the sources, whatever else runs or builds.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../../cli/build.mjs";

/** The project's folder. */
export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const SOURCES = ["cli", "functions", "local", "shared", "package-lock.json", "s.yaml"];
const KEPT_MS = 3_600_000;

/**
 * A folder that holds `dist/`, `cli/` and `s.yaml` as a checkout does. Test files that need it at once each build, and the first one
 * to be ready wins; later runs find it by the digest of the sources. It lies in the project, where packages are found.
 */
export async function builtProgram(): Promise<string> {
  const home = join(projectRoot, "node_modules", ".cache", "safeport-built");
  const folder = join(home, digestOf(SOURCES.map((name) => join(projectRoot, name))));
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    await mkdir(draft, { recursive: true });
    await build(join(draft, "dist"));
    for (const name of ["cli", "s.yaml"]) symlinkSync(join(projectRoot, name), join(draft, name));
    try {
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const now = new Date();
  utimesSync(folder, now, now);
  removeOld(home, now.getTime() - KEPT_MS);
  return folder;
}

function removeOld(home: string, beforeMs: number): void {
  for (const name of readdirSync(home)) {
    const path = join(home, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: beforeMs };
    if (mtimeMs < beforeMs) rmSync(path, { recursive: true, force: true });
  }
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    if (!statSync(path).isDirectory()) {
      hash.update(path).update(readFileSync(path));
      return;
    }
    for (const name of readdirSync(path).sort()) add(join(path, name));
  };
  for (const path of paths) add(path);
  return hash.digest("hex").slice(0, 16);
}
