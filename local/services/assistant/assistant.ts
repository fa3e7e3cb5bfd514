// Cloud Assistant: commands, their invocations, and the hosts they run on. Kept in a file where the account is kept.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostSession } from "../../dataplane/data-plane.ts";
import { NftRuleset } from "./nft-ruleset.ts";

/** A command that can be invoked. */
export interface AssistantCommand {
  readonly commandId: string;
  readonly regionId: string;
  readonly name: string;
  readonly type: string;
  /** Decoded. */
  readonly content: string;
  readonly timeoutS: number;
  readonly kept: boolean;
}

/** What came of an invocation on one instance. */
export interface InvocationResult {
  readonly instanceId: string;
  /** The final one; until `finishedAt` it is `Running`. */
  readonly status: "Success" | "Failed" | "Aborted";
  readonly exitCode: number | undefined;
  /** Base64 of what was printed, cut. */
  readonly output: string;
  readonly dropped: number;
  readonly errorCode: string;
  readonly errorInfo: string;
}

/** One call of a command. */
export interface Invocation {
  readonly invokeId: string;
  readonly regionId: string;
  readonly command: AssistantCommand;
  readonly username: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly results: readonly InvocationResult[];
}

interface Kept {
  readonly rulesets: Readonly<Record<string, string>>;
  readonly commands: readonly AssistantCommand[];
  readonly invocations: readonly Invocation[];
}

const INVOCATIONS_MAX = 10_000;

/** Everything Cloud Assistant remembers. */
export class Assistant {
  readonly #file: string | undefined;
  #rulesets = new Map<string, NftRuleset>();
  #commands = new Map<string, AssistantCommand>();
  #invocations: Invocation[] = [];

  constructor(directory?: string) {
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    this.#file = join(directory, "assistant.json");
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      return; // Nothing was kept yet.
    }
    const kept = JSON.parse(text) as Kept;
    this.#rulesets = new Map(Object.entries(kept.rulesets).map(([id, script]) => [id, new NftRuleset().apply(script)]));
    this.#commands = new Map(kept.commands.map((command) => [command.commandId, command]));
    this.#invocations = [...kept.invocations];
  }

  /** The nftables ruleset of an instance; empty until somebody loads one. */
  rulesetOf(instanceId: string): NftRuleset {
    return this.#rulesets.get(instanceId) ?? new NftRuleset();
  }

  /** The sessions that hosts have: none until somebody says which. */
  sessionsOf: (instanceId: string) => readonly HostSession[] = () => [];

  command(commandId: string): AssistantCommand | undefined {
    return this.#commands.get(commandId);
  }

  addCommand(command: AssistantCommand): void {
    this.#commands.set(command.commandId, command);
    this.#keep();
  }

  /** Newest first. */
  invocations(): readonly Invocation[] {
    return this.#invocations;
  }

  /** Remembers an invocation and what it left on its hosts. */
  addInvocation(invocation: Invocation, rulesets: ReadonlyMap<string, NftRuleset>): void {
    for (const [instanceId, ruleset] of rulesets) this.#rulesets.set(instanceId, ruleset);
    this.#invocations = [invocation, ...this.#invocations].slice(0, INVOCATIONS_MAX);
    this.#keep();
  }

  /** Hosts as they were first, nothing remembered. */
  reset(): void {
    this.#rulesets.clear();
    this.#commands.clear();
    this.#invocations = [];
    this.#keep();
  }

  #keep(): void {
    if (this.#file === undefined) return;
    const rulesets = Object.fromEntries([...this.#rulesets].map(([id, ruleset]) => [id, ruleset.print() ?? ""]));
    const kept: Kept = { rulesets, commands: [...this.#commands.values()], invocations: this.#invocations };
    writeFileSync(`${this.#file}.new`, JSON.stringify(kept));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
