// Which readings a run takes when it takes a few: other ones with each commit, the same ones for the same commit.
import { execFileSync } from "node:child_process";
import { otherReadings } from "../../local/services/ecs/switches.ts";

/** `name=json` of every reading that is not the default, in the order of the switches. */
export const allReadings: readonly string[] = Object.entries(otherReadings).flatMap(([name, readings]) =>
  readings.map((reading) => `${name}=${JSON.stringify(reading)}`),
);

/** The `turn`-th `take` of the list, round and round. */
export function taken(list: readonly string[], take: number, turn: number): readonly string[] {
  const count = Math.min(take, list.length);
  return Array.from({ length: count }, (_, n) => list[(turn * count + n) % list.length] ?? "");
}

/** The number of the commit; in a shallow clone, which cannot count, one from its hash; 0 where there is no git. */
export function turnOfCommit(): number {
  if (git("rev-parse", "--is-shallow-repository") === "false") return Number(git("rev-list", "--count", "HEAD"));
  return Number.parseInt(`0${git("rev-parse", "HEAD").slice(0, 8)}`, 16);
}

/** What git prints; nothing where it cannot. */
function git(...words: readonly string[]): string {
  try {
    return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
