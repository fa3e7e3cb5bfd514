// The nightly run over an account of more groups than one page and one run hold: every group has its turn, once, whatever cuts it short.
import { afterEach, expect, it } from "vitest";
import { placeOf, placeText, type RecyclingPlace } from "../../../shared/domain/recycling-place.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { Write } from "../../../shared/ports/tables.ts";
import { saveRecyclingItem } from "../../../shared/store/recycling.ts";
import { recycle } from "../../../shared/usecases/recycling/recycle.ts";
import type { RecyclingReport } from "../../../shared/usecases/recycling/recycle-group.ts";
import { nextRecyclingAt, runRecycling } from "../../../shared/usecases/recycling/run-recycling.ts";
import { anItem } from "../../kit/recycling.ts";
import { type Interposer, World, worldSeed } from "../../kit/world.ts";

const READ = "ecs DescribeSecurityGroupAttribute";
const MINUTES = 60_000;
const HOUR = 60 * MINUTES;
const BEGINNING: RecyclingPlace = { region: "cn-hangzhou", cursor: null, done: 0 };

let world: World;
afterEach(() => world.stop());

const start = async (many: number, policy: Readonly<Record<string, unknown>> = {}): Promise<void> => {
  const groups = Array.from({ length: many }, (_, n) => ({
    groupId: `sg-${String(n).padStart(4, "0")}`,
    name: `group ${n}`,
    rules: [{ portRange: "7890/7890", sourceCidrIp: "10.0.0.0/8" }],
  }));
  world = await World.start({ seed: { ...worldSeed, groups, instances: [] }, policy });
};

/** Each reading of a group takes a tenth of a second. */
const slowly: Interposer = async (call, act) => {
  if (call.name === READ) await world.clock.sleep(100);
  return act();
};

/** One run of the job, of three seconds. */
const part = (interposer: Interposer = slowly): Promise<number | null> => {
  const deadlineAt = world.clock.monotonicMs() + 3000;
  const options = { policy: world.policy, param: null, cause: "tick", deadlineAt };
  return world.run(runRecycling(world.process(interposer), options));
};

const readings = (): number => world.callNames.filter((name) => name === READ).length;
/** Groups that the night has looked at: it keeps what their rules say. */
const lookedAt = async (): Promise<number> =>
  (await world.rows("schedule")).filter((key) => key.includes("sg-0")).length;

it(
  "in parts of three seconds each of 300 groups is looked at exactly once, though calls run out and a run dies",
  async () => {
    await start(300);
    const dying: Interposer = async (call, act) => {
      if (readings() >= 105 && call.name === READ) throw new Error("died");
      return act();
    };
    /** Calls run out when ten more groups have been read. */
    const spent = (): Interposer => {
      const until = readings() + 10;
      return async (call, act) => {
        if (readings() > until && call.name === READ)
          throw new CloudFailure("throttled", "DescribeSecurityGroupAttribute");
        return slowly(call, act);
      };
    };
    expect((await part()) ?? 0, "goes on at once").toBeLessThan(world.clock.now() + 5000);
    await expect(part(dying)).rejects.toThrow("died");
    // What was looked at after the last place that is stored is looked at again.
    const [again] = [readings() - 100];
    let later = 0;
    let next = 0;
    let parts = 0;
    for (; next < world.clock.now() + HOUR; parts++) {
      expect(parts).toBeLessThan(20);
      next = (await part(parts === 1 ? spent() : slowly)) ?? Number.POSITIVE_INFINITY;
      if (next > world.clock.now() + 20_000 && next < world.clock.now() + HOUR) later += 1;
    }
    expect(next, "and over until the next night").toBe(nextRecyclingAt(world.clock.now()));
    expect(again).toBeLessThan(10);
    expect([later, await lookedAt()]).toEqual([1, 300]);
    // The readings that failed were counted, and are made again.
    expect(readings()).toBe(300 + again + 1);
    const lines = await world.recorded();
    expect(
      lines.filter((line) => line.includes("cannot be read")),
      "throttled is not gone",
    ).toEqual([]);
    expect(lines.filter((line) => line.includes("the rest waits"))).toHaveLength(1);
  },
  2 * MINUTES,
);

it(
  "a region begins anew where the cloud takes its cursor no longer, and one of which nothing is told holds up no other",
  async () => {
    await start(130, { regions: ["cn-nowhere", "cn-hangzhou"] });
    const refusing: Interposer = async (call, act) => {
      if (call.name === "ecs DescribeSecurityGroups") throw new CloudFailure("invalid", "DescribeSecurityGroups");
      return act();
    };
    for (let parts = 0; parts < 4; parts++) await part();
    expect(readings()).toBeGreaterThan(100);
    const before = readings();
    await part(refusing);
    const again = await part((_, act) => act());
    expect([readings() - before, await lookedAt()]).toEqual([130, 130]);
    expect(again, "the other region has its turn within the hour").toBe(world.clock.now() + HOUR);
    expect((await world.recorded()).filter((line) => line.includes("cannot be read"))).toEqual([
      "cn-nowhere cannot be read: InvalidRegionId.NotFound",
    ]);
  },
  MINUTES,
);

it(
  "the items of each group are read with it, and those of others not at all until the end",
  async () => {
    await start(110);
    const { tables } = world.process();
    const idOf = (n: number): string => `rc-${n.toString(16).padStart(16, "0")}.sg-gone`;
    await world.run(saveRecyclingItem(tables, anItem({ itemId: idOf(0), state: "deleted" })));
    const columns = (await world.run(tables.get("recycling", ["sg-gone", idOf(0)])))?.columns ?? {};
    const rows = Array.from({ length: 599 }, (_, n): Write => {
      return { kind: "put", table: "recycling", key: ["sg-gone", idOf(n + 1)], columns };
    });
    await world.run(tables.writeAll(rows));
    let read = 0;
    const counting: Interposer = async (call, act) => {
      const answer = await act();
      if (call.name === "range recycling") read += (answer as { rows: unknown[] }).rows.length;
      return answer;
    };
    const options = { policy: world.policy, param: null, cause: "tick", deadlineAt: Number.POSITIVE_INFINITY };
    await world.run(runRecycling(world.process(counting), options));
    expect([await lookedAt(), read]).toEqual([110, 600]);
  },
  MINUTES,
);

it(
  "a dry run goes on from the place where the one before ended, as a real one does, and keeps nothing",
  async () => {
    await start(110);
    const app = world.process(slowly);
    const dry = (from: RecyclingPlace | null): Promise<RecyclingReport> => {
      const deadlineAt = world.clock.monotonicMs() + 3000;
      return world.run(recycle(app, { policy: world.policy, deadlineAt, dryRun: true, from }));
    };
    const reports: RecyclingReport[] = [];
    do reports.push(await dry(placeOf(placeText(reports.at(-1)?.next ?? BEGINNING))));
    while (reports.at(-1)?.next && reports.length < 20);
    expect(reports.length).toBeGreaterThan(3);
    expect([reports.reduce((sum, { groups }) => sum + groups, 0), readings()]).toEqual([110, 110]);
    expect(await lookedAt()).toBe(0);
  },
  MINUTES,
);
