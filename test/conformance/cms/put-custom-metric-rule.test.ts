// PutCustomMetricRule: alarms over metrics of the account's own, raw and aggregated, and what silence means.

import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";
import { aCloud, aReceiver, cmsClient } from "./world.ts";

const onEmbedded = itEmbedded("CMS");

const rule = (webhook: string, more: Record<string, string> = {}): Record<string, string> => ({
  RuleId: "overdue-ends",
  MetricName: "safeport_overdue",
  Resources: '[{"groupId":0,"dimension":"installation=one,region=cn-hangzhou"}]',
  ContactGroups: "ops",
  Statistics: "Maximum",
  ComparisonOperator: ">=",
  Threshold: "1",
  EvaluationCount: "2",
  Level: "CRITICAL",
  Webhook: webhook,
  ...more,
});

async function report(cloud: Cloud, values: string, more: Record<string, string> = {}, installation = "one") {
  const entry = {
    ...{ GroupId: "0", MetricName: "safeport_overdue", Type: "0", Values: values },
    ...{ Dimensions: JSON.stringify({ installation, region: "cn-hangzhou" }), ...more },
  };
  const query = Object.fromEntries(Object.entries(entry).map(([name, value]) => [`MetricList.1.${name}`, value]));
  await cmsClient(cloud)("PutCustomMetric", query);
  await cloud.advance(60_000);
}

async function watched(more: Record<string, string> = {}) {
  const cloud = await aCloud();
  const receiver = await aReceiver();
  const call = cmsClient(cloud);
  await call("PutCustomMetricRule", rule(receiver.url, more));
  return { cloud, call, posts: receiver.posts };
}

onEmbedded.each([
  ["raw", '{"value":2}', {}],
  ["aggregated", '{"Sum":2,"SampleCount":2,"Maximum":2,"Minimum":0,"Average":1}', { Type: "1", Period: "60" }],
])("alarms on a metric that is %s, after as many periods as asked, and recovers", async (_kind, values, how) => {
  const { cloud, posts } = await watched();
  await report(cloud, values, how, "another");
  await report(cloud, values, how, "another");
  await report(cloud, values, how);
  expect(posts).toEqual([]);
  await report(cloud, values, how);
  expect(posts.map(({ form }) => form)).toMatchObject([
    {
      ...{ alertName: "overdue-ends", alertState: "ALERT", triggerLevel: "CRITICAL", curValue: "2" },
      ...{ metricName: "safeport_overdue", namespace: `acs_customMetric_${cloud.account.accountId}` },
      expression: "$Maximum>=1",
    },
  ]);
  await report(cloud, '{"value":0}');
  expect(posts.map(({ form }) => form["alertState"])).toEqual(["ALERT", "OK"]);
});

onEmbedded("takes rules apart from each other by their id, and lists them with the others", async () => {
  const { call } = await watched();
  await call("PutCustomMetricRule", rule("http://127.0.0.1/x", { Threshold: "5", RuleName: "named" }));
  const list = (await call("DescribeMetricRuleList", {}))["Alarms"] as { Alarm: Record<string, unknown>[] };
  expect(list.Alarm).toMatchObject([
    {
      ...{ RuleId: "overdue-ends", RuleName: "named", Period: "60", SilenceTime: 86_400 },
      Resources: JSON.stringify([{ groupId: "0", installation: "one", region: "cn-hangzhou" }]),
      Escalations: { Critical: { Statistics: "Maximum", Threshold: "5", Times: 2 } },
    },
  ]);
});

onEmbedded.each([
  ["KEEP_LAST_STATE", ["ALERT"]],
  ["OK", ["ALERT", "OK"]],
  ["INSUFFICIENT_DATA", ["ALERT", "INSUFFICIENT_DATA"]],
])("when nothing is reported any more: %s", async (policy, states) => {
  const { cloud, posts } = await watched({ EvaluationCount: "1", NoDataPolicy: policy });
  await report(cloud, '{"value":2}');
  await cloud.advance(5 * 60_000);
  expect(posts.map(({ form }) => form["alertState"])).toEqual(states);
});

it("makes a rule by its id, by SDK and by bytes", async () => {
  const { call, own, raw, tag } = await aCms();
  const own1 = rule("", { RuleId: tag, RuleName: tag });
  expect(await call("PutCustomMetricRule", own1)).toMatchObject({ Code: "200" });
  expect(await own()).toMatchObject({ RuleName: tag, Escalations: { Critical: { Threshold: "1" } } });
  expect((await raw("PutCustomMetricRule", { ...own1, Threshold: "3" })).status).toBe(200);
  expect(await own()).toMatchObject({ Escalations: { Critical: { Threshold: "3" } } });
});

it.each([
  ["Level", "BAD"],
  ["ComparisonOperator", "GreaterThanThreshold"],
  ["Period", "90"],
  ["Resources", "[]"],
  ["Resources", '[{"dimension":"nothing"}]'],
  ["EvaluationCount", ""],
  ["Statistics", "Median"],
])("refuses %s %j and keeps nothing, by bytes", async (name, value) => {
  const { own, raw, tag } = await aCms();
  expect(outcomeOf(await raw("PutCustomMetricRule", rule("", { [name]: value, RuleId: tag })))).toBe(
    "400 ParameterInvalid",
  );
  expect(await own()).toBeUndefined();
});
