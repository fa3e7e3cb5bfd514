// The embedded cloud's clock: order, settling, and the way between real and virtual time.

import { describe, expect, it } from "vitest";
import { CloudClock, nextTurn, type RealTime } from "../../../local/clock.ts";

const START_MS = Date.UTC(2026, 10, 1);

function handMovedTime(): RealTime & { move(ms: number): void } {
  let nowMs = 1_000;
  const armed = new Set<{ dueMs: number; run: () => void }>();
  return {
    wallMs: () => START_MS + nowMs,
    monotonicMs: () => nowMs,
    arm: (delayMs, run) => {
      const entry = { dueMs: nowMs + delayMs, run };
      armed.add(entry);
      return () => armed.delete(entry);
    },
    move(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const next = [...armed].filter((entry) => entry.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!next) break;
        armed.delete(next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
      }
      nowMs = endMs;
    },
  };
}

describe("CloudClock in virtual time", () => {
  it("stands still until it is advanced", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    await nextTurn();
    expect(clock.now()).toBe(START_MS);
    await clock.advance(90_000);
    expect(clock.now()).toBe(START_MS + 90_000);
    expect(clock.monotonicMs()).toBe(90_000);
  });

  it("runs sleepers in the order of their instants, each at its own instant", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    const seen: string[] = [];
    for (const [name, ms] of [
      ["c", 300],
      ["a", 100],
      ["b", 200],
      ["a2", 100],
      ["late", 1_001],
    ] as const)
      clock.schedule(ms, () => seen.push(`${name}@${clock.now() - START_MS}`));
    await clock.advance(1_000);
    expect(seen).toEqual(["a@100", "a2@100", "b@200", "c@300"]);
    await clock.advance(1);
    expect(seen.at(-1)).toBe("late@1001");
  });

  it("keeps the order of many sleepers", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    const seen: number[] = [];
    const delays = Array.from({ length: 500 }, (_, index) => 1 + ((index * 7919) % 997));
    for (const ms of delays) clock.schedule(ms, () => seen.push(ms));
    await clock.advance(1_000, async () => undefined);
    expect(seen).toEqual([...delays].sort((a, b) => a - b));
  });

  it("settles the work of one instant before time moves on, and work scheduled meanwhile runs in its turn", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    const seen: string[] = [];
    let busy: Promise<void> = Promise.resolve();
    const work = async (name: string): Promise<void> => {
      await nextTurn();
      seen.push(`${name} ends at ${clock.now() - START_MS}`);
      clock.schedule(50, () => seen.push(`after ${name} at ${clock.now() - START_MS}`));
    };
    clock.schedule(100, () => {
      busy = work("first");
    });
    clock.schedule(200, () => {
      busy = work("second");
    });
    await clock.advance(1_000, () => busy);
    expect(seen).toEqual(["first ends at 100", "after first at 150", "second ends at 200", "after second at 250"]);
  });

  it("runs what is due at once without being advanced", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    await clock.sleep(0);
    expect(clock.now()).toBe(START_MS);
  });

  it("counts sleeps and lets an aborted one go with the signal's reason", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    const abort = new AbortController();
    const slept = clock.sleep(100, abort.signal);
    expect(clock.sleeping).toBe(1);
    abort.abort(new Error("called off"));
    await expect(slept).rejects.toThrow("called off");
    expect(clock.sleeping).toBe(0);
  });

  it("runs nothing that was called off", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    const seen: string[] = [];
    const cancel = clock.schedule(10, () => seen.push("called off"));
    cancel();
    await clock.advance(100);
    expect(seen).toEqual([]);
  });

  it("queues advances behind each other", async () => {
    const clock = new CloudClock({ startMs: START_MS });
    await Promise.all([clock.advance(1_000), clock.advance(2_000)]);
    expect(clock.now()).toBe(START_MS + 3_000);
  });

  it("refuses to go back", async () => {
    await expect(new CloudClock({ startMs: START_MS }).advance(-1)).rejects.toThrow(RangeError);
  });
});

describe("CloudClock in real time", () => {
  it("follows the machine and wakes sleepers by it", () => {
    const real = handMovedTime();
    const clock = new CloudClock({ real });
    const seen: number[] = [];
    clock.schedule(500, () => seen.push(clock.now() - START_MS));
    clock.schedule(200, () => seen.push(clock.now() - START_MS));
    real.move(1_000);
    expect(clock.mode).toBe("real");
    expect(seen).toEqual([1_200, 1_500]);
  });

  it("becomes virtual with the first advance and returns to the machine's time on demand", async () => {
    const real = handMovedTime();
    const clock = new CloudClock({ real });
    const seen: string[] = [];
    clock.schedule(60_000, () => seen.push("first"));
    clock.schedule(180_000, () => seen.push("second"));
    await clock.advance(120_000);
    expect([clock.mode, seen]).toEqual(["virtual", ["first"]]);
    real.move(100_000);
    expect(seen).toEqual(["first"]);
    clock.toReal();
    expect(clock.now()).toBe(real.wallMs());
    real.move(59_000);
    expect(seen).toEqual(["first"]);
    real.move(1_000);
    expect(seen).toEqual(["first", "second"]);
  });

  it("tells wall time in whole milliseconds, however finely the machine counts", async () => {
    const clock = new CloudClock({ real: { ...handMovedTime(), monotonicMs: () => 1_000.6843 } });
    const seen: number[] = [];
    clock.schedule(60_000 - 0.4, () => seen.push(clock.now()));
    await clock.advance(62_000);
    expect([...seen, clock.now(), clock.machineOffsetMs()].filter((ms) => !Number.isInteger(ms))).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  it("drops its sleepers when closed", () => {
    const real = handMovedTime();
    const clock = new CloudClock({ real });
    const seen: string[] = [];
    clock.schedule(10, () => seen.push("ran"));
    clock.close();
    real.move(100);
    expect(seen).toEqual([]);
  });
});
