// What watches the seeded account: flow logs of every interface, a first value of some metrics, and an alarm rule.
import type { Cloud } from "../../local/cloud.ts";

/** Where the flow logs are. Kept for longer than the 45 days after which a port counts as idle. */
export const flowLog = { project: "safeport", logstore: "flow-log", ttlDays: 60 } as const;

/** The alarm rule that the seeded policy answers. */
const ALARM_RULE = "ddos";
const NAMESPACE = "acs_ecs_dashboard";
const TRAFFIC_METRIC = "VPC_PublicIP_InternetInRate";
// Bits per second: a quiet host, and a flood.
const QUIET_RATE = 1_200_000;
const FLOOD_RATE = 1_000_000_000;

/** Starts watching, and again after each reset. Alarms are told to the webhook, which need not answer yet. */
export async function watchAccount(cloud: Cloud, webhook: string): Promise<void> {
  const watch = async (): Promise<void> => {
    for (const { instanceId } of cloud.account.instances)
      for (const [metricName, value] of [
        ["CPUUtilization", 3],
        [TRAFFIC_METRIC, QUIET_RATE],
      ] as const)
        cloud.cms.measure({ namespace: NAMESPACE, metricName, dimensions: { instanceId }, value });
    cloud.cms.putRule({
      RuleId: ALARM_RULE,
      RuleName: ALARM_RULE,
      Namespace: NAMESPACE,
      MetricName: TRAFFIC_METRIC,
      Resources: JSON.stringify([{ resource: "_ALL" }]),
      ContactGroups: "operations",
      "Escalations.Critical.Statistics": "Maximum",
      "Escalations.Critical.ComparisonOperator": "GreaterThanOrEqualToThreshold",
      "Escalations.Critical.Threshold": String(FLOOD_RATE),
      "Escalations.Critical.Times": "1",
      SilenceTime: "300",
      Webhook: webhook,
    });
    await cloud.recordFlowLogs(flowLog.project, flowLog.logstore, flowLog.ttlDays);
  };
  await watch();
  cloud.afterReset(watch);
}
