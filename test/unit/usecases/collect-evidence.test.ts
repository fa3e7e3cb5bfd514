// Collecting evidence: every part once and again, whatever the source answers, wherever the process dies.
import { beforeEach, describe, expect, test } from "vitest";
import { dayOf, type MemberDay, unusedPort, WINDOW_MS, windowOf } from "../../../shared/domain/evidence.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import {
  type Traffic,
  type TrafficAsk,
  TrafficFailure,
  type TrafficReach,
  type TrafficReading,
} from "../../../shared/ports/traffic.ts";
import { readCollection, saveWatchSpent } from "../../../shared/store/collection.ts";
import { readDue } from "../../../shared/store/due.ts";
import { readEvidence } from "../../../shared/store/evidence.ts";
import { readStrays } from "../../../shared/store/memberships.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { health } from "../../../shared/usecases/operation/health.ts";
import { bookCollections, collectEvidence } from "../../../shared/usecases/recycling/collect-evidence.ts";
import { aPeer } from "../../kit/evidence.ts";
import { type AppWorld, appWorld, START } from "./app-world.ts";

const region = "cn-hangzhou";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A source that tells of one host: known whole, and a session in every hour of the first day. */
class Source implements Traffic {
  readonly asked: string[] = [];
  reached: TrafficReach | null = { retentionMs: 3 * DAY, blind: null, trouble: null, ipv4Only: false };
  answer: (ask: TrafficAsk) => TrafficReading["kind"] | TrafficFailure = () => "complete";

  async reach(): Promise<TrafficReach | null> {
    return this.reached;
  }

  async read(ask: TrafficAsk): Promise<TrafficReading> {
    const kind = this.answer(ask);
    if (kind instanceof TrafficFailure) throw kind;
    this.asked.push(new Date(ask.from).toISOString().slice(5, 16));
    let seen = 0n;
    for (let at = ask.from; at < ask.until; at += WINDOW_MS) seen |= windowOf(at);
    const session = { list: [{ ...aPeer("203.0.113.7", dayOf(ask.from)), lastAt: ask.until - 1 }], more: false };
    return {
      kind,
      members: [
        {
          member: "eni-1",
          seen: kind === "complete" ? seen : 0n,
          skipped: 0n,
          ports: [{ ...unusedPort("tcp", 22), real: session }],
        },
      ],
      cost: { queries: 2, bytes: 1000, rows: 2 },
    };
  }
}

let world: AppWorld;
let source: Source;
let policy: Policy;

beforeEach(async () => {
  world = await appWorld();
  source = new Source();
  policy = world.policy;
});

const appOf = (tables: Tables = world.tables): App => ({
  ...world.app,
  tables,
  traffic: async () => ({ flowLog: source }),
});
const collect = (app: App = appOf(), deadlineAt = Number.POSITIVE_INFINITY) =>
  collectEvidence(app, { policy, region, deadlineAt });
const stored = (): Promise<readonly MemberDay[]> => readEvidence(world.tables, "eni-1", "2026-01-01", "2027-01-01");
const progress = () => readCollection(world.tables, region, "flowLog");

describe("collecting evidence", () => {
  test("reads everything the source has, part by part, and goes on from there", async () => {
    expect(await collect()).toBeNull();
    expect(source.asked).toHaveLength(71);
    const days = await stored();
    expect(days.map(({ day }) => day)).toEqual(["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]);
    expect(days[1]).toMatchObject({ seen: (1n << 144n) - 1n, sources: ["flowLog"] });
    expect(days[1]?.ports[0]?.real.list[0]).toMatchObject({ block: "203.0.113.7", lastAt: Date.UTC(2026, 10, 4) - 1 });
    const before = source.asked.length;
    expect(await collect()).toBeNull();
    expect(source.asked).toHaveLength(before);
    world.advance(2 * HOUR);
    await collect();
    // Two new parts, and two of yesterday again.
    expect(source.asked.slice(before)).toEqual(["11-05T07:00", "11-05T08:00", "11-04T06:00", "11-04T07:00"]);
  });

  test("goes past a day of a host that cannot be read, which stays unreadable to whoever judges it", async () => {
    await world.tables.put("evidence", ["eni-1", "2026-11-03", "tcp", 1], { body: "{", rev: 1 }, { kind: "none" });
    expect(await collect()).toBeNull();
    expect(source.asked).toHaveLength(71);
    expect(await readEvidence(world.tables, "eni-1", "2026-11-04", "2027-01-01")).toHaveLength(2);
    await expect(stored()).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  });

  test.each([
    ["evidence", ["~~cn-hangzhou", "2026-11-02", "eni-9", 0]],
    ["evidence", ["~?cn-hangzhou", "2026-11-02", "eni-1", 0]],
    ["schedule", ["watch/cn-hangzhou"]],
  ] as const)("goes on though a row of %s cannot be read, and counts its questions: %j", async (table, key) => {
    await world.tables.put(table, key, { body: "{", rev: 1 }, { kind: "none" });
    const interfaces: App["inventory"]["interfaces"] = async () => [];
    const app = appOf();
    expect(await collect({ ...app, inventory: { ...app.inventory, interfaces } })).toBeNull();
    expect(source.asked).toHaveLength(71);
    expect(await progress()).toMatchObject({ firstUntil: Date.UTC(2026, 10, 5, 7), spent: { queries: 142 } });
    // Where a host was that is gone nobody knows: that is not forgotten for a row.
    const strays = await readStrays(world.tables, region, "2026-11-02", "2026-11-06").catch(({ code }) => code);
    expect(strays).toEqual(key[0].startsWith("~?") ? "STATE_UNREADABLE" : [expect.objectContaining({ port: 22 })]);
  });

  test("asks no more questions a day than the policy allows, and goes on the next day", async () => {
    policy = {
      ...policy,
      recycling: { ...policy.recycling, collect: { ...policy.recycling.collect, queriesPerDay: 20 } },
    };
    expect(await collect()).toBeNull();
    expect(source.asked).toHaveLength(10);
    await collect();
    expect(source.asked).toHaveLength(10);
    expect((await progress())?.spent).toMatchObject({ queries: 20, bytes: 10_000 });
    world.advance(DAY);
    await collect();
    expect(source.asked).toHaveLength(20);
  });

  test("keeps half of the questions for the watch while that asks", async () => {
    const collect = { ...policy.recycling.collect, queriesPerDay: 20 };
    policy = { ...policy, recycling: { ...policy.recycling, collect } };
    const today = dayOf(world.app.clock.now());
    await saveWatchSpent(world.tables, region, { day: today, queries: 2, bytes: 0 });
    await collectEvidence(appOf(), { policy, region, deadlineAt: Number.POSITIVE_INFINITY });
    expect(source.asked).toHaveLength(5);
  });

  test("an answer that stays incomplete proves use and no silence, is asked again, and holds up nothing for good", async () => {
    source.answer = ({ from }) => (from === Date.UTC(2026, 10, 3, 5) ? "incomplete" : "complete");
    for (let run = 1; run <= 2; run += 1) {
      expect(await collect()).toBe(world.app.clock.now() + 15 * 60_000);
      expect((await progress())?.tries).toBe(run);
    }
    await collect();
    await collect();
    const [, day] = await stored();
    expect(day?.day).toBe("2026-11-03");
    expect(((day?.seen ?? 0n) >> 30n) & 0b111111n).toBe(0n);
    expect(day?.ports[0]?.real.list[0]?.lastAt).toBe(Date.UTC(2026, 10, 4) - 1);
    expect((await progress())?.firstUntil).toBe(Date.UTC(2026, 10, 5, 7));
  });

  test("a part has tries of its own, whatever the one before it took", async () => {
    const [five, six] = [5, 6].map((hour) => Date.UTC(2026, 10, 3, hour));
    source.answer = ({ from }) => (from === five ? "incomplete" : "complete");
    await collect();
    await collect();
    source.answer = ({ from }) => (from === six ? "incomplete" : "complete");
    await collect();
    expect(await progress()).toMatchObject({ firstUntil: six, tries: 1 });
  });

  test("answers that stay incomplete for days leave those days unknown", async () => {
    source.answer = () => "incomplete";
    for (let run = 0; run < 300; run += 1) {
      await collect();
      world.advance(15 * 60_000);
    }
    expect((await stored()).every(({ seen }) => seen === 0n)).toBe(true);
  });

  test("a source that is down for a week is read from where it stopped, as far as it still has it", async () => {
    await collect();
    const until = (await progress())?.firstUntil ?? 0;
    source.answer = () => new TrafficFailure("unavailable", "down", { queries: 1 });
    for (let day = 0; day < 7; day += 1) {
      world.advance(DAY);
      expect(await collect()).toBe(world.app.clock.now() + 15 * 60_000);
    }
    expect(await progress()).toMatchObject({ trouble: "down" });
    expect((await health(world.app, policy)).evidence).toEqual([
      { region, source: "flowLog", readUntil: until, trouble: "down", queriesToday: 1 },
    ]);
    source.answer = () => "complete";
    await collect();
    const days = await stored();
    // Three days are kept by the source; what lies between is not known, though nobody said that it was lost.
    expect(days.map(({ day }) => day)).not.toContain(dayOf(until + DAY));
    expect(days.at(-2)?.seen).toBe((1n << 144n) - 1n);
    expect((await progress())?.trouble).toBeNull();
  });

  test("a part at which the source fails is given up where the next one can be read, and is unknown", async () => {
    const fails = Date.UTC(2026, 10, 3, 5);
    const down = new TrafficFailure("unavailable", "no answer in time", { queries: 1 });
    source.answer = ({ from }) => (from === fails ? down : "complete");
    for (let run = 1; run <= 2; run += 1) {
      await collect();
      expect(await progress()).toMatchObject({ firstUntil: fails, trouble: "no answer in time" });
    }
    await collect();
    expect(await progress()).toMatchObject({ firstUntil: Date.UTC(2026, 10, 5, 7), tries: 0, trouble: null });
    const [, day] = await stored();
    expect([day?.day, day?.seen]).toEqual(["2026-11-03", ((1n << 144n) - 1n) & ~(0b111111n << 30n)]);
  });

  test("a part at which the source fails is not given up while nothing else shows that it is there", async () => {
    const newest = Date.UTC(2026, 10, 5, 6);
    source.answer = ({ from }) => (from === newest ? new TrafficFailure("invalid", "too much") : "complete");
    for (let run = 1; run <= 5; run += 1) await collect();
    expect(await progress()).toMatchObject({ firstUntil: newest, trouble: "too much" });
    source.answer = () => "complete";
    await collect();
    expect(await progress()).toMatchObject({ firstUntil: Date.UTC(2026, 10, 5, 7), trouble: null });
  });

  test("what somebody has to put right is not asked again and again", async () => {
    source.answer = () => new TrafficFailure("gone", "no such logstore", { queries: 1 });
    expect(await collect()).toBeNull();
    expect(await progress()).toMatchObject({ trouble: "no such logstore", spent: { queries: 1 } });
  });

  test("a source whose silence means nothing is not read, and read from there once it does", async () => {
    source.reached = { retentionMs: 3 * DAY, blind: "drops alone", trouble: null, ipv4Only: false };
    await collect();
    expect(source.asked).toEqual([]);
    expect((await progress())?.trouble).toBe("drops alone");
    world.advance(DAY);
    source.reached = { retentionMs: 3 * DAY, blind: null, trouble: null, ipv4Only: false };
    await collect();
    expect(source.asked[0]).toBe("11-03T08:00");
  });

  test("a source that knows nothing of IPv6 has that said of its days, and stored with them", async () => {
    await collect();
    expect((await stored()).some(({ ipv4Only }) => ipv4Only)).toBe(false);
    source.reached = { retentionMs: 3 * DAY, blind: null, trouble: null, ipv4Only: true };
    world.advance(DAY);
    await collect();
    expect((await stored()).at(-1)?.ipv4Only).toBe(true);
  });

  test("nothing is asked of a region that the source has nothing to tell of", async () => {
    source.reached = null;
    expect(await collect()).toBeNull();
    expect(await progress()).toBeNull();
    expect(
      await collectEvidence({ ...world.app, traffic: async () => ({}) }, { policy, region, deadlineAt: 9e15 }),
    ).toBeNull();
  });

  test("stops at its deadline, keeps what it has, and is due at once", async () => {
    let reads = 0;
    source.answer = () => {
      reads += 1;
      return "complete";
    };
    const clock = { ...world.app.clock, monotonicMs: () => (reads >= 5 ? 1 : 0) };
    expect(await collect({ ...appOf(), clock }, 1)).toBe(START);
    expect(reads).toBe(5);
    expect(await stored()).toHaveLength(1);
    await collect();
    expect(new Set(source.asked).size).toBe(source.asked.length);
  });

  test("wherever it dies, the next run comes to the same", async () => {
    source.reached = { retentionMs: 30 * HOUR, blind: null, trouble: null, ipv4Only: false };
    await collect();
    const expected = await stored();
    const calls = world.writes();
    for (let dies = 0; dies < Math.min(50, calls + 30); dies += 1) {
      world = await appWorld();
      let left = dies;
      const dying =
        <Input extends readonly unknown[], Output>(call: (...input: Input) => Promise<Output>) =>
        async (...input: Input): Promise<Output> => {
          left -= 1;
          if (left < 0) throw new Error("dead");
          return call(...input);
        };
      const { put, range, get } = world.tables;
      const tables = { ...world.tables, put: dying(put), range: dying(range), get: dying(get) };
      source.answer = () => {
        left -= 1;
        if (left < 0) throw new Error("dead");
        return "complete";
      };
      await collect(appOf(tables)).catch(() => undefined);
      source.answer = () => "complete";
      for (const { seen, ports } of await stored()) if (seen !== 0n) expect(ports).toHaveLength(1);
      await collect();
      expect(await stored()).toEqual(expected);
    }
  });

  test("every region of the policy has its own run", async () => {
    const next = await bookCollections(world.app, { ...policy, regions: ["cn-hangzhou", "cn-beijing"] });
    expect(next).toBe(START + 6 * HOUR);
    const { due } = await readDue(world.tables, 0, START, 100);
    expect(due.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([
      "job evidence/cn-beijing",
      "job evidence/cn-hangzhou",
    ]);
  });
});
