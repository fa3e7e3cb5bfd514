// The mode: what stops, what ends all the same, and what is done when it is normal again.
import { afterEach, describe, expect, test } from "vitest";
import type { Mode } from "../../shared/domain/mode.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { health } from "../../shared/usecases/operation/health.ts";
import { setMode } from "../../shared/usecases/policy/set-mode.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(): Promise<void> {
  guarded = await GuardedWorld.start();
  await guarded.world.ticks(1);
}

async function set(mode: Mode): Promise<void> {
  const { world, admin } = guarded;
  await world.run(setMode(world.process(), admin, { mode, reason: "an incident" }, { dryRun: false }));
}

describe.each(["close-only", "halt"] as const)("in mode %s", (mode) => {
  test("a lease is refused, also as a dry run, and leaves no rule", async () => {
    await start();
    await set(mode);
    const { world } = guarded;
    await expect(world.open()).rejects.toMatchObject({ code: "MODE_FORBIDS", detail: { mode } });
    const dryRun = { mode: "create", idempotencyKey: null, dryRun: true } as const;
    const asked = openLease(world.process(), world.caller(), world.ask(), dryRun);
    await expect(world.run(asked)).rejects.toMatchObject({ code: "MODE_FORBIDS" });
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
  });

  test("an open lease ends at its time, and is not extended", async () => {
    await start();
    const { world } = guarded;
    const { lease } = await world.open();
    await set(mode);
    const { leaseId } = lease.request;
    const extension = extendLease(world.process(), world.caller(), leaseId, 3_600_000, { dryRun: false });
    await expect(world.run(extension)).rejects.toMatchObject({ code: "MODE_FORBIDS" });
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(leaseId)).status.state).toBe("closed");
  });

  test("drift is not rolled back until the mode is normal again, and then without anybody's help", async () => {
    await start();
    await set(mode);
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.settle();
    await world.ticks(3);
    expect(world.openPorts()).toEqual(["3306/3306"]);
    expect(await guarded.drift()).toMatchObject([{ state: "reported", heldBy: "mode" }]);
    await set("normal");
    await world.ticks(6);
    expect(world.openPorts()).toEqual([]);
    expect(await guarded.drift()).toMatchObject([{ state: "rolledBack" }]);
  });
});

test("a lease whose opener died when the mode changed closes instead of opening", async () => {
  await start();
  const { world } = guarded;
  let isDead = false;
  const dying = world.process(async (call, act) => {
    if (isDead) return new Promise(() => undefined);
    if (call.name === "ecs AuthorizeSecurityGroup") isDead = true;
    return act();
  });
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  openLease(dying, world.caller(), world.ask(), options).catch(() => undefined);
  await world.advance(1000);
  expect(isDead).toBe(true);
  await set("close-only");
  await world.ticks(3);
  expect(world.openPorts()).toEqual([]);
});

test("an operator makes it stricter, only an admin freer, and every change is recorded and shown", async () => {
  await start();
  const { world } = guarded;
  const operator = world.caller("olga", ["operator"]);
  const ask = { mode: "halt", reason: "a mistake in the policy" } as const;
  const dry = await world.run(setMode(world.process(), operator, ask, { dryRun: true }));
  expect(dry.plan[0]).toContain("normal → halt");
  expect((await world.run(health(world.process(), world.policy))).mode.mode).toBe("normal");
  await world.run(setMode(world.process(), operator, ask, { dryRun: false }));
  expect((await world.run(health(world.process(), world.policy))).mode).toMatchObject({
    mode: "halt",
    by: "olga",
    reason: ask.reason,
    since: expect.any(Number),
  });
  const freer = setMode(world.process(), operator, { ...ask, mode: "normal" }, { dryRun: false });
  await expect(world.run(freer)).rejects.toMatchObject({ code: "ROLE_MISSING" });
  expect(await world.recorded()).toContain(ask.reason);
  const again = await world.run(setMode(world.process(), operator, ask, { dryRun: false }));
  expect(again.plan).toEqual([]);
});

test("a mode that cannot be read opens nothing", async () => {
  await start();
  const { world } = guarded;
  await world.process().tables.put("policy", ["mode", 0], { mode: "sometimes" }, { kind: "none" });
  await expect(world.open()).rejects.toMatchObject({ code: "MODE_FORBIDS" });
});
