// What outlives the process: the trail's events, and the log service with its logs.

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
