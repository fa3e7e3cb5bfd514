// One seed: an account lives for some hours, in foul weather and then in fair, and no invariant may be broken.
import type { Mode } from "../../shared/domain/mode.ts";
import { sensitiveOf } from "../../shared/plan/baseline-diff.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/confirm-baseline.ts";
import { setMode } from "../../shared/usecases/set-mode.ts";
import { checkers } from "./checkers/all.ts";
import { wordsOf } from "./observed.ts";
import { type Counts, ENFORCED, SimWorld, type Violation, type Weather } from "./sim-world.ts";
import { drawMove } from "./workload.ts";

export interface SeedOptions {
  readonly isTraced?: boolean;
  /** Hours of the safety phase; drawn when absent. */
  readonly hours?: number;
}

/** What one seed came to. */
export interface SeedReport {
  readonly seed: string;
  readonly violations: readonly Violation[];
  readonly trace: readonly string[];
  readonly counts: Counts;
  /** Simulated time. */
  readonly hours: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const FROM_RULES = { from: "rules", template: "" } as const;

/** Runs one seed; the same seed runs the same way. */
export async function runSeed(seed: string, options: SeedOptions = {}): Promise<SeedReport> {
  const world = new SimWorld(seed, options);
  await world.schedule.run(play(world, options)).catch((error: unknown) => {
    world.violated("no-raw-errors", error instanceof Error ? (error.stack ?? error.message) : String(error));
  });
  const { violations, trace, counts } = world;
  return { seed, violations, trace, counts, hours: world.schedule.elapsed / HOUR_MS };
}

async function play(world: SimWorld, { hours }: SeedOptions): Promise<void> {
  const { dice, schedule } = world;
  for (const checker of checkers) {
    const watching = Object.values(world.watchers).map((them) => them.length);
    checker.watch(world);
    countLooks(world, checker.name, watching);
  }
  world.live();
  await prepare(world);
  const works: Promise<void>[] = [];
  for (let left = hours ?? dice.between(3, 12); left > 0; left--) {
    world.setWeather(weatherOf(world));
    if (dice.happens(0.15)) works.push(shutDown(world));
    for (let moves = dice.between(0, 8); moves > 0; moves--) {
      const at = dice.between(0, HOUR_MS);
      works.push(schedule.sleep(at).then(() => drawMove(world)(world)));
    }
    await schedule.sleep(HOUR_MS);
  }
  await Promise.all(works);
  // From here on nothing goes wrong: what was on its way arrives, leases come to their ends, and all has to be well.
  world.setWeather({});
  await schedule.sleep(30 * MINUTE_MS);
  const last = Math.max(0, ...world.grants.map((grant) => (Number.isFinite(grant.until) ? grant.until : 0)));
  await schedule.sleep(Math.max(0, last - world.now()) + 75 * MINUTE_MS);
  world.end();
  await world.rest();
  for (const { name, atEnd } of checkers) {
    if (atEnd === undefined) continue;
    world.counts.checks.set(name, (world.counts.checks.get(name) ?? 0) + 1);
    await atEnd(world);
  }
}

/** Counts what comes to the eyes that a checker has just put on the world. */
function countLooks({ watchers, counts: { checks } }: SimWorld, name: string, before: readonly number[]): void {
  checks.set(name, 0);
  for (const [index, them] of (Object.values(watchers) as ((seen: never) => void)[][]).entries())
    for (let n = before[index] ?? 0; n < them.length; n++) {
      const watch = them[n] as (seen: never) => void;
      them[n] = (seen) => {
        checks.set(name, (checks.get(name) ?? 0) + 1);
        watch(seen);
      };
    }
}

/** Somebody has the program do less for some minutes: what is open has to end all the same. */
async function shutDown(world: SimWorld): Promise<void> {
  const { dice, schedule } = world;
  const root = world.asker("root", "admin");
  const set = (mode: Mode): Promise<boolean> =>
    world.start("mode", (app) => setMode(app, root, { mode, reason: "to be sure" }, { dryRun: false }), 50);
  await schedule.sleep(dice.between(0, 30 * MINUTE_MS));
  await set(dice.pick(["close-only", "halt"]));
  await schedule.sleep(dice.between(2 * MINUTE_MS, 40 * MINUTE_MS));
  await set("normal");
}

/** The baseline of the enforced group is confirmed, as its owner does it. */
async function prepare(world: SimWorld): Promise<void> {
  const admin = world.asker("root", "admin");
  const app = world.quietApp();
  await world.schedule.sleep(2 * MINUTE_MS);
  const { diff } = await previewBaseline(app, admin, "web", FROM_RULES);
  const sensitive = sensitiveOf(diff).map(({ key }) => key);
  const word = { ...FROM_RULES, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
  await confirmBaseline(app, admin, "web", word, { dryRun: false });
  const allocated = world.allocated.get(ENFORCED.groupId);
  for (const rule of world.rules(ENFORCED)) allocated?.add(wordsOf(rule));
  await world.schedule.sleep(2 * MINUTE_MS);
}

/** The weather of an hour: mostly fair, at times very foul. */
function weatherOf({ dice }: SimWorld): Partial<Weather> {
  if (dice.happens(0.4)) return {};
  return {
    freeze: dice.pick([0, 0, 0.001, 0.004]),
    death: dice.pick([0, 0, 0.001, 0.006, 0.02]),
    lostBefore: dice.pick([0, 0.005, 0.02]),
    lostAfter: dice.pick([0, 0.005, 0.02]),
    late: dice.pick([0, 0.03, 0.2]),
    throttled: dice.pick([0, 0.01, 0.1]),
    stale: dice.pick([0, 0.05]),
    missedTick: dice.pick([0, 0.1]),
    doubleTick: dice.pick([0, 0.2]),
    lostEvent: dice.pick([0, 0.1]),
    doubleEvent: dice.pick([0, 0.2]),
    lateEvent: dice.pick([0, 0.2]),
    hollow: dice.pick([0, 0, 0.1]),
    lostWakeup: dice.pick([0, 0.2]),
    storeAway: dice.pick([0, 0, 0.02]),
    cloudAway: dice.pick([0, 0, 0.02]),
  };
}
