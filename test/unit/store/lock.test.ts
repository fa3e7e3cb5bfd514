// A lock that was let go.
import { expect, test } from "vitest";
import { acquireLock } from "../../../shared/store/lock.ts";
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
