// Alarm rules: read from a request, compared, told.

import { listOf, type RpcParameters } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import type { Dimensions, Statistics } from "./metric-store.ts";

/** How bad it is. */
export type AlarmLevel = "CRITICAL" | "WARN" | "INFO";

/** When one level is reached. */
export interface Escalation {
  readonly level: AlarmLevel;
  readonly statistics: keyof Omit<Statistics, "timestamp"> | "Value";
  readonly operator: string;
  readonly threshold: number;
  readonly times: number;
}

/** A threshold rule over one metric. */
export interface AlarmRule {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly namespace: string;
  readonly metricName: string;
  /** What is watched; an empty object is everything the metric measures. */
  readonly resources: readonly Dimensions[];
  readonly contactGroups: string;
  readonly escalations: readonly Escalation[];
  readonly periodS: number;
  readonly intervalS: number;
  readonly silenceS: number;
  readonly noDataPolicy: "KEEP_LAST_STATE" | "INSUFFICIENT_DATA" | "OK";
  /** `HH:MM-HH:MM` of UTC+8; absent: always. */
  readonly effectiveInterval?: string;
  readonly webhook?: string;
  readonly sendOk: boolean;
  readonly isEnabled: boolean;
}

const signs: Readonly<Record<string, string>> = {
  GreaterThanOrEqualToThreshold: ">=",
  GreaterThanThreshold: ">",
  LessThanOrEqualToThreshold: "<=",
  LessThanThreshold: "<",
  EqualToThreshold: "=",
  NotEqualToThreshold: "!=",
};
const levels = { Critical: "CRITICAL", Warn: "WARN", Info: "INFO" } as const;
const statistics: readonly string[] = ["Average", "Minimum", "Maximum", "Sum", "Value"];
const noDataPolicies = ["KEEP_LAST_STATE", "INSUFFICIENT_DATA", "OK"] as const;

/** A parameter that is not acceptable. */
export const invalid = (message: string): RpcError => new RpcError({ status: 400, code: "ParameterInvalid", message });

/** A mandatory parameter. */
export function required(params: RpcParameters, name: string): string {
  const value = params[name] ?? "";
  if (value === "") throw invalid(`The parameter ${name} is missing.`);
  return value;
}

/** A JSON text parameter. */
export function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`The parameter ${name} is not JSON.`);
  }
}

/** A whole number parameter. */
export function wholeOf(
  params: RpcParameters,
  name: string,
  fallback: number,
  range: readonly [number, number],
): number {
  const text = params[name] ?? "";
  if (text === "") return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < range[0] || value > range[1])
    throw invalid(`The parameter ${name} is ${text}; it is ${range[0]} to ${range[1]}.`);
  return value;
}

/** The rule that a PutResourceMetricRule asks for. */
export function parseResourceRule(params: RpcParameters): AlarmRule {
  const escalations = Object.entries(levels).flatMap(([name, level]) => {
    const found = escalationOf(params, `Escalations.${name}`, level);
    return found === undefined ? [] : [found];
  });
  if (escalations.length === 0) throw invalid("At least one of Escalations.Critical, Warn and Info is needed.");
  const periodS = wholeOf(params, "Period", 60, [1, 86_400]);
  const noData = params["NoDataPolicy"] ?? "KEEP_LAST_STATE";
  const noDataPolicy = noDataPolicies.find((policy) => policy === noData);
  if (noDataPolicy === undefined) throw invalid(`The parameter NoDataPolicy is ${noData}.`);
  const { EffectiveInterval: effectiveInterval, Webhook: webhook } = params;
  if (effectiveInterval !== undefined && !/^\d\d:\d\d-\d\d:\d\d$/.test(effectiveInterval))
    throw invalid("The parameter EffectiveInterval looks like 00:00-23:59.");
  if (webhook !== undefined && webhook !== "" && !/^https?:\/\/[^/]/.test(webhook))
    throw invalid("The parameter Webhook is no http or https address.");
  return {
    ruleId: required(params, "RuleId"),
    ruleName: required(params, "RuleName"),
    namespace: required(params, "Namespace"),
    metricName: required(params, "MetricName"),
    resources: resourcesOf(params["Resources"] ?? "[]"),
    contactGroups: required(params, "ContactGroups"),
    escalations,
    periodS,
    intervalS: wholeOf(params, "Interval", periodS, [1, 86_400]),
    silenceS: wholeOf(params, "SilenceTime", 86_400, [60, 86_400]),
    noDataPolicy,
    ...(effectiveInterval === undefined ? {} : { effectiveInterval }),
    ...(webhook === undefined || webhook === "" ? {} : { webhook }),
    sendOk: params["SendOK"] !== "false",
    isEnabled: true,
  };
}

/** The rule that a PutCustomMetricRule asks for: one level, over metrics of the account's own. */
export function parseCustomRule(params: RpcParameters, namespace: string): AlarmRule {
  const level = Object.entries(levels).find(([, each]) => each === required(params, "Level"))?.[0];
  if (level === undefined) throw invalid(`The parameter Level is one of ${Object.values(levels).join(", ")}.`);
  const sign = required(params, "ComparisonOperator");
  const operator = Object.entries(signs).find(([, each]) => each === sign)?.[0];
  if (operator === undefined)
    throw invalid(`The parameter ComparisonOperator is one of ${Object.values(signs).join(", ")}.`);
  const periodS = wholeOf(params, "Period", 60, [60, 86_400]);
  if (periodS % 60 !== 0) throw invalid("The parameter Period is a multiple of 60.");
  const ruleId = required(params, "RuleId");
  const place = `Escalations.${level}`;
  // The same rule in the other operation's words.
  return parseResourceRule({
    ...params,
    RuleName: params["RuleName"] || ruleId,
    Namespace: namespace,
    Resources: JSON.stringify(customResources(required(params, "Resources"))),
    Period: String(periodS),
    [`${place}.Statistics`]: required(params, "Statistics"),
    [`${place}.ComparisonOperator`]: operator,
    [`${place}.Threshold`]: required(params, "Threshold"),
    [`${place}.Times`]: required(params, "EvaluationCount"),
  });
}

/** `[{"groupId":0,"dimension":"instanceId=i-1,port=22"}]` as dimensions. */
function customResources(text: string): readonly Dimensions[] {
  const parsed = jsonOf(text, "Resources");
  if (!Array.isArray(parsed) || parsed.length === 0) throw invalid("The parameter Resources is a list of objects.");
  return parsed.map((each: unknown) => {
    const { groupId = 0, dimension = "" } = (each ?? {}) as Record<string, unknown>;
    const pairs = String(dimension)
      .split(/[,&]/)
      .filter((pair) => pair !== "")
      .map((pair) => /^([^=]+)=(.*)$/.exec(pair.trim()));
    if (pairs.includes(null)) throw invalid("The parameter Resources has a dimension that is not name=value.");
    return { groupId: String(groupId), ...Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""])) };
  });
}

function escalationOf(params: RpcParameters, place: string, level: AlarmLevel): Escalation | undefined {
  const names = ["Statistics", "ComparisonOperator", "Threshold", "Times"].map((name) => `${place}.${name}`);
  const given = names.filter((name) => (params[name] ?? "") !== "");
  if (given.length === 0) return undefined;
  if (given.length < names.length) throw invalid(`${place} needs Statistics, ComparisonOperator, Threshold and Times.`);
  const statistic = params[`${place}.Statistics`] ?? "";
  const operator = signs[params[`${place}.ComparisonOperator`] ?? ""];
  const threshold = Number(params[`${place}.Threshold`]);
  if (!statistics.includes(statistic)) throw invalid(`${place}.Statistics is ${statistic}.`);
  if (operator === undefined) throw invalid(`${place}.ComparisonOperator is one of ${Object.keys(signs).join(", ")}.`);
  if (!Number.isFinite(threshold)) throw invalid(`${place}.Threshold is no number.`);
  const times = wholeOf(params, `${place}.Times`, 1, [1, 100]);
  return { level, statistics: statistic as Escalation["statistics"], operator, threshold, times };
}

function resourcesOf(text: string): readonly Dimensions[] {
  const parsed = jsonOf(text, "Resources");
  if (!Array.isArray(parsed)) throw invalid("The parameter Resources is a list of objects.");
  const found = parsed.map((each: unknown) => {
    if (typeof each !== "object" || each === null) throw invalid("The parameter Resources is a list of objects.");
    const { resource, ...dimensions } = each as Record<string, unknown>;
    return resource === "_ALL" ? {} : asTexts(dimensions);
  });
  return found.length === 0 ? [{}] : found;
}

/** Values of dimensions as text. */
export function asTexts(dimensions: object): Dimensions {
  return Object.fromEntries(Object.entries(dimensions).map(([name, value]) => [name, String(value)]));
}

/** Whether a value reaches a level. */
export function isBreached({ operator, threshold }: Escalation, value: number): boolean {
  switch (operator) {
    case ">=":
      return value >= threshold;
    case ">":
      return value > threshold;
    case "<=":
      return value <= threshold;
    case "<":
      return value < threshold;
    case "=":
      return value === threshold;
    default:
      return value !== threshold;
  }
}

/** `$Average>=95`. */
export const expressionOf = ({ statistics: name, operator, threshold }: Escalation): string =>
  `$${name}${operator}${threshold}`;

/** Whether the rule watches at this instant. */
export function isEffective({ effectiveInterval }: AlarmRule, atMs: number): boolean {
  if (effectiveInterval === undefined) return true;
  const [from = "", to = ""] = effectiveInterval.split("-");
  const now = new Date(atMs + 8 * 3_600_000).toISOString().slice(11, 16);
  return from <= to ? from <= now && now <= to : now >= from || now <= to;
}

/** The rule as DescribeMetricRuleList answers it. */
export function describeRule(rule: AlarmRule, alertState: string): object {
  const named = Object.fromEntries(
    rule.escalations.map(({ level, statistics: name, operator, threshold, times }) => [
      Object.entries(levels).find(([, each]) => each === level)?.[0] ?? level,
      {
        Statistics: name,
        ComparisonOperator: Object.entries(signs).find(([, sign]) => sign === operator)?.[0] ?? operator,
        Threshold: String(threshold),
        Times: times,
      },
    ]),
  );
  return {
    RuleId: rule.ruleId,
    RuleName: rule.ruleName,
    Namespace: rule.namespace,
    MetricName: rule.metricName,
    Resources: JSON.stringify(
      rule.resources.map((each) => (Object.keys(each).length === 0 ? { resource: "_ALL" } : each)),
    ),
    ContactGroups: rule.contactGroups,
    Escalations: named,
    Period: String(rule.periodS),
    SilenceTime: rule.silenceS,
    EffectiveInterval: rule.effectiveInterval ?? "00:00-23:59",
    NoDataPolicy: rule.noDataPolicy,
    Webhook: rule.webhook ?? "",
    EnableState: rule.isEnabled,
    AlertState: alertState,
    SourceType: "METRIC",
  };
}

/** `Name.1`, `Name.2`, …, at least one. */
export function idsOf(params: RpcParameters, name: string): readonly string[] {
  const ids = listOf(params, name);
  if (ids.length === 0) throw invalid(`The parameter ${name}.1 is missing.`);
  return ids;
}
