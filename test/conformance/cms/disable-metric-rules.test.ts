// DisableMetricRules: what it does to rules, by their ids.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";

it("has a rule rest, by SDK and by bytes", async () => {
  const { call, ofOwn, own, raw, tag } = await aCms();
  await call("PutResourceMetricRule", ofOwn());
  const id = { "RuleId.1": tag };
  await call("EnableMetricRules", id);
  expect(await own()).toMatchObject({ EnableState: true });
  expect(await call("DisableMetricRules", id)).toMatchObject({ Code: "200", Success: true });
  expect(await own()).toMatchObject({ EnableState: false });
  expect((await raw("DisableMetricRules", id)).status).toBe(200);
  expect(await own()).toMatchObject({ EnableState: false });
});

it("refuses an id that no rule has, by bytes", async () => {
  const { raw } = await aCms();
  expect(outcomeOf(await raw("DisableMetricRules", { "RuleId.1": NOBODY }))).toBe("404 ResourceNotFound");
});
