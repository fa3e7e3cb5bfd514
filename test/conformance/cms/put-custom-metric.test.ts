// PutCustomMetric: values of the account's own, raw or taken together.
import { expect, it } from "vitest";
import { itEmbedded, outcomeOf, type Query } from "../rpc/target.ts";
import { aCms } from "./target.ts";
import { aCloud, cmsClient, points, START_MS } from "./world.ts";

const entry = (fields: Query, n = 1): Query =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`MetricList.${n}.${name}`, value]));
const value = { GroupId: "0", Dimensions: '{"port":"22"}', Type: "0", Values: '{"value":1}' };

it("takes values, by SDK and by bytes", async () => {
  const { call, raw, tag } = await aCms();
  expect(await call("PutCustomMetric", entry({ ...value, MetricName: tag }))).toMatchObject({ Code: "200" });
  expect((await raw("PutCustomMetric", entry({ ...value, MetricName: tag }))).status).toBe(200);
});

it.each([
  ["MetricName", ""],
  ["Dimensions", ""],
  ["Dimensions", "[]"],
  ["Dimensions", '{"port":"a=b"}'],
  ["Type", "2"],
  ["Values", "{}"],
  ["Values", "no JSON"],
  ["GroupId", ""],
])("refuses %s %j, by bytes", async (name, wrong) => {
  const { raw, tag } = await aCms();
  const fields = Object.entries({ ...value, MetricName: tag, [name]: wrong }).filter(([, text]) => text !== "");
  const answer = await raw("PutCustomMetric", entry(Object.fromEntries(fields)));
  expect(outcomeOf(answer)).toBe("400 ParameterInvalid");
});

it.each(["null", "5", '"5"', "[]"])("refuses values taken together that are %s, by bytes", async (Values) => {
  const { raw, tag } = await aCms();
  const answer = await raw("PutCustomMetric", entry({ ...value, MetricName: tag, Type: "1", Period: "60", Values }));
  expect(outcomeOf(answer)).toBe("400 ParameterInvalid");
});

it("refuses a call without any value", async () => {
  const { raw } = await aCms();
  expect(outcomeOf(await raw("PutCustomMetric"))).toBe("400 ParameterInvalid");
});

itEmbedded("CMS")("keeps them in the account's own namespace", async () => {
  const cloud = await aCloud();
  const call = cmsClient(cloud);
  const answer = await call("PutCustomMetric", {
    ...entry({
      ...{ GroupId: "0", MetricName: "listening", Type: "0", Values: '{"value":10.5}' },
      ...{ Dimensions: '{"instanceId":"i-1","port":"22"}', Time: String(START_MS - 60_000) },
    }),
    ...entry(
      {
        ...{ GroupId: "0", MetricName: "listening", Dimensions: '{"instanceId":"i-2","port":"22"}', Type: "1" },
        ...{ Period: "60", Values: '{"Average":4,"Minimum":1,"Maximum":9,"SampleCount":3}' },
      },
      2,
    ),
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
