// What `safeport doctor` says of Cloud Assistant: who answers, and what may be asked.
import { assistantHosts } from "../../shared/adapters/alibaba/assistant-hosts.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import type { CloudCalls } from "../setup/cloud-call.ts";
import type { Account } from "./account.ts";
import type { Finding } from "./finding.ts";

/** Instances that are asked about, at most: one page of each call. */
const INSTANCES_MAX = 50;
const check = "cloud assistant";

/**
 * Whether leases may end with their sessions and Session Manager is suggested: the setting, the agents of up to fifty instances of the
 * region, and the calls that read. No command is run: that the role may is in its policy, which is looked at under setup.
 */
export async function cloudAssistant(calls: CloudCalls, { configuration }: Account): Promise<readonly Finding[]> {
  if (!configuration.cloudAssistant)
    return [{ check, state: "ok", found: "off: sessions are kept, and Session Manager is not suggested", remedy: "" }];
  const { region } = configuration;
  const hosts = assistantHosts(calls.ecs);
  try {
    const body = await calls.ask(calls.ecs, "DescribeInstances", { MaxResults: INSTANCES_MAX });
    const ids = idsIn(body);
    const agents = [...(ids.length === 0 ? new Map() : await hosts.agents(region, ids)).values()];
    // A run that nobody made: whoever may read results is told of none.
    await hosts.result(region, ids[0] ?? "i-none", "t-none").catch(unlessMissing);
    const online = agents.filter(({ isOnline }) => isOnline).length;
    const able = agents.filter(({ isOnline, hasSessionManager }) => isOnline && hasSessionManager).length;
    const found = `on: the agents of ${online} of ${ids.length} instances answer, ${able} with Session Manager`;
    if (online === ids.length) return [{ check, state: "ok", found, remedy: "" }];
    const remedy = "Install or start the agent on the others: leases there keep their sessions.";
    return [{ check, state: "warn", found, remedy }];
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    const remedy = `Allow ${error.operation} to whoever runs doctor; safeport setup --apply allows it to the role.`;
    return [{ check, state: "fail", found: `${error.operation}: ${error.cloudCode ?? error.kind}`, remedy }];
  }
}

function unlessMissing(error: unknown): void {
  const isMissing = error instanceof CloudFailure && error.kind !== "refused" && error.kind !== "throttled";
  if (!isMissing) throw error;
}

function idsIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  const all: unknown = Object(body["Instances"]).Instance;
  return (Array.isArray(all) ? all : []).flatMap((it) => {
    const id: unknown = Object(it).InstanceId;
    return typeof id === "string" ? [id] : [];
  });
}
