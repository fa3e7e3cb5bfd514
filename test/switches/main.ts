// Runs story, crash and contract tests under every reading of the open questions that is not the default, one at a time.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { toolOptions, wholeNumber } from "../kit/tool-options.ts";
import { triedFiles, unreached } from "./reach.ts";
import { allReadings, taken, turnOfCommit } from "./rotation.ts";
import { unsteadyFiles } from "./unsteady.ts";

const usage = `npm run test:switches -- [--take <n> [--turn <t>]] [--within <s>] [--match <text>] [--reports <folder>] [-- <test files>]
  --take <n>          n readings, the t-th n of them; all when absent
  --turn <t>          which n; default: by the commit, so that each takes other ones
  --within <s>        begins no further reading after s seconds; the first always
  --match <text>      readings whose name=value contains the text
  --reports <folder>  leaves there the report of each reading, as JSON; a story that failed beside others is tried again, alone
  <test files>        instead of all stories, crash and contract tests that a reading can reach

A whole run of npm test notes which switches each file reads. While nothing has changed since, a reading is tried on those alone
that read its switch: the others go as they went before.`;

const READING_MS_MAX = 1_800_000;

const text = { type: "string" } as const;
const { values, positionals } = toolOptions(
  usage,
  { take: text, turn: text, within: text, match: text, reports: text },
  { takesFiles: true },
);

function chosen(): readonly string[] {
  const all = allReadings.filter((reading) => reading.includes(values.match ?? ""));
  if (values.take === undefined) return all;
  const turn = values.turn === undefined ? turnOfCommit() : wholeNumber("--turn", values.turn, 0);
  return taken(all, wholeNumber("--take", values.take, 1), turn);
}

/** Tries a reading, on all files it can reach or on some. Answers the exit status, null when it took too long. */
function tryOn(reading: string, files: readonly string[], report: string | null): number | null {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--root", ".", "--config", "test/switches/vitest.config.ts"];
  const reporters = ["--reporter=dot", ...(report ? ["--reporter=json", `--outputFile.json=${report}`] : [])];
  return spawnSync(process.execPath, [...vitest, ...reporters, ...files], {
    env: { ...process.env, SAFEPORT_TEST_SWITCH: reading },
    stdio: "inherit",
    timeout: READING_MS_MAX,
  }).status;
}

/** What is wrong under a reading; null when everything holds. */
function wrongUnder(reading: string, index: number): string | null {
  const report = values.reports === undefined ? null : join(values.reports, `${index}.json`);
  let status = tryOn(reading, positionals, report);
  const unsteady = status === 1 && report !== null ? unsteadyFiles(report) : [];
  if (report !== null && unsteady.length > 0) {
    console.log(`== again, alone: ${unsteady.join(" ")}`);
    status = tryOn(reading, unsteady, report.replace(/json$/, "again.json"));
  }
  if (status === 0) return null;
  return status === null ? `did not end within ${READING_MS_MAX / 1000} s` : "failed";
}

function main(): number {
  const { within } = values;
  const withinMs = within === undefined ? Number.POSITIVE_INFINITY : wholeNumber("--within", within, 0) * 1000;
  const readings: string[] = [];
  const failed = chosen().flatMap((reading, index) => {
    if (index > 0 && performance.now() > withinMs) {
      console.log(`== ${reading}: not begun, the time for it is over`);
      return [];
    }
    readings.push(reading);
    const [name = ""] = reading.split("=");
    const files = triedFiles();
    console.log(`== ${reading}: ${unreached(files, name).length} of ${files.length} files do not read ${name}`);
    const from = performance.now();
    const wrong = wrongUnder(reading, index);
    console.log(`   ${wrong ?? "ok"}, ${Math.round((performance.now() - from) / 1000)} s`);
    return wrong === null ? [] : [`${reading} ${wrong}`];
  });
  for (const line of failed) console.log(line);
  console.log(`${readings.length - failed.length} readings passed, ${failed.length} failed`);
  return failed.length === 0 && readings.length > 0 ? 0 : 1;
}

process.exitCode = main();
