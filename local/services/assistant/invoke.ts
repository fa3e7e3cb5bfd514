// RunCommand, CreateCommand and InvokeCommand: a script runs on each instance, and its results can be asked for.

import { resolvePolicies } from "../../dataplane/policy.ts";
import { decideEgress } from "../../dataplane/verdict.ts";
import { listOf, type RpcParameters } from "../../protocol/rpc/parameters.ts";
import type { EcsInstance } from "../ecs/model.ts";
import { newId, type Operation, type OperationContext, requireParameter, requireRegion } from "../ecs/operation.ts";
import { topologyOf } from "../ecs/topology-of.ts";
import type { AssistantCommand, InvocationResult } from "./assistant.ts";
import type { NftRuleset } from "./nft-ruleset.ts";
import { assistantRefusal } from "./refusals.ts";
import { runScript, type ShellHost } from "./shell.ts";

const TYPES: ReadonlySet<string> = new Set(["RunShellScript", "RunPowerShellScript", "RunBatScript"]);
const INSTANCES_MAX = 100;
const CONTENT_BYTES_MAX = { once: 24 * 1024, kept: 18 * 1024 } as const;
const OUTPUT_BYTES_MAX = 24 * 1024;
const TIMEOUT_S_MAX = 86_400;
/** How long a command runs on the clock. */
const RUN_MS = 300;
/** An address of the service behind which the agent's endpoints are taken to be; the real ones are not public. */
const AGENT_ENDPOINT = { address: "100.100.45.106", port: 443 } as const;

const contentOf = (params: RpcParameters, fallback: "PlainText" | "Base64", kept: boolean): string => {
  const sent = requireParameter(params, "CommandContent");
  const encoding = params.ContentEncoding ?? fallback;
  const isBase64 = encoding === "Base64";
  if (isBase64 && !/^[A-Za-z0-9+/=\s]*$/.test(sent)) throw assistantRefusal("CmdContent.DecodeError");
  const encoded = isBase64 ? sent : Buffer.from(sent).toString("base64");
  if (encoded.length > CONTENT_BYTES_MAX[kept ? "kept" : "once"]) throw assistantRefusal("CmdContent.ExceedLimit");
  return Buffer.from(encoded, "base64").toString("utf8");
};

const commandOf = (context: OperationContext, fallback: "PlainText" | "Base64", kept: boolean): AssistantCommand => {
  const { params, random } = context;
  const type = requireParameter(params, "Type");
  if (!TYPES.has(type)) throw assistantRefusal("InvalidCmdType.NotFound");
  const timeoutS = Number(params.Timeout ?? "60");
  if (!Number.isInteger(timeoutS) || timeoutS < 1 || timeoutS > TIMEOUT_S_MAX)
    throw assistantRefusal("InvalidTimeout.ExceedLimit");
  return {
    commandId: newId(random, "c"),
    regionId: requireRegion(context),
    name: params.Name ?? "",
    type,
    content: contentOf(params, fallback, kept),
    timeoutS,
    kept,
  };
};

const instancesOf = (context: OperationContext, command: AssistantCommand): readonly EcsInstance[] => {
  const ids = listOf(context.params, "InstanceId");
  if (ids.length === 0) throw assistantRefusal("MissingParam.InstanceId");
  if (ids.length > INSTANCES_MAX) throw assistantRefusal("InstanceIds.ExceedLimit");
  const found = ids.map((id) =>
    context.draft.instances().find((each) => each.instanceId === id && each.regionId === command.regionId),
  );
  // If one instance does not qualify the whole call fails.
  const instances = found.filter((each) => each !== undefined);
  if (instances.length !== ids.length) throw assistantRefusal("InvalidInstance.NotFound");
  if (command.type !== "RunShellScript") throw assistantRefusal("InvalidInstance.NotMatch");
  return instances;
};

const aborted = (instanceId: string, errorCode: string, errorInfo: string): InvocationResult => ({
  instanceId,
  status: "Aborted",
  exitCode: undefined,
  output: "",
  dropped: 0,
  errorCode,
  errorInfo,
});

/** Whether the rules of an instance's groups let its agent reach the service. */
const agentCheck = ({ view, switches }: OperationContext): ((instance: EcsInstance) => boolean) => {
  const topology = topologyOf(view);
  const policies = resolvePolicies(topology, {
    destCidrIp: switches.destCidrIp === "honoured" ? "honoured" : "ignored",
  });
  const { address: destAddress, port: destPort } = AGENT_ENDPOINT;
  return ({ eniIds: [eniId] }) => {
    const sourceAddress = topology.enis.find((eni) => eni.eniId === eniId)?.privateIp ?? "";
    const packet = { protocol: "TCP", sourceAddress, sourcePort: 40_000, destAddress, destPort } as const;
    return decideEgress(policies, packet)?.accept ?? true;
  };
};

const invoke = (context: OperationContext, command: AssistantCommand): Record<string, unknown> => {
  const { assistant, now, random, params } = context;
  const instances = instancesOf(context, command);
  const rulesets = new Map<string, NftRuleset>();
  const agentReaches = agentCheck(context);
  const runOn = (instance: EcsInstance): InvocationResult => {
    const { instanceId } = instance;
    if (instance.status !== "Running") return aborted(instanceId, "InstanceNotRunning", "The instance is not running.");
    if (!agentReaches(instance)) {
      return aborted(instanceId, "SecurityGroupRuleDenied", "A security group rule denies the agent the service.");
    }
    const host: ShellHost = {
      tcpPorts: instance.listening,
      udpPorts: instance.listeningUdp ?? [],
      sessions: () => assistant.sessionsOf(instanceId),
      ruleset: assistant.rulesetOf(instanceId),
    };
    const { exitCode, output } = runScript(command.content, host);
    rulesets.set(instanceId, host.ruleset);
    return {
      instanceId,
      status: exitCode === 0 ? "Success" : "Failed",
      exitCode,
      output: output.subarray(0, OUTPUT_BYTES_MAX).toString("base64"),
      dropped: Math.max(0, output.length - OUTPUT_BYTES_MAX),
      errorCode: exitCode === 0 ? "" : "ExitCodeNonzero",
      errorInfo: exitCode === 0 ? "" : "The exit code of the command is not 0.",
    };
  };
  const results = instances.map(runOn);
  const invokeId = newId(random, "t");
  const username = params.Username ?? "root";
  const times = { startedAt: now, finishedAt: now + RUN_MS };
  assistant.addInvocation({ invokeId, regionId: command.regionId, command, username, ...times, results }, rulesets);
  return { CommandId: command.commandId, InvokeId: invokeId };
};

const requireOnce = (params: RpcParameters): void => {
  if ((params.RepeatMode ?? "Once") !== "Once") throw assistantRefusal("InvalidRepeatMode.NotFound");
};

/** The operation `RunCommand`. */
export const runCommand: Operation = {
  takesClientToken: true,
  run: (context) => {
    requireRegion(context);
    requireOnce(context.params);
    const kept = context.params.KeepCommand === "true";
    const command = commandOf(context, "PlainText", kept);
    const body = invoke(context, command);
    if (kept) context.assistant.addCommand(command);
    return body;
  },
};

/** The operation `CreateCommand`. */
export const createCommand: Operation = {
  takesClientToken: true,
  run: (context) => {
    requireParameter(context.params, "Name");
    const command = commandOf(context, "Base64", true);
    context.assistant.addCommand(command);
    return { CommandId: command.commandId };
  },
};

/** The operation `InvokeCommand`. */
export const invokeCommand: Operation = {
  takesClientToken: true,
  run: (context) => {
    const regionId = requireRegion(context);
    requireOnce(context.params);
    const command = context.assistant.command(requireParameter(context.params, "CommandId"));
    if (command === undefined || command.regionId !== regionId) throw assistantRefusal("InvalidCmdId.NotFound");
    const { InvokeId } = invoke(context, command);
    return { InvokeId };
  },
};
