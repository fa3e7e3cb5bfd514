// Timer triggers on virtual time.

import { describe, expect, it } from "vitest";
import { parseSchedule } from "../../../local/services/functions/schedule.ts";
import { bundle, START_MS, startWorld } from "./kit.ts";

const PRINT = bundleSource("event.toString()");
function bundleSource(expression: string): string {
  return `exports.handler = async (event) => { console.log(${expression}); };`;
}

it("fires every minute of virtual time, in order, each at its own instant", async () => {
  const { fc, advance } = await startWorld();
  const source = bundleSource(
    `JSON.parse(event).triggerTime + " at " + new Date(Math.floor(Date.now() / 60000) * 60000).toISOString()`,
  );
  fc.registry.deploy({
    name: "tick",
    bundle: bundle(source),
    triggers: [{ type: "timer", name: "t", cron: "@every 1m" }],
  });
  await advance(180_000);
  await expect
    .poll(() =>
      fc.registry
        .logs()
        .lines()
        .map((line) => line.text),
    )
    .toEqual([
      "2026-11-01T08:01:00Z at 2026-11-01T08:01:00.000Z",
      "2026-11-01T08:02:00Z at 2026-11-01T08:02:00.000Z",
      "2026-11-01T08:03:00Z at 2026-11-01T08:03:00.000Z",
    ]);
});

it("hands over triggerTime, triggerName and payload as strings", async () => {
  const { fc, advance } = await startWorld();
  const timer = { type: "timer", name: "tick", cron: "@every 2m", payload: "p" } as const;
  fc.registry.deploy({ name: "tick", bundle: bundle(PRINT), triggers: [timer] });
  await advance(120_000);
  await expect.poll(() => fc.registry.logs().lines().length).toBe(1);
  const event = JSON.parse(fc.registry.logs().lines()[0]?.text ?? "");
  expect(event).toEqual({ triggerTime: "2026-11-01T08:02:00Z", triggerName: "tick", payload: "p" });
});

it("stops the timers of an earlier deployment", async () => {
  const { fc, advance } = await startWorld();
  const triggers = [{ type: "timer", name: "t", cron: "@every 1m" } as const];
  fc.registry.deploy({ name: "tick", bundle: bundle(PRINT), triggers });
  fc.registry.deploy({ name: "tick", bundle: bundle(PRINT), triggers });
  await advance(60_000);
  await expect.poll(() => fc.registry.logs().lines().length).toBe(1);
});

it("runs a day of idle ticks at a few milliseconds each", async () => {
  const { fc, advance } = await startWorld();
  const source = `let n = 0; exports.handler = async () => { n += 1; return String(n); };`;
  fc.registry.deploy({
    name: "tick",
    bundle: bundle(source),
    triggers: [{ type: "timer", name: "t", cron: "@every 1m" }],
  });
  await advance(60_000);
  const startMs = performance.now();
  await advance(1_440 * 60_000);
  const perTickMs = (performance.now() - startMs) / 1_440;
  expect((await fc.registry.invoke("tick", Buffer.from(""))).body.toString()).toBe("1442");
  // Generous for a shared machine; the figure itself is printed.
  console.info(`${perTickMs.toFixed(2)} ms per tick`);
  expect(perTickMs).toBeLessThan(10);
});

describe("parseSchedule", () => {
  it.each([
    ["@every 1m", "08:01:00"],
    ["@every 5m", "08:05:00"],
    ["0 * * * * *", "08:01:00"],
    ["45 * * * * *", "08:00:45"],
    ["0 */15 * * * *", "08:15:00"],
    ["CRON_TZ=Asia/Shanghai 0 */30 * * * *", "08:30:00"],
  ])("finds the next instant of %s", (cron, time) => {
    expect(new Date(parseSchedule(cron).next(START_MS, START_MS)).toISOString()).toBe(`2026-11-01T${time}.000Z`);
  });

  it.each(["", "@every 30s", "@every 0m", "* * * * * *", "0 0 8 * * *", "0 */0 * * * *", "61 * * * * *", "hourly"])(
    "refuses %j by name",
    (cron) => {
      expect(() => parseSchedule(cron)).toThrow(`timer "${cron}"`);
    },
  );
});
