// The second way of a lockdown, on the embedded cloud: drops that stand on empty lists, which an incident fills.
import { afterEach, describe, expect, test } from "vitest";
import { listStandbySets } from "../../../shared/store/standby-sets.ts";
import { filled, lets, lift, lock, OPERATOR, openPorts, standbyWorld, writingCalls } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const sets = async () => (await world.run(listStandbySets(world.process().tables))).sets;

describe("in peace", () => {
  test("drops stand in the groups of the policy, on empty lists, and close nothing", async () => {
    world = await standbyWorld();
    expect(openPorts(world)).toEqual(ALL);
    expect(filled(world)).toEqual([0, 0]);
    const dropsIn = (groupId: string) =>
      world.ecs
        .groups()
        .find((it) => it.groupId === groupId)
        ?.rules.filter((it) => it.policy === "Drop").length;
    expect([dropsIn("sg-web"), dropsIn("sg-app"), dropsIn("sg-other")]).toEqual([6, 6, 0]);
    expect((await sets()).map(({ members, shown }) => [members, shown])).toEqual([[["sg-app", "sg-web"], "empty"]]);
  });

  test("another round writes nothing", async () => {
    world = await standbyWorld();
    await world.ticks(70);
    expect(writingCalls(world)).toEqual([]);
  });
});

describe("in an incident", () => {
  test("two writing calls close any number of groups, and open them again", async () => {
    world = await standbyWorld({ inMemory: false });
    const started = await lock(world, ["web", "app"]);
    expect(started.groups.map(({ isClosed, way, left, onLists }) => [isClosed, way, left, onLists])).toEqual([
      [true, "drops", [], true],
      [true, "drops", [], true],
    ]);
    expect(started.steps.map(({ name }) => name)).toEqual(["planned", "booked", "lists filled", "read back"]);
    expect(writingCalls(world)).toEqual(["ModifyPrefixList", "ModifyPrefixList"]);
    expect(openPorts(world)).toEqual(["web 80", "other 8080"]);
    expect(lets(world, "web", 22, OPERATOR)).toBe(true);
    const lifted = await lift(world, started.lockdownId);
    expect(lifted.state).toBe("lifted");
    expect(writingCalls(world)).toHaveLength(4);
    expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  });
});
