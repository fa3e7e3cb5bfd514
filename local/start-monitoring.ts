// What watches an account: CloudMonitor, and the log service with the data plane's flow logs.

import type { CloudWorld } from "./cloud-world.ts";
import type { DataPlane } from "./dataplane/data-plane.ts";
import { type Cms, startCms } from "./services/cms/cms.ts";
import type { CmsSwitches } from "./services/cms/switches.ts";
import type { Told } from "./services/eventbridge/cloud-event.ts";
import { createFlowLogs, type FlowLogs } from "./services/sls/flow-logs.ts";
import { type Sls, startSls } from "./services/sls/sls.ts";
import type { SlsSwitches } from "./services/sls/switches.ts";

/** The running monitoring. */
export interface Monitoring {
  readonly cms: Cms;
  readonly sls: Sls;
  readonly flowLogs: FlowLogs;
}

/** Starts it. The switches may change at run time; `tell` puts system events on the bus. */
export async function startMonitoring(
  world: CloudWorld,
  around: {
    readonly dataPlane: DataPlane;
    readonly cmsSwitches: CmsSwitches;
    readonly slsSwitches: SlsSwitches;
    readonly tell: (told: Told) => void;
  },
): Promise<Monitoring> {
  const { host, ports, clock, random, faults, account } = world;
  const { dataPlane, cmsSwitches, slsSwitches, tell } = around;
  const cms = await startCms({
    ...{ clock, random, host, faults, tell },
    accountId: account.accountId,
    regionId: account.regionId,
    ...world.folder("cms"),
    port: ports.cms ?? 0,
    switches: cmsSwitches,
    secretOf: world.secretOf,
    instanceName: (instanceId) => account.instances.find((each) => each.instanceId === instanceId)?.name,
    onCall: world.listed("cms"),
  });
  world.onStop(() => cms.stop());

  const sls = await startSls({
    ...{ clock, random, host, faults },
    port: ports.sls ?? 0,
    switches: slsSwitches,
    secretOf: world.secretOf,
    onCall: world.listed("sls"),
  });
  world.onStop(() => sls.stop());
  return { cms, sls, flowLogs: createFlowLogs({ clock, sls, switches: slsSwitches, dataPlane, account }) };
}
