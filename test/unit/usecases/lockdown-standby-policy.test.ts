// The second way of a lockdown where the policy changes in an incident, and where lists fail for good.
import { afterEach, expect, test } from "vitest";
import { ecsAddressLists } from "../../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsRpcClient } from "../../../shared/adapters/alibaba/rpc-client.ts";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
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
