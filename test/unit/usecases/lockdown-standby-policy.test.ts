// The second way of a lockdown where the policy changes in an incident, and where lists fail for good.
import { afterEach, expect, test } from "vitest";
import { ecsAddressLists } from "../../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsRpcClient } from "../../../shared/adapters/alibaba/rpc-client.ts";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { forgetInstalled } from "../../../shared/store/due.ts";
import { listStandbySets, saveStandbySet } from "../../../shared/store/standby-sets.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { prepareLockdowns } from "../../../shared/usecases/lockdown/prepare-lockdowns.ts";
import { prepareStandby } from "../../../shared/usecases/lockdown/prepare-standby.ts";
import { filled, lift, lock, openPorts, STANDBY_POLICY, standbyWorld } from "../../kit/standby-world.ts";
import { region, type World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const LOCKED = ["web 80", "other 8080"];

/** From now on the policy says this of lockdowns. */
function say(lockdown: Partial<(typeof STANDBY_POLICY)["lockdown"]>): void {
  const document = { defaultTarget: "web", ...STANDBY_POLICY, lockdown: { ...STANDBY_POLICY.lockdown, ...lockdown } };
  world.policy = policyOf(policySchema.parse(document), world.policy.version + 1, region);
}

/** Somebody else empties all lists. */
async function emptyByHand(): Promise<void> {
  const rpc = ecsRpcClient({
    ...{ clock: world.clock, endpoint: () => world.ecs.endpoint, protocol: "http" },
    credentials: () => ({ accessKeyId: "ak-other", accessKeySecret: "sk-other" }),
  });
  const lists = ecsAddressLists(rpc, [region]);
  for (const { listId } of world.ecs.lists()) {
    const remove = (await world.run(lists.read({ region, listId }, "open"))) ?? [];
    await world.run(lists.change({ region, listId }, { add: [], remove }, "open"));
  }
}

test("a policy that wants no lists any more opens nothing in an incident", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  say({ prefixLists: [] });
  for (let minute = 0; minute < 5; minute++) {
    await world.ticks(1);
    expect(openPorts(world)).toEqual(LOCKED);
  }
  expect(filled(world)).toEqual([0, 0]);
  await lift(world, lockdownId);
  expect(openPorts(world)).toEqual(ALL);
});

test("a group that the policy names no more is given back, the others stay closed", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  say({ groups: ["web"] });
  await world.ticks(3);
  expect(openPorts(world)).toEqual([...LOCKED.slice(0, 1), "app 8080", "other 8080"]);
  await lift(world, lockdownId);
  await world.ticks(3);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("lists that somebody empties and nobody can fill again are no lockdown: drops over blocks close the groups", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  await emptyByHand();
  const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  world.faults([{ service: "ecs", operation: "ModifyPrefixList", times: 1000, fault: refused }]);
  await world.ticks(2);
  expect(openPorts(world)).toEqual(LOCKED);
  world.faults([]);
  await world.ticks(2);
  await lift(world, lockdownId);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("a lift waits for no list of other groups", async () => {
  world = await standbyWorld();
  const lost = { key: "0123456789ab", family: 4, blocks: ["0.0.0.0/1"], listId: "pl-gone" } as const;
  const members = ["sg-other" as GroupId];
  const set = { name: "0123456789ab", region, lists: [lost], members, holders: [], shown: null, rev: 0 };
  await world.run(saveStandbySet(world.process().tables, set));
  const { lockdownId } = await lock(world, ["web", "app"]);
  expect((await lift(world, lockdownId)).state).toBe("lifted");
  expect(openPorts(world)).toEqual(ALL);
  expect((await world.run(listStandbySets(world.process().tables))).sets).toHaveLength(2);
});

test("a list that is gone is made anew", async () => {
  world = await standbyWorld();
  const { tables } = world.process();
  const [set] = (await world.run(listStandbySets(tables))).sets;
  if (!set) throw new Error("there is no set");
  const lists = set.lists.map((it) => ({ ...it, listId: "pl-gone" }));
  await world.run(saveStandbySet(tables, { ...set, lists }));
  await world.ticks(62);
  const { lockdownId } = await lock(world, ["web", "app"]);
  expect(filled(world).every((blocks) => blocks > 0)).toBe(true);
  expect(openPorts(world)).toEqual(LOCKED);
  await lift(world, lockdownId);
  expect(openPorts(world)).toEqual(ALL);
});

/** A round of the job that prepares lockdowns. */
async function prepare(): Promise<void> {
  const app = world.process();
  const deadlineAt = app.clock.monotonicMs() + 60_000;
  await world.run(prepareLockdowns(app, world.policy, deadlineAt));
  await world.run(prepareStandby(app, world.policy, deadlineAt));
}

/** What tells of the lockdown is gone, and the installation comes back as a new one. */
async function loseTables(): Promise<void> {
  for (const table of ["ledger", "lockdown", "preparation"] as const) await world.loseTable(table);
  await world.run(world.process().tables.createTables(schemas));
  await world.run(forgetInstalled(world.process().tables, world.process().settings.installation));
}

test("who loses the tables in an incident lets everybody in again, and no rule stays for it", {
  timeout: 30_000,
}, async () => {
  world = await standbyWorld({ inMemory: false });
  await lock(world, ["web", "app"]);
  await loseTables();
  await world.ticks(2);
  await prepare();
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  say({ prefixLists: [] });
  await prepare();
  await prepare();
  expect([world.ecs.lists(), openPorts(world)]).toEqual([[], ALL]);
});

test("where the policy is lost as well, and nobody knows of the lists, their drops go within an hour or so", {
  timeout: 30_000,
}, async () => {
  world = await standbyWorld({ inMemory: false });
  await lock(world, ["web", "app"]);
  await loseTables();
  say({ prefixLists: [] });
  await world.ticks(2);
  await world.advance(3_600_000);
  await world.ticks(3);
  expect(openPorts(world)).toEqual(ALL);
});
