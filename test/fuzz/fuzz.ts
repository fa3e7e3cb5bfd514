// Runs inputs through a parser, and says which of them made it throw what is not its own, or took too long.
import { Dice } from "../kit/schedule.ts";
import { mutated } from "./mutate.ts";
import type { FuzzTarget } from "./targets.ts";

/** Of the processor, for one input of at most 256 KiB; the clock of a busy machine says nothing. */
const CPU_MAX_MS = 1_000;

export interface Finding {
  readonly target: string;
  readonly what: string;
  readonly input: Uint8Array;
}

/** What is wrong with how the target takes the input; null when nothing is. */
export async function tryInput(target: FuzzTarget, input: Uint8Array): Promise<Finding | null> {
  const before = process.cpuUsage();
  let what: string | null = null;
  try {
    await target.run(Buffer.from(input));
  } catch (error) {
    if (!target.isTyped(error)) what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  if ((user + system) / 1000 > CPU_MAX_MS) what ??= `took ${((user + system) / 1000).toFixed(0)} ms`;
  return what === null ? null : { target: target.name, what, input };
}

/** Tries so many inputs of a seed; the same seed gives the same inputs. */
export async function fuzz(target: FuzzTarget, seed: string, inputs: number): Promise<readonly Finding[]> {
  const dice = new Dice(`${seed} ${target.name}`);
  const findings: Finding[] = [];
  for (let n = 0; n < inputs; n++) {
    const finding = await tryInput(target, mutated(target.seeds, dice));
    if (finding !== null) findings.push(finding);
  }
  return findings;
}
