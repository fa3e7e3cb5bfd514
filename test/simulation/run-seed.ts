// One seed: an account lives for some hours, in foul weather and then in fair, and no invariant may be broken.

import type { Mode } from "../../shared/domain/mode.ts";
import { sensitiveOf } from "../../shared/plan/baseline-diff.ts";
import { createToken, type TokenRow } from "../../shared/store/tokens.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/ledger/confirm-baseline.ts";
import { setMode } from "../../shared/usecases/policy/set-mode.ts";
import { checkers } from "./checkers/all.ts";
import type { Counts } from "./counts.ts";
import type { Feature } from "./feature.ts";
import { drawnFeatures, features } from "./features.ts";
import { wordsOf } from "./observed.ts";
import { type Part, partOf, scriptOf } from "./script.ts";
import { ENFORCED } from "./sim-account.ts";
import { SimWorld, type Violation } from "./sim-world.ts";

export interface SeedOptions {
  readonly isTraced?: boolean;
  /** Hours of the safety phase; drawn when absent. */
  readonly hours?: number;
  /** What of the seed's script is played; all of it when absent. */
  readonly part?: Part;
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
  const played: readonly Feature[] = (options.part?.features ?? drawnFeatures(seed)).map((name) => features[name]);
  const world = new SimWorld(seed, { isTraced: options.isTraced ?? false, features: played });
  const told = (error: unknown): void => world.failed({ error, during: null });
  // What nobody awaits would end an instance, and here the process with the seeds that are still to come.
  const unawaited = (error: unknown): void => {
    world.tell("a rejection that nobody handles");
    told(error);
  };
  process.on("unhandledRejection", unawaited);
  try {
    await world.schedule.run(play(world, options, played)).catch(told);
    // The last of them are told once every promise has had its turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", unawaited);
  }
  const { violations, trace, counts } = world;
  return { seed, violations, trace, counts, hours: world.schedule.elapsed / HOUR_MS };
}

async function play(world: SimWorld, { hours, part }: SeedOptions, played: readonly Feature[]): Promise<void> {
  const { schedule } = world;
  for (const checker of checkers) {
    const watching = Object.values(world.watchers).map((them) => them.length);
    checker.watch(world);
    countLooks(world, checker.name, watching);
  }
  for (const { begins } of played) begins?.(world);
  world.platform.live();
  await prepare(world);
  const works: Promise<void>[] = [];
  for (const hour of partOf(scriptOf(world.seed, hours), part ?? {})) {
    world.setWeather(hour.weather);
    if (hour.isShutDown) works.push(shutDown(world));
    for (const { at, move, dice } of hour.moves) works.push(schedule.sleep(at).then(() => move(world, dice)));
    await schedule.sleep(HOUR_MS);
  }
  await Promise.all(works);
  // From here on nothing goes wrong: what was on its way arrives, leases come to their ends, and all has to be well.
  world.setWeather({});
  world.isCalm = true;
  for (const { ends } of played) ends?.(world);
  await schedule.sleep(30 * MINUTE_MS);
  const last = Math.max(0, ...world.grants.map((grant) => (Number.isFinite(grant.until) ? grant.until : 0)));
  await schedule.sleep(Math.max(0, last - world.now()) + 75 * MINUTE_MS);
  // What begins or ends with the last looks would have them differ.
  while (world.hours.isChanging()) await schedule.sleep(MINUTE_MS);
  world.platform.end();
  await world.platform.rest();
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
  const root = () => world.asker("root", "admin");
  const set = (mode: Mode, tries: number): Promise<boolean> =>
    world.platform.start(
      "mode",
      (app) => setMode(app, root(), { mode, reason: "to be sure" }, { dryRun: false }),
      tries,
    );
  await schedule.sleep(dice.between(0, 30 * MINUTE_MS));
  // Whoever has done so before also says when it is over.
  if (world.lessUntil === Number.POSITIVE_INFINITY) return;
  world.lessUntil = Number.POSITIVE_INFINITY;
  await set(dice.pick(["close-only", "halt"]), 50);
  await schedule.sleep(dice.between(2 * MINUTE_MS, 40 * MINUTE_MS));
  // However long a table is away: nobody leaves it at that.
  await set("normal", Number.POSITIVE_INFINITY);
  world.lessUntil = world.now();
}

/** With which whoever owns what stands could say to the API what they say by a link. */
const OWNERS_TOKEN: TokenRow = {
  ...{ tokenId: "00000000000000aa", salt: "", secretHash: "", principal: "ops", roles: ["requester"], scope: null },
  ...{ note: "", createdAt: 0, createdBy: "root", expiresAt: 8e15, revokedAt: null, replacedBy: null },
};

/** The baseline of the enforced group is confirmed, as its owner does it. */
async function prepare(world: SimWorld): Promise<void> {
  const admin = world.asker("root", "admin");
  const app = world.platform.quietApp();
  await world.schedule.sleep(2 * MINUTE_MS);
  const { diff } = await previewBaseline(app, admin, "web", FROM_RULES);
  const sensitive = sensitiveOf(diff).map(({ key }) => key);
  await createToken(world.tables, OWNERS_TOKEN);
  const word = { ...FROM_RULES, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
  await confirmBaseline(app, admin, "web", word, { dryRun: false });
  const allocated = world.baseline.get(ENFORCED.groupId);
  for (const rule of world.rules(ENFORCED)) if (!world.isStandby(rule)) allocated?.add(wordsOf(rule));
  await world.schedule.sleep(2 * MINUTE_MS);
}
