// PutResourceMetricRule: an alarm rule over a product's metric, made or replaced by its id.
import { expect, it } from "vitest";
import { outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";

it("makes a rule, and replaces the one of that id, by SDK and by bytes", async () => {
  const { call, ofOwn, own, raw } = await aCms();
  expect(await call("PutResourceMetricRule", ofOwn())).toMatchObject({ Code: "200", Success: true });
  expect(await own()).toMatchObject({ MetricName: "CPUUtilization", Escalations: { Critical: { Threshold: "90" } } });
  const other = ofOwn({ "Escalations.Critical.Threshold": "95" });
  expect((await raw("PutResourceMetricRule", other)).status).toBe(200);
  expect(await own()).toMatchObject({ Escalations: { Critical: { Threshold: "95" } } });
});

it.each([
  ["MetricName", ""],
  ["Namespace", ""],
  ["Resources", ""],
  ["Escalations.Critical.Times", "0"],
  ["Escalations.Critical.Statistics", ""],
  ["Period", "a minute"],
])("refuses %s %j and keeps nothing, by bytes", async (name, value) => {
  const { ofOwn, own, raw } = await aCms();
  const answer = await raw("PutResourceMetricRule", ofOwn({ [name]: value }));
  expect(outcomeOf(answer)).toBe("400 ParameterInvalid");
  expect(await own()).toBeUndefined();
});
