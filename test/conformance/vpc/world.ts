// A cloud on virtual time, the official RPC core as a client of its VPC service, and what its flow logs have written.

import { onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { rpcClient } from "../cloud/rpc-call.ts";
import { type RawAnswer, type RawCall, sendParts, signed } from "../ecs/raw.ts";
import { slsClient } from "../sls/world.ts";

/** On the edge of a window of ten minutes. */
export const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);
export const MINUTE_MS = 60_000;

type Body = Record<string, unknown>;

/** A cloud whose instances have no listeners; its flow logs go to the logstore `flow` of the project `net`. */
export async function aCloud(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.127.0.0/16", engine: "userspace", startMs: START_MS, ...options });
  onTestFinished(() => cloud.stop());
  cloud.sls.ensure("net", "flow", 60);
  return cloud;
}

/** Calls VPC and answers the body. */
export function vpcClient(cloud: Cloud): (action: string, query?: Record<string, string>) => Promise<Body> {
  const client = rpcClient(cloud, seedUser(cloud.account, "admin"), {
    endpoint: cloud.endpoints.vpc,
    version: "2016-04-28",
  });
  return async (action, query = {}) => (await client(action, query))["body"] as Body;
}

/** The same by bytes of another make. */
export function rawVpc(cloud: Cloud, call: RawCall): Promise<RawAnswer> {
  const { regionId, vpcId } = cloud.account;
  const place = { url: `http://${cloud.endpoints.vpc}`, regionId, vpcId, ...seedUser(cloud.account, "admin") };
  return sendParts(place, signed(place, { version: "2016-04-28", ...call }));
}

/** A flow log of the first instance's interface. */
export const ofWeb = (cloud: Cloud, more: Record<string, string> = {}): Record<string, string> => ({
  FlowLogName: "web",
  ResourceType: "NetworkInterface",
  ResourceId: eniOf(cloud, "web-1"),
  TrafficType: "All",
  ProjectName: "net",
  LogStoreName: "flow",
  ...more,
});

/** Id of an instance's interface. */
export function eniOf(cloud: Cloud, name: string): string {
  const instance = cloud.account.instances.find((each) => each.name === name);
  return cloud.ecs.enis().find((eni) => eni.instanceId === instance?.instanceId)?.eniId ?? "";
}

/** `interface status minute` of each log, the minute after the start at which its window ended. */
export async function windows(cloud: Cloud): Promise<readonly string[]> {
  const names = new Map(cloud.ecs.enis().map(({ eniId, instanceId }) => [eniId, instanceId]));
  const instances = new Map(cloud.account.instances.map(({ instanceId, name }) => [instanceId, name]));
  return (await logs(cloud)).map(({ "eni-id": eniId = "", "log-status": status, __time__ }) => {
    const name = instances.get(names.get(eniId) ?? "") ?? eniId;
    return `${name} ${status} ${(Number(__time__) - START_MS / 1_000) / 60}`;
  });
}

/** All logs of the logstore, oldest first. */
export async function logs(cloud: Cloud): Promise<readonly Record<string, string>[]> {
  await cloud.advance(cloud.slsSwitches.slsIndexDelayMs);
  const to = Math.ceil(cloud.clock.now() / 1_000) + 1;
  const query = { type: "log", from: String(START_MS / 1_000), to: String(to), query: "*", line: "100" };
  return (await slsClient(cloud)({ path: "/logstores/flow", query })).body as Record<string, string>[];
}
