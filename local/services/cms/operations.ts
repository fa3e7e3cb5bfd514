// The operations of CloudMonitor that are served, from parameters to the body of the answer.

import { listOf, type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import {
  asTexts,
  describeRule,
  idsOf,
  invalid,
  jsonOf,
  parseCustomRule,
  parseResourceRule,
  required,
  wholeOf,
} from "./alarm-rule.ts";
import type { Alarms } from "./alarms.ts";
import {
  type Dimensions,
  type MetricPoint,
  type MetricStore,
  pointOf,
  retentionMs,
  statisticsOf,
} from "./metric-store.ts";
import { parseDryRun, type SystemEvent } from "./system-event.ts";

/** What an operation works on. */
export interface CmsContext {
  readonly params: RpcParameters;
  readonly now: number;
  readonly accountId: string;
  readonly metrics: MetricStore;
  readonly alarms: Alarms;
  readonly systemEvent: (event: SystemEvent) => void;
}

type Body = Record<string, unknown>;

const HOUR_MS = 3_600_000;
const SPAN_MS_MAX = 31 * 24 * HOUR_MS;
const CUSTOM_ENTRIES_MAX = 100;
const NAME_BYTES_MAX = 64;

// `Message` is there on success too.
const ok = (body: Body = {}): Body => ({ Code: "200", Success: true, Message: "success", ...body });

/** By the name in `x-acs-action`. */
export const operations: ReadonlyMap<string, (context: CmsContext) => Body> = new Map([
  ["DescribeMetricList", describeMetricList],
  ["DescribeMetricLast", describeMetricLast],
  ["PutCustomMetric", putCustomMetric],
  ["PutCustomMetricRule", putCustomMetricRule],
  ["PutResourceMetricRule", putResourceMetricRule],
  ["DescribeMetricRuleList", describeMetricRuleList],
  ["EnableMetricRules", (context: CmsContext) => setEnabled(context, true)],
  ["DisableMetricRules", (context: CmsContext) => setEnabled(context, false)],
  ["DeleteMetricRules", deleteMetricRules],
  ["SendDryRunSystemEvent", sendDryRunSystemEvent],
]);

interface Query {
  readonly namespace: string;
  readonly metricName: string;
  readonly wanted: readonly Dimensions[];
  readonly periodS: number;
}

function queryOf(params: RpcParameters): Query {
  const text = params["Dimensions"] ?? "";
  const parsed = text === "" ? {} : jsonOf(text, "Dimensions");
  const list = (Array.isArray(parsed) ? parsed : [parsed]) as unknown[];
  if (list.length > 50) throw invalid("The parameter Dimensions names more than 50 instances.");
  if (list.some((each) => typeof each !== "object" || each === null))
    throw invalid("The parameter Dimensions is an object or a list of objects.");
  return {
    namespace: required(params, "Namespace"),
    metricName: required(params, "MetricName"),
    wanted: list.map((each) => asTexts(each as object)),
    periodS: wholeOf(params, "Period", 60, [1, 86_400]),
  };
}

/** All data points of a query, by time, each with its dimensions; the interval is open on the left. */
function datapoints(context: CmsContext, query: Query, fromMs: number, toMs: number): Body[] {
  const { metrics, accountId, now } = context;
  const from = Math.max(fromMs, now - retentionMs(query.periodS));
  const series = new Set(query.wanted.flatMap((each) => metrics.find(query.namespace, query.metricName, each)));
  const found = [...series].flatMap((each) =>
    statisticsOf(each, query.periodS * 1_000, from, toMs).map(({ timestamp, ...values }) => ({
      timestamp,
      userId: accountId,
      ...each.dimensions,
      ...values,
    })),
  );
  return found.sort((a, b) => a.timestamp - b.timestamp);
}

function describeMetricList(context: CmsContext): Body {
  const { params, now } = context;
  const query = queryOf(params);
  const toMs = instantOf(params, "EndTime") ?? now;
  const fromMs = instantOf(params, "StartTime") ?? toMs - HOUR_MS;
  if (fromMs >= toMs) throw invalid("StartTime is not before EndTime.");
  if (toMs - fromMs > SPAN_MS_MAX) throw invalid("The time range is longer than 31 days.");
  const length = wholeOf(params, "Length", 1_000, [1, 1_440]);
  const offset = wholeOf(params, "NextToken", 0, [0, Number.MAX_SAFE_INTEGER]);
  const all = datapoints(context, query, fromMs, toMs);
  const page = all.slice(offset, offset + length);
  return ok({
    Period: String(query.periodS),
    Datapoints: JSON.stringify(page),
    ...(offset + length < all.length ? { NextToken: String(offset + length) } : {}),
  });
}

function describeMetricLast(context: CmsContext): Body {
  const query = queryOf(context.params);
  const backMs = query.periodS < 60 ? HOUR_MS / 3 : query.periodS < 3_600 ? 2 * HOUR_MS : 48 * HOUR_MS;
  const last = new Map<string, Body>();
  for (const point of datapoints(context, query, context.now - backMs, context.now)) {
    const { timestamp, Minimum, Average, Maximum, Sum, ...dimensions } = point;
    last.set(JSON.stringify(dimensions), point);
  }
  return ok({ Period: String(query.periodS), Datapoints: JSON.stringify([...last.values()]) });
}

/** Milliseconds since the epoch, or `YYYY-MM-DD hh:mm:ss` of UTC+8. */
function instantOf(params: RpcParameters, name: string): number | undefined {
  const text = params[name] ?? "";
  if (text === "") return undefined;
  if (/^\d{10,13}$/.test(text)) return Number(text) * (text.length === 10 ? 1_000 : 1);
  const isUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text);
  const at = isUtc ? Date.parse(text) : Date.parse(`${text.replace(" ", "T")}+08:00`);
  if (Number.isNaN(at)) throw invalid(`The parameter ${name} is ${text}.`);
  return at;
}

/** The namespace in which an account's own metrics are found. */
const customNamespace = (accountId: string): string => `acs_customMetric_${accountId}`;

function putCustomMetric({ params, now, metrics, accountId }: CmsContext): Body {
  const entries = structuresOf(params, "MetricList");
  if (entries.length === 0) throw invalid("The parameter MetricList.1 is missing.");
  if (entries.length > CUSTOM_ENTRIES_MAX) throw invalid(`MetricList has more than ${CUSTOM_ENTRIES_MAX} entries.`);
  // All are read before the first is kept.
  const read = entries.map(({ fields, path }) => {
    for (const name of ["GroupId", "MetricName", "Dimensions", "Type", "Values"])
      if ((fields[name] ?? "") === "") throw invalid(`The parameter ${path}.${name} is missing.`);
    const at = instantOf(fields, "Time") ?? now;
    const point = customPoint(fields, path, at);
    const dimensions = customDimensions(fields["Dimensions"] ?? "", path);
    return { metricName: customName(fields["MetricName"] ?? ""), dimensions, groupId: fields["GroupId"] ?? "0", point };
  });
  for (const { metricName, dimensions, groupId, point } of read)
    metrics.put(customNamespace(accountId), metricName, { ...dimensions, groupId }, point);
  return { Code: "200", Message: "success" };
}

function customPoint(fields: RpcParameters, path: string, at: number): MetricPoint {
  const parsed = jsonOf(fields["Values"] ?? "", `${path}.Values`);
  if (typeof parsed !== "object" || parsed === null) throw invalid(`${path}.Values is no object.`);
  const values = parsed as Record<string, unknown>;
  const value = (name: string): number => {
    const found = Number(values[name]);
    if (!Number.isFinite(found)) throw invalid(`${path}.Values has no number ${name}.`);
    return found;
  };
  if (fields["Type"] === "0") return pointOf(at, value("value"));
  if (fields["Type"] !== "1") throw invalid(`${path}.Type is 0 or 1.`);
  if (fields["Period"] !== "60" && fields["Period"] !== "300") throw invalid(`${path}.Period is 60 or 300.`);
  const count = "SampleCount" in values ? value("SampleCount") : 1;
  const sum = "Sum" in values ? value("Sum") : value("Average") * count;
  const average = sum / Math.max(1, count);
  return {
    at,
    minimum: "Minimum" in values ? value("Minimum") : average,
    maximum: "Maximum" in values ? value("Maximum") : average,
    sum,
    count,
  };
}

const cut = (text: string): string => Buffer.from(text).subarray(0, NAME_BYTES_MAX).toString("utf8");

const customName = (name: string): string => cut(name.replace(/^[^A-Za-z]/, "A").replace(/\W/g, "_"));

function customDimensions(text: string, path: string): Dimensions {
  const parsed = jsonOf(text, `${path}.Dimensions`);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw invalid(`${path}.Dimensions is no object.`);
  return Object.fromEntries(
    Object.entries(asTexts(parsed)).map(([name, value]) => {
      if (/[=&,]/.test(value)) throw invalid(`${path}.Dimensions has a value with =, & or a comma.`);
      return [cut(name), cut(value)];
    }),
  );
}

function putResourceMetricRule({ params, alarms }: CmsContext): Body {
  alarms.put(parseResourceRule(params));
  return ok();
}

function putCustomMetricRule({ params, alarms, accountId }: CmsContext): Body {
  alarms.put(parseCustomRule(params, customNamespace(accountId)));
  return ok();
}

function describeMetricRuleList({ params, alarms }: CmsContext): Body {
  const page = wholeOf(params, "Page", 1, [1, 1_000_000]);
  const size = wholeOf(params, "PageSize", 10, [1, 100]);
  const ids = (params["RuleIds"] ?? "").split(",").filter((id) => id !== "");
  if (ids.length > 20) throw invalid("The parameter RuleIds names more than 20 rules.");
  const { AlertState, EnableState, Namespace, MetricName, RuleName } = params;
  const found = alarms
    .rules()
    .filter(
      (rule) =>
        (ids.length === 0 || ids.includes(rule.ruleId)) &&
        (AlertState === undefined || AlertState === alarms.stateOf(rule.ruleId)) &&
        (EnableState === undefined || EnableState === String(rule.isEnabled)) &&
        (Namespace === undefined || Namespace === rule.namespace) &&
        (MetricName === undefined || MetricName === rule.metricName) &&
        (RuleName === undefined || rule.ruleName.includes(RuleName)),
    );
  const Alarm = found
    .slice((page - 1) * size, page * size)
    .map((rule) => describeRule(rule, alarms.stateOf(rule.ruleId)));
  // The number, not the text, as in the published sample.
  return ok({ Code: 200, Total: String(found.length), Alarms: { Alarm } });
}

const notFound = (id: string): RpcError =>
  new RpcError({ status: 404, code: "ResourceNotFound", message: `The specified rule ${id} is not found.` });

function setEnabled({ params, alarms }: CmsContext, isEnabled: boolean): Body {
  const ids = idsOf(params, "RuleId");
  const known = alarms.rules().map((rule) => rule.ruleId);
  const missing = ids.find((id) => !known.includes(id));
  if (missing !== undefined) throw notFound(missing);
  for (const id of ids) alarms.enable(id, isEnabled);
  return ok();
}

function deleteMetricRules({ params, alarms }: CmsContext): Body {
  const ids = listOf(params, "Id");
  if (ids.length === 0) throw invalid("The parameter Id.1 is missing.");
  const existed = ids.map((id) => alarms.delete(id));
  if (!existed.includes(true)) throw notFound(ids[0] ?? "");
  return ok();
}

function sendDryRunSystemEvent({ params, systemEvent }: CmsContext): Body {
  systemEvent(parseDryRun(params));
  return ok();
}
