// safeport as it is deployed into the embedded cloud: the built functions, their triggers and their configuration.
import { join } from "node:path";
import type { Cloud } from "../../local/cloud.ts";
import { seedTablestoreInstance } from "../../local/seed.ts";
import { flowLog } from "./monitoring.ts";
import type { Secrets } from "./secrets.ts";

/** The functions' environment: the same names as in the cloud. */
export function environmentOf(cloud: Cloud, secrets: Secrets): Record<string, string> {
  const { account, endpoints } = cloud;
  return {
    SAFEPORT_REGION: account.regionId,
    SAFEPORT_ACCOUNT_ID: account.accountId,
    SAFEPORT_INSTALLATION: secrets.installation,
    SAFEPORT_MARK_SECRET: secrets.markSecret,
    SAFEPORT_ECS_ENDPOINT: `http://${endpoints.ecs}`,
    SAFEPORT_ACTIONTRAIL_ENDPOINT: `http://${endpoints.actiontrail}`,
    SAFEPORT_CMS_ENDPOINT: `http://${endpoints.cms}`,
    SAFEPORT_SLS_ENDPOINT: `http://${endpoints.sls}`,
    SAFEPORT_VPC_ENDPOINT: `http://${endpoints.vpc}`,
    SAFEPORT_FLOW_LOGS: `${account.regionId}=${flowLog.project}/${flowLog.logstore}`,
    SAFEPORT_TABLESTORE_ENDPOINT: endpoints.tablestore,
    SAFEPORT_TABLESTORE_INSTANCE: seedTablestoreInstance,
    SAFEPORT_FC_ENDPOINT: endpoints.fc,
    SAFEPORT_SWEEP_FUNCTION: "sweep",
  };
}

/** Every call to ECS: which of them change a group is decided by the function, as patterns over names are not sure to work. */
const auditPattern = { source: ["acs.ecs"], type: ["ecs:ActionTrail:ApiCall"] };

/** The functions, from the folder of the built bundles. */
export function functionsOf(dist: string, environment: Record<string, string>): Parameters<Cloud["deploy"]>[0] {
  return [
    { name: "api", bundle: join(dist, "api"), environment, triggers: [{ type: "http" }], timeoutS: 60, memoryMb: 512 },
    {
      name: "sweep",
      bundle: join(dist, "sweep"),
      environment,
      triggers: [{ type: "timer", name: "tick", cron: "@every 1m", payload: "" }],
      timeoutS: 60,
      memoryMb: 512,
    },
    {
      name: "audit",
      bundle: join(dist, "audit"),
      environment,
      triggers: [{ type: "eventbridge", pattern: auditPattern }],
      timeoutS: 60,
      memoryMb: 512,
    },
  ];
}
