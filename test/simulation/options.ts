// What `npm run simulate` is asked for. What makes no sense is refused: a fault that is spelled wrong would have a seed play without it.
import { parseArgs } from "node:util";
import { type FeatureName, isFeatureName } from "./features.ts";
import { formatPart, type Part, parsePart } from "./script.ts";

export const HELP = `Usage: npm run simulate -- [--hours n | --seeds n] [--from n] [--with features] [--processes n]
       npm run simulate -- --seed text [--length n] [--part text] [--trace] [--shrink]

Lives whole accounts with the program in them, in foul weather and then in fair, and watches the cloud from outside.
Without options for about a minute. Ctrl-C has it end with the seeds that it is at.
Exits with 1 when an invariant was broken, with 2 when it was asked for what it does not know.

  --hours n        until so many account-hours have been simulated
  --seeds n        so many seeds
  --from n         the first seed (1)
  --with a,b       of these seeds those alone that have drawn all of these features
  --processes n    run side by side on so many processes; one for each processor when absent

  --seed text      one seed alone
  --length n       hours of its foul part; drawn from the seed when absent
  --part text      plays a part of that seed: <hours>:<moves>:<faults>:<features>, such as 2:0,4:late,death:alarms; * is all of them
  --trace          prints every call and fault of that seed
  --shrink         looks for the least part of that seed in which the same checker sees something
`;

/** What of a seed is run: all of it, or less. */
export interface Asked {
  readonly seed: string;
  readonly hours?: number;
  readonly part?: Part;
}

export type Options =
  | { readonly kind: "help" }
  | { readonly kind: "one"; readonly asked: Asked; readonly isTraced: boolean; readonly isShrunk: boolean }
  | {
      readonly kind: "many";
      readonly from: number;
      /** What every seed that is run has drawn. */
      readonly features: readonly FeatureName[];
      /** Null for one on each processor. */
      readonly processes: number | null;
      /** When it is enough; about a minute where neither says so. */
      readonly hours: number | null;
      readonly seeds: number | null;
    };

const OF_ONE = ["length", "part", "trace", "shrink"] as const;
const OF_MANY = ["hours", "seeds", "from", "with", "processes"] as const;

/** Throws RangeError and TypeError on what is no option or does not go with the others. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ hours: text, seeds: text, from: text, with: text, processes: text },
      ...{ seed: text, length: text, part: text, trace: flag, shrink: flag, help: flag },
    },
  });
  if (values.help) return { kind: "help" };
  const { seed } = values;
  for (const name of seed === undefined ? OF_ONE : OF_MANY)
    if (values[name] !== undefined)
      throw new RangeError(seed === undefined ? `--${name} takes a --seed` : `--${name} does not go with --seed`);
  if (seed !== undefined) {
    const asked = {
      seed,
      ...(values.length === undefined ? {} : { hours: whole("length", values.length, 1) }),
      ...(values.part === undefined ? {} : { part: parsePart(values.part) }),
    };
    return { kind: "one", asked, isTraced: values.trace ?? false, isShrunk: values.shrink ?? false };
  }
  const { hours, seeds, from, with: named, processes } = values;
  if (hours !== undefined && seeds !== undefined) throw new RangeError("--hours does not go with --seeds");
  return {
    kind: "many",
    from: whole("from", from ?? "1", 0),
    features: named === undefined ? [] : named.split(",").map(featureOf),
    processes: processes === undefined ? null : whole("processes", processes, 1),
    hours: hours === undefined ? null : whole("hours", hours, 1),
    seeds: seeds === undefined ? null : whole("seeds", seeds, 1),
  };
}

function featureOf(text: string): FeatureName {
  if (!isFeatureName(text)) throw new RangeError(`--with names what is no feature: ${text}`);
  return text;
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new RangeError(`--${name} takes a whole number from ${least} on`);
  return value;
}

/** The one command that runs just this once more. */
export function commandOf({ seed, hours, part }: Asked): string {
  const length = hours === undefined ? "" : ` --length ${hours}`;
  const played = part === undefined ? "" : ` --part ${quoted(formatPart(part))}`;
  return `npm run simulate -- --seed ${quoted(seed)}${length}${played}`;
}

/** As a shell takes it, which would look for files by a star. */
const quoted = (text: string): string => (/^[\w:,.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
