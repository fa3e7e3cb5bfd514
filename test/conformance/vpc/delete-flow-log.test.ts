// DeleteFlowLog: it is gone, and writes nothing more.
import { expect, it } from "vitest";
import { itEmbedded, NOBODY, outcomeOf } from "../rpc/target.ts";
import { aVpc } from "./target.ts";
import { aCloud, MINUTE_MS, ofWeb, vpcClient, windows } from "./world.ts";

it("deletes a flow log, which then is not there, by SDK and by bytes", async () => {
  const { call, make, own, raw } = await aVpc();
  const id = await make();
  expect(await call("DeleteFlowLog", id)).toMatchObject({ Success: "true" });
  expect(await own()).toEqual([]);
  expect(outcomeOf(await raw("DeleteFlowLog", id))).toBe("404 InvalidFlowLogId.NotFound");
  expect(outcomeOf(await raw("DeleteFlowLog", { FlowLogId: NOBODY }))).toBe("404 InvalidFlowLogId.NotFound");
});

itEmbedded("VPC")("writes nothing after it was deleted", async () => {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
  const call = vpcClient(cloud);
  const { FlowLogId } = await call("CreateFlowLog", ofWeb(cloud));
  await cloud.advance(10 * MINUTE_MS);
  await call("DeleteFlowLog", { FlowLogId: String(FlowLogId) });
  await cloud.advance(20 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(["web-1 NODATA 10"]);
});
