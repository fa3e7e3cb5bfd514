// The embedded VPC service, as far as it is used: flow logs.

import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { type RpcSurroundings, startRpcEndpoint } from "../../rpc-endpoint.ts";
import { FlowLogs, type FlowLogsOptions } from "./flow-logs.ts";
import { operations } from "./operations.ts";

/** How to start it. */
export interface VpcOptions extends RpcSurroundings, Omit<FlowLogsOptions, "clock" | "random" | "faults"> {
  readonly regions: readonly string[];
  readonly hasEni: (eniId: string) => boolean;
}

/** A running service. */
export interface Vpc {
  readonly port: number;
  /** Writes the flow records of every interface to a logstore, from when this resolves. */
  recordAll(project: string, logstore: string, windowMs: number): Promise<void>;
  /** Forgets every flow log. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Flow logs of one region; a quota that can be raised. */
const FLOW_LOGS_MAX = 10;

/** Starts listening, and takes up the flow logs of an earlier run. */
export async function startVpc(options: VpcOptions): Promise<Vpc> {
  const { clock, place, regions, hasEni } = options;
  const flowLogs = new FlowLogs(options);
  await flowLogs.load();
  const { vpcId, vSwitchId, regionId } = place;
  const endpoint = await startRpcEndpoint(options, {
    service: "vpc",
    product: "Vpc",
    hostId: `vpc.${regionId}.aliyuncs.com`,
    version: "2016-04-28",
    resource: `acs:vpc:${regionId}:${place.accountId}:flowlog/*`,
    forbidden: {
      code: "Forbidden.RAM",
      message: "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
    },
    perform: (operation, params) => {
      const run = operations.get(operation);
      if (!run)
        throw new RpcError({ status: 404, code: "InvalidAction.NotFound", message: "There is no such operation." });
      return run({ params, now: clock.now(), flowLogs, regions, vpcId, vSwitchId, hasEni, flowLogsMax: FLOW_LOGS_MAX });
    },
  });
  return {
    port: endpoint.port,
    recordAll: async (project, logstore, windowMs) => {
      if (flowLogs.all().some(({ resourceId }) => resourceId === vpcId)) return;
      const whole = { resourceType: "VPC", resourceId: vpcId, trafficType: "All", ipVersion: "IPv4" } as const;
      await flowLogs.create({ ...whole, project, logstore, windowMs, name: logstore, description: "", tags: [] }, 0);
    },
    reset: () => flowLogs.clear(),
    stop: () => endpoint.stop(),
  };
}
