// `npm run simulate -- --help`
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { canLockMove, LOCK_STATES } from "../../shared/domain/group-lock.ts";
import { canMove, LEASE_STATES } from "../../shared/domain/lease.ts";
import { runSeed, type SeedReport } from "./run-seed.ts";
import { formatPart, parsePart } from "./script.ts";
import { runSeeds } from "./seed-pool.ts";
import { shrink } from "./shrink.ts";

const HELP = `Usage: npm run simulate -- [--hours n | --seeds n] [--from n] [--seed text [--length hours] [--part text] [--shrink] [--trace]]

Lives whole accounts with the program in them, in foul weather and then in fair, and watches the cloud from outside.
Without options for about a minute. Exits with 1 when an invariant was broken. Ctrl-C has it end with the seeds that it is at.

  --hours n        until so many account-hours have been simulated
  --seeds n        so many seeds
  --from n         the first seed (1)
  --processes n    run side by side on so many processes; one for each processor when absent
  --seed text      one seed alone
  --length hours   hours of its foul part; drawn from the seed when absent
  --part text      plays a part of that seed: <hours>:<moves>:<faults>, such as 2:0,4:late,death
  --shrink         looks for the least part of that seed in which the same checker sees something
  --trace          prints every call and fault of that seed
`;

const { values } = parseArgs({
  options: {
    hours: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    processes: { type: "string" },
    seed: { type: "string" },
    length: { type: "string" },
    trace: { type: "boolean", default: false },
    part: { type: "string" },
    shrink: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const MINUTE_MS = 60_000;

/** What the tables of the domain allow. */
const ALL_MOVES = [
  ...LEASE_STATES.flatMap((from) =>
    LEASE_STATES.filter((to) => canMove(from, to)).map((to) => `lease ${from} > ${to}`),
  ),
  ...LOCK_STATES.flatMap((from) =>
    LOCK_STATES.filter((to) => canLockMove(from, to)).map((to) => `lock ${from} > ${to}`),
  ),
];

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} takes a number from 0 on`);
  return value;
}

function tellViolations({ seed, violations }: SeedReport): void {
  process.stdout.write(
    `seed ${seed} (once more: npm run simulate -- --seed ${seed} --trace; smaller: npm run simulate -- --seed ${seed} --shrink)\n`,
  );
  for (const { checker, text, at } of violations.slice(0, 20))
    process.stdout.write(`  ${(at / 1000).toFixed(3)} s ${checker}: ${text}\n`);
}

async function runOne(seed: string): Promise<boolean> {
  const hours = number("length", values.length);
  const part = values.part === undefined ? undefined : parsePart(values.part);
  const report = await runSeed(seed, {
    isTraced: values.trace,
    ...(hours === undefined ? {} : { hours }),
    ...(part === undefined ? {} : { part }),
  });
  if (values.trace) process.stdout.write(`${report.trace.join("\n")}\n`);
  if (report.violations.length > 0) tellViolations(report);
  const [first] = report.violations;
  if (values.shrink && first !== undefined) {
    const shrunk = await shrink(seed, first.checker);
    process.stdout.write(
      `in ${shrunk.runs} runs: npm run simulate -- --seed ${seed} --part ${formatPart(shrunk.part)} --trace\n`,
    );
  }
  process.stdout.write(
    `seed ${seed}: ${report.hours.toFixed(1)} account-hours, ${report.counts.calls} calls, ${report.violations.length} violations\n`,
  );
  return report.violations.length === 0;
}

async function runMany(): Promise<boolean> {
  const startedAt = performance.now();
  const [hoursMax, seedsMax] = [number("hours", values.hours), number("seeds", values.seeds)];
  const total = { hours: 0, calls: 0, changes: 0, ticks: 0, events: 0, wrong: 0 };
  let isInterrupted = false;
  // It comes twice: from the terminal, and from tsx.
  process.on("SIGINT", () => {
    isInterrupted = true;
  });
  const isEnough = (seeds: number): boolean => {
    if (isInterrupted) return true;
    if (hoursMax !== undefined) return total.hours >= hoursMax;
    return seedsMax !== undefined ? seeds >= seedsMax : performance.now() - startedAt > MINUTE_MS;
  };
  const [faults, moves, checks] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const from = number("from", values.from) ?? 1;
  let [begun, seeds] = [0, 0];
  const take = (report: SeedReport): void => {
    const { hours, counts, violations } = report;
    seeds += 1;
    total.hours += hours;
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
      tellViolations(report);
    }
    if (seeds % 50 === 0) process.stderr.write(`${seeds} seeds, ${total.hours.toFixed(0)} account-hours\n`);
  };
  await runSeeds(
    number("processes", values.processes) ?? availableParallelism(),
    () => (isEnough(begun) ? null : `${from + begun++}`),
    take,
  );
  const minutes = (performance.now() - startedAt) / MINUTE_MS;
  const inWords = (sum: ReadonlyMap<string, number>): string =>
    [...sum]
      .sort()
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", ");
  const unseen = ALL_MOVES.filter((move) => !moves.has(move));
  process.stdout.write(
    `${[
      `seeds ${from} to ${from + seeds - 1}: ${total.hours.toFixed(0)} account-hours in ${minutes.toFixed(1)} min, ${(total.hours / minutes).toFixed(0)} a minute`,
      `${total.calls} calls, ${total.changes} changes by the program, ${total.ticks} ticks, ${total.events} events`,
      `faults: ${inWords(faults)}`,
      `moves: ${inWords(moves)}; never seen, of ${ALL_MOVES.length} in the tables: ${unseen.join(", ") || "none"}`,
      `looks of the checkers: ${inWords(checks)}`,
      `${total.wrong} seeds with violations`,
    ].join("\n")}\n`,
  );
  return total.wrong === 0;
}

void (
  values.help
    ? Promise.resolve(process.stdout.write(HELP)).then(() => true)
    : values.seed === undefined
      ? runMany()
      : runOne(values.seed)
).then((isGood) => {
  process.exitCode = isGood ? 0 : 1;
});
