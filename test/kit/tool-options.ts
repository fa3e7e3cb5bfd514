// What the project's own tools are asked for: `--help` prints what there is, and a mistake is told in a line, with exit status 2.
import { type ParseArgsConfig, parseArgs } from "node:util";

type Flags = NonNullable<ParseArgsConfig["options"]>;

/** The values of a tool's options, and its files. Ends the process where it is asked for help, or for what it does not know. */
export function toolOptions<const Own extends Flags>(help: string, options: Own, { takesFiles = false } = {}) {
  if (!process.argv.slice(2).includes("--help"))
    return orRefuse(() => parseArgs({ options, allowPositionals: takesFiles }));
  process.stdout.write(`${help.trimEnd()}\n`);
  return process.exit(0);
}

/** A whole number that an option was given. Ends the process where it is none, or below the least. */
export function wholeNumber(option: string, text: string, least: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least && Number.isSafeInteger(Number(text))) return Number(text);
  return refuse(`${option} takes a whole number from ${least} on, and not ${JSON.stringify(text)}`);
}

/** Says what a tool was asked for and cannot do, and ends it. */
export function refuse(what: string): never {
  process.stderr.write(`${what}\n--help tells what there is.\n`);
  return process.exit(2);
}

function orRefuse<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    return refuse((error as Error).message);
  }
}
