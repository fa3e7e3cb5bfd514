// A small account on the embedded ECS, and the official SDK speaking to it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sdk from "@alicloud/ecs20140526";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import { onTestFinished } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { machineRandom } from "../../../local/random.ts";
import type { EcsCall, EcsOptions, EcsService } from "../../../local/services/ecs/ecs-service.ts";
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import type { AccountSeed } from "../../../local/services/ecs/seed.ts";
import { startEcs } from "../../../local/services/ecs/start-ecs.ts";
import { type RawAnswer, sendParts, signed } from "./raw.ts";
import { type Place, realPlace } from "./real-account.ts";

export const regionId = realPlace?.regionId ?? "cn-hangzhou";
export const startedAt = Date.UTC(2026, 10, 20, 7, 28, 38);

// The SDK is CommonJS: its class is one level deeper under a real ES module loader.
export const Client = (sdk.default as unknown as { default?: typeof sdk.default }).default ?? sdk.default;
export type Client = sdk.default;

const port = (number: number): Partial<EcsRule> => ({ portRange: `${number}/${number}`, sourceCidrIp: "0.0.0.0/0" });

export const seed: AccountSeed = {
  accountId: "1234567890123456",
  regionId,
  regions: ["cn-shanghai"],
  vpcId: "vpc-1",
  users: [
    { name: "safeport", accessKeyId: "AK1", accessKeySecret: "secret-1", principalId: "200001" },
    { name: "alice", accessKeyId: "AK2", accessKeySecret: "secret-2", principalId: "200002" },
  ],
  groups: [
    {
      groupId: "sg-web",
      name: "web",
      tags: { team: "web" },
      rules: [
        { ...port(80), ruleId: "sgr-80" },
        { ...port(443), ruleId: "sgr-443", description: "for everybody" },
        { ...port(25), ruleId: "sgr-out", direction: "egress", sourceCidrIp: "", destCidrIp: "0.0.0.0/0" },
      ],
    },
    { groupId: "sg-empty", name: "empty", rules: [] },
    { groupId: "sg-managed", name: "managed", serviceManaged: true, rules: [{ ...port(6443), ruleId: "sgr-6443" }] },
    { groupId: "sg-big", name: "big", type: "enterprise", rules: [] },
  ],
  instances: [
    { instanceId: "i-web-1", name: "web-1", address: "127.10.0.11", groupIds: ["sg-web"], listening: [22, 80] },
    {
      instanceId: "i-web-2",
      name: "web-2",
      address: "127.10.0.12",
      ipv6: ["2001:db8::12"],
      groupIds: ["sg-web", "sg-empty"],
      listening: [80],
    },
  ],
  enis: [
    { eniId: "eni-lb", address: "127.10.0.99", groupIds: ["sg-web"], serviceManaged: true },
    { eniId: "eni-second", instanceId: "i-web-1", address: "127.10.0.21", groupIds: ["sg-empty"] },
  ],
};

/** The SDK's client for one access key. */
export const clientOf = (ecs: Pick<EcsService, "endpoint">, accessKeyId = "AK1", accessKeySecret?: string): Client => {
  const user = seed.users.find((each) => each.accessKeyId === accessKeyId);
  return new Client(
    new $OpenApiUtil.Config({
      accessKeyId,
      accessKeySecret: accessKeySecret ?? user?.accessKeySecret ?? "nothing",
      regionId,
      endpoint: ecs.endpoint,
      protocol: "http",
    }),
  );
};

/** Where that service is, for calls by bytes. */
export const placeOf = ({ endpoint }: Pick<EcsService, "endpoint">): Place => ({
  url: `http://${endpoint}`,
  regionId,
  vpcId: seed.vpcId,
  accessKeyId: seed.users[0]?.accessKeyId ?? "",
  accessKeySecret: seed.users[0]?.accessKeySecret ?? "",
});

/** One call by bytes, in the region of the seed unless it says otherwise. */
export type CallByBytes = (action: string, query?: Readonly<Record<string, string>>) => Promise<RawAnswer>;

/** A started service with virtual time, its client, and everything called so far. Stops with the test. */
export const aWorld = async (
  options: Partial<Omit<EcsOptions, "clock" | "random">> = {},
): Promise<{ ecs: EcsService; client: Client; call: CallByBytes; clock: CloudClock; calls: EcsCall[] }> => {
  const clock = new CloudClock({ startMs: startedAt });
  const calls: EcsCall[] = [];
  const ecs = await startEcs({ seed, onCall: (call) => calls.push(call), ...options, clock, random: machineRandom() });
  onTestFinished(() => ecs.stop());
  const place = placeOf(ecs);
  const call: CallByBytes = (action, query = {}) =>
    sendParts(place, signed(place, { action, query: { RegionId: regionId, ...query } }));
  return { ecs, client: clientOf(ecs), call, clock, calls };
};

/** An empty directory that goes with the test. */
export const aDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "ecs-state-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

/** A permission of port 22 for one address, with changes. */
export const ssh = (changes: Partial<sdk.AuthorizeSecurityGroupRequestPermissions> = {}) =>
  new sdk.AuthorizeSecurityGroupRequestPermissions({
    policy: "accept",
    priority: "1",
    ipProtocol: "tcp",
    portRange: "22/22",
    sourceCidrIp: "203.0.113.7/32",
    ...changes,
  });

/** An Authorize of `sg-web` unless told otherwise. */
export const authorize = (
  client: Client,
  permissions: sdk.AuthorizeSecurityGroupRequestPermissions[] | undefined,
  more: { securityGroupId?: string; clientToken?: string; regionId?: string } = {},
) =>
  client.authorizeSecurityGroup(
    new sdk.AuthorizeSecurityGroupRequest({
      regionId,
      securityGroupId: "sg-web",
      ...(permissions === undefined ? {} : { permissions }),
      ...more,
    }),
  );

/** The rules of a group as the SDK reads them, first page. */
export const rulesOf = async (client: Client, securityGroupId = "sg-web", direction = "ingress") => {
  const answer = await client.describeSecurityGroupAttribute(
    new sdk.DescribeSecurityGroupAttributeRequest({ regionId, securityGroupId, direction, maxResults: 1000 }),
  );
  return answer.body?.permissions?.permission ?? [];
};

/** A call with parameters that the SDK's models do not know, signed by the SDK all the same. Answers the body. */
export const rawCall = async (
  client: Client,
  action: string,
  query: Readonly<Record<string, string>>,
  version = "2014-05-26",
): Promise<Record<string, unknown>> => {
  const params = new $OpenApiUtil.Params({
    action,
    version,
    protocol: "HTTP",
    pathname: "/",
    method: "POST",
    authType: "AK",
    style: "RPC",
    reqBodyType: "formData",
    bodyType: "json",
  });
  const runtime = {} as Parameters<Client["callApi"]>[2];
  const answer = await client.callApi(params, new $OpenApiUtil.OpenApiRequest({ query: { ...query } }), runtime);
  return answer["body"] as Record<string, unknown>;
};

/** The error a call ends with, reduced to what a caller can branch on; fails when there is none. */
export const refusalOf = async (call: Promise<unknown>): Promise<{ statusCode: unknown; code: unknown }> => {
  try {
    await call;
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
    return { statusCode, code };
  }
  throw new Error("The call was not refused.");
};

/** Lets everything that only waits for sockets and promises happen. */
export const until = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 10_000; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("It never came true.");
};
