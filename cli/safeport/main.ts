// The command `safeport`.
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { Surroundings } from "./command.ts";
import { runCommand } from "./run.ts";

/** The first signal asks for an end, a second one makes it. */
const stopped = new Promise<void>((resolve) => {
  let isAsked = false;
  const ask = (): void => {
    if (isAsked) process.exit(1);
    isAsked = true;
    resolve();
  };
  if (process.argv[2] === "run") for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, ask);
});

// What runs on does not end because its log has no room; Node goes on writing when there is some.
if (process.argv[2] === "run") process.stderr.on("error", () => undefined);

// The SDKs use what Node no longer likes: nothing that whoever types a command can do anything about.
process.noDeprecation = true;

const surroundings: Surroundings = {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  clock: systemClock,
  fetch,
  stopped,
};

runCommand(process.argv.slice(2), surroundings).then((code) => {
  process.exitCode = code;
});
