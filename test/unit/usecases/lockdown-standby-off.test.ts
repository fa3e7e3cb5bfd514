// The second way of a lockdown switched off, where drops stand on lists, and where these are filled: nobody is shut in, and nothing is left behind.
import { afterEach, expect, test } from "vitest";
import { listStandbySets, saveStandbySet } from "../../../shared/store/standby-sets.ts";
import { filled, lets, lift, lock, openPorts, standbyWorld, writingCalls } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const LOCKED = ["web 80", "other 8080"];
/** More than the hour after which sets are looked at again. */
const ROUND = 62;

const dropsLeft = () => world.ecs.groups().flatMap(({ rules }) => rules.filter((it) => it.policy === "Drop"));
const sets = async () => (await world.run(listStandbySets(world.process().tables))).sets;
const nothingLeft = async () => [world.ecs.lists().length, dropsLeft().length, (await sets()).length];

/** Somebody has taken `ecs:ModifyPrefixList` and the like from the role, as setup does where lists are off. */
function takePermission(): void {
  const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  const operations = ["CreatePrefixList", "ModifyPrefixList", "DeletePrefixList"];
  world.faults(operations.map((operation) => ({ service: "ecs", operation, times: 10_000, fault })));
}

test("in peace drops and lists go, though the policy still names them", { timeout: 30_000 }, async () => {
  world = await standbyWorld();
  world.lockdownLists = false;
  await world.ticks(ROUND);
  expect(openPorts(world)).toEqual(ALL);
  expect(await nothingLeft()).toEqual([0, 0, 0]);
});

test("in an incident groups stay closed, are let go of with the lift, and then drops and lists go", {
  timeout: 30_000,
}, async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  world.lockdownLists = false;
  await world.ticks(3);
  expect(openPorts(world)).toEqual(LOCKED);
  await expect(world.open({ port: "8443", group: "web" })).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
  expect((await lift(world, lockdownId)).state).toBe("lifted");
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  await world.ticks(ROUND);
  expect([openPorts(world), await nothingLeft()]).toEqual([ALL, [0, 0, 0]]);
});

test("no lockdown fills a list that is switched off: its groups are closed by drops of their own", async () => {
  world = await standbyWorld();
  world.lockdownLists = false;
  const { lockdownId } = await lock(world, ["web", "app"]);
  expect([openPorts(world), filled(world)]).toEqual([LOCKED, [0, 0]]);
  expect(writingCalls(world)).not.toContain("ModifyPrefixList");
  await lift(world, lockdownId);
  expect(openPorts(world)).toEqual(ALL);
});

test("where the role may not change lists any more, the lift takes the drops on them instead", {
  timeout: 30_000,
}, async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  world.lockdownLists = false;
  takePermission();
  await world.ticks(3);
  expect(openPorts(world)).toEqual(LOCKED);
  expect((await lift(world, lockdownId)).state).toBe("lifted");
  expect([openPorts(world), dropsLeft()]).toEqual([ALL, []]);
  // A lease behind what the list still holds is open: no rule names it.
  const { lease } = await world.open({ port: "3306", group: "web" });
  expect([lease.status.state, lets(world, "web", 3306, "203.0.113.7")]).toEqual(["open", true]);
  await world.ticks(ROUND);
  expect([openPorts(world), dropsLeft(), world.ecs.lists().length]).toEqual([ALL, [], 2]);
  // With the permission back the rest goes.
  world.faults([]);
  await world.ticks(ROUND);
  expect(await nothingLeft()).toEqual([0, 0, 0]);
});

test("a lease behind a list that a stranger may have filled is refused, switched off or not", async () => {
  world = await standbyWorld();
  const [set] = await sets();
  if (!set) throw new Error("there is no set");
  await world.run(saveStandbySet(world.process().tables, { ...set, shown: null }));
  world.lockdownLists = false;
  await expect(world.open({ port: "3306", group: "web" })).rejects.toMatchObject({ code: "LEASE_SHADOWED" });
});
