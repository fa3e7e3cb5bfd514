// An instance that stops ends its leases, and no later ones.
import { expect, test } from "vitest";
import { readSystemEvent } from "../../../shared/events/system-event.ts";
import { endInstanceLeases } from "../../../shared/usecases/lease/end-instance-leases.ts";
import { getLease } from "../../../shared/usecases/lease/list-leases.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { anAsk, appWorld, START } from "./app-world.ts";

const stopped = (at: number, now: number, state = "Stopped") => {
  const event = readSystemEvent(
    JSON.stringify({
      ...{ specversion: "1.0", type: "ecs:Instance:StateChange", source: "acs.ecs" },
      ...{ time: new Date(at).toISOString(), data: { resourceId: "i-1", state } },
    }),
    now,
  );
  if (event.kind !== "instanceGone") throw new Error(`read as ${event.kind}`);
  return event;
};

test("an event that comes late, or again, leaves what was opened since the instance runs anew", async () => {
  const world = await appWorld();
  const { app, policy } = world;
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  world.advance(3_600_000);
  const { lease } = await openLease(app, world.caller(), anAsk({ instance: "i-1" }), options);
  const { leaseId } = lease.request;
  expect(await endInstanceLeases(app, policy, stopped(START, app.clock.now()))).toEqual([]);
  expect((await getLease(app, leaseId)).lease.status.state).toBe("open");
  expect(await endInstanceLeases(app, policy, stopped(app.clock.now(), app.clock.now()))).toEqual([leaseId]);
});

test("the policy says whether leases stay where the instance is stopped, and whether operators hear that they ended", async () => {
  const world = await appWorld();
  const { app, policy } = world;
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const saying = (onInstanceStop: "end-and-tell" | "keep") => ({
    ...policy,
    lease: { ...policy.lease, onInstanceStop },
  });
  const notices = async () => (await app.tables.range({ table: "outbox", from: [], to: null, limit: 100 })).rows.length;
  world.advance(1000);
  const { leaseId } = (await openLease(app, world.caller(), anAsk({ instance: "i-1" }), options)).lease.request;
  const now = app.clock.now();
  expect(await endInstanceLeases(app, saying("keep"), stopped(now, now))).toEqual([]);
  expect((await getLease(app, leaseId)).lease.status.state).toBe("open");
  const before = await notices();
  expect(await endInstanceLeases(app, saying("keep"), stopped(now, now, "Released"))).toEqual([leaseId]);
  const second = (await openLease(app, world.caller(), anAsk({ instance: "i-1" }), options)).lease.request.leaseId;
  const without = await notices();
  expect(await endInstanceLeases(app, saying("end-and-tell"), stopped(now + 1, now + 1))).toEqual([second]);
  expect((await notices()) - without).toBe(without - before + 1);
});
