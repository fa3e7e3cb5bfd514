// How long a Node process lives: the yardstick of a machine that others use too.
import { spawnSync } from "node:child_process";

/** Milliseconds of processor that a process takes which does nothing: what others do meanwhile hardly counts. */
export function idleProcessCpuMs(): number {
  const script = "const { user, system } = process.cpuUsage(); process.stdout.write(String(user + system))";
  const { status, stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  if (status !== 0) throw new Error("node does not run");
  return Number(stdout) / 1000;
}

/** Milliseconds from start to end of a process that runs `script`. Throws when it fails. */
export function processMs(script: string): number {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["-e", script]);
  if (status !== 0) throw new Error(`the script does not run: ${stderr}`);
  return performance.now() - startMs;
}
