// DescribeFlowLogs: what a flow log is told to be, and whether its records arrive.

import { expect, it } from "vitest";
import { itEmbedded, NOBODY, outcomeOf } from "../rpc/target.ts";
import { aVpc, listOf } from "./target.ts";
import { aCloud, eniOf, MINUTE_MS, ofWeb, rawVpc, START_MS, vpcClient } from "./world.ts";

const onEmbedded = itEmbedded("VPC");

it("tells of a flow log by its fields, by SDK and by bytes", async () => {
  const { make, own, raw, tag } = await aVpc();
  const { FlowLogId } = await make({ Description: "made by a test" });
  const told = { FlowLogId, FlowLogName: tag, Description: "made by a test", TrafficType: "All" };
  expect(await own()).toMatchObject([told]);
  expect(await own({ TrafficType: "Drop" })).toEqual([]);
  expect(listOf((await raw("DescribeFlowLogs", { FlowLogId })).body)).toMatchObject([told]);
  expect(listOf((await raw("DescribeFlowLogs", { FlowLogId: NOBODY })).body)).toEqual([]);
});

it("refuses pages that are too long, by bytes", async () => {
  const { raw } = await aVpc();
  expect(outcomeOf(await raw("DescribeFlowLogs", { PageSize: "51" }))).toBe("400 InvalidPageSize");
});

onEmbedded("tells all about a flow log", async () => {
  const cloud = await aCloud();
  const call = vpcClient(cloud);
  const { FlowLogId } = await call(
    "CreateFlowLog",
    ofWeb(cloud, { Description: "of the web server", "Tag.1.Key": "team", "Tag.1.Value": "web" }),
  );
  const body = await call("DescribeFlowLogs");
  expect(body).toMatchObject({ Success: "true", TotalCount: 1, PageNumber: 1, PageSize: 20 });
  expect(listOf(body)).toEqual([
    {
      FlowLogId,
      FlowLogName: "web",
      Description: "of the web server",
      RegionId: "cn-hangzhou",
      CreationTime: new Date(START_MS).toISOString().replace(".000", ""),
      ResourceType: "NetworkInterface",
      ResourceId: eniOf(cloud, "web-1"),
      TrafficType: "All",
      TrafficPath: { TrafficPathList: ["all"] },
      ProjectName: "net",
      LogStoreName: "flow",
      AggregationInterval: 10,
      IpVersion: "IPv4",
      Status: "Activating",
      BusinessStatus: "Normal",
      ServiceType: "sls",
      ResourceGroupId: "",
      FlowLogDeliverStatus: "SUCCESS",
      FlowLogDeliverErrorMessage: "",
      Tags: { Tag: [{ Key: "team", Value: "web" }] },
    },
  ]);
  await cloud.advance(MINUTE_MS);
  const raw = await rawVpc(cloud, { action: "DescribeFlowLogs", query: { RegionId: "cn-hangzhou" } });
  expect(listOf(raw.body)).toMatchObject([{ FlowLogId, Status: "Active" }]);
});

onEmbedded("finds flow logs by their fields, page by page", async () => {
  const cloud = await aCloud();
  const call = vpcClient(cloud);
  for (const name of ["web-1", "legacy-1", "lab-1"])
    await call("CreateFlowLog", ofWeb(cloud, { FlowLogName: name, ResourceId: eniOf(cloud, name) }));
  const found = async (query: Record<string, string>) =>
    listOf(await call("DescribeFlowLogs", query)).map((each) => each["FlowLogName"]);
  expect(await found({ ResourceId: eniOf(cloud, "lab-1") })).toEqual(["lab-1"]);
  expect(await found({ FlowLogName: "legacy-1", Status: "Activating" })).toEqual(["legacy-1"]);
  expect(await found({ ProjectName: "other" })).toEqual([]);
  expect(await found({ PageSize: "2" })).toEqual(["web-1", "legacy-1"]);
  expect(await found({ PageSize: "2", PageNumber: "2" })).toEqual(["lab-1"]);
  await expect(found({ PageSize: "51" })).rejects.toMatchObject({ code: "InvalidPageSize" });
});

onEmbedded("says that records do not arrive while the logstore is missing", async () => {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
  const call = vpcClient(cloud);
  await call("CreateFlowLog", ofWeb(cloud, { LogStoreName: "nowhere" }));
  await cloud.advance(10 * MINUTE_MS);
  expect(listOf(await call("DescribeFlowLogs"))).toMatchObject([
    { Status: "Active", FlowLogDeliverStatus: "FAILED", FlowLogDeliverErrorMessage: "UnavaliableTarget" },
  ]);
  cloud.sls.ensure("net", "nowhere");
  await cloud.advance(10 * MINUTE_MS);
  expect(listOf(await call("DescribeFlowLogs"))).toMatchObject([{ FlowLogDeliverStatus: "SUCCESS" }]);
});
