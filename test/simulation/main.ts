// `npm run simulate -- --help`
import { availableParallelism } from "node:os";
import { coverageIn } from "./coverage.ts";
import { drawnFeatures, type FeatureName } from "./features.ts";
import { type Asked, commandOf, HELP, type Options, readOptions } from "./options.ts";
import { runSeed, type SeedReport } from "./run-seed.ts";
import { runSeeds } from "./seed-pool.ts";
import { shrink } from "./shrink.ts";

const MINUTE_MS = 60_000;
const VIOLATIONS_TOLD = 20;

function tellViolations(asked: Asked, { violations }: SeedReport): void {
  const command = commandOf(asked);
  process.stdout.write(`seed ${asked.seed} (once more: ${command} --trace; smaller: ${command} --shrink)\n`);
  for (const { checker, text, at } of violations.slice(0, VIOLATIONS_TOLD))
    process.stdout.write(`  ${(at / 1000).toFixed(3)} s ${checker}: ${text}\n`);
}

async function runOne({ asked, isTraced, isShrunk }: Extract<Options, { kind: "one" }>): Promise<boolean> {
  const { seed, ...rest } = asked;
  const report = await runSeed(seed, { isTraced, ...rest });
  if (isTraced) process.stdout.write(`${report.trace.join("\n")}\n`);
  const [first] = report.violations;
  if (first !== undefined) tellViolations(asked, report);
  if (isShrunk && first !== undefined) {
    const { runs, part } = await shrink(asked, first.checker);
    process.stdout.write(`in ${runs} runs: ${commandOf({ ...asked, part })} --trace\n`);
  }
  process.stdout.write(
    `seed ${seed}: ${report.hours.toFixed(1)} account-hours, ${report.counts.calls} calls, ${report.violations.length} violations\n`,
  );
  return first === undefined;
}

const hasDrawn = (seed: string, features: readonly FeatureName[]): boolean => {
  const drawn = features.length === 0 ? [] : drawnFeatures(seed);
  return features.every((it) => drawn.includes(it));
};

async function runMany({
  from,
  features,
  processes,
  hours,
  seeds,
}: Extract<Options, { kind: "many" }>): Promise<boolean> {
  const startedAt = performance.now();
  const total = { seeds: 0, hours: 0, calls: 0, changes: 0, ticks: 0, events: 0, wrong: 0 };
  let isInterrupted = false;
  // It may come twice, as npm passes it on. The script has node load tsx: tsx itself kills whoever does not answer a signal within 30 ms, as
  // nobody does with every processor busy.
  process.on("SIGINT", () => {
    isInterrupted = true;
  });
  const isEnough = (begun: number): boolean => {
    if (isInterrupted) return true;
    if (hours !== null) return total.hours >= hours;
    return seeds !== null ? begun >= seeds : performance.now() - startedAt > MINUTE_MS;
  };
  const [faults, moves, checks] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  let begun = 0;
  const take = (report: SeedReport): void => {
    const { counts, violations } = report;
    total.seeds += 1;
    total.hours += report.hours;
    total.calls += counts.calls;
    total.changes += counts.changes;
    total.ticks += counts.ticks;
    total.events += counts.events;
    for (const [sum, counted] of [
      [faults, counts.faults],
      [moves, counts.moves],
      [checks, counts.checks],
    ] as const)
      for (const [kind, count] of counted) sum.set(kind, (sum.get(kind) ?? 0) + count);
    if (violations.length > 0) {
      total.wrong += 1;
      tellViolations({ seed: report.seed }, report);
    }
    if (total.seeds % 50 === 0)
      process.stderr.write(`${total.seeds} seeds, ${total.hours.toFixed(0)} account-hours, ${total.wrong} wrong\n`);
  };
  let next = from;
  const draw = (): string | null => {
    if (isEnough(begun++)) return null;
    while (!hasDrawn(`${next}`, features)) next++;
    return `${next++}`;
  };
  await runSeeds(processes ?? availableParallelism(), draw, take);
  const minutes = (performance.now() - startedAt) / MINUTE_MS;
  const inWords = (sum: ReadonlyMap<string, number>): string =>
    [...sum]
      .sort()
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", ");
  process.stdout.write(
    `${[
      `${total.seeds} seeds from ${from} to ${next - 1}${features.length > 0 ? ` with ${features.join(", ")}` : ""}: ${total.hours.toFixed(0)} account-hours in ${minutes.toFixed(1)} min, ${(total.hours / minutes).toFixed(0)} a minute`,
      `${total.calls} calls, ${total.changes} changes by the program, ${total.ticks} ticks, ${total.events} events`,
      `faults: ${inWords(faults)}`,
      `moves: ${inWords(moves)}`,
      coverageIn(moves.keys()),
      `looks of the checkers: ${inWords(checks)}`,
      `${total.wrong} seeds with violations`,
    ].join("\n")}\n`,
  );
  return total.wrong === 0;
}

/** Null where it was asked for what it does not know. */
function given(): Options | null {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nnpm run simulate -- --help tells what it takes.\n`);
    return null;
  }
}

async function main(): Promise<number> {
  const options = given();
  if (options === null) return 2;
  if (options.kind === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const isGood = options.kind === "one" ? await runOne(options) : await runMany(options);
  return isGood ? 0 : 1;
}

void main().then((code) => {
  process.exitCode = code;
});
