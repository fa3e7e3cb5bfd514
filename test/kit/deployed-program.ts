// The program as a person runs it: a process of its own that can be killed and started again in the same home.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DevRecord } from "../../cli/dev/dev-record.ts";
import { builtProgram } from "./deployed-build.ts";

/** A program that has said `ready`. */
export interface Program {
  readonly record: DevRecord;
  /** Everything it has printed. */
  output(): string;
  /** Ends it as Ctrl-C does. */
  stop(): Promise<void>;
  /** `kill -9`. Resolves with the processes it had started, its function instances among them. */
  kill(): Promise<readonly number[]>;
}

const READY_MS_MAX = 60_000;

/** Starts `node dist/cli/dev.js`, what `npm start` ends up running, and waits until it is ready. */
export async function startProgram(home: string, network: string, env: Record<string, string> = {}): Promise<Program> {
  const cwd = await builtProgram();
  const child = spawn(process.execPath, [join("dist", "cli", "dev.js")], {
    cwd,
    env: { ...process.env, PORT: "0", SAFEPORT_HOME: home, SAFEPORT_NETWORK: network, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = await untilReady(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    record: JSON.parse(readFileSync(join(home, "dev.json"), "utf8")),
    output,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await exited;
    },
    kill: async () => {
      const started = descendantsOf(child.pid ?? 0);
      child.kill("SIGKILL");
      await exited;
      return started;
    },
  };
}

/** Which of the processes run. What has ended and waits for its parent to notice does not. */
export function running(pids: readonly number[]): readonly number[] {
  const states = new Map(processes().map(({ pid, state }) => [pid, state]));
  return pids.filter((pid) => states.has(pid) && !states.get(pid)?.startsWith("Z"));
}

function untilReady(child: ChildProcess): Promise<() => string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`the program ${why}:\n${printed}`));
    };
    const timer = setTimeout(() => failed("is not ready in time"), READY_MS_MAX);
    const ended = (): void => failed("has ended");
    child.once("exit", ended);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        if (!/^ready$/m.test(printed)) return;
        clearTimeout(timer);
        child.off("exit", ended);
        resolve(() => printed);
      });
    }
  });
}

function descendantsOf(pid: number): readonly number[] {
  const all = processes();
  const below = (parent: number): number[] =>
    all.filter((it) => it.parent === parent).flatMap((it) => [it.pid, ...below(it.pid)]);
  return below(pid);
}

function processes(): readonly { readonly pid: number; readonly parent: number; readonly state: string }[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = ""] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}
