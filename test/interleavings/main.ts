// `npm run interleavings -- --help`
import { toolOptions, wholeNumber } from "../kit/tool-options.ts";
import { incidents } from "./incidents.ts";
import { stories } from "./people.ts";
import { runSeed } from "./run-seed.ts";

const HELP = `Usage: npm run interleavings -- [--seeds n] [--from n] [--incidents] [--seed text]

Has passes and people act on one group at once, in an order that the seed draws, n times. Exits with 1 when anything was lost.

  --seeds n      so many seeds (10000)
  --from n       the first seed (1)
  --incidents    with lockdowns among what people do
  --seed text    one seed alone, with its trace
`;

const { values } = toolOptions(HELP, {
  seeds: { type: "string", default: "10000" },
  seed: { type: "string" },
  from: { type: "string", default: "1" },
  incidents: { type: "boolean", default: false },
});
const [cast, flag] = values.incidents ? [incidents, " --incidents"] : [stories, ""];

async function runOne(seed: string): Promise<void> {
  const { wrong, trace } = await runSeed(seed, true, cast);
  process.stdout.write(`${trace.join("\n")}\nseed ${seed}: ${wrong.length} wrong\n`);
  for (const text of wrong) process.stdout.write(`  ${text}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

async function runMany(seeds: number, from: number): Promise<void> {
  const startedAt = performance.now();
  let [calls, changes, fellBack, failed] = [0, 0, 0, 0];
  for (let n = from; n < from + seeds; n++) {
    const report = await runSeed(`${n}`, false, cast);
    calls += report.calls;
    changes += report.changes;
    if (report.fellBack) fellBack += 1;
    if (n % 500 === 0) process.stderr.write(`${n - from} of ${seeds} seeds\n`);
    if (report.wrong.length === 0) continue;
    failed += 1;
    process.stdout.write(`seed ${n} (its trace: npm run interleavings --${flag} --seed ${n})\n`);
    for (const text of report.wrong) process.stdout.write(`  ${text}\n`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(
    `${seeds} seeds, ${calls} calls, ${changes} of them changes by the program, ${fellBack} groups fell back to observe, ${failed} seeds wrong, ${seconds} s\n`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

const many = { seeds: wholeNumber("--seeds", values.seeds, 1), from: wholeNumber("--from", values.from, 0) };
void (values.seed === undefined ? runMany(many.seeds, many.from) : runOne(values.seed));
