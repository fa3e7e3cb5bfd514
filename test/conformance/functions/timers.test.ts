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

  it.each([
    ["0 0 8 * * *", "2026-11-02T08:00:00Z"],
    ["0 15,45 9-11 * * *", "2026-11-01T09:15:00Z"],
    ["0 5/20 * * * *", "2026-11-01T08:05:00Z"],
    ["0 0 8 3 * ?", "2026-11-03T08:00:00Z"],
    ["0 0 8 ? * MON-FRI", "2026-11-02T08:00:00Z"],
    ["0 30 3 ? JAN,feb 7", "2027-01-03T03:30:00Z"],
    ["0 0 0 29 FEB ?", "2028-02-29T00:00:00Z"],
    ["CRON_TZ=Asia/Shanghai 0 0 8 * * *", "2026-11-02T00:00:00Z"],
    ["CRON_TZ=Asia/Kathmandu 0 0 0 * * *", "2026-11-01T18:15:00Z"],
    // Clocks go back at 02:00 on this day.
    ["CRON_TZ=America/New_York 0 30 1 1 NOV ?", "2027-11-01T05:30:00Z"],
    ["CRON_TZ=America/New_York 0 0 3 ? * SUN", "2026-11-01T08:00:00Z"],
  ])("finds the next instant of %s after some minutes, hours or years", (cron, instant) => {
    const after = cron.endsWith("SUN") ? START_MS - 60_000 : START_MS;
    expect(new Date(parseSchedule(cron).next(after, after)).toISOString()).toBe(instant.replace("Z", ".000Z"));
  });

  it("refuses a day that never comes when it is looked for", () => {
    expect(() => parseSchedule("0 0 0 31 FEB ?").next(START_MS, START_MS)).toThrow("never");
  });

  it.each([
    ...["", "@every 30s", "@every 0m", "* * * * * *", "0 */0 * * * *", "61 * * * * *", "hourly"],
    ...["0 0 24 * * *", "0 ? * * * *", "0 5-1 * * * *", "0 0 8 3 * MON", "0 0 8 * * *  *", "0 0 8 0 * ?"],
    ...["0 0 8 ? * 0", "0 0 8 * MAI ?", "CRON_TZ=Nowhere/Else 0 0 8 * * *", "0,30 * * * * *"],
  ])("refuses %j by name", (cron) => {
    expect(() => parseSchedule(cron)).toThrow(`timer "${cron}"`);
  });
});
