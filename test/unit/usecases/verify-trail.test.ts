// The program's own look at the audit trail: what somebody has touched is found within the hour or the week, told once, and kept in mind.
import { beforeEach, describe, expect, test } from "vitest";
import { readOutbox } from "../../../shared/store/outbox.ts";
import { readTrailCheck } from "../../../shared/store/trail-check.ts";
import { verifyTrail } from "../../../shared/usecases/records/verify-trail.ts";
import { TrailWorld } from "../../kit/trail.ts";

const HOUR_MS = 60 * 60_000;

let world: TrailWorld;
beforeEach(() => {
  world = new TrailWorld();
});

const look = (deadlineAt = Number.POSITIVE_INFINITY) => verifyTrail(world.process(), deadlineAt);
const check = async () => {
  const kept = await readTrailCheck(world.tables);
  return kept === "unreadable" ? null : kept;
};
const faults = async () => (await check())?.faults.map(({ of }) => of) ?? null;
const told = async () =>
  (await readOutbox(world.tables, 1000)).pending.flatMap(({ notice }) =>
    notice?.kind === "healthAlarm" ? [(notice.data as { what: string }).what] : [],
  );

/** Hours of work, each with records of two processes, a seal, and a look. */
async function hours(count: number, each = 3): Promise<void> {
  const [one, other] = [world.process(), world.process()];
  for (let hour = 0; hour < count; hour++) {
    for (let n = 0; n < each; n++) await world.record(n % 2 === 0 ? one : other, `${hour} ${n}`);
    world.now += HOUR_MS;
    await world.seal();
    await look();
  }
}

/** A week without records, and as many looks as the whole trail takes. */
async function week(looks = 2, deadlineAt?: number): Promise<void> {
  world.now += 7 * 24 * HOUR_MS;
  for (let n = 0; n < looks; n++) {
    await world.seal();
    await look(deadlineAt);
    world.now += HOUR_MS;
  }
}

describe("a trail that nobody has touched", () => {
  test("is looked at each hour without a word, late records and quiet days too", async () => {
    const late = world.process();
    await world.record(late, "begins its lane");
    await hours(5);
    const now = world.now;
    world.now -= 90 * 60_000;
    await world.record(late, "came late");
    world.now = now;
    await hours(3);
    for (let hour = 0; hour < 26; hour++) {
      world.now += HOUR_MS;
      await world.seal();
      await look();
    }
    await week();
    const kept = await check();
    expect([kept?.checkedAt, kept?.faults, await told()]).toEqual([world.now - HOUR_MS, [], []]);
  });

  test("is looked at without a word where the clock was ahead and was set back", async () => {
    await hours(3);
    const late = world.process();
    for (const ahead of [40 * 60_000, 8 * HOUR_MS]) {
      world.now += ahead;
      await world.record(late, "ahead");
      world.now += 15 * 60_000;
      await world.seal();
      await look();
      world.now -= ahead;
      await look();
      await hours(12);
    }
    await week();
    expect([await faults(), await told()]).toEqual([[], []]);
  });

  test("is looked at anew where somebody has damaged what was kept of the last look, and that is told once", async () => {
    await hours(3);
    await world.tables.put("schedule", ["trail"], { body: "{}" }, { kind: "none" });
    expect(await readTrailCheck(world.tables)).toBe("unreadable");
    await hours(2);
    expect([await faults(), (await told()).length]).toEqual([["trail"], 1]);
    await week();
    await week();
    expect(await faults()).toEqual([]);
  });

  test("is read from where the last look was, not from its beginning", async () => {
    await hours(12);
    let rows = 0;
    const counting = world.process((tables) => ({
      ...tables,
      range: async (query) => {
        const page = await tables.range(query);
        rows += page.rows.length;
        return page;
      },
    }));
    await verifyTrail(counting, Number.POSITIVE_INFINITY);
    expect(rows).toBeLessThan(25);
  });

  test("is no other where looks are broken off at any time", async () => {
    for (let hour = 0; hour < 5; hour++) {
      const app = world.process();
      for (let n = 0; n < 200; n++) await world.record(app, `${hour} ${n}`);
      world.now += HOUR_MS;
      await world.seal();
      await look(hour % 3 === 0 ? Number.POSITIVE_INFINITY : 0);
    }
    expect([await faults(), await told()]).toEqual([[], []]);
    const [row] = await world.rows("record");
    await world.erase("record", row?.key ?? []);
    await week(4, 0);
    expect(await faults()).toEqual([`record ${row?.key[1]}`]);
  });
});

describe("a trail that somebody has touched", () => {
  const last = async (table: "record" | "seal", back = 1) => (await world.rows(table)).at(-back);

  test.each(["changed", "missing"] as const)(
    "by a new record that is %s is told of once, within the hour",
    async (how) => {
      await hours(6);
      const row = await last("record");
      if (how === "missing") await world.erase("record", row?.key ?? []);
      else await world.forge("record", row?.key ?? [], { ...(row?.columns as Record<string, string>), body: "{}" });
      world.now += HOUR_MS;
      await world.seal();
      await look();
      const name = `record ${row?.key[1]}`;
      expect(await faults()).toEqual([name]);
      expect(await told()).toEqual([expect.stringContaining(`${name} (${how}: `)]);
      await hours(3);
      expect([await faults(), (await told()).length]).toEqual([[name], 1]);
    },
  );

  test("by a seal that is spoilt, or an end that is cut off, is told of", async () => {
    await hours(6);
    const seal = await last("seal");
    await world.forge("seal", seal?.key ?? [], { body: "{", signature: "" });
    world.now += HOUR_MS;
    await look();
    expect(await faults()).toContain(`seal ${seal?.key[0]}`);

    world = new TrailWorld();
    await hours(6);
    for (const back of [1, 1, 1]) await world.erase("seal", (await last("seal", back))?.key ?? []);
    for (const { key } of (await world.rows("record")).slice(8)) await world.erase("record", key);
    await look();
    expect(await faults()).toEqual(["seal 6"]);
  });

  test("long ago is found within the week, and is forgotten once it is as it was", async () => {
    await hours(6);
    const [row] = await world.rows("record");
    await hours(2);
    await world.erase("record", row?.key ?? []);
    await hours(2);
    expect(await faults()).toEqual([]);
    await week();
    expect(await faults()).toEqual([`record ${row?.key[1]}`]);
    await world.forge("record", row?.key ?? [], row?.columns as Record<string, string>);
    await week();
    expect([await faults(), (await told()).length]).toEqual([[], 1]);
  });
});
