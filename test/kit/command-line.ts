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

/** What a command there finds around it, and what it has said so far. */
export function terminalOf({ cloud, env, sleep, fetch: reach = fetch }: Terminal) {
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
  return { surroundings, said };
}

/** Runs one command line there. */
export async function typed(line: string, terminal: Terminal): Promise<CommandRun> {
  const { surroundings, said } = terminalOf(terminal);
  const code = await runCommand(line.split(" "), surroundings);
  return { code, ...said };
}
