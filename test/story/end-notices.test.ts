// Holders are told before the end of a lease: once, at the parts of its life that the policy names, and of the end it has by then.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { World } from "../kit/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const policy = {
  defaultTarget: "web",
  notifications: { targets: { chat: { kind: "slack", urlFrom: "CHAT" } }, otherwise: ["chat"] },
};

let world: World;
beforeEach(async () => {
  world = await World.start({ policy });
});
afterEach(() => world.stop());

const opened = async (periodMs = HOUR): Promise<Lease> => (await world.open({ periodMs })).lease;

/** Minutes after the opening at which somebody was told of an end, and of which, with two ticks at each of `minutes`. */
async function told(lease: Lease, ...minutes: readonly number[]): Promise<readonly (readonly [number, string])[]> {
  const found: [number, string][] = [];
  const openedAt = lease.status.openedAt ?? 0;
  let seen = 0;
  for (const minute of minutes) {
    await world.advance(Math.max(0, openedAt + minute * MINUTE - world.clock.now()));
    await world.ticks(2);
    for (const message of world.told.slice(seen)) {
      const text = JSON.stringify(message);
      const end = /ends at 2026-11-20 (\d\d:\d\d)/.exec(text)?.[1];
      if (end !== undefined && text.includes(lease.request.leaseId)) found.push([minute, end]);
    }
    seen = world.told.length;
  }
  return found;
}

test("at four fifths of an hour, once", async () => {
  const lease = await opened();
  expect(await told(lease, 30, 45, 48, 51, 61)).toEqual([[48, "09:00"]]);
});

test("not of a lease that lives shorter than the policy says, nor where it says nothing", async () => {
  expect(await told(await opened(20 * MINUTE), 16, 21)).toEqual([]);
  world.policy = { ...world.policy, lease: { ...world.policy.lease, endNotices: { fractions: [], lifetimeMinMs: 0 } } };
  expect(await told(await opened(), 48, 61)).toEqual([]);
});

test("of the new end after an extension, at the parts of the longer life, and not of the old one", async () => {
  const lease = await opened();
  await world.advance(30 * MINUTE);
  const { leaseId } = lease.request;
  await world.run(extendLease(world.process(), world.caller(), leaseId, 90 * MINUTE, { dryRun: false }));
  // Open from 08:00 to 10:00: told at 09:36.
  expect(await told(lease, 48, 93, 96, 99, 121)).toEqual([[96, "10:00"]]);
});

test("not of a lease that was ended before", async () => {
  const lease = await opened();
  await world.run(endLease(world.process(), world.caller(), lease.request.leaseId, { dryRun: false }));
  expect(await told(lease, 48, 61)).toEqual([]);
});

test("once, wherever the process that tells dies", async () => {
  const lease = await opened();
  await world.advance(48 * MINUTE);
  for (let at = 0; at < 200; at++) {
    let turn = 0;
    const app = world.process(async (call, act) => {
      if (turn++ >= at) throw new Error(`died before ${call.name}`);
      return act();
    });
    await world.sweep(app).catch(() => undefined);
    if (turn <= at) break;
  }
  expect(await told(lease, 48, 52)).toEqual([[expect.any(Number), "09:00"]]);
});
