// The full pass over an account larger than a minute's calls: it goes on where it stopped, and comes to its end.
import { afterEach, expect, test } from "vitest";
import { World, worldSeed } from "../kit/world.ts";

let world: World;
afterEach(() => world.stop());

const GROUPS = 40;
const many = {
  ...worldSeed,
  regions: ["cn-shanghai"],
  groups: [
    ...worldSeed.groups,
    ...Array.from({ length: GROUPS }, (_, n) => ({ groupId: `sg-z${100 + n}`, name: `z${100 + n}`, rules: [] })),
  ],
};
const isInstalled = async () => (await world.rows("due")).some((row) => row.endsWith("installation/test"));

test("a recovery that is throttled goes on minute by minute, and closes what carries a mark at the far end", async () => {
  world = await World.start({ seed: many });
  const { lease } = await world.open({ group: `z${100 + GROUPS - 1}`, periodMs: 120_000 });
  await world.loseState();
  // Ten readings a minute: each tick gets a little further.
  for (let minute = 0; minute < 7; minute++) {
    const fault = { kind: "reject", status: 400, code: "Throttling.User" } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", skip: 10, fault }]);
    await world.ticks(1);
    if (minute < 3) expect(await isInstalled()).toBe(false);
  }
  expect(await isInstalled()).toBe(true);
  world.faults([]);
  await world.pastEnd(lease);
  expect(world.rules(`sg-z${100 + GROUPS - 1}`)).toEqual([]);
});

test("a group that cannot be read keeps no other from its turn", async () => {
  world = await World.start({ seed: many });
  const { lease } = await world.open({ group: "z105", periodMs: 60_000 });
  await world.loseState();
  const fault = { kind: "drop-before" } as const;
  world.faults([{ service: "ecs", match: { SecurityGroupId: "sg-z101" }, fault }]);
  await world.pastEnd(lease);
  expect(world.rules("sg-z105")).toEqual([]);
  expect(await isInstalled()).toBe(false);
  world.faults([]);
  await world.ticks(1);
  expect(await isInstalled()).toBe(true);
});

test("every hour all groups are looked at once, also in regions the policy names later, and one that is refused stops nothing", async () => {
  world = await World.start({ seed: many });
  world.callNames.length = 0;
  await world.ticks(61);
  const readings = () => world.callNames.filter((name) => name === "ecs DescribeSecurityGroupAttribute").length;
  expect(readings()).toBe(GROUPS + 2);
  world.policy = { ...world.policy, regions: ["cn-shanghai", "cn-nowhere", ...world.policy.regions] };
  world.callNames.length = 0;
  await world.ticks(61);
  expect(readings()).toBe(GROUPS + 2);
  expect(world.callNames.filter((name) => name === "ecs DescribeSecurityGroups").length).toBe(3);
});

test("an account of several parts and shards is looked at once an hour, and once in a recovery, though both budget and wake-ups fail", async () => {
  const far = "sg-z349";
  const groups = Array.from({ length: 250 }, (_, n) => ({ groupId: `sg-z${100 + n}`, name: `z${100 + n}`, rules: [] }));
  const seed = { ...many, groups: [...worldSeed.groups, ...groups] };
  world = await World.start({ seed, settings: { fullPassGroups: 100, shards: 3 } });
  const readings = () => world.callNames.filter((name) => name === "ecs DescribeSecurityGroupAttribute").length;
  await world.ticks(2);
  world.callNames.length = 0;
  await world.ticks(61);
  expect(readings()).toBe(252);

  const { lease } = await world.open({ group: "z349", periodMs: 600_000 });
  await world.loseState();
  for (let minute = 0; minute < 9; minute++) {
    const fault = { kind: "reject", status: 400, code: "Throttling.User" } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", skip: 60, fault }]);
    await world.ticks(1);
  }
  world.faults([]);
  await world.pastEnd(lease);
  expect(world.rules(far)).toEqual([]);
  expect(await isInstalled()).toBe(true);
  const rows = (await world.rows("due")).filter((row) => row.includes("full-pass"));
  expect(rows).toHaveLength(1);
});
