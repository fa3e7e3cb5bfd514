// A lock that was let go.
import { describe, expect, test } from "vitest";
import { acquireLock, readLock } from "../../../shared/store/lock.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const clock = { now: () => 1_000_000, monotonicMs: () => 0, sleep: async () => undefined };
const terms = { holder: "a", lockMs: 30_000, marginMs: 12_000 };

test("nothing may start under a lock that was let go, whatever the time says, nor while its row is still being written", async () => {
  const tables = memoryTables(schemas);
  const lock = await acquireLock(tables, clock, "sg-web", terms);
  expect(lock?.isHeld()).toBe(true);
  const released = lock?.release();
  expect(lock?.isHeld()).toBe(false);
  await released;
  expect(lock?.isHeld()).toBe(false);
  expect((await acquireLock(tables, clock, "sg-web", terms))?.fence).toBe((lock?.fence ?? 0) + 1);
});

describe("a lock whose row was read earlier", () => {
  const counted = () => {
    const tables = memoryTables(schemas);
    const reads: string[] = [];
    const get: typeof tables.get = async (table, key) => {
      reads.push(table);
      return tables.get(table, key);
    };
    return { tables: { ...tables, get }, reads };
  };

  test("is taken without reading it again, whether or not anybody has had it", async () => {
    const { tables, reads } = counted();
    const first = await acquireLock(tables, clock, "sg-web", terms, null);
    await first?.release();
    const row = await readLock(tables, "sg-web");
    reads.length = 0;
    const second = await acquireLock(tables, clock, "sg-web", terms, row);
    expect([second?.fence, reads]).toEqual([(first?.fence ?? 0) + 1, []]);
  });

  test("is not taken from whoever has taken it since, nor given up where they have let it go again", async () => {
    const { tables } = counted();
    // At first nobody has ever had it.
    for (let round = 0; round < 2; round++) {
      const earlier = await readLock(tables, "sg-web");
      const other = await acquireLock(tables, clock, "sg-web", { ...terms, holder: "b" });
      expect(await acquireLock(tables, clock, "sg-web", terms, earlier)).toBeNull();
      expect(other?.isHeld()).toBe(true);
      await other?.release();
      const lock = await acquireLock(tables, clock, "sg-web", terms, earlier);
      expect(lock?.fence).toBe((other?.fence ?? 0) + 1);
      await lock?.release();
    }
  });

  test("is read again where it was held then", async () => {
    const { tables } = counted();
    const other = await acquireLock(tables, clock, "sg-web", { ...terms, holder: "b" });
    const held = await readLock(tables, "sg-web");
    expect(await acquireLock(tables, clock, "sg-web", terms, held)).toBeNull();
    await other?.release();
    expect((await acquireLock(tables, clock, "sg-web", terms, held))?.isHeld()).toBe(true);
  });
});
