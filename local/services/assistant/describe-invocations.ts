// DescribeInvocations, DescribeInvocationResults, DescribeCloudAssistantStatus and StopInvocation.

import { listOf, type RpcParameters } from "../../protocol/rpc/parameters.ts";
import { type Operation, type OperationContext, requireParameter, requireRegion, timestamp } from "../ecs/operation.ts";
import { pageByEither } from "../ecs/paging.ts";
import type { Invocation, InvocationResult } from "./assistant.ts";
import { assistantRefusal } from "./refusals.ts";

const bounds = { min: 1, max: 50, fallback: 10, outOfBounds: "InvalidParameter", sizeMax: 50 } as const;
const HEARTBEAT_MS = 60_000;
const KEPT_MS = 30 * 86_400_000;

/** The invocations of the call's region that it asks for, newest first. */
const foundBy = (context: OperationContext): readonly Invocation[] => {
  const { params, assistant, now } = context;
  const regionId = requireRegion(context);
  const { InvokeId, CommandId, InstanceId } = params;
  return assistant
    .invocations()
    .filter(
      (each) =>
        each.regionId === regionId &&
        now - each.startedAt <= KEPT_MS &&
        (InvokeId === undefined || each.invokeId === InvokeId) &&
        (CommandId === undefined || each.command.commandId === CommandId) &&
        (InstanceId === undefined || each.results.some(({ instanceId }) => instanceId === InstanceId)),
    );
};

const isRunning = ({ finishedAt }: Invocation, now: number): boolean => now < finishedAt;

const outputOf = (output: string, params: RpcParameters): string =>
  (params.ContentEncoding ?? "Base64") === "PlainText" ? Buffer.from(output, "base64").toString("utf8") : output;

/** What is told of one instance, as long as it runs and after. */
const stateOf = (invocation: Invocation, result: InvocationResult, context: OperationContext, withOutput: boolean) => {
  const { now, params } = context;
  const running = isRunning(invocation, now);
  const status = running ? "Running" : result.status;
  return {
    InstanceId: result.instanceId,
    InvocationStatus: status,
    StartTime: timestamp(invocation.startedAt),
    FinishedTime: running ? "" : timestamp(invocation.finishedAt),
    StopTime: "",
    Repeats: running ? 0 : 1,
    Dropped: running ? 0 : result.dropped,
    ErrorCode: running ? "" : result.errorCode,
    ErrorInfo: running ? "" : result.errorInfo,
    ...(running || result.exitCode === undefined ? {} : { ExitCode: result.exitCode }),
    ...(withOutput ? { Output: running ? "" : outputOf(result.output, params) } : {}),
  };
};

/** How the old status field names an end. */
const recordStatus = (invocation: Invocation, results: readonly InvocationResult[], now: number): string => {
  if (isRunning(invocation, now)) return "Running";
  const failed = results.filter(({ status }) => status !== "Success").length;
  if (failed === 0) return "Finished";
  return failed === results.length ? "Failed" : "PartialFailed";
};

/** The operation `DescribeInvocationResults`. */
export const describeInvocationResults: Operation = {
  run: (context) => {
    const { params, now } = context;
    const found = foundBy(context).flatMap((invocation) =>
      invocation.results
        .filter(({ instanceId }) => params.InstanceId === undefined || instanceId === params.InstanceId)
        .map((result) => ({
          InvokeId: invocation.invokeId,
          CommandId: invocation.command.commandId,
          InvokeRecordStatus: recordStatus(invocation, [result], now),
          Username: invocation.username,
          TerminationMode: params.TerminationMode ?? "Process",
          ...stateOf(invocation, result, context, true),
        })),
    );
    const { items, paging } = pageByEither(found, params, "invocation results", bounds);
    return { Invocation: { ...paging, InvocationResults: { InvocationResult: items } } };
  },
};

/** The operation `DescribeInvocations`. */
export const describeInvocations: Operation = {
  run: (context) => {
    const { params, now } = context;
    const found = foundBy(context);
    const { items, paging } = pageByEither(found, params, "invocations", bounds);
    const itemOf = (invocation: Invocation): Record<string, unknown> => {
      const status = recordStatus(invocation, invocation.results, now);
      const { command, results } = invocation;
      const withOutput = params.IncludeOutput === "true";
      return {
        InvokeId: invocation.invokeId,
        CommandId: command.commandId,
        CommandName: command.name,
        CommandType: command.type,
        CommandContent: Buffer.from(command.content).toString("base64"),
        CreationTime: timestamp(invocation.startedAt),
        InvokeStatus: status,
        InvocationStatus: status === "Finished" ? "Success" : status,
        RepeatMode: "Once",
        Timeout: command.timeoutS,
        Timed: false,
        Username: invocation.username,
        InvokeInstances: {
          InvokeInstance: results.map((result) => ({
            InstanceInvokeStatus: recordStatus(invocation, [result], now),
            ...stateOf(invocation, result, context, withOutput),
          })),
        },
      };
    };
    return { ...paging, Invocations: { Invocation: items.map(itemOf) } };
  },
};

/** The operation `DescribeCloudAssistantStatus`: every instance that runs has an agent that beats. */
export const describeCloudAssistantStatus: Operation = {
  run: (context) => {
    const regionId = requireRegion(context);
    const { params, view, now } = context;
    const ids = listOf(params, "InstanceId");
    const found = view
      .instances()
      .filter((each) => each.regionId === regionId && (ids.length === 0 || ids.includes(each.instanceId)));
    const { items, paging } = pageByEither(found, params, "assistant status", bounds);
    const InstanceCloudAssistantStatus = items.map(({ instanceId, status }) => ({
      InstanceId: instanceId,
      CloudAssistantStatus: String(status === "Running"),
      CloudAssistantVersion: "2.2.3.857",
      LastHeartbeatTime: timestamp(now - (now % HEARTBEAT_MS)),
      OSType: "Linux",
      ActiveTaskCount: 0,
      SupportSessionManager: true,
    }));
    return { ...paging, InstanceCloudAssistantStatusSet: { InstanceCloudAssistantStatus } };
  },
};

/** The operation `StopInvocation`: commands here are over before they could be stopped. */
export const stopInvocation: Operation = {
  run: (context) => {
    const regionId = requireRegion(context);
    const invokeId = requireParameter(context.params, "InvokeId");
    const known = context.assistant
      .invocations()
      .some((each) => each.invokeId === invokeId && each.regionId === regionId);
    if (!known) throw assistantRefusal("InvalidInvokeId.NotFound");
    return {};
  },
};
