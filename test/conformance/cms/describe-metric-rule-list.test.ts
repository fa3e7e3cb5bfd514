// DescribeMetricRuleList: which alarm rules there are, and in which state.
import { expect, it } from "vitest";
import { outcomeOf } from "../rpc/target.ts";
import { aCms, rulesOf } from "./target.ts";

it("tells all about a rule, by SDK and by bytes", async () => {
  const { call, ofOwn, raw, tag } = await aCms();
  await call("PutResourceMetricRule", ofOwn({ Webhook: "https://203.0.113.7/x" }));
  const told = {
    ...{ RuleId: tag, RuleName: tag, Namespace: "acs_ecs_dashboard", MetricName: "CPUUtilization" },
    ...{ Resources: '[{"resource":"_ALL"}]', Webhook: "https://203.0.113.7/x", EnableState: true, AlertState: "OK" },
    Escalations: {
      Critical: {
        ...{ Statistics: "Average", ComparisonOperator: "GreaterThanOrEqualToThreshold", Threshold: "90", Times: 2 },
      },
    },
  };
  const body = await call("DescribeMetricRuleList", { RuleIds: tag });
  expect(body).toMatchObject({ Code: 200, Total: "1" });
  expect(rulesOf(body)).toMatchObject([told]);
  expect(rulesOf((await raw("DescribeMetricRuleList", { RuleIds: tag })).body)).toMatchObject([told]);
});

it("finds rules by their fields, page by page", async () => {
  const { call, ofOwn, tag } = await aCms();
  for (const n of ["1", "2"])
    await call("PutResourceMetricRule", ofOwn({ RuleId: `${tag}-${n}`, RuleName: `${tag}-${n}` }));
  const found = async (query: Readonly<Record<string, string>>) =>
    rulesOf(await call("DescribeMetricRuleList", query)).map(({ RuleName }) => RuleName);
  expect(await found({ RuleName: `${tag}-2` })).toEqual([`${tag}-2`]);
  expect([...(await found({ RuleName: tag }))].sort()).toEqual([`${tag}-1`, `${tag}-2`]);
  const pages = [
    await found({ RuleName: tag, PageSize: "1" }),
    await found({ RuleName: tag, PageSize: "1", Page: "2" }),
  ];
  expect(pages.flat().sort()).toEqual([`${tag}-1`, `${tag}-2`]);
  expect(await found({ RuleName: tag, AlertState: "ALARM" })).toEqual([]);
  expect(await found({ RuleName: tag, EnableState: "false" })).toEqual([]);
  expect(await found({ RuleName: tag, MetricName: "memory" })).toEqual([]);
});

it("refuses more than twenty ids, and pages of more than a hundred, by bytes", async () => {
  const { raw } = await aCms();
  const RuleIds = Array.from({ length: 21 }, (_, n) => `nobody-${n}`).join(",");
  expect(outcomeOf(await raw("DescribeMetricRuleList", { RuleIds }))).toBe("400 ParameterInvalid");
  expect(outcomeOf(await raw("DescribeMetricRuleList", { PageSize: "101" }))).toBe("400 ParameterInvalid");
});
