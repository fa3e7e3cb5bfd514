// CloudMonitor for the tests: alarm rules of their own ids, and metrics of their own names, which end by themselves.
import { aTarget, type Body, type Query, type RpcService, type RpcTarget } from "../rpc/target.ts";
import { cpuRule } from "./world.ts";

const rule = ({ RuleId = "" }: Query) => ({
  name: RuleId,
  removal: { action: "DeleteMetricRules", query: { "Id.1": RuleId } },
});

const cms: RpcService = {
  name: "cms",
  version: "2019-01-01",
  hostIn: (regionId) => `metrics.${regionId}.aliyuncs.com`,
  makes: { PutResourceMetricRule: rule, PutCustomMetricRule: rule },
  changes: {
    PutResourceMetricRule: /^RuleId$/,
    PutCustomMetricRule: /^RuleId$/,
    EnableMetricRules: /^RuleId\.\d+$/,
    DisableMetricRules: /^RuleId\.\d+$/,
    DeleteMetricRules: /^Id\.\d+$/,
    PutCustomMetric: /\.MetricName$/,
  },
};

/** CloudMonitor with words for what most tests need first. */
export interface CmsTarget extends RpcTarget {
  /** Parameters of an alarm rule of the test's own. */
  ofOwn(more?: Query): Query;
  /** What DescribeMetricRuleList tells of it. */
  own(): Promise<Body | undefined>;
}

/** The account, for one test. */
export async function aCms(): Promise<CmsTarget> {
  const target = await aTarget(cms);
  const { tag, call } = target;
  const ContactGroups = process.env["ALIBABA_CLOUD_CMS_CONTACT_GROUP"] ?? "ops";
  return {
    ...{ tag, regionId: target.regionId, call, raw: target.raw },
    get cloud() {
      return target.cloud;
    },
    ofOwn: (more = {}) => cpuRule("", { RuleId: tag, RuleName: tag, ContactGroups, ...more }),
    own: async () => rulesOf(await call("DescribeMetricRuleList", { RuleIds: tag }))[0],
  };
}

/** The alarm rules of an answer. */
export const rulesOf = (body: Readonly<Record<string, unknown>>): readonly Body[] =>
  (body["Alarms"] as { readonly Alarm: Body[] }).Alarm;
