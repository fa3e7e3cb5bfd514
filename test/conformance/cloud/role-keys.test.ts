// The keys that functions are given: with a token, for a time, renewed before they end.

import { createRequire } from "node:module";
import TableStore from "tablestore";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { seedTablestoreInstance } from "../../../local/seed.ts";
import { bundle, START_MS } from "../functions/kit.ts";
import { ecsClient } from "./rpc-call.ts";

interface Keys {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken: string;
}

const HOUR_MS = 3_600_000;
const TELLS = `exports.handler = async (event, context) => ({ given: context.credentials, env: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID });`;

// The SDK has no type declarations.
const FcClient = createRequire(__filename)("@alicloud/fc2") as new (
  accountId: string,
  config: Readonly<Record<string, string>>,
) => { version: string; post(path: string, body: unknown, headers: object): Promise<unknown> };

async function start(
  options: CloudOptions = {},
): Promise<{ cloud: Cloud; keys: () => Promise<{ given: Keys; env: string }> }> {
  const cloud = await startCloud({ range: "127.122.0.0/16", engine: "userspace", startMs: START_MS, ...options });
  onTestFinished(() => cloud.stop());
  cloud.deploy([{ name: "tells", bundle: bundle(TELLS) }]);
  const keys = async () => {
    const { body } = await cloud.functions.registry.invoke("tells", Buffer.from(""));
    return JSON.parse(body.toString("utf8")) as { given: Keys; env: string };
  };
  return { cloud, keys };
}

it("gives each call keys that are good for half of their life at least, and leaves the environment as it was", async () => {
  const { cloud, keys } = await start();
  const first = await keys();
  expect(first.env).toBe(first.given.accessKeyId);
  await cloud.advance(18 * HOUR_MS - 1_000);
  expect((await keys()).given).toEqual(first.given);
  await cloud.advance(1_000);
  const second = await keys();
  expect(second.given.accessKeyId).not.toBe(first.given.accessKeyId);
  expect(second.env).toBe(first.env);
  await ecsClient(cloud, first.given)("DescribeRegions", {});
  await ecsClient(cloud, second.given)("DescribeRegions", {});
  await cloud.advance(18 * HOUR_MS);
  await expect(ecsClient(cloud, first.given)("DescribeRegions", {})).rejects.toMatchObject({
    code: "InvalidAccessKeyId.NotFound",
  });
  await ecsClient(cloud, second.given)("DescribeRegions", {});
});

it("gives every new instance its own id and the present keys", async () => {
  const { cloud, keys } = await start({ roleKeyMs: 1_000 });
  const first = await keys();
  cloud.functions.registry.killAll();
  await cloud.advance(1_000);
  const second = await keys();
  expect(second.env).toBe(second.given.accessKeyId);
  expect(second.env).not.toBe(first.env);
});

it("knows the key of a session with its token alone", async () => {
  const { cloud, keys } = await start();
  const { given } = await keys();
  const { securityToken: _, ...bare } = given;
  const tables = (key: object) =>
    new TableStore.Client({
      ...key,
      endpoint: cloud.endpoints.tablestore,
      instancename: seedTablestoreInstance,
      maxRetries: 0,
    } as never).listTable({});
  const invoke = (key: Partial<Keys>) => {
    const { accessKeyId: accessKeyID = "", ...others } = key;
    const endpoint = cloud.endpoints.fc;
    const client = new FcClient("1", { accessKeyID, ...others, region: "cn-hangzhou", endpoint });
    client.version = "2023-03-30";
    return client.post("/functions/tells/invocations", "", {});
  };
  for (const key of [bare, { ...bare, securityToken: "other" }]) {
    await expect(ecsClient(cloud, key)("DescribeRegions", {})).rejects.toMatchObject({ statusCode: 404 });
    await expect(tables(key)).rejects.toMatchObject({ code: 403 });
  }
  // This SDK refuses to send the key of a session without a token.
  await expect(invoke({ ...given, securityToken: "other" })).rejects.toThrow("403");
  await ecsClient(cloud, given)("DescribeRegions", {});
  await tables(given);
  await invoke(given);
});
