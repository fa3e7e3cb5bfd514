// What the functions' role may do: no more than the features that are switched on need, each action on the narrowest resource.
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
    "accountId" | "region" | "endpoints" | "wakeups" | "heartbeat" | "flowLogs"
  >;
  readonly functionPrefix: string;
  readonly logs: { readonly project: string; readonly logstore: string } | null;
}

/** Who may act as the role. */
export const trustPolicy = {
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } }],
} as const;

/** The policy of the functions' role. */
export function ramPolicyOf({ configuration, functionPrefix, logs }: RamFeatures): RamPolicy {
  const { accountId, region, endpoints, wakeups, heartbeat, flowLogs } = configuration;
  const allow = (actions: readonly string[], ...resources: readonly string[]): RamPolicy["Statement"] =>
    actions.length === 0 ? [] : [{ Effect: "Allow", Action: actions, Resource: resources }];
  // Groups of every region the policy may name: which those are changes without a new role.
  const ecs = (kind: string): string => `acs:ecs:*:${accountId}:${kind}/*`;
  const ots = `acs:ots:${region}:${accountId}:instance/${endpoints.tablestoreInstance.toLowerCase()}`;
  const fc = (name: string): string => `acs:fc:${region}:${accountId}:functions/${name}`;
  const stores = flowLogs.map(
    (it) => `acs:log:${it.region}:${accountId}:project/${it.project}/logstore/${it.logstore}`,
  );
  // The platform itself calls them when a call has failed for good, in the role's name.
  const deadLetters = [fc(`${functionPrefix}audit`), fc(endpoints.sweepFunction)];
  return {
    Version: "1",
    Statement: [
      // A read that names a group is asked for that group, whatever it reads.
      ...allow(
        [
          "ecs:DescribeSecurityGroups",
          "ecs:DescribeSecurityGroupAttribute",
          "ecs:DescribeInstances",
          "ecs:DescribeNetworkInterfaces",
        ],
        ecs("securitygroup"),
        ecs("instance"),
        ecs("eni"),
      ),
      // What a changed list means for the groups whose rules name it.
      ...allow(["ecs:DescribePrefixListAssociations", "ecs:DescribePrefixListAttributes"], ecs("prefixlist")),
      ...allow(["ecs:DescribePortRangeListAssociations"], ecs("portrangelist")),
      ...allow(
        [
          "ecs:AuthorizeSecurityGroup",
          "ecs:AuthorizeSecurityGroupEgress",
          "ecs:RevokeSecurityGroup",
          "ecs:RevokeSecurityGroupEgress",
          "ecs:ModifySecurityGroupRule",
          "ecs:ModifySecurityGroupEgressRule",
        ],
        ecs("securitygroup"),
      ),
      // A table that is lost is made again, so that leases go on ending.
      ...allow(
        [
          "ots:GetRow",
          "ots:PutRow",
          "ots:UpdateRow",
          "ots:DeleteRow",
          "ots:GetRange",
          "ots:BatchGetRow",
          "ots:BatchWriteRow",
          "ots:CreateTable",
        ],
        `${ots}/table/*`,
      ),
      ...allow(["ots:ListTable"], ots, `${ots}/table/*`),
      ...allow(["actiontrail:LookupEvents"], "*"),
      ...allow(["fc:InvokeFunction"], ...new Set([...(wakeups ? [fc(endpoints.sweepFunction)] : []), ...deadLetters])),
      // Besides the heartbeat the use of ports is published, and the policy may have metrics read as evidence.
      ...allow(heartbeat || stores.length > 0 ? ["cms:PutCustomMetric"] : [], "*"),
      ...allow(["cms:DescribeMetricList"], "*"),
      ...allow(stores.length > 0 ? ["log:GetLogStore", "log:GetLogStoreLogs"] : [], ...stores),
      ...allow(stores.length > 0 ? ["vpc:DescribeFlowLogs"] : [], "*"),
      ...allow(
        logs === null ? [] : ["log:PostLogStoreLogs"],
        `acs:log:${region}:${accountId}:project/${logs?.project}/logstore/${logs?.logstore}`,
      ),
    ],
  };
}
