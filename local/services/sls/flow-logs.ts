// Flow logs: the data plane's flow records, written to a logstore as the VPC service writes them.

import type { SchedulingClock } from "../../clock.ts";
import type { DataPlane } from "../../dataplane/data-plane.ts";
import { flowLogFields } from "../../dataplane/flow-record.ts";
import type { Sls } from "./sls.ts";
import type { SlsSwitches } from "./switches.ts";

/** Flow logs of one cloud. */
export interface FlowLogs {
  start(project: string, logstore: string, ttlDays?: number): Promise<void>;
  stop(): Promise<void>;
}

/** None is written before `start`. */
export function createFlowLogs(world: {
  readonly clock: SchedulingClock;
  readonly sls: Pick<Sls, "ensure" | "put">;
  readonly switches: SlsSwitches;
  readonly dataPlane: Pick<DataPlane, "recordFlows">;
  readonly account: { readonly accountId: string; readonly regionId: string; readonly vpcId: string };
}): FlowLogs {
  const { clock, sls, switches, dataPlane, account } = world;
  const { accountId, regionId, vpcId } = account;
  const place = { accountId, regionId, vpcId, vSwitchId: vpcId.replace(/^vpc-/, "vsw-") };
  let generation = 0;
  let stops: Array<() => Promise<void>> = [];
  return {
    start: async (project, logstore, ttlDays) => {
      sls.ensure(project, logstore, ttlDays);
      const mine = generation;
      const stop = await dataPlane.recordFlows((records) => {
        // A log's time is the end of its window, when the service had it.
        const logs = records.map((record) => ({
          at: record.windowEnd,
          topic: "flow_log",
          fields: flowLogFields(record, place),
        }));
        clock.schedule(switches.flowLogDelayMs, () => {
          if (mine === generation) sls.put(project, logstore, logs);
        });
      });
      stops.push(stop);
    },
    stop: async () => {
      generation += 1;
      const running = stops;
      stops = [];
      for (const stop of running) await stop();
    },
  };
}
