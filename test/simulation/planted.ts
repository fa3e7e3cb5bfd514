// A planted bug and the seed in which a checker sees it.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type * as esbuild from "esbuild";
import { withBundle } from "./bundle.ts";
import type { Edit, Mutation } from "./mutations.ts";
import { formatPart } from "./script.ts";

/** What was seen first; null when nothing was. */
export type Sight = {
  readonly seed: string;
  readonly checker: string;
  readonly text: string;
  /** The least part of the seed in which it is seen, where that was asked for. */
  readonly part: string | null;
} | null;

const TIMEOUT_MS = 240_000;

/** The mutated text of a file. Throws when a piece to replace does not stand there exactly once. */
function mutated(path: string, edits: readonly Edit[]): string {
  return edits.reduce(
    (text, { find, replace }) => {
      const parts = text.split(find);
      if (parts.length !== 2) throw new Error(`${path} has the piece to replace ${parts.length - 1} times: ${find}`);
      return parts.join(replace);
    },
    readFileSync(path, "utf8"),
  );
}

/** Builds the simulation with the bug planted, or as it is, and runs seeds until something is seen. */
export function seekWith(
  mutation: Mutation | null,
  seeds: { readonly from: number; readonly max: number; readonly shrinkRuns?: number },
): Promise<Sight> {
  const plant: esbuild.Plugin = {
    name: "plant",
    setup: ({ onLoad }) => {
      if (mutation === null) return;
      const edits = [mutation, ...(mutation.also === undefined ? [] : [mutation.also])];
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const here = edits.filter(({ file }) => resolve(file) === path);
        return here.length === 0 ? undefined : { contents: mutated(path, here), loader: "ts" };
      });
    },
  };
  const part = formatPart(mutation?.features === undefined ? {} : { features: mutation.features });
  const args = [seeds.from, seeds.max, seeds.shrinkRuns ?? 0, part].map(String);
  const seek = async (file: string): Promise<Sight> => {
    const run = await promisify(execFile)(process.execPath, [file, ...args], { timeout: TIMEOUT_MS });
    return JSON.parse(run.stdout) as Sight;
  };
  return withBundle("seek.ts", seek, [plant]);
}
