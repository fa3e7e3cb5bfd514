// An instance that is started, stopped or deleted: an event of its state, in either of the forms that documents know.

import { expect, it } from "vitest";
import { seedUser } from "../../../local/seed.ts";
import { ecsClient } from "../cloud/rpc-call.ts";
import { aCloud, deployAudit, received } from "./world.ts";

async function changed(more: Parameters<typeof aCloud>[0] = {}) {
  const cloud = await aCloud(more);
  deployAudit(cloud, { pattern: { source: ["acs.ecs"], type: [{ suffix: "Instance:StateChange" }] } });
  const { instanceId: InstanceId = "", name = "" } = cloud.account.instances[0] ?? {};
  const call = ecsClient(cloud, seedUser(cloud.account, "admin"));
  await call("StopInstance", { InstanceId });
  await call("StartInstance", { InstanceId });
  await call("DeleteInstance", { InstanceId, Force: "true" });
  await cloud.advance(1_000);
  return { cloud, InstanceId, name };
}

it("is told to functions, with the states in between", async () => {
  const { cloud, InstanceId } = await changed();
  const ofCalls = ({ type }: { readonly type: string }) => type === "ecs:ActionTrail:ApiCall";
  const onBus = cloud.events.since(0).events.flatMap(({ event }) => (ofCalls(event) ? [] : [event]));
  const states = onBus.map(({ data }) => (data as { readonly state: string }).state);
  expect(states).toEqual(["Stopping", "Stopped", "Starting", "Running", "Deleted"]);
  const told = received(cloud);
  expect(told).toHaveLength(5);
  expect(told.find(({ data }) => data["state"] === "Stopping")).toMatchObject({
    type: "ecs:Instance:StateChange",
    subject: `acs:ecs:cn-hangzhou:${cloud.account.accountId}:instance/${InstanceId}`,
    data: { resourceId: InstanceId, resourceType: "ALIYUN::ECS::Instance", state: "Stopping" },
  });
});

it("is a system event of CloudMonitor, when told so", async () => {
  const { cloud, InstanceId, name } = await changed({
    eventSwitches: { eventInstanceState: "ecs:CloudMonitor:Instance:StateChange" },
  });
  const stopped = received(cloud).find(({ data }) => (data["content"] as { state: string }).state === "Stopped");
  expect(stopped).toMatchObject({
    type: "ecs:CloudMonitor:Instance:StateChange",
    data: {
      product: "ecs",
      name: "Instance:StateChange",
      instanceName: name,
      content: { resourceId: InstanceId, state: "Stopped" },
    },
  });
});
