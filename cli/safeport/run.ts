// A command line to the command that is meant.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../shared/errors/app-error.ts";
import { ApiError } from "./api.ts";
import { type Command, EXIT, type Surroundings, UsageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { machine } from "./machine.ts";
import { mode } from "./mode.ts";
import { policy } from "./policy.ts";
import { probe } from "./probe.ts";
import { records } from "./records.ts";
import { remedyOf } from "./remedy.ts";
import { setup } from "./setup.ts";
import { state } from "./state.ts";
import { uninstall } from "./uninstall.ts";

export const commands: readonly Command[] = [setup, doctor, policy, mode, records, machine, state, probe, uninstall];

const HELP = `Usage: safeport <command> [options]

${commands.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join("\n")}

safeport <command> --help tells more; --version the version. --json answers for programs. Exit codes: 0 done, 1 failed, 2 not understood,
3 waits for somebody.
`;

/** Of the package or the checkout that the built command lies in. */
function versionOf(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, "..", "..", "package.json"), "utf8"));
  return String(version);
}

function inWords(error: unknown): string {
  const { code, path } = Object(error) as { readonly code?: unknown; readonly path?: unknown };
  if (typeof path === "string" && typeof code === "string")
    return `${path} cannot be read or written (${code}). Name one that is there, or whose folder is, and that you may use.`;
  const message = error instanceof Error ? error.message : String(error);
  const remedy = remedyOf(error);
  return remedy === null ? message : `${message.replace(/\.$/, "")}. ${remedy}`;
}

/** Runs a command line; resolves with the exit code, and never rejects. */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { out, err } = surroundings;
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    out(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === "--version" || name === "-v") {
    out(`${versionOf()}\n`);
    return EXIT.ok;
  }
  const command = commands.find((it) => it.name === name);
  if (command === undefined) {
    err(`safeport knows no command ${name}. safeport --help lists them.\n`);
    return EXIT.usage;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    out(command.help);
    return EXIT.ok;
  }
  try {
    return await command.run(rest, surroundings);
  } catch (error) {
    if (error instanceof UsageError) {
      err(`safeport ${name}: ${error.message}. safeport ${name} --help tells what it takes.\n`);
      return EXIT.usage;
    }
    const isCoded = (error instanceof ApiError || error instanceof AppError) && error.code;
    err(`safeport ${name}: ${inWords(error)}${isCoded ? ` (${error.code})` : ""}\n`);
    return EXIT.failed;
  }
}
