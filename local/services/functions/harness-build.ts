// Finds the instance harness as plain JavaScript: next to the built cloud, or built on first use from its source.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let built: Promise<string> | undefined;

/** Path of a file that Node can run as an instance. */
export function harnessPath(): Promise<string> {
  const beside = join(__dirname, "instance-harness.js");
  if (existsSync(beside)) return Promise.resolve(beside);
  built ??= build(join(__dirname, "instance-harness.ts"));
  return built;
}

async function build(source: string): Promise<string> {
  const { build: esbuild } = await import("esbuild");
  const directory = mkdtempSync(join(tmpdir(), "safeport-harness-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const outfile = join(directory, "instance-harness.js");
  await esbuild({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "cjs", target: "node20" });
  return outfile;
}
