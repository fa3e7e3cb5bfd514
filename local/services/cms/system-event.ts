// System events of products, as CloudMonitor puts them on the default event bus.

import type { Random } from "../../../shared/ports/random.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { newEventId, type Told, utcSeconds } from "../eventbridge/cloud-event.ts";
import { jsonOf, required } from "./alarm-rule.ts";

/** Something that happened to a resource. */
export interface SystemEvent {
  /** `ecs`, `ddos`, … */
  readonly product: string;
  /** `DdosbgpEventBlackhole`, … */
  readonly name: string;
  readonly level?: "CRITICAL" | "WARN" | "INFO";
  readonly status?: string;
  /** `acs:ecs:<region>:<account>:instance/<id>`. */
  readonly resourceId?: string;
  readonly instanceName?: string;
  readonly content?: unknown;
}

/** What the bus is told of it. */
export function toldOf(
  event: SystemEvent,
  world: { readonly accountId: string; readonly regionId: string; readonly random: Random; readonly now: number },
): Told {
  const { product, name, level = "CRITICAL", status = "normal", resourceId, instanceName = "", content = {} } = event;
  const { accountId, regionId, now } = world;
  const subject = resourceId ?? `acs:${product}:${regionId}:${accountId}:`;
  return {
    source: `acs.${product}`,
    type: `${product}:CloudMonitor:${name}`,
    subject,
    at: now,
    data: {
      id: newEventId(world.random),
      product,
      resourceId: subject,
      level,
      instanceName,
      regionId,
      name,
      content,
      status,
      eventTime: utcSeconds(now),
      userId: accountId,
      ver: "1.0",
    },
  };
}

/** The event that a SendDryRunSystemEvent asks for. */
export function parseDryRun(params: RpcParameters): SystemEvent {
  const text = params["EventContent"] ?? "";
  const content = text === "" ? {} : (jsonOf(text, "EventContent") as Partial<SystemEvent>);
  return { ...content, product: required(params, "Product").toLowerCase(), name: required(params, "EventName") };
}
