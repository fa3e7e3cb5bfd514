// safeport as it is deployed into the embedded cloud: the functions of `s.yaml`, with the embedded services' addresses.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Cloud } from "../../local/cloud.ts";
import { seedTablestoreInstance } from "../../local/seed.ts";
import { readServerlessFile, type ServerlessFunction } from "../deploy/serverless-file.ts";
import { flowLog } from "./monitoring.ts";
import type { Secrets } from "./secrets.ts";

/** From the project's folder. */
const FILE = "s.yaml";

type Definition = Parameters<Cloud["deploy"]>[0][number];

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
): readonly Definition[] {
  const added = { ...endpointsOf(cloud), ...environment };
  return functionsOfFile(cloud, secrets).map((it) => definitionOf(it, dist, added));
}

function definitionOf(it: ServerlessFunction, dist: string, added: Readonly<Record<string, string>>): Definition {
  const { asyncInvokeConfig: async, concurrencyConfig } = it;
  const { onFailure, onSuccess } = async?.destinationConfig ?? {};
  return {
    name: it.functionName,
    bundle: join(dist, basename(it.code)),
    handler: it.handler,
    environment: { ...it.environmentVariables, ...added },
    timeoutS: it.timeout,
    memoryMb: it.memorySize,
    triggers: it.triggers.map(triggerOf),
    ...(async && {
      asyncRetriesMax: async.maxAsyncRetryAttempts,
      asyncMaxAgeS: async.maxAsyncEventAgeInSeconds,
      destinations: {
        ...(onFailure && { onFailure: nameOf(onFailure.destination) }),
        ...(onSuccess && { onSuccess: nameOf(onSuccess.destination) }),
      },
    }),
    ...concurrencyConfig,
  };
}

function triggerOf(trigger: ServerlessFunction["triggers"][number]): NonNullable<Definition["triggers"]>[number] {
  switch (trigger.triggerType) {
    case "http":
      return { type: "http" };
    case "timer": {
      const { cronExpression: cron, payload } = trigger.triggerConfig;
      return { type: "timer", name: trigger.triggerName, cron, payload };
    }
    case "eventbridge": {
      const { asyncInvocationType, eventRuleFilterPattern, eventSinkConfig, runOptions } = trigger.triggerConfig;
      return {
        type: "eventbridge",
        pattern: eventRuleFilterPattern,
        async: asyncInvocationType,
        retry: runOptions.retryStrategy.PushRetryStrategy,
        schema: eventSinkConfig.deliveryOption.eventSchema,
      };
    }
  }
}

/** The function of `acs:fc:<region>:<account>:functions/<name>`; what is no function stays as it is. */
const nameOf = (arn: string): string => (arn.startsWith("acs:fc:") ? arn.slice(arn.lastIndexOf("/") + 1) : arn);
