// Alarm rules of CloudMonitor on what the program publishes: its heartbeat, which watches it from outside, and ports without traffic.
// biome-ignore-start lint/style/noRestrictedImports: the names are those of what is published.
import { METRICS } from "../../shared/usecases/operation/beat.ts";
import { noTrafficAlarm } from "../../shared/usecases/recycling/publish-use.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import type { CloudCalls } from "./cloud-call.ts";
import type { Step } from "./steps.ts";

/** Whom alarms are told to. */
export interface AlarmOrder {
  readonly accountId: string;
  readonly installation: string;
  /** Contact groups of CloudMonitor, with commas between. */
  readonly contacts: string;
  readonly webhook: string | null;
  /** Where the heartbeat is published. */
  readonly region: string;
  /** Where evidence is collected, and the use of ports published. */
  readonly evidenceRegions: readonly string[];
}

interface Rule {
  readonly id: string;
  readonly metric: string;
  readonly operator: "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly threshold: number;
  readonly periodS: number;
  readonly noData: "INSUFFICIENT_DATA" | "KEEP_LAST_STATE";
}

const rulesOf = (installation: string): readonly Rule[] => {
  const id = (what: string): string => `safeport-${installation}-${what}`;
  return [
    // Nothing to compare tells by itself: a rule without data for three minutes is what alarms.
    {
      ...{ id: id("silent"), metric: METRICS.tick, operator: "LessThanThreshold", threshold: 1, periodS: 180 },
      noData: "INSUFFICIENT_DATA",
    },
    {
      ...{ id: id("overdue"), metric: METRICS.overdue, operator: "GreaterThanOrEqualToThreshold", threshold: 30 },
      periodS: 60,
      noData: "KEEP_LAST_STATE",
    },
    {
      ...{ id: id("deaf"), metric: METRICS.deaf, operator: "GreaterThanOrEqualToThreshold", threshold: 1 },
      periodS: 300,
      noData: "KEEP_LAST_STATE",
    },
  ];
};

/** What puts a rule. */
interface Put {
  readonly region: string;
  readonly id: string;
  readonly metric: string;
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const putOf = (rule: Rule, order: AlarmOrder): Put => ({
  region: order.region,
  id: rule.id,
  metric: rule.metric,
  operation: "PutResourceMetricRule",
  parameters: {
    RuleId: rule.id,
    RuleName: rule.id,
    Namespace: `acs_customMetric_${order.accountId}`,
    MetricName: rule.metric,
    Resources: JSON.stringify([{ groupId: "0", installation: order.installation }]),
    ContactGroups: order.contacts,
    "Escalations.Critical.Statistics": "Maximum",
    "Escalations.Critical.ComparisonOperator": rule.operator,
    "Escalations.Critical.Threshold": String(rule.threshold),
    "Escalations.Critical.Times": "1",
    Period: String(rule.periodS),
    Interval: "60",
    SilenceTime: "3600",
    NoDataPolicy: rule.noData,
    ...(order.webhook === null ? {} : { Webhook: order.webhook }),
  },
});

function noTrafficPut({ installation, contacts, webhook }: AlarmOrder, region: string): Put {
  const { operation, parameters } = noTrafficAlarm({ installation, region, contactGroup: contacts, webhook });
  return { region, id: parameters["RuleId"] ?? "", metric: parameters["MetricName"] ?? "", operation, parameters };
}

/** What weakens a rule without its being off: a threshold that is never met, a long silence, a period without end. */
const HELD = ["MetricName", "ContactGroups", "Period", "SilenceTime", "NoDataPolicy"];

/** True where what is answered of a rule is what was put; what is not answered is not held against it. */
function isAsPut(put: Put["parameters"], found: Readonly<Record<string, unknown>>): boolean {
  const isSame = (wanted: string, seen: unknown): boolean =>
    seen === undefined || String(seen) === wanted || (wanted !== "" && Number(seen) === Number(wanted));
  const levels = found["Escalations"] as Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  return Object.entries(put).every(([name, wanted]) => {
    if (HELD.includes(name)) return isSame(wanted, found[name]);
    const [of, level = "", field = ""] = name.split(".");
    if (of !== "Escalations" || levels === undefined) return true;
    return levels[level] !== undefined && isSame(wanted, levels[level][field]);
  });
}

/** One step for each rule, made where its metric is; an operation page of the documentation says what to do about each. */
export function alarmSteps(callsIn: (region: string) => CloudCalls, order: AlarmOrder): readonly Step[] {
  const rules = [
    ...rulesOf(order.installation).map((rule) => putOf(rule, order)),
    ...order.evidenceRegions.map((region) => noTrafficPut(order, region)),
  ];
  return rules.map((rule) => stepOf(callsIn(rule.region), rule, order));
}

function stepOf(calls: CloudCalls, rule: Put, order: AlarmOrder): Step {
  return {
    id: `alarm ${rule.id}`,
    async look() {
      const answer = await calls.ask(calls.cms, "DescribeMetricRuleList", { RuleIds: rule.id });
      const alarms =
        (answer["Alarms"] as { readonly Alarm?: readonly Record<string, unknown>[] } | undefined)?.Alarm ?? [];
      const found = alarms.find((it) => it["RuleId"] === rule.id);
      if (found === undefined) return { state: "missing", what: `make the alarm ${rule.id} on ${rule.metric}` };
      const isSame = (found["Webhook"] ?? "") === (order.webhook ?? "") && found["EnableState"] !== false;
      return isSame && isAsPut(rule.parameters, found)
        ? { state: "ready" }
        : { state: "differs", what: `set the alarm ${rule.id} anew` };
    },
    async make() {
      await calls.ask(calls.cms, rule.operation, rule.parameters);
      await calls.ask(calls.cms, "EnableMetricRules", { RuleId: [rule.id] });
      return undefined;
    },
    async remove() {
      try {
        await calls.ask(calls.cms, "DeleteMetricRules", { Id: [rule.id] });
      } catch (error) {
        if ((error as { readonly cloudCode?: unknown }).cloudCode !== "ResourceNotFound") throw error;
      }
    },
  };
}
