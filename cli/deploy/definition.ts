// A function of `s.yaml` as the embedded Function Compute takes it.
import { basename, join } from "node:path";
import type { FunctionDefinition, Trigger } from "../../local/services/functions/function-definition.ts";
import type { ServerlessFunction } from "./serverless-file.ts";

/** A function of the file as it is deployed, from the folder of the built bundles; `added` is added to its environment. */
export function definitionOf(
  it: ServerlessFunction,
  dist: string,
  added: Readonly<Record<string, string>>,
): FunctionDefinition {
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

function triggerOf(trigger: ServerlessFunction["triggers"][number]): Trigger {
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
