// How long a Node process lives: the yardstick of a machine that others use too.
import { spawnSync } from "node:child_process";

/** Milliseconds from start to end of a process that runs `script`. Throws when it fails. */
export function processMs(script: string): number {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["-e", script]);
  if (status !== 0) throw new Error(`the script does not run: ${stderr}`);
  return performance.now() - startMs;
}
