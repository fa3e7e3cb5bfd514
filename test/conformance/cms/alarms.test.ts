// Alarm rules: evaluated on the clock, told by webhooks, kept across restarts.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { aCloud, aReceiver, cmsClient, cpuRule, minuteOf, START_MS, webOne } from "./world.ts";

type Receiver = Awaited<ReturnType<typeof aReceiver>>;

const states = ({ posts }: Receiver): string[] =>
  posts.map(
    ({ form }) => `${form["alertState"]} ${form["preTriggerLevel"]}>${form["triggerLevel"]} ${form["curValue"]}`,
  );

async function watched(more: Record<string, string> = {}, answer?: (n: number) => number | "never") {
  const cloud = await aCloud();
  const receiver = await aReceiver(answer);
  const call = cmsClient(cloud);
  await call("PutResourceMetricRule", cpuRule(receiver.url, more));
  return { cloud, receiver, call };
}

it("posts an alarm as a form with every field once its periods have passed, and its end", async () => {
  const { cloud, receiver } = await watched();
  await minuteOf(cloud, 95);
  expect(receiver.posts).toEqual([]);
  await minuteOf(cloud, 97.391);
  expect(receiver.posts.map(({ type, form }) => ({ type, form }))).toEqual([
    {
      type: "application/x-www-form-urlencoded; charset=UTF-8",
      form: {
        alertName: "cpu",
        alertState: "ALERT",
        curValue: "97.39",
        dimensions: `{instanceId=${webOne(cloud)}, userId=${cloud.account.accountId}}`,
        expression: "$Average>=90",
        instanceName: "web-1",
        metricName: "CPUUtilization",
        rawMetricName: "CPUUtilization",
        metricProject: "acs_ecs_dashboard",
        namespace: "acs_ecs_dashboard",
        preTriggerLevel: "null",
        triggerLevel: "CRITICAL",
        ruleId: "rule-1",
        timestamp: String(START_MS + 120_000),
        userId: cloud.account.accountId,
        signature: expect.stringMatching(/^\w+$/),
        transId: expect.any(String),
        lastTime: "1分钟",
        unit: "null",
        regionId: cloud.account.regionId,
      },
    },
  ]);
  expect(receiver.posts[0]?.raw).toContain("dimensions=%7BinstanceId%3D");
  await minuteOf(cloud, 96);
  await minuteOf(cloud, 3);
  expect(states(receiver)).toEqual(["ALERT null>CRITICAL 97.39", "OK CRITICAL>OK 3"]);
});

it("tells each thing apart, and each level", async () => {
  const { cloud, receiver } = await watched({
    "Escalations.Critical.Times": "1",
    "Escalations.Warn.Statistics": "Maximum",
    "Escalations.Warn.ComparisonOperator": "GreaterThanThreshold",
    "Escalations.Warn.Threshold": "50",
    "Escalations.Warn.Times": "1",
  });
  cloud.cms.measure({
    namespace: "acs_ecs_dashboard",
    metricName: "CPUUtilization",
    dimensions: { instanceId: "i-2" },
    value: 51,
  });
  await minuteOf(cloud, 60);
  await minuteOf(cloud, 90);
  const told = receiver.posts.map(({ form }) => [form["instanceName"], form["triggerLevel"], form["expression"]]);
  expect(told).toEqual([
    ["null", "WARN", "$Maximum>50"],
    ["web-1", "WARN", "$Maximum>50"],
    ["web-1", "CRITICAL", "$Average>=90"],
  ]);
});

it("watches only what the rule names", async () => {
  const { cloud, receiver } = await watched({
    Resources: '[{"instanceId":"i-other"}]',
    "Escalations.Critical.Times": "1",
  });
  await minuteOf(cloud, 99);
  await minuteOf(cloud, 99, "i-other");
  expect(receiver.posts.map(({ form }) => form["dimensions"])).toEqual([
    `{instanceId=i-other, userId=${cloud.account.accountId}}`,
  ]);
});

it("repeats an alarm after its silence alone", async () => {
  const { cloud, receiver } = await watched({ SilenceTime: "300", "Escalations.Critical.Times": "1" });
  for (let minute = 0; minute < 7; minute += 1) await minuteOf(cloud, 91 + minute);
  expect(states(receiver)).toEqual(["ALERT null>CRITICAL 91", "ALERT CRITICAL>CRITICAL 96"]);
});

it.each([
  ["KEEP_LAST_STATE", ["ALERT null>CRITICAL 99"], "ALARM"],
  ["OK", ["ALERT null>CRITICAL 99", "OK CRITICAL>OK null"], "OK"],
  ["INSUFFICIENT_DATA", ["ALERT null>CRITICAL 99", "INSUFFICIENT_DATA CRITICAL>null null"], "INSUFFICIENT_DATA"],
])("without data the state becomes what %s says", async (NoDataPolicy, told, state) => {
  const { cloud, receiver, call } = await watched({ NoDataPolicy, "Escalations.Critical.Times": "1" });
  await minuteOf(cloud, 99);
  await minuteOf(cloud, undefined);
  expect(states(receiver)).toEqual(told);
  expect(await call("DescribeMetricRuleList", {})).toMatchObject({ Alarms: { Alarm: [{ AlertState: state }] } });
});

it("tries a webhook three times more, with the same form", async () => {
  const { cloud, receiver } = await watched({ "Escalations.Critical.Times": "1" }, () => 500);
  await minuteOf(cloud, 99);
  await cloud.advance(10_000);
  expect(receiver.posts).toHaveLength(4);
  expect(new Set(receiver.posts.map(({ raw }) => raw)).size).toBe(1);
});

it("gives up on an answer after five seconds and tries again", async () => {
  const { cloud, receiver } = await watched({ "Escalations.Critical.Times": "1" }, (n) => (n === 1 ? "never" : 200));
  const startMs = performance.now();
  await minuteOf(cloud, 99);
  expect(performance.now() - startMs).toBeGreaterThan(4_900);
  await cloud.advance(1_000);
  expect(receiver.posts).toHaveLength(2);
});

it.each([
  [{ kind: "drop-before" } as const, 0],
  [{ kind: "duplicate", times: 2 } as const, 3],
  [{ kind: "drop-after" } as const, 2],
])("a webhook under %j is posted %i times", async (fault, times) => {
  const { cloud, receiver } = await watched({ "Escalations.Critical.Times": "1" });
  cloud.faults.set([{ service: "alarm", operation: "cpu", fault }]);
  await minuteOf(cloud, 99);
  await cloud.advance(10_000);
  expect(receiver.posts).toHaveLength(times);
});

it("takes the switch for ten-digit instants", async () => {
  const { cloud, receiver } = await watched({ "Escalations.Critical.Times": "1" });
  cloud.cmsSwitches.alarmTimestamp = "seconds";
  await minuteOf(cloud, 99);
  expect(receiver.posts[0]?.form["timestamp"]).toBe(String(START_MS / 1_000 + 60));
});

it("keeps still outside the rule's hours and while it is disabled", async () => {
  // The clock stands at 16:00 of UTC+8.
  const { cloud, receiver, call } = await watched({
    EffectiveInterval: "16:02-18:00",
    "Escalations.Critical.Times": "1",
  });
  await minuteOf(cloud, 99);
  expect(receiver.posts).toHaveLength(0);
  await call("DisableMetricRules", { "RuleId.1": "rule-1" });
  await minuteOf(cloud, 99);
  expect(receiver.posts).toHaveLength(0);
  await call("EnableMetricRules", { "RuleId.1": "rule-1" });
  await minuteOf(cloud, 99);
  expect(receiver.posts).toHaveLength(1);
});

it("keeps rules across a restart and forgets them on reset", async () => {
  const directory = mkdtempSync(join(tmpdir(), "cms-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const first = await aCloud({ directory });
  await cmsClient(first)("PutResourceMetricRule", cpuRule("http://127.0.0.1:1/"));
  await first.stop();
  const second = await aCloud({ directory });
  expect(await cmsClient(second)("DescribeMetricRuleList", {})).toMatchObject({ Total: "1" });
  await second.reset();
  expect(await cmsClient(second)("DescribeMetricRuleList", {})).toMatchObject({ Total: "0" });
});
