// Ends the instances when the cloud itself is killed. A frozen process cannot notice that its parent is gone, so a shell in
// a session of its own holds the list and kills what is on it once its input ends.

import { type ChildProcess, spawn } from "node:child_process";

const SCRIPT =
  'live=""; while read -r line; do live="$line"; done; [ -n "$live" ] && kill -9 $live 2>/dev/null; exit 0';

/** Keeps the list of running instances outside the cloud's own process. */
export class InstanceWatchdog {
  readonly #pids = new Set<number>();
  #shell: ChildProcess | undefined;

  add(pid: number): void {
    this.#pids.add(pid);
    this.#tell();
  }

  remove(pid: number): void {
    if (this.#pids.delete(pid)) this.#tell();
  }

  /** Lets the shell go, which kills what is still listed. */
  close(): void {
    this.#shell?.stdin?.end();
  }

  #tell(): void {
    if (process.platform === "win32") return;
    if (!this.#shell) {
      this.#shell = spawn("/bin/sh", ["-c", SCRIPT], { detached: true, stdio: ["pipe", "ignore", "ignore"], cwd: "/" });
      this.#shell.on("error", () => undefined);
      this.#shell.stdin?.on("error", () => undefined);
      this.#shell.unref();
    }
    this.#shell.stdin?.write(`${[...this.#pids].join(" ")}\n`);
  }
}
