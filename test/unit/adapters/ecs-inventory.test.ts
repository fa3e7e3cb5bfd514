// What is remembered of groups and their members, and who shares an answer that is on its way.
import { expect, test } from "vitest";
import { ecsInventory } from "../../../shared/adapters/alibaba/ecs-inventory.ts";
import type { RpcClient } from "../../../shared/adapters/alibaba/rpc-client.ts";
import type { GroupId, GroupRef } from "../../../shared/domain/ids.ts";
import { type CallPriority, CloudFailure, type CloudFailureKind } from "../../../shared/ports/firewall.ts";

const GROUP: GroupRef = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const clock = { now: () => 0, monotonicMs: () => 0, sleep: async () => undefined };

/** A cloud that fails so whoever asks with one priority, and answers whoever asks with another that there is nobody. */
function cloud(
  refused: CallPriority,
  kind: CloudFailureKind,
): { readonly rpc: RpcClient; readonly asked: CallPriority[] } {
  const asked: CallPriority[] = [];
  const rpc: RpcClient = {
    call: async ({ action, priority }) => {
      asked.push(priority);
      await Promise.resolve();
      if (priority === refused) throw new CloudFailure(kind, action);
      return { NetworkInterfaceSets: { NetworkInterfaceSet: [] }, Instances: { Instance: [] } };
    },
    skewMs: () => 0,
  };
  return { rpc, asked };
}

test("who may go on asks again where whoever asked before had no call left", async () => {
  const { rpc, asked } = cloud("inventory", "throttled");
  const inventory = ecsInventory(rpc, clock);
  const weak = inventory.members(GROUP, "inventory");
  const strong = inventory.members(GROUP, "lockdown");
  await expect(weak).rejects.toMatchObject({ kind: "throttled" });
  expect(await strong).toEqual([]);
  expect(asked).toEqual(["inventory", "inventory", "lockdown", "lockdown"]);
  expect(await inventory.members(GROUP, "inventory")).toEqual([]);
});

test("what the cloud itself does not answer is not asked again by everybody who waited for it", async () => {
  const { rpc, asked } = cloud("inventory", "unknown");
  const inventory = ecsInventory(rpc, clock);
  const all = [1, 2, 3].map(() => inventory.members(GROUP, "inventory"));
  for (const one of all) await expect(one).rejects.toMatchObject({ kind: "unknown" });
  expect(asked).toHaveLength(2);
});
