// Where the trail's events are looked up: the API of ActionTrail.

import type { SchedulingClock } from "../../clock.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { type RpcEndpoint, type RpcSurroundings, startRpcEndpoint } from "../../rpc-endpoint.ts";
import type { KeptEvents } from "./kept-events.ts";
import { lookupEvents } from "./lookup-events.ts";
import type { TrailSwitches } from "./switches.ts";

/** How to start it. */
export interface LookupsOptions extends RpcSurroundings {
  readonly regionId: string;
  readonly kept: KeptEvents;
  /** Mutable at run time. */
  readonly switches: TrailSwitches;
}

const CALLS_PER_SECOND = 2;

/** Starts listening. */
export function startLookups({ kept, switches, regionId, ...around }: LookupsOptions): Promise<RpcEndpoint> {
  const { clock } = around;
  const allow = callsPerSecond(clock);
  return startRpcEndpoint(around, {
    service: "actiontrail",
    product: "Actiontrail",
    hostId: `actiontrail.${regionId}.aliyuncs.com`,
    version: "2020-07-06",
    resource: "*",
    forbidden: {
      code: "NoPermission",
      message: "You are not authorized to do this action. You should be authorized by RAM.",
    },
    perform: (operation, params) => {
      if (operation !== "LookupEvents")
        throw new RpcError({ status: 404, code: "InvalidAction.NotFound", message: "There is no such operation." });
      if (!allow()) {
        const message = "Request was denied due to user flow control.";
        throw new RpcError({ status: 400, code: "Throttling.User", message });
      }
      return lookupEvents({ params, now: clock.now(), kept, switches });
    },
  });
}

/** Of the whole account. */
function callsPerSecond(clock: SchedulingClock): () => boolean {
  let last = { second: -1, count: 0 };
  return () => {
    const second = Math.floor(clock.now() / 1_000);
    last = { second, count: last.second === second ? last.count + 1 : 1 };
    return last.count <= CALLS_PER_SECOND;
  };
}
