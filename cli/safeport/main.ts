// The command `safeport`.
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { Surroundings } from "./command.ts";
import { runCommand } from "./run.ts";

const surroundings: Surroundings = {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  clock: systemClock,
  fetch,
};

runCommand(process.argv.slice(2), surroundings).then((code) => {
  process.exitCode = code;
});
