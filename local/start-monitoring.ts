// What watches an account: CloudMonitor, the log service, and the flow logs of the network.

import type { CloudWorld } from "./cloud-world.ts";
import type { DataPlane } from "./dataplane/data-plane.ts";
import { type Cms, startCms } from "./services/cms/cms.ts";
import type { CmsSwitches } from "./services/cms/switches.ts";
import type { Told } from "./services/eventbridge/cloud-event.ts";
import { type Sls, startSls } from "./services/sls/sls.ts";
import type { SlsSwitches } from "./services/sls/switches.ts";
import type { VpcSwitches } from "./services/vpc/switches.ts";
import { startVpc, type Vpc } from "./services/vpc/vpc.ts";

/** The running monitoring. */
export interface Monitoring {
  readonly cms: Cms;
  readonly sls: Sls;
  readonly vpc: Vpc;
}

/** Starts it. The switches may change at run time; `tell` puts system events on the bus. */
export async function startMonitoring(
  world: CloudWorld,
  around: {
    readonly dataPlane: DataPlane;
    readonly hasEni: (eniId: string) => boolean;
    readonly cmsSwitches: CmsSwitches;
    readonly slsSwitches: SlsSwitches;
    readonly vpcSwitches: VpcSwitches;
    readonly tell: (told: Told) => void;
  },
): Promise<Monitoring> {
  const { host, ports, clock, random, faults, account } = world;
  const { dataPlane, hasEni, cmsSwitches, slsSwitches, vpcSwitches, tell } = around;
  const cms = await startCms({
    ...{ clock, random, host, faults, tell },
    accountId: account.accountId,
    regionId: account.regionId,
    ...world.folder("cms"),
    port: ports.cms ?? 0,
    switches: cmsSwitches,
    secretOf: world.secretOf,
    authorize: world.authorize,
    instanceName: (instanceId) => account.instances.find((each) => each.instanceId === instanceId)?.name,
    onCall: world.listed("cms"),
  });
  world.onStop(() => cms.stop());

  const sls = await startSls({
    ...{ clock, random, host, faults, arn: world.arn("log") },
    ...world.folder("sls"),
    port: ports.sls ?? 0,
    switches: slsSwitches,
    secretOf: world.secretOf,
    authorize: world.authorize,
    onCall: world.listed("sls"),
  });
  world.onStop(() => sls.stop());

  const { accountId, regionId, regions = [], vpcId } = account;
  const vpc = await startVpc({
    ...{ clock, random, host, faults, sls, dataPlane, hasEni },
    ...world.folder("vpc"),
    port: ports.vpc ?? 0,
    switches: vpcSwitches,
    secretOf: world.secretOf,
    authorize: world.authorize,
    regions: [regionId, ...regions],
    place: { accountId, regionId, vpcId, vSwitchId: vpcId.replace(/^vpc-/, "vsw-") },
    onCall: world.listed("vpc"),
  });
  world.onStop(() => vpc.stop());
  return { cms, sls, vpc };
}
