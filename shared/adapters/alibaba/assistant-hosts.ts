// The hosts port on Cloud Assistant.
import type { Agent, Hosts, ScriptResult } from "../../ports/hosts.ts";
import { fields, list, text } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";

/** Seconds a script may take. */
const TIMEOUT_S = 30;
/** As DescribeInvocationResults calls what is not over. */
const UNDER_WAY: ReadonlySet<string> = new Set(["Pending", "Running", "Scheduled", "Stopping", ""]);

/** Hosts with an agent. Status and results are read as tolerantly as they are documented. */
export function assistantHosts(rpc: RpcClient): Hosts {
  const call = (action: string, region: string, reading: boolean, parameters: Readonly<Record<string, unknown>>) =>
    rpc.call({
      ...{ action, region, reading, priority: reading ? "inventory" : "end" },
      request: () => ({ toMap: () => ({ RegionId: region, ...parameters }) }),
    });
  return {
    agents: async (region, instanceIds) => {
      const action = "DescribeCloudAssistantStatus";
      const body = await call(action, region, true, { InstanceId: [...instanceIds], MaxResults: 50 });
      const set = list(body["InstanceCloudAssistantStatusSet"], "InstanceCloudAssistantStatus");
      return new Map(
        set.map(fields).map((it): [string, Agent] => [
          text(it["InstanceId"]),
          {
            isOnline: String(it["CloudAssistantStatus"]) === "true",
            hasSessionManager: String(it["SupportSessionManager"]) === "true",
          },
        ]),
      );
    },
    run: async (region, instanceId, script, token) => {
      const body = await call("RunCommand", region, false, {
        ...{ Type: "RunShellScript", ContentEncoding: "Base64", Timeout: TIMEOUT_S, Name: "safeport-sessions" },
        CommandContent: Buffer.from(script).toString("base64"),
        InstanceId: [instanceId],
        ClientToken: token,
      });
      return text(body["InvokeId"]);
    },
    result: async (region, instanceId, runId) => {
      const parameters = { InvokeId: runId, InstanceId: instanceId, ContentEncoding: "PlainText" };
      const body = await call("DescribeInvocationResults", region, true, parameters);
      const results = list(fields(body["Invocation"])["InvocationResults"], "InvocationResult").map(fields);
      return resultOf(results.find((it) => it["InstanceId"] === instanceId) ?? {});
    },
  };
}

function resultOf(result: Readonly<Record<string, unknown>>): ScriptResult {
  const status = String(result["InvocationStatus"] ?? "");
  if (UNDER_WAY.has(status)) return { kind: "running" };
  const exitCode = Number(result["ExitCode"]);
  if ((status === "Success" || status === "Failed") && Number.isInteger(exitCode))
    return { kind: "done", exitCode, output: String(result["Output"] ?? "") };
  return { kind: "failed", why: `${status} ${String(result["ErrorCode"] ?? "")}`.trim() };
}
