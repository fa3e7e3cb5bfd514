// EnableMetricRules: what it does to rules, by their ids.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";

it("makes a rule count again, by SDK and by bytes", async () => {
  const { call, ofOwn, own, raw, tag } = await aCms();
  await call("PutResourceMetricRule", ofOwn());
  const id = { "RuleId.1": tag };
  await call("DisableMetricRules", id);
  expect(await own()).toMatchObject({ EnableState: false });
  expect(await call("EnableMetricRules", id)).toMatchObject({ Code: "200", Success: true });
  expect(await own()).toMatchObject({ EnableState: true });
  expect((await raw("EnableMetricRules", id)).status).toBe(200);
  expect(await own()).toMatchObject({ EnableState: true });
});

it("refuses an id that no rule has, by bytes", async () => {
  const { raw } = await aCms();
  expect(outcomeOf(await raw("EnableMetricRules", { "RuleId.1": NOBODY }))).toBe("404 ResourceNotFound");
});
