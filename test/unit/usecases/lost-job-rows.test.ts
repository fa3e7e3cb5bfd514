// Every due row is lost, and with them those of jobs that nothing books from time to time: moves of leases and quarantines go on.
import { afterEach, expect, test } from "vitest";
import type { TableName } from "../../../shared/ports/tables.ts";
import { followLease } from "../../../shared/usecases/lease/follow-lease.ts";
import { DROP, IDLE, RecyclingWorld } from "../../kit/recycling-world.ts";
import { World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

async function lose(table: Extract<TableName, "due" | "ledger">): Promise<void> {
  const { tables } = world.process();
  const from = [table === "due" ? 0 : ""];
  const { rows } = await world.run(tables.range({ table, from, to: null, limit: 5000 }));
  for (const { key } of rows) await world.run(tables.delete(table, key, { kind: "none" }));
}

test("a move whose process died before the old lease's end is finished", async () => {
  world = await World.start({ inMemory: true });
  const { lease } = await world.open();
  const sources = () => world.rules().flatMap(({ portRange, source }) => (portRange === "22/22" ? source : []));
  const dying = world.process(async (call, act) => {
    if (sources().some((it) => it.startsWith("198.51.100.9")) && call.name === "writeAll due") throw new Error("died");
    return act();
  });
  const asked = { to: "198.51.100.9", from: null };
  const moving = followLease(dying, world.caller(), lease.request.leaseId, asked, { dryRun: false });
  await expect(world.run(moving)).rejects.toThrow("died");
  expect(sources()).toHaveLength(2);
  await lose("due");
  await world.ticks(4);
  expect(sources()).toEqual(["198.51.100.9/32"]);
});

test("a quarantine is watched", async () => {
  const one = await RecyclingWorld.start({
    inMemory: true,
    recycling: { groups: ["web"], steps: { quarantine: "auto", delete: "auto" } },
  });
  world = one.world;
  await one.quarantined();
  await lose("due");
  await world.ticks(4);
  expect(await world.rows("due")).toContainEqual(expect.stringContaining("job/recycling-watch"));
});

test("a quarantine whose drop is lost with the ledger goes on, and is lifted", async () => {
  const one = await RecyclingWorld.start({ inMemory: true });
  world = one.world;
  await one.quarantined();
  await lose("due");
  await lose("ledger");
  await world.ticks(4);
  await one.recycle();
  expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  await one.restore();
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
});

test("a drop that is lost with the ledger while its quarantine is being lifted goes with the next nightly run", async () => {
  const one = await RecyclingWorld.start({ inMemory: true });
  world = one.world;
  await one.quarantined();
  const dying = world.process(async (call, act) => {
    if (call.name === "ecs RevokeSecurityGroup") throw new Error("died");
    return act();
  });
  await expect(one.restore(dying)).rejects.toThrow("died");
  await lose("due");
  await lose("ledger");
  await world.ticks(4);
  await one.pass(1);
  await one.recycle();
  await world.ticks(4);
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
});

test("a lease that the ledger has lost as well is entered again, and no second one is booked from its mark", async () => {
  world = await World.start({ inMemory: true });
  const { lease } = await world.open();
  await lose("due");
  await lose("ledger");
  await world.ticks(2);
  expect([await world.rows("lease"), (await world.rows("ledger")).length]).toEqual([[lease.request.leaseId], 1]);
  await world.pastEnd(lease);
  expect([world.openPorts(), await world.rows("ledger")]).toEqual([[], []]);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
});
