// What a command of `safeport` is, and how it speaks: words for people, JSON for programs, progress on the other stream.
import { parseArgs } from "node:util";
import type { Clock } from "../../shared/ports/clock.ts";

/** What a command is given. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  /** Progress and mistakes; never part of the result. */
  readonly err: (text: string) => void;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Resolves when whoever runs it wants it to end; only what goes on until then looks at it. */
  readonly stopped: Promise<void>;
}

/** `ok` 0, `failed` 1, `usage` 2, `waiting` 3: it is not over, and somebody has to do something. */
export const EXIT = { ok: 0, failed: 1, usage: 2, waiting: 3 } as const;

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** Thrown for a command line that makes no sense; the message is told with the way to the help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type Options = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly default?: string | boolean }>>;

/**
 * The arguments by their names, and at most so many `words` without one; `--json` and `--help` are known to every command. Throws
 * UsageError: what is not understood may have been meant to keep the command from something.
 */
export function readArguments<Asked extends Options>(args: readonly string[], options: Asked, words = 0) {
  const { values, positionals } = parsed(args, options);
  const [more] = positionals.slice(words);
  if (more !== undefined) throw new UsageError(`${more} is not understood`);
  return { values, positionals };
}

function parsed<Asked extends Options>(args: readonly string[], options: Asked) {
  try {
    const all = { ...options, json: { type: "boolean", default: false }, help: { type: "boolean", default: false } };
    const { values, positionals } = parseArgs({ args: [...args], options: all as Asked, allowPositionals: true });
    return { values: values as Readonly<Record<string, string | boolean | undefined>>, positionals };
  } catch (error) {
    // Behind the first sentence Node tells how to say something that nobody meant.
    throw new UsageError(error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error));
  }
}

/** Tells the result: as JSON where that was asked for, else in lines. */
export function tell(
  { out }: Surroundings,
  values: Readonly<Record<string, unknown>>,
  result: { readonly json: unknown; readonly lines: readonly string[] },
): void {
  out(values["json"] ? `${JSON.stringify(result.json, null, 2)}\n` : result.lines.map((line) => `${line}\n`).join(""));
}
