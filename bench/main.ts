// `npm run bench`: measures what is promised, on the embedded cloud with the built functions. See `--help`.
import { benchAlarmStorm } from "./alarm-storm.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchCost } from "./cost.ts";
import { benchDataPlane } from "./dataplane.ts";
import { benchEvidence } from "./evidence.ts";
import { benchExpiry, type ExpiryPlan } from "./expiry.ts";
import { benchFullPass } from "./full-pass.ts";
import { type Built, buildInto, inFolder } from "./installation.ts";
import { benchLockdown } from "./lockdown.ts";
import { benchOpen } from "./open.ts";
import { title } from "./printing.ts";
import { benchQuietDays } from "./quiet-days.ts";
import { benchTablestore } from "./tablestore.ts";

const HELP = `Usage: npm run bench [-- <name>... [--short]]

  expiry      how late leases close, wake-ups on and wake-ups off (about 11 minutes; --short: 5)
    wakeups     the first half of it alone
    timer       the second half of it alone
  open        our share of the latency of an open, and its cloud calls (under a minute)
  cold-start  how long a function takes to be ready and to open its first lease, as a ratio to an empty Node; memory; a quarter of a processor
  cost        what a month costs in a small, a medium and a large account, from counted calls
  full-pass   what a full pass costs when there is nothing to do, over 10,000 groups and 1,000 (--short: 1,000 and 300)
  dataplane   when a rule is in force on the wire after the answer of the call, with 200 groups of 200 rules
  lockdown    from the post of an alarm to the last read-back of 200 groups, each cloud call 30 ms late (half a minute; --short: 40 groups)
  alarm-storm 1,000 posts of 20 alarms in ten seconds through the webhook: one lockdown, no lost alarm, memory bounded (--short: 200 in two)
  evidence    what a day of evidence costs for 1,000 instances: queries, scanned bytes, Tablestore units, CloudMonitor calls (--short: 100)
  quiet-days  how long the embedded cloud takes for 45 days in which nothing happens (--short: 3 of them)
  tablestore  calls per second of the embedded Tablestore through the SDK, as a ratio to a server that does nothing

Each runs on an embedded cloud of its own with freshly built functions, with a budget of 100,000 ECS calls a minute.
Without a name all of them run, the quick ones first. Figures go to standard output, progress to standard error. Exits with 1
when a promise was missed.
`;

const wakeupsPlan: ExpiryPlan = {
  name: "expiry, wake-ups on",
  wakeups: true,
  leases: 500,
  inOneSecond: 50,
  withinMs: 300_000,
  groups: 10,
  promise: { percent: 99, ms: 2_000 },
};
const timerPlan: ExpiryPlan = {
  ...wakeupsPlan,
  name: "expiry, wake-ups off: the minute timer alone",
  wakeups: false,
  leases: 100,
  inOneSecond: 10,
  withinMs: 120_000,
  promise: { percent: 100, ms: 75_000 },
};
const short = { leases: 100, inOneSecond: 10, withinMs: 60_000 };

/** Builds what some benches run; the second call answers what the first one built. */
type Build = () => Promise<Built>;
type Bench = (build: Build, isShort: boolean) => Promise<boolean>;

const expiryOf = (plan: ExpiryPlan): Bench => {
  return async (build, isShort) => {
    title(`${plan.name}${isShort ? " (short)" : ""}`);
    return benchExpiry(await build(), isShort ? { ...plan, ...short } : plan);
  };
};

const benches: Readonly<Record<string, Bench>> = {
  "cold-start": async (build) => {
    title("cold start, as a ratio to `node -e 0`");
    return benchColdStart(await build());
  },
  open: async (build) => {
    title("open, warm, by group");
    return benchOpen(await build());
  },
  "full-pass": async (build, isShort) => {
    title("full pass, nothing to do");
    return benchFullPass(await build(), isShort);
  },
  lockdown: async (build, isShort) => {
    title("lockdown by an alarm");
    return benchLockdown(await build(), isShort);
  },
  "alarm-storm": async (build, isShort) => {
    title("a storm of alarms");
    return benchAlarmStorm(await build(), isShort);
  },
  cost: async (build) => {
    title("a month's cost, estimated from counted calls");
    return benchCost(await build());
  },
  dataplane: async (_build, isShort) => {
    title("data plane, 200 groups of 200 rules");
    return benchDataPlane(isShort);
  },
  evidence: async (_build, isShort) => {
    title("evidence of a day");
    return benchEvidence(isShort);
  },
  "quiet-days": async (build, isShort) => {
    title("days in which nothing happens, on virtual time");
    return benchQuietDays(await build(), isShort);
  },
  tablestore: async (_build, isShort) => {
    title("tablestore, 32 calls at a time");
    return benchTablestore(isShort);
  },
  wakeups: expiryOf(wakeupsPlan),
  timer: expiryOf(timerPlan),
};

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const flags = args.filter((arg) => arg.startsWith("-"));
  const wanted = names.flatMap((name) => (name === "expiry" ? ["wakeups", "timer"] : [name]));
  if (flags.includes("--help")) {
    process.stdout.write(HELP);
    return 0;
  }
  if (flags.some((flag) => flag !== "--short") || wanted.some((name) => !Object.hasOwn(benches, name))) {
    process.stderr.write(HELP);
    return 2;
  }
  const chosen = Object.entries(benches).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  return inFolder(async (folder) => {
    let built: Promise<Built> | undefined;
    const build: Build = () => {
      built ??= buildInto(folder);
      return built;
    };
    let missed = 0;
    for (const [, bench] of chosen) if (!(await bench(build, flags.includes("--short")))) missed += 1;
    return missed === 0 ? 0 : 1;
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
