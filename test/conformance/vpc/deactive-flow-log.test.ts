// DeactiveFlowLog, ActiveFlowLog and DeleteFlowLog: gaps in what is written.

import { expect, it } from "vitest";
import { aCloud, MINUTE_MS, ofWeb, rawVpc, vpcClient, windows } from "./world.ts";

async function recording() {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
  const call = vpcClient(cloud);
  const { FlowLogId } = await call("CreateFlowLog", ofWeb(cloud));
  await cloud.advance(10 * MINUTE_MS);
  const statuses = async () =>
    ((await call("DescribeFlowLogs"))["FlowLogs"] as { FlowLog: { Status: string }[] }).FlowLog.map(
      ({ Status }) => Status,
    );
  return { cloud, call, id: { FlowLogId: String(FlowLogId) }, statuses };
}

it("writes nothing between the one and the other", async () => {
  const { cloud, call, id, statuses } = await recording();
  await call("DeactiveFlowLog", id);
  expect(await statuses()).toEqual(["Inactive"]);
  await cloud.advance(20 * MINUTE_MS);
  await call("ActiveFlowLog", id);
  expect(await statuses()).toEqual(["Active"]);
  await cloud.advance(10 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(["web-1 NODATA 10", "web-1 NODATA 40"]);
});

it("writes nothing after the flow log was deleted", async () => {
  const { cloud, call, id, statuses } = await recording();
  await call("DeleteFlowLog", id);
  expect(await statuses()).toEqual([]);
  await cloud.advance(20 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(["web-1 NODATA 10"]);
});

it.each(["DeactiveFlowLog", "ActiveFlowLog", "DeleteFlowLog"])(
  "%s refuses an unknown flow log, by bytes too",
  async (action) => {
    const { cloud, call } = await recording();
    await expect(call(action, { FlowLogId: "fl-nobody" })).rejects.toMatchObject({ code: "InvalidFlowLogId.NotFound" });
    const raw = await rawVpc(cloud, { action, query: { RegionId: "cn-hangzhou", FlowLogId: "fl-nobody" } });
    expect([raw.status, raw.body["Code"]]).toEqual([404, "InvalidFlowLogId.NotFound"]);
    expect((await rawVpc(cloud, { action: "OpenFlowLogService", query: {} })).body["Code"]).toBe(
      "InvalidAction.NotFound",
    );
  },
);
