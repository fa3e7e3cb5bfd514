// Reading and writing metrics as the official RPC core sees them.

import { expect, it } from "vitest";
import { aCloud, cmsClient, START_MS } from "./world.ts";

const cpu = { namespace: "acs_ecs_dashboard", metricName: "CPUUtilization" };
const asked = { Namespace: cpu.namespace, MetricName: cpu.metricName };

async function withPoints(count: number) {
  const cloud = await aCloud({ startMs: START_MS - count * 30_000 });
  for (let n = 0; n < count; n += 1) {
    for (const instanceId of ["i-1", "i-2"])
      cloud.cms.measure({ ...cpu, dimensions: { instanceId }, value: n + (instanceId === "i-2" ? 100 : 0) });
    await cloud.advance(30_000);
  }
  return { cloud, call: cmsClient(cloud) };
}

const points = (body: Record<string, unknown>) => JSON.parse(String(body["Datapoints"])) as Record<string, unknown>[];

it("answers data points of whole periods as JSON text, open on the left and closed on the right", async () => {
  const { cloud, call } = await withPoints(8);
  const body = await call("DescribeMetricList", {
    ...asked,
    Dimensions: '[{"instanceId":"i-1"}]',
    Period: "60",
    StartTime: String(START_MS - 240_000),
    EndTime: String(START_MS - 60_000),
  });
  expect(body).toMatchObject({ Code: "200", Success: true, Period: "60", RequestId: expect.any(String) });
  const common = { userId: cloud.account.accountId, instanceId: "i-1" };
  expect(points(body)).toEqual([
    { ...common, timestamp: START_MS - 180_000, Minimum: 2, Average: 2.5, Maximum: 3, Sum: 5 },
    { ...common, timestamp: START_MS - 120_000, Minimum: 4, Average: 4.5, Maximum: 5, Sum: 9 },
    { ...common, timestamp: START_MS - 60_000, Minimum: 6, Average: 6.5, Maximum: 7, Sum: 13 },
  ]);
});

it("takes instants as text of UTC+8, and pages by token", async () => {
  const { call } = await withPoints(8);
  const query = { ...asked, StartTime: "2026-11-01 15:50:00", EndTime: "2026-11-01 16:00:00", Length: "5" };
  const first = await call("DescribeMetricList", query);
  expect([points(first).length, first["NextToken"]]).toEqual([5, "5"]);
  const second = await call("DescribeMetricList", { ...query, NextToken: "5" });
  expect([points(second).length, second["NextToken"]]).toEqual([3, undefined]);
});

it("answers the last point of each series within reach", async () => {
  const { cloud, call } = await withPoints(4);
  expect(points(await call("DescribeMetricLast", asked)).map(({ timestamp, Maximum }) => [timestamp, Maximum])).toEqual(
    [
      [START_MS - 60_000, 3],
      [START_MS - 60_000, 103],
    ],
  );
  await cloud.advance(2 * 3_600_000);
  expect(points(await call("DescribeMetricLast", asked))).toEqual([]);
});

it("forgets short periods sooner than long ones", async () => {
  const { cloud, call } = await withPoints(2);
  await cloud.advance(35 * 86_400_000);
  const range = { StartTime: String(START_MS - 600_000), EndTime: String(START_MS + 600_000) };
  expect(points(await call("DescribeMetricList", { ...asked, ...range, Period: "60" }))).toEqual([]);
  expect(points(await call("DescribeMetricList", { ...asked, ...range, Period: "300" }))).toHaveLength(2);
});

it("keeps custom metrics, raw and aggregated, in the account's own namespace", async () => {
  const cloud = await aCloud();
  const call = cmsClient(cloud);
  const answer = await call("PutCustomMetric", {
    "MetricList.1.GroupId": "0",
    "MetricList.1.MetricName": "listening",
    "MetricList.1.Dimensions": '{"instanceId":"i-1","port":"22"}',
    "MetricList.1.Type": "0",
    "MetricList.1.Values": '{"value":10.5}',
    "MetricList.1.Time": String(START_MS - 60_000),
    "MetricList.2.GroupId": "0",
    "MetricList.2.MetricName": "listening",
    "MetricList.2.Dimensions": '{"instanceId":"i-2","port":"22"}',
    "MetricList.2.Type": "1",
    "MetricList.2.Period": "60",
    "MetricList.2.Values": '{"Average":4,"Minimum":1,"Maximum":9,"SampleCount":3}',
  });
  expect(answer).toMatchObject({ Code: "200", Message: "success" });
  const read = await call("DescribeMetricList", {
    Namespace: `acs_customMetric_${cloud.account.accountId}`,
    MetricName: "listening",
    Dimensions: '{"port":"22"}',
  });
  expect(points(read)).toMatchObject([
    { instanceId: "i-1", groupId: "0", Average: 10.5 },
    { instanceId: "i-2", Minimum: 1, Average: 4, Maximum: 9, Sum: 12 },
  ]);
});

it.each([
  ["DescribeMetricList", { Namespace: "n" }, 400, "ParameterInvalid"],
  ["DescribeMetricList", { ...asked, Dimensions: "{" }, 400, "ParameterInvalid"],
  ["DescribeMetricList", { ...asked, Period: "0" }, 400, "ParameterInvalid"],
  ["DescribeMetricList", { ...asked, Length: "1441" }, 400, "ParameterInvalid"],
  ["DescribeMetricList", { ...asked, StartTime: "soon" }, 400, "ParameterInvalid"],
  ["DescribeMetricList", { ...asked, StartTime: "2026-09-01 00:00:00" }, 400, "ParameterInvalid"],
  ["PutCustomMetric", {}, 400, "ParameterInvalid"],
  ["PutCustomMetric", { "MetricList.1.MetricName": "m" }, 400, "ParameterInvalid"],
  ["PutResourceMetricRule", { RuleId: "r" }, 400, "ParameterInvalid"],
  ["EnableMetricRules", { "RuleId.1": "none" }, 404, "ResourceNotFound"],
  ["DeleteMetricRules", { "Id.1": "none" }, 404, "ResourceNotFound"],
  ["DescribeNothing", {}, 404, "InvalidAction.NotFound"],
])("refuses %s with %j", async (action, query, statusCode, code) => {
  await expect(cmsClient(await aCloud())(action, query)).rejects.toMatchObject({ statusCode, code });
});

it("refuses a wrong signature and another version, and lists every call", async () => {
  const cloud = await aCloud();
  await expect(cmsClient(cloud, { accessKeySecret: "wrong" })("DescribeMetricLast", asked)).rejects.toMatchObject({
    code: "SignatureDoesNotMatch",
  });
  await expect(cmsClient(cloud, { version: "2018-01-01" })("DescribeMetricLast", asked)).rejects.toMatchObject({
    code: "InvalidVersion",
  });
  await cmsClient(cloud)("DescribeMetricLast", asked);
  expect(cloud.calls.since(0).calls).toMatchObject([
    { service: "cms", operation: "DescribeMetricLast", status: 400, caller: { principal: "" } },
    { status: 404, code: "InvalidVersion" },
    { status: 200, caller: { principal: "admin" }, params: asked },
  ]);
});

it("blocks an operation beyond fifty calls a second", async () => {
  const call = cmsClient(await aCloud());
  const ended = await Promise.allSettled(Array.from({ length: 51 }, () => call("DescribeMetricLast", asked)));
  const refused = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(refused).toMatchObject([{ code: "Throttling.User" }]);
});

it("plays the faults of calls", async () => {
  const cloud = await aCloud();
  const call = cmsClient(cloud);
  cloud.faults.set([
    { service: "cms", times: 1, fault: { kind: "reject", status: 503, code: "ServiceUnavailable" } },
    { service: "cms", times: 1, fault: { kind: "html-502" } },
    { service: "cms", times: 1, fault: { kind: "drop-before" } },
  ]);
  await expect(call("DescribeMetricLast", asked)).rejects.toMatchObject({ code: "ServiceUnavailable" });
  await expect(call("DescribeMetricLast", asked)).rejects.toThrow();
  await expect(call("DescribeMetricLast", asked)).rejects.toThrow();
  expect(cloud.calls.since(0).calls.map(({ status }) => status)).toEqual([503, 502, 0]);
  await expect(call("DescribeMetricLast", asked)).resolves.toMatchObject({ Code: "200" });
});
