// safeport as it is deployed into the embedded cloud: the functions of `s.yaml`, with the embedded services' addresses.
import { readFileSync } from "node:fs";
import type { Cloud } from "../../local/cloud.ts";
import { seedTablestoreInstance } from "../../local/seed.ts";
import type { FunctionDefinition } from "../../local/services/functions/function-definition.ts";
import { readSettings } from "../../shared/config/settings.ts";
import { definitionOf } from "../deploy/definition.ts";
import { readServerlessFile, type ServerlessFunction } from "../deploy/serverless-file.ts";
import { type RamPolicy, ramPolicyOf } from "../setup/ram-policy.ts";
import { flowLog } from "./monitoring.ts";
import type { Secrets } from "./secrets.ts";

/** From the project's folder. */
const FILE = "s.yaml";

/** What the functions' role may do in the embedded account: as much as `safeport setup` gives it, so that a call without its action is refused here first. */
export function rolePolicyOf(environment: Readonly<Record<string, string>>): RamPolicy {
  const { SAFEPORT_LOG_PROJECT: project = "safeport-logs", SAFEPORT_LOG_STORE: logstore = "functions" } = environment;
  const configuration = readSettings({ ...environment, SAFEPORT_HEARTBEAT: "on" });
  return ramPolicyOf({ configuration, functionPrefix: "", logs: { project, logstore } });
}

/** What the functions are told of where the embedded services answer; in the cloud these names are not set. */
function endpointsOf({ endpoints }: Cloud): Record<string, string> {
  return {
    SAFEPORT_ECS_ENDPOINT: `http://${endpoints.ecs}`,
    SAFEPORT_ACTIONTRAIL_ENDPOINT: `http://${endpoints.actiontrail}`,
    SAFEPORT_CMS_ENDPOINT: `http://${endpoints.cms}`,
    SAFEPORT_SLS_ENDPOINT: `http://${endpoints.sls}`,
    SAFEPORT_VPC_ENDPOINT: `http://${endpoints.vpc}`,
    SAFEPORT_QUOTAS_ENDPOINT: `http://${endpoints.ecs}`,
    SAFEPORT_RAM_ENDPOINT: `http://${endpoints.ram}`,
    SAFEPORT_TABLESTORE_ENDPOINT: endpoints.tablestore,
    SAFEPORT_FC_ENDPOINT: endpoints.fc,
  };
}

/** The functions of the file, by the names of their folders: there is one installation in the embedded account. */
function functionsOfFile(cloud: Cloud, secrets: Secrets): readonly ServerlessFunction[] {
  const { account } = cloud;
  const env = {
    SAFEPORT_REGION: account.regionId,
    SAFEPORT_FUNCTION_PREFIX: "",
    // Months pass in seconds here, with every tick of theirs: nobody watches.
    SAFEPORT_HEARTBEAT: "off",
    SAFEPORT_INSTALLATION: secrets.installation,
    SAFEPORT_MARK_SECRET: secrets.markSecret,
    SAFEPORT_ALARM_SECRETS: secrets.alarmSecret,
    SAFEPORT_TABLESTORE_INSTANCE: seedTablestoreInstance,
    SAFEPORT_PUBLIC_URL: cloud.endpoints.api,
    SAFEPORT_CLOUD_ASSISTANT: "on",
    SAFEPORT_FLOW_LOGS: `${account.regionId}=${flowLog.project}/${flowLog.logstore}`,
  };
  return Object.values(readServerlessFile(readFileSync(FILE, "utf8"), { env, accountId: account.accountId }));
}

/** The functions' environment, as each of them has it. */
export function environmentOf(cloud: Cloud, secrets: Secrets): Record<string, string> {
  const [first] = functionsOfFile(cloud, secrets);
  return { ...first?.environmentVariables, ...endpointsOf(cloud) };
}

/** The functions, from the folder of the built bundles; `environment` is added to the file's. */
export function functionsOf(
  cloud: Cloud,
  secrets: Secrets,
  { dist, environment }: { readonly dist: string; readonly environment?: Readonly<Record<string, string>> },
): readonly FunctionDefinition[] {
  const added = { ...endpointsOf(cloud), ...environment };
  return functionsOfFile(cloud, secrets).map((it) => definitionOf(it, dist, added));
}
