// The command `safeport` as somebody types it, in the time of an embedded cloud.
import type { Surroundings } from "../../cli/safeport/command.ts";
import { runCommand } from "../../cli/safeport/run.ts";
import type { Cloud } from "../../local/cloud.ts";

/** What a command has left behind. */
export interface CommandRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where a command runs. */
export interface Terminal {
  readonly cloud: Cloud;
  readonly env: Readonly<Record<string, string>>;
  /** How it waits; the cloud's own way otherwise. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** How it reaches the API; as programs do otherwise. */
  readonly fetch?: typeof fetch;
}

/** Runs one command line there. */
export async function typed(line: string, { cloud, env, sleep, fetch: reach = fetch }: Terminal): Promise<CommandRun> {
  const said = { out: "", err: "" };
  const surroundings: Surroundings = {
    env,
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    clock: {
      now: () => cloud.clock.now(),
      monotonicMs: () => cloud.clock.monotonicMs(),
      sleep: async (ms) => void (await (sleep ?? cloud.advance)(ms)),
    },
    fetch: reach,
    stopped: Promise.resolve(),
  };
  return { code: await runCommand(line.split(" "), surroundings), ...said };
}
