// What the event bus is told when an instance comes into another state.
import type { Random } from "../../../shared/ports/random.ts";
import { type SystemEvent, toldOf } from "../cms/system-event.ts";
import type { Told } from "../eventbridge/cloud-event.ts";
import type { BusSwitches } from "../eventbridge/switches.ts";

/** A state that an instance has passed or come to. */
export interface InstanceChange {
  readonly instanceId: string;
  readonly name: string;
  readonly regionId: string;
  readonly state: "Starting" | "Running" | "Stopping" | "Stopped" | "Deleted";
}

/** The event: one of ECS itself, or a system event of CloudMonitor, as the switches say. */
export function instanceEvent(
  { instanceId, name, regionId, state }: InstanceChange,
  world: { readonly accountId: string; readonly random: Random; readonly now: number; readonly switches: BusSwitches },
): Told {
  const { accountId, now, switches } = world;
  const content = { resourceId: instanceId, resourceType: "ALIYUN::ECS::Instance", state };
  const resourceId = `acs:ecs:${regionId}:${accountId}:instance/${instanceId}`;
  if (switches.eventInstanceState === "ecs:Instance:StateChange")
    return { source: "acs.ecs", type: "ecs:Instance:StateChange", subject: resourceId, at: now, data: content };
  const event: SystemEvent = {
    ...{ product: "ecs", name: "Instance:StateChange", level: "INFO", resourceId, instanceName: name, content },
  };
  return toldOf(event, { ...world, regionId });
}
