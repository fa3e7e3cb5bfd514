// DeleteMetricRules: they are gone, and watch nothing more.
import { expect, it } from "vitest";
import { itEmbedded, NOBODY, outcomeOf } from "../rpc/target.ts";
import { aCms } from "./target.ts";
import { aCloud, aReceiver, cmsClient, cpuRule, minuteOf } from "./world.ts";

it("deletes a rule, by SDK and by bytes", async () => {
  const { call, ofOwn, own, raw, tag } = await aCms();
  for (const remove of [call, raw]) {
    await call("PutResourceMetricRule", ofOwn());
    await remove("DeleteMetricRules", { "Id.1": tag });
    expect(await own()).toBeUndefined();
  }
});

it("refuses an id that no rule has, and none, by bytes", async () => {
  const { raw } = await aCms();
  expect(outcomeOf(await raw("DeleteMetricRules", { "Id.1": NOBODY }))).toBe("404 ResourceNotFound");
  expect(outcomeOf(await raw("DeleteMetricRules"))).toBe("400 ParameterInvalid");
});

itEmbedded("CMS")("tells nobody any more", async () => {
  const cloud = await aCloud();
  const receiver = await aReceiver();
  const call = cmsClient(cloud);
  await call("PutResourceMetricRule", cpuRule(receiver.url));
  await call("DeleteMetricRules", { "Id.1": "rule-1" });
  for (let minute = 0; minute < 3; minute += 1) await minuteOf(cloud, 99);
  expect(receiver.posts).toEqual([]);
});
