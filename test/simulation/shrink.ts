// Makes a failing seed small: leaves out hours, kinds of faults and moves for as long as the same checker still sees something.

import { drawnFeatures } from "./features.ts";
import type { Asked } from "./options.ts";
import { runSeed } from "./run-seed.ts";
import { type Part, SHUT_DOWN, scriptOf } from "./script.ts";

/** What is left of a seed, and in how many runs that was found. */
export interface Shrunk {
  readonly part: Part;
  readonly runs: number;
}

/**
 * Shrinks a seed, or what was asked for of it, in which the checker has seen something, in at most `runsMax` runs. Whatever part it answers
 * has been run by itself, and the checker has seen something in it. Throws where it sees nothing in what was asked for.
 */
export async function shrink({ seed, ...asked }: Asked, checker: string, runsMax = 60): Promise<Shrunk> {
  const script = scriptOf(seed, asked.hours);
  let runs = 0;
  let part: Required<Part> = {
    hours: script.length,
    moves: script.flatMap((hour) => hour.moves).map(({ n }) => n),
    faults: [...new Set(script.flatMap(({ weather }) => Object.keys(weather))), SHUT_DOWN],
    features: drawnFeatures(seed),
    ...asked.part,
  };
  const keepIfSeen = async (next: Required<Part>): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs += 1;
    const { violations } = await runSeed(seed, { ...asked, part: next });
    if (!violations.some((it) => it.checker === checker)) return false;
    part = next;
    return true;
  };
  if (!(await keepIfSeen(part))) throw new Error(`${checker} sees nothing in seed ${seed}`);
  for (let hours = 1; hours < part.hours; hours++) {
    const moves = new Set(
      script
        .slice(0, hours)
        .flatMap((hour) => hour.moves)
        .map(({ n }) => n),
    );
    if (await keepIfSeen({ ...part, hours, moves: part.moves.filter((n) => moves.has(n)) })) break;
  }
  if (!(await keepIfSeen({ ...part, features: [] }))) await leaveOut("features");
  await leaveOut("moves");
  if (!(await keepIfSeen({ ...part, faults: [] }))) await leaveOut("faults");
  return { part, runs };

  /** Halves, quarters and so on are left out, down to single ones. */
  async function leaveOut(what: "moves" | "faults" | "features"): Promise<void> {
    for (let size = Math.ceil(part[what].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
      for (let at = 0; at < part[what].length; ) {
        const left = (part[what] as readonly unknown[]).filter((_, n) => n < at || n >= at + size);
        if (!(await keepIfSeen({ ...part, [what]: left }))) at += size;
      }
  }
}
