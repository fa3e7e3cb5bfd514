// Which group an ask comes to, for the scope of whoever asks: told without a call to any place but the policy's regions.
import { expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { findTarget, groupsNamedBy, type Place } from "../../../shared/usecases/lease/find-target.ts";
import { type AppWorld, appWorld, GROUP } from "./app-world.ts";

const asked = (place: Partial<Place>): Place => ({ group: null, instance: null, region: null, ...place });

/** The app with every region that its inventory is asked in. */
function watched(world: AppWorld): { readonly app: App; readonly regions: Set<string> } {
  const regions = new Set<string>();
  const { inventory } = world.app;
  const seen: App["inventory"] = {
    ...inventory,
    listGroups: (region, ...more) => {
      regions.add(region);
      return inventory.listGroups(region, ...more);
    },
    instance: (region, ...more) => {
      regions.add(region);
      return inventory.instance(region, ...more);
    },
  };
  return { app: { ...world.app, inventory: seen }, regions };
}

test.each<[string, Partial<Place>]>([
  ["an instance", { instance: "i-1" }],
  ["a group", { group: "web" }],
  ["neither", {}],
])("for %s no region is asked that is not the policy's: its name becomes a part of an address", async (_, place) => {
  const world = await appWorld();
  const { app, regions } = watched(world);
  for (const region of ["x.example.com/", "cn-beijing", ""])
    await expect(groupsNamedBy(app, world.policy, asked({ ...place, region }))).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
  expect([...regions]).toEqual([]);
  expect(await groupsNamedBy(app, world.policy, asked(place))).toEqual([GROUP.groupId]);
  expect([...regions].every((region) => region === GROUP.region)).toBe(true);
});

test("a name is of the very group that would be opened in, also where it has come to be another's", async () => {
  const world = await appWorld();
  const ask = asked({ group: "web" });
  const target = await findTarget(world.app, world.policy, ask);
  expect(target.facts.ref.groupId).toBe(GROUP.groupId);
  const other = { ...target.facts, ref: { ...GROUP, groupId: "sg-other" as GroupId } };
  const { inventory } = world.app;
  Object.assign(inventory, { listGroups: async () => [{ ...target.facts, name: "web-before" }, other] });
  expect(await groupsNamedBy(world.app, world.policy, ask)).toEqual([
    (await findTarget(world.app, world.policy, ask)).facts.ref.groupId,
  ]);
});

test("a name of nothing stays a name, which is answered as what is out of scope", async () => {
  const world = await appWorld();
  expect(await groupsNamedBy(world.app, world.policy, asked({ group: "nothing" }))).toEqual(["nothing"]);
  expect(await groupsNamedBy(world.app, { ...world.policy, defaultTarget: null }, asked({}))).toEqual([]);
});
