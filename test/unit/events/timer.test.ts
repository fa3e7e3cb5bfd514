// What the sweep function is called with.
import { describe, expect, test } from "vitest";
import { readSweepEvent } from "../../../shared/events/timer.ts";

describe("sweep event", () => {
  test("a timer's tick sweeps every shard", () => {
    const tick = '{"triggerTime":"2026-11-01T08:01:00Z","triggerName":"tick","payload":""}';
    expect(readSweepEvent(Buffer.from(tick), 4)).toEqual({
      cause: "timer tick",
      ...{ shard: null, wakeAt: null, again: null },
    });
  });

  test("a wake-up sweeps its shard, and every shard when there are fewer by now", () => {
    const at = Date.UTC(2026, 10, 1);
    const read = { cause: "wake-up", wakeAt: at, again: null };
    expect(readSweepEvent({ wakeup: { shard: 3, at } }, 4)).toEqual({ ...read, shard: 3 });
    expect(readSweepEvent({ wakeup: { shard: 9, at } }, 4)).toEqual({ ...read, shard: null });
    expect(readSweepEvent({ wakeup: { shard: 3, at, again: 2 } }, 4)).toEqual({ ...read, shard: 3, again: 2 });
    expect(readSweepEvent({ wakeup: { shard: 3, at, again: -1 } }, 4)).toEqual({ ...read, shard: 3 });
  });

  test("a wake-up without a usable instant is swept at once", () => {
    expect(readSweepEvent({ wakeup: { shard: 0, at: "soon" } }, 4)).toEqual({
      cause: "wake-up",
      shard: 0,
      wakeAt: null,
      again: null,
    });
  });

  test.each([
    ["no JSON", "tick"],
    ["an empty object", {}],
    ["a list", []],
    ["a wake-up without shard", { wakeup: {} }],
    ["a wake-up that is none", { wakeup: null }],
    ["a shard below 0", { wakeup: { shard: -1 } }],
    ["a shard in words", { wakeup: { shard: "1" } }],
  ])("refuses %s for good", (_name, event) => {
    expect(() => readSweepEvent(event, 4)).toThrow(expect.objectContaining({ code: "EVENT_INVALID" }));
  });
});
