// The settle hook: waits for work, but not for work that waits for the clock.

import { expect, it } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { settleHook } from "../../../local/settle.ts";

function world() {
  const clock = new CloudClock({ startMs: 0 });
  const running = new Set<Promise<void>>();
  const settle = settleHook({
    inFlight: () => running.size,
    idle: () => Promise.all(running).then(() => undefined),
    sleeping: () => clock.sleeping,
    patienceMs: 20,
  });
  const run = (work: Promise<void>): void => {
    const tracked = work.finally(() => running.delete(tracked));
    running.add(tracked);
  };
  return { clock, settle, run };
}

const realPause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it("waits for work that takes longer than its patience, a background sleeper or not", async () => {
  const { clock, settle, run } = world();
  const background = async (): Promise<void> => {
    for (;;) await clock.sleep(7_000);
  };
  void background();
  await settle();
  const ends: number[] = [];
  clock.schedule(1_000, () => run(realPause(100).then(() => void ends.push(clock.now()))));
  await clock.advance(60_000, settle);
  expect(ends).toEqual([1_000]);
});

it("lets time move for work that sleeps on the clock", async () => {
  const { clock, settle, run } = world();
  await settle();
  const ends: number[] = [];
  clock.schedule(1_000, () => run(clock.sleep(5_000).then(() => void ends.push(clock.now()))));
  await clock.advance(60_000, settle);
  expect(ends).toEqual([6_000]);
});
