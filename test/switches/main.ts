// Runs story, crash and contract tests under every reading of the open questions that is not the default, one at a time.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { otherReadings } from "../../local/services/ecs/switches.ts";

const usage = `npm run test:switches -- [--take <n> --turn <t>] [--match <text>] [-- <test files>]
  --take <n>      n readings, the t-th n of them; all when absent
  --turn <t>      which n; default the number of the CI run (GITHUB_RUN_NUMBER), else 0
  --match <text>  readings whose name=value contains the text
  <test files>    instead of test/story/cloud-variants, test/story/ownership, test/crash and test/contract`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    take: { type: "string" },
    turn: { type: "string" },
    match: { type: "string" },
    help: { type: "boolean" },
  },
});

function chosen(): readonly string[] {
  const all = Object.entries(otherReadings)
    .flatMap(([name, readings]) => readings.map((reading) => `${name}=${JSON.stringify(reading)}`))
    .filter((reading) => reading.includes(values.match ?? ""));
  if (values.take === undefined) return all;
  const take = Math.min(Number(values.take), all.length);
  const first = Number(values.turn ?? process.env["GITHUB_RUN_NUMBER"] ?? "0") * take;
  return Array.from({ length: take }, (_, n) => all[(first + n) % all.length] ?? "");
}

function main(): number {
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const files =
    positionals.length > 0
      ? positionals
      : ["test/story/cloud-variants.test.ts", "test/story/ownership.test.ts", "test/crash", "test/contract"];
  const readings = chosen();
  const failed = readings.filter((reading) => {
    console.log(`== ${reading}`);
    const env = { ...process.env, SAFEPORT_TEST_SWITCH: reading };
    const run = spawnSync("npx", ["vitest", "run", "--reporter=dot", ...files], { env, stdio: "inherit" });
    return run.status !== 0;
  });
  for (const reading of failed) console.log(`failed under ${reading}`);
  console.log(`${readings.length - failed.length} readings passed, ${failed.length} failed`);
  return failed.length === 0 && readings.length > 0 ? 0 : 1;
}

process.exitCode = main();
