// DescribeMetricList: the data points of a metric over a span of time.
import { expect, it } from "vitest";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";
import { asked, points, START_MS, withPoints } from "./world.ts";

const onEmbedded = itEmbedded("CMS");

it("answers JSON text, empty for what nobody measures, by SDK and by bytes", async () => {
  const { call, raw } = await aCms();
  const query = { ...asked, Dimensions: '[{"instanceId":"i-nobody"}]' };
  expect(await call("DescribeMetricList", query)).toMatchObject({ Code: "200", Success: true, Period: "60" });
  expect(points((await raw("DescribeMetricList", query)).body)).toEqual([]);
});

it.each([
  { MetricName: "" },
  { ...asked, Dimensions: "{" },
  { ...asked, Period: "0" },
  { ...asked, Length: "1441" },
  { ...asked, StartTime: "soon" },
  { ...asked, StartTime: "2026-09-01 00:00:00", EndTime: "2026-11-01 00:00:00" },
  { ...asked, StartTime: "2026-11-01 00:00:00", EndTime: "2026-10-31 00:00:00" },
])("refuses %j, by bytes", async (query) => {
  const { raw } = await aCms();
  expect(outcomeOf(await raw("DescribeMetricList", { Namespace: "acs_ecs_dashboard", ...query }))).toBe(
    "400 ParameterInvalid",
  );
});

onEmbedded("answers whole periods, open on the left and closed on the right", async () => {
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

onEmbedded("takes instants as text of UTC+8, and pages by token", async () => {
  const { call } = await withPoints(8);
  const query = { ...asked, StartTime: "2026-11-01 15:50:00", EndTime: "2026-11-01 16:00:00", Length: "5" };
  const first = await call("DescribeMetricList", query);
  expect([points(first).length, first["NextToken"]]).toEqual([5, "5"]);
  const second = await call("DescribeMetricList", { ...query, NextToken: "5" });
  expect([points(second).length, second["NextToken"]]).toEqual([3, undefined]);
});

onEmbedded("forgets short periods sooner than long ones", async () => {
  const { cloud, call } = await withPoints(2);
  await cloud.advance(35 * 86_400_000);
  const range = { StartTime: String(START_MS - 600_000), EndTime: String(START_MS + 600_000) };
  expect(points(await call("DescribeMetricList", { ...asked, ...range, Period: "60" }))).toEqual([]);
  expect(points(await call("DescribeMetricList", { ...asked, ...range, Period: "300" }))).toHaveLength(2);
});
