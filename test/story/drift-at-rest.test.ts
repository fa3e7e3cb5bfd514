// Groups at rest: what a pass had nothing to do in is left out by the full pass until something changes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
});
afterEach(async () => guarded.world.stop());

/** The calls of one hour of ticks with a full pass in it. */
async function anHour(): Promise<readonly string[]> {
  const { world } = guarded;
  world.callNames.length = 0;
  await world.ticks(61);
  return [...world.callNames];
}
/** A pass reads the group's intents; jobs take locks of their own. */
const passes = (names: readonly string[]): number => names.filter((name) => name === "range intent").length;

test("a guarded group at rest is glanced at, and no pass is run over it", async () => {
  await anHour();
  expect(passes(await anHour())).toBe(0);
});

test("a rule that was added without an event has it compared, and so has the end of a lease that rode on one", async () => {
  await anHour();
  await guarded.authorize(openDatabase);
  expect(passes(await anHour())).toBeGreaterThan(0);
  await anHour();
  expect(guarded.world.openPorts()).toEqual([]);
});

test("a group in which a lease is open is never at rest", async () => {
  await anHour();
  await guarded.world.open({ periodMs: 3 * 3600_000 });
  await anHour();
  expect(passes(await anHour())).toBeGreaterThan(0);
});
