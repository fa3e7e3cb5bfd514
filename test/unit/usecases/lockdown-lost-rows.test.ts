// Lockdowns and alarms when every due row is lost: what is on comes to its end all the same, and what was told is acted on.
import { afterEach, expect, test } from "vitest";
import { lastLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { filled, lock, openPorts, STANDBY_POLICY, standbyWorld } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const LOCKED = ["web 80", "other 8080"];
const PERIOD_MS = 15 * 60_000;

async function loseDue({ tables }: App): Promise<void> {
  const { rows } = await world.run(tables.range({ table: "due", from: [0], to: null, limit: 5000 }));
  for (const { key } of rows) await world.run(tables.delete("due", key, { kind: "none" }));
}

const stateOf = async (lockdownId: string): Promise<string | undefined> =>
  (await world.run(lastLockdown(world.process().tables, lockdownId.split("-")[1] ?? "")))?.state;

test("a lockdown by lists is lifted at its end, its lists kept filled until then", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"], world.process(), { periodMs: PERIOD_MS });
  await world.ticks(3);
  await loseDue(world.process());
  await world.ticks(10);
  expect([openPorts(world), filled(world)]).toEqual([LOCKED, [2, 29]]);
  await world.ticks(5);
  expect([openPorts(world), filled(world), await stateOf(lockdownId)]).toEqual([ALL, [0, 0], "lifted"]);
});

test("one whose row cannot be read for a time is lifted when it can, and keeps no lease from its end meanwhile", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"], world.process(), { periodMs: PERIOD_MS });
  const { tables } = world.process();
  const [, scope = "", sequence] = lockdownId.split("-");
  const key = [scope, Number(sequence)];
  const body = (await world.run(tables.get("lockdown", key)))?.columns["body"] ?? "";
  await world.run(tables.update("lockdown", key, { body: "[" }, { kind: "present" }));
  const { lease } = await world.open({ port: "3306", group: "other", periodMs: 60_000 });
  await loseDue(world.process());
  // The job fails, at each tick, and so does the tick at its end.
  for (let minute = 0; minute < 4; minute++) await world.ticks(1).catch(() => undefined);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  await world.run(tables.update("lockdown", key, { body }, { kind: "present" }));
  await world.ticks(17);
  expect([openPorts(world), filled(world), await stateOf(lockdownId)]).toEqual([ALL, [0, 0], "lifted"]);
});

test("an alarm whose taker died is acted on", async () => {
  world = await standbyWorld({
    policy: { ...STANDBY_POLICY, alarms: [{ do: "lockdown", scope: { groups: ["web", "app"] } }] },
  });
  const app = world.process();
  const at = app.clock.now();
  const about = {
    rule: "flood",
    ruleId: "flood",
    namespace: "acs_ecs",
    metric: "bps",
    level: "CRITICAL",
    dimensions: {},
  };
  await world.run(recordAlarm(app, { ...about, state: "ALERT", at }, world.policy));
  await loseDue(app);
  await world.ticks(3);
  expect([openPorts(world), filled(world).every((blocks) => blocks > 0)]).toEqual([LOCKED, true]);
});
