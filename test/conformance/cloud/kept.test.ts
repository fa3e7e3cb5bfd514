// What outlives the process: the trail's events, the log service with its logs, metrics, roles and policies, added callers.

import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { flow, START_MS, slsClient } from "../sls/world.ts";
import { ecsClient, rpcClient } from "./rpc-call.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "kept-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function start(directory: string, startMs = START_MS): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.131.0.0/16", engine: "userspace", startMs, directory });
  onTestFinished(() => cloud.stop());
  return cloud;
}

const looked = async (cloud: Cloud): Promise<readonly unknown[]> => {
  await cloud.advance(cloud.eventSwitches.lookupDelayMs);
  const actiontrail = { endpoint: cloud.endpoints.actiontrail, version: "2020-07-06" };
  const answer = await rpcClient(cloud, seedUser(cloud.account, "admin"), actiontrail)("LookupEvents", {});
  return (answer["body"] as { Events: { eventName: string }[] }).Events.map(({ eventName }) => eventName);
};

it("finds the events of earlier runs, until reset", async () => {
  const directory = folder();
  const first = await start(directory);
  const who = seedUser(first.account, "foreign");
  await ecsClient(first, who)("CreateSecurityGroup", { VpcId: first.account.vpcId });
  await first.stop();
  // Killed in the middle of a line.
  appendFileSync(join(directory, "actiontrail", "events.jsonl"), '{"at":17');
  const second = await start(directory, START_MS + 60_000);
  const gone = { SecurityGroupId: "sg-nobody" };
  await expect(ecsClient(second, who)("DeleteSecurityGroup", gone)).rejects.toThrow();
  expect(await looked(second)).toEqual(["DeleteSecurityGroup", "CreateSecurityGroup"]);
  await second.stop();
  const third = await start(directory, START_MS + 120_000);
  expect(await looked(third)).toEqual(["DeleteSecurityGroup", "CreateSecurityGroup"]);
  await third.reset();
  expect(await looked(third)).toEqual([]);
});

it("finds the logs of earlier runs within their retention, and the projects with their index", async () => {
  const directory = folder();
  const first = await start(directory);
  first.sls.ensure("net", "flow", 3);
  first.sls.put("net", "flow", [{ at: START_MS, topic: "flow_log", fields: flow({ dstport: "22" }) }]);
  await first.stop();
  const ask = async (cloud: Cloud) => {
    const to = String(START_MS / 1_000 + 10 * 86_400);
    const query = { type: "log", from: String(START_MS / 1_000), to, query: "*" };
    return (await slsClient(cloud)({ path: "/logstores/flow", query })).body as { dstport: string }[];
  };
  const second = await start(directory, START_MS + 2 * 86_400_000);
  second.sls.put("net", "flow", [{ at: second.clock.now(), fields: flow({ dstport: "80" }) }]);
  await second.advance(3_000);
  expect((await ask(second)).map(({ dstport }) => dstport)).toEqual(["22", "80"]);
  const described = await slsClient(second)({ path: "/logstores/flow" });
  expect(described.body).toMatchObject({ logstoreName: "flow", ttl: 3, createTime: START_MS / 1_000 });
  expect((await slsClient(second)({ path: "/logstores/flow/index" })).status).toBe(200);
  await second.stop();
  const third = await start(directory, START_MS + 4 * 86_400_000);
  expect((await ask(third)).map(({ dstport }) => dstport)).toEqual(["80"]);
  await third.reset();
  expect((await slsClient(third)({ path: "/logstores/flow" })).body).toMatchObject({ errorCode: "ProjectNotExist" });
  expect(readdirSync(join(directory, "sls")).sort()).toEqual(["net", "projects.json"]);
});

it("knows added callers, their policies, and roles with theirs after a restart and a reset", async () => {
  const directory = folder();
  const first = await start(directory);
  const pipeline = first.addPrincipal({ kind: "role", name: "pipeline", session: "apply", address: "203.0.113.9" });
  const regions = { Effect: "Allow", Action: "ecs:DescribeRegions", Resource: "*" } as const;
  first.ram.attach("pipeline", [{ Version: "1", Statement: [regions] }]);
  const ramOf = (cloud: Cloud) => {
    const call = rpcClient(cloud, seedUser(cloud.account, "admin"), {
      endpoint: cloud.endpoints.ram,
      version: "2015-05-01",
    });
    return async (action: string, query: Record<string, string>) =>
      (await call(action, query))["body"] as Record<string, unknown>;
  };
  const document = JSON.stringify({ Version: "1", Statement: [{ ...regions, Action: "ecs:Describe*" }] });
  await ramOf(first)("CreateRole", { RoleName: "reader", AssumeRolePolicyDocument: "{}" });
  await ramOf(first)("CreatePolicy", { PolicyName: "read", PolicyDocument: document });
  await ramOf(first)("AttachPolicyToRole", { RoleName: "reader", PolicyName: "read", PolicyType: "Custom" });
  await first.stop();

  const second = await start(directory, START_MS + 60_000);
  for (const reset of [false, true]) {
    if (reset) await second.reset();
    await ecsClient(second, pipeline)("DescribeRegions", {});
    await expect(ecsClient(second, pipeline)("DescribeSecurityGroups", {})).rejects.toMatchObject({
      code: "Forbidden.RAM",
    });
    expect(Object.keys(second.ram.attached())).toEqual(["pipeline", "reader"]);
  }
  expect(await ramOf(second)("ListPoliciesForRole", { RoleName: "reader" })).toMatchObject({
    Policies: { Policy: [{ PolicyName: "read" }] },
  });
  await expect(ramOf(second)("CreatePolicy", { PolicyName: "read", PolicyDocument: document })).rejects.toMatchObject({
    code: "EntityAlreadyExists.Policy",
  });
  second.ram.detach("pipeline");
  await second.stop();
  const third = await start(directory, START_MS + 120_000);
  await ecsClient(third, pipeline)("DescribeSecurityGroups", {});
});

it("has the metrics of earlier runs, also after a torn line and with late points, until reset", async () => {
  const directory = folder();
  const measured = (cloud: Cloud, value: number, minute: number, instanceId = "i-1"): void =>
    cloud.cms.measure({
      namespace: "acs_ecs_dashboard",
      metricName: "CPUUtilization",
      dimensions: { instanceId },
      value,
      at: START_MS + minute * 60_000,
    });
  const ask = async (cloud: Cloud): Promise<readonly string[]> => {
    const cms = { endpoint: cloud.endpoints.cms, version: "2019-01-01" };
    const answer = await rpcClient(
      cloud,
      seedUser(cloud.account, "admin"),
      cms,
    )("DescribeMetricList", {
      Namespace: "acs_ecs_dashboard",
      MetricName: "CPUUtilization",
      StartTime: String(START_MS - 60_000),
      EndTime: String(START_MS + 600_000),
    });
    const points = JSON.parse(String((answer["body"] as { Datapoints: string }).Datapoints)) as Record<
      string,
      unknown
    >[];
    return points.map((point) => `${point["instanceId"]} ${point["Average"]}`);
  };
  const first = await start(directory);
  measured(first, 1, 0);
  measured(first, 3, 2);
  measured(first, 2, 1);
  measured(first, 9, 0, "i-2");
  await first.stop();
  appendFileSync(join(directory, "cms", "metrics.jsonl"), "[1,17");
  const second = await start(directory, START_MS + 600_000);
  measured(second, 4, 3);
  measured(second, 5, 0, "i-3");
  expect([...(await ask(second))].sort()).toEqual(["i-1 1", "i-1 2", "i-1 3", "i-1 4", "i-2 9", "i-3 5"]);
  await second.stop();
  const third = await start(directory, START_MS + 600_000);
  expect(await ask(third)).toHaveLength(6);
  await third.reset();
  await third.stop();
  expect(await ask(await start(directory, START_MS + 600_000))).toEqual([]);
});
