// CreateFlowLog: whose traffic is written where, and what is refused.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { seededRandom } from "../../../local/random.ts";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aVpc } from "./target.ts";
import { aCloud, eniOf, logs, MINUTE_MS, ofWeb, vpcClient, windows } from "./world.ts";

const onEmbedded = itEmbedded("VPC");

onEmbedded("writes one record a window for the interface, once the flow log is active", async () => {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 12 * MINUTE_MS } });
  const call = vpcClient(cloud);
  const created = await call("CreateFlowLog", ofWeb(cloud));
  expect(created).toMatchObject({
    Success: "true",
    FlowLogId: expect.stringMatching(/^fl-/),
    RequestId: expect.any(String),
  });
  await cloud.advance(41 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(["web-1 NODATA 20", "web-1 NODATA 30", "web-1 NODATA 40"]);
});

onEmbedded("covers every interface of a network or a vSwitch, in windows as long as was asked", async () => {
  for (const [type, interval, count] of [
    ["VPC", "1", 5],
    ["VSwitch", "5", 1],
  ] as const) {
    const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
    const { vpcId } = cloud.account;
    const ResourceId = type === "VPC" ? vpcId : vpcId.replace("vpc-", "vsw-");
    await vpcClient(cloud)(
      "CreateFlowLog",
      ofWeb(cloud, { ResourceType: type, ResourceId, AggregationInterval: interval }),
    );
    await cloud.advance(5 * MINUTE_MS);
    const seen = await windows(cloud);
    for (const name of ["web-1", "legacy-1", "lab-1", "ack-node-1"])
      expect(seen.filter((line) => line.startsWith(`${name} NODATA`))).toHaveLength(count);
    expect(seen).toHaveLength(4 * count);
  }
});

onEmbedded("tells of what was let in or of what was refused alone, when asked for it", async () => {
  for (const [trafficType, action] of [
    ["Allow", "ACCEPT"],
    ["Drop", "REJECT"],
  ] as const) {
    const cloud = await aCloud({
      vpcSwitches: { flowLogActivatingMs: 0 },
      scanNoiseMs: 200,
      random: seededRandom(action),
    });
    await vpcClient(cloud)("CreateFlowLog", ofWeb(cloud, { TrafficType: trafficType, AggregationInterval: "1" }));
    await cloud.advance(2 * MINUTE_MS);
    const actions = new Set((await logs(cloud)).map((log) => log["action"]));
    expect([...actions]).toEqual([action]);
  }
});

it("makes a flow log of an interface, one alone, by SDK and by bytes", async () => {
  const { ofOwn, own, raw, call } = await aVpc();
  const made = await call("CreateFlowLog", ofOwn());
  expect(made).toMatchObject({
    Success: "true",
    FlowLogId: expect.stringMatching(/^fl-/),
    RequestId: expect.any(String),
  });
  expect(await own()).toMatchObject([{ FlowLogId: made["FlowLogId"] }]);
  const again = await raw("CreateFlowLog", ofOwn());
  expect([outcomeOf(again), again.body["Message"]]).toEqual([
    "400 InvalidResourceId.NotFound",
    expect.stringContaining("already exists"),
  ]);
});

it.each([
  ["400 InvalidResourceType.Malformed", { ResourceType: "Instance" }],
  ["400 InvalidTrafficType.Malformed", { TrafficType: "Some" }],
  ["400 InvalidAggregationInterval", { AggregationInterval: "60" }],
  ["400 InvalidFlowLogName", { FlowLogName: "http://x" }],
])("refuses with %s for %j, by bytes", async (outcome, wrong) => {
  const { ofOwn, own, raw } = await aVpc();
  expect(outcomeOf(await raw("CreateFlowLog", ofOwn(wrong)))).toBe(outcome);
  expect(await own()).toEqual([]);
});

onEmbedded.each([
  ["InvalidResourceId.NotFound", { ResourceId: "eni-nobody" }],
  ["OperationDenied.TrafficPathNotSupport", { "TrafficPath.1": "internetGateway" }],
  ["MissingParameter", { LogStoreName: "" }],
  ["InvalidRegionId.NotFound", { RegionId: "cn-nowhere" }],
])("refuses with %s for %j", async (code, wrong) => {
  const cloud = await aCloud();
  await expect(vpcClient(cloud)("CreateFlowLog", ofWeb(cloud, wrong))).rejects.toMatchObject({ code });
  expect((await vpcClient(cloud)("DescribeFlowLogs"))["TotalCount"]).toBe(0);
});

onEmbedded("keeps flow logs across a restart, and forgets them on reset", async () => {
  const directory = mkdtempSync(join(tmpdir(), "safeport-vpc-"));
  const first = await aCloud({ directory, vpcSwitches: { flowLogActivatingMs: 0 } });
  await vpcClient(first)("CreateFlowLog", ofWeb(first));
  await first.stop();
  const second = await aCloud({ directory });
  await second.advance(10 * MINUTE_MS);
  expect(await windows(second)).toEqual(["web-1 NODATA 10"]);
  await second.reset();
  expect((await vpcClient(second)("DescribeFlowLogs"))["TotalCount"]).toBe(0);
});

onEmbedded.each([
  ["skip-data", ["web-1 NODATA 10", "web-1 SKIPDATA 20", "web-1 SKIPDATA 30", "web-1 NODATA 40"]],
  ["drop-before", ["web-1 NODATA 10", "web-1 NODATA 40"]],
])("can lose the records of some windows: %s", async (kind, expected) => {
  const cloud = await aCloud({ vpcSwitches: { flowLogActivatingMs: 0 } });
  await vpcClient(cloud)("CreateFlowLog", ofWeb(cloud));
  const from = cloud.clock.now() + 15 * MINUTE_MS;
  const match = { eniId: eniOf(cloud, "web-1") };
  const fault = { kind } as { readonly kind: "skip-data" };
  cloud.faults.set([{ service: "flowlog", match, from, until: from + 20 * MINUTE_MS, fault }]);
  await cloud.advance(40 * MINUTE_MS);
  expect(await windows(cloud)).toEqual(expected);
});
