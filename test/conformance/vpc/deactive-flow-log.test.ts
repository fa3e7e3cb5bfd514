// DeactiveFlowLog: a gap in what is written.
import { expect, it } from "vitest";
import { itEmbedded, NOBODY, outcomeOf } from "../rpc/target.ts";
import { aVpc } from "./target.ts";
import { aCloud, MINUTE_MS, ofWeb, rawVpc, vpcClient, windows } from "./world.ts";

it("puts a flow log to rest, by SDK and by bytes", async () => {
  const { call, inState, make, raw } = await aVpc();
  const id = await make();
  await inState("Active");
  expect(await call("DeactiveFlowLog", id)).toMatchObject({ Success: "true" });
  await inState("Inactive");
  await call("ActiveFlowLog", id);
  await inState("Active");
  expect((await raw("DeactiveFlowLog", id)).status).toBe(200);
  await inState("Inactive");
});

it("refuses an unknown flow log", async () => {
  const { raw } = await aVpc();
  expect(outcomeOf(await raw("DeactiveFlowLog", { FlowLogId: NOBODY }))).toBe("404 InvalidFlowLogId.NotFound");
});

itEmbedded("VPC")("writes nothing until the flow log is active again", async () => {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
  const call = vpcClient(cloud);
  const id = { FlowLogId: String((await call("CreateFlowLog", ofWeb(cloud)))["FlowLogId"]) };
  await cloud.advance(10 * MINUTE_MS);
  await call("DeactiveFlowLog", id);
  await cloud.advance(20 * MINUTE_MS);
  await call("ActiveFlowLog", id);
  await cloud.advance(10 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(["web-1 NODATA 10", "web-1 NODATA 40"]);
});

itEmbedded("VPC")("is one of five operations: others are unknown", async () => {
  const answer = await rawVpc(await aCloud(), { action: "OpenFlowLogService", query: {} });
  expect(answer.body["Code"]).toBe("InvalidAction.NotFound");
});
