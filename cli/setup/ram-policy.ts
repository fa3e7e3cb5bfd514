// What the functions' role may do: no more than the features that are switched on need, each action on the narrowest resource.
import { isDeepStrictEqual } from "node:util";
import type { Configuration } from "../../shared/config/settings.ts";

/** A policy in the language of RAM. */
export interface RamPolicy {
  readonly Version: "1";
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
  }[];
}

/** What is switched on, as the functions' own configuration says, and where functions write their logs. */
export interface RamFeatures {
  readonly configuration: Pick<
    Configuration,
    "accountId" | "region" | "endpoints" | "heartbeat" | "flowLogs" | "cloudAssistant" | "lockdownLists"
  >;
  readonly functionPrefix: string;
  readonly logs: { readonly project: string; readonly logstore: string } | null;
}

/** What an action is for; `always` is the main job. */
type Feature = "always" | "metrics" | "flowLogs" | "assistant" | "lockdownLists" | "logs";

/** What an action is allowed on. */
type Target =
  | "groups"
  | "instances"
  | "interfaces"
  | "commands"
  | "prefixLists"
  | "portLists"
  | "tables"
  | "store"
  | "functions"
  | "flowLogs"
  | "logs"
  | "everything";

/** One action of the role. */
export interface NeededAction {
  readonly action: string;
  readonly on: readonly Target[];
  readonly feature: Feature;
}

const actions = (feature: Feature, on: readonly Target[], ...names: readonly string[]): readonly NeededAction[] =>
  names.map((action) => ({ action, on, feature }));

/**
 * Every action of the role, in one place. A new call of the functions gets its line here, and its line in
 * test/contract/ram-actions.test.ts, which says what stops without it.
 */
export const NEEDED_ACTIONS: readonly NeededAction[] = [
  // A read that names a group is asked for that group, whatever it reads.
  ...actions("always", ["groups"], "ecs:DescribeSecurityGroups", "ecs:DescribeSecurityGroupAttribute"),
  ...actions("always", ["groups", "instances"], "ecs:DescribeInstances"),
  ...actions("always", ["groups", "instances", "interfaces"], "ecs:DescribeNetworkInterfaces"),
  // What a changed list means for the groups whose rules name it.
  ...actions("always", ["prefixLists"], "ecs:DescribePrefixListAssociations", "ecs:DescribePrefixListAttributes"),
  ...actions("always", ["portLists"], "ecs:DescribePortRangeListAssociations"),
  ...actions("always", ["groups"], "ecs:AuthorizeSecurityGroup", "ecs:AuthorizeSecurityGroupEgress"),
  ...actions("always", ["groups"], "ecs:RevokeSecurityGroup", "ecs:RevokeSecurityGroupEgress"),
  ...actions("always", ["groups"], "ecs:ModifySecurityGroupRule", "ecs:ModifySecurityGroupEgressRule"),
  ...actions("always", ["tables"], "ots:GetRow", "ots:PutRow", "ots:UpdateRow", "ots:DeleteRow"),
  ...actions("always", ["tables"], "ots:GetRange", "ots:BatchGetRow", "ots:BatchWriteRow"),
  // A table that is lost is made again, so that leases go on ending.
  ...actions("always", ["tables"], "ots:CreateTable"),
  ...actions("always", ["store"], "ots:ListTable"),
  ...actions("always", ["everything"], "actiontrail:LookupEvents"),
  // Wake-ups; and the platform itself, in the role's name, when a call has failed for good.
  ...actions("always", ["functions"], "fc:InvokeFunction"),
  // The heartbeat, and the use of ports.
  ...actions("metrics", ["everything"], "cms:PutCustomMetric"),
  // The policy may have metrics read as evidence, and changes without a new role.
  ...actions("always", ["everything"], "cms:DescribeMetricList"),
  ...actions("flowLogs", ["flowLogs"], "log:GetLogStore", "log:GetLogStoreLogs"),
  ...actions("flowLogs", ["everything"], "vpc:DescribeFlowLogs"),
  // Agents on hosts: whether they answer, and sessions that are cut at the end of a lease. Off unless somebody switches it on.
  ...actions("assistant", ["instances"], "ecs:DescribeCloudAssistantStatus"),
  ...actions("assistant", ["instances", "commands"], "ecs:RunCommand", "ecs:DescribeInvocationResults"),
  // Lists that lockdowns fill. Off unless a probe has passed.
  ...actions("lockdownLists", ["prefixLists"], "ecs:CreatePrefixList", "ecs:ModifyPrefixList", "ecs:DeletePrefixList"),
  ...actions("lockdownLists", ["prefixLists"], "ecs:DescribePrefixLists"),
  // The platform writes what functions print, in the role's name.
  ...actions("logs", ["logs"], "log:PostLogStoreLogs"),
];

/** Who may act as the role. */
export const trustPolicy = {
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } }],
} as const;

/** True where a role's trust policy, as the cloud tells it, is the one above, in whatever order. */
export function isTrustPolicy(text: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), trustPolicy);
  } catch {
    return false;
  }
}

/** The policy of the functions' role: one statement for each set of resources. */
export function ramPolicyOf(features: RamFeatures): RamPolicy {
  const { heartbeat, flowLogs } = features.configuration;
  const isOn: Readonly<Record<Feature, boolean>> = {
    always: true,
    metrics: heartbeat || flowLogs.length > 0,
    flowLogs: flowLogs.length > 0,
    assistant: features.configuration.cloudAssistant,
    lockdownLists: features.configuration.lockdownLists.length > 0,
    logs: features.logs !== null,
  };
  const resources = resourcesOf(features);
  const statements = new Map<string, { readonly Action: Set<string>; readonly Resource: Set<string> }>();
  for (const { action, on, feature } of NEEDED_ACTIONS) {
    if (!isOn[feature]) continue;
    const known = statements.get(on.join()) ?? { Action: new Set(), Resource: new Set() };
    known.Action.add(action);
    for (const target of on) for (const resource of resources[target]) known.Resource.add(resource);
    statements.set(on.join(), known);
  }
  return {
    Version: "1",
    Statement: [...statements.values()].map(({ Action, Resource }) => ({
      Effect: "Allow",
      Action: [...Action],
      Resource: [...Resource],
    })),
  };
}

function resourcesOf({
  configuration,
  functionPrefix,
  logs,
}: RamFeatures): Readonly<Record<Target, readonly string[]>> {
  const { accountId, region, endpoints, flowLogs } = configuration;
  // Groups of every region the policy may name: which those are changes without a new role.
  const ecs = (kind: string): readonly string[] => [`acs:ecs:*:${accountId}:${kind}/*`];
  const ots = `acs:ots:${region}:${accountId}:instance/${endpoints.tablestoreInstance.toLowerCase()}`;
  // A call of a function is one of its version; whether it is asked for by that name as well is not documented.
  const fc = (name: string): readonly string[] =>
    ["", "/*"].map((version) => `acs:fc:${region}:${accountId}:functions/${name}${version}`);
  const logstore = (it: { readonly region: string; readonly project: string; readonly logstore: string }): string =>
    `acs:log:${it.region}:${accountId}:project/${it.project}/logstore/${it.logstore}`;
  return {
    groups: ecs("securitygroup"),
    instances: ecs("instance"),
    interfaces: ecs("eni"),
    commands: ecs("command"),
    prefixLists: ecs("prefixlist"),
    portLists: ecs("portrangelist"),
    tables: [`${ots}/table/*`],
    store: [ots, `${ots}/table/*`],
    functions: [...fc(`${functionPrefix}audit`), ...fc(endpoints.sweepFunction)],
    flowLogs: flowLogs.map(logstore),
    logs: logs === null ? [] : [logstore({ region, ...logs })],
    everything: ["*"],
  };
}
