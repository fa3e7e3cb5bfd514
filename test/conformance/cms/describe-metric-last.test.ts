// DescribeMetricLast: the newest data point of each series.
import { expect, it } from "vitest";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";
import { asked, points, START_MS, withPoints } from "./world.ts";

it("answers JSON text, empty for what nobody measures, by SDK and by bytes", async () => {
  const { call, raw } = await aCms();
  const query = { ...asked, Dimensions: '[{"instanceId":"i-nobody"}]' };
  expect(await call("DescribeMetricLast", query)).toMatchObject({ Code: "200", Success: true, Period: "60" });
  expect(points((await raw("DescribeMetricLast", query)).body)).toEqual([]);
});

it("refuses a call without a metric, and dimensions that are no JSON", async () => {
  const { raw } = await aCms();
  const wrong = [{ Namespace: "acs_ecs_dashboard" }, { ...asked, Dimensions: "{" }];
  for (const query of wrong) expect(outcomeOf(await raw("DescribeMetricLast", query))).toBe("400 ParameterInvalid");
});

itEmbedded("CMS")("answers the last point of each series within reach", async () => {
  const { cloud, call } = await withPoints(4);
  const last = points(await call("DescribeMetricLast", asked));
  expect(last.map(({ timestamp, Maximum }) => [timestamp, Maximum])).toEqual([
    [START_MS - 60_000, 3],
    [START_MS - 60_000, 103],
  ]);
  await cloud.advance(2 * 3_600_000);
  expect(points(await call("DescribeMetricLast", asked))).toEqual([]);
});
