// A cloud, the official RPC core as a client of its CloudMonitor, and a receiver of webhooks.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import { onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { type RawAnswer, type RawCall, sendParts, signed } from "../ecs/raw.ts";

/** On a whole minute. */
export const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);

type Body = Record<string, unknown>;

/** A cloud on virtual time whose instances have no listeners. */
export async function aCloud(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.121.0.0/16", engine: "userspace", startMs: START_MS, ...options });
  onTestFinished(() => cloud.stop());
  return cloud;
}

/** Calls CloudMonitor and answers the body. */
export function cmsClient(
  cloud: Cloud,
  more: { readonly accessKeySecret?: string; readonly version?: string } = {},
): (action: string, query: Record<string, string>) => Promise<Body> {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  const client = new OpenApiClient(
    new $OpenApiUtil.Config({
      accessKeyId,
      accessKeySecret: more.accessKeySecret ?? accessKeySecret,
      endpoint: cloud.endpoints.cms,
      protocol: "http",
      regionId: cloud.account.regionId,
    }),
  );
  return async (action, query) => {
    const params = new $OpenApiUtil.Params({
      action,
      version: more.version ?? "2019-01-01",
      protocol: "HTTP",
      pathname: "/",
      method: "POST",
      authType: "AK",
      style: "RPC",
      reqBodyType: "formData",
      bodyType: "json",
    });
    const request = new $OpenApiUtil.OpenApiRequest({ query });
    const answer = await client.callApi(params, request, {} as never);
    return (answer as { body: Body }).body;
  };
}

/** A web server that keeps the forms it is sent; `answer` gives the status, or never answers. */
export async function aReceiver(answer: (n: number) => number | "never" = () => 200) {
  const posts: { readonly type: string; readonly raw: string; readonly form: Record<string, string> }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      const form = Object.fromEntries(new URLSearchParams(raw));
      posts.push({ type: String(request.headers["content-type"]), raw, form });
      const status = answer(posts.length);
      if (status !== "never") response.writeHead(status).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { posts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret` };
}

/** A rule that is in alarm while the CPU of anything is at 90 % or more. */
export const cpuRule = (webhook: string, more: Record<string, string> = {}): Record<string, string> => ({
  RuleId: "rule-1",
  RuleName: "cpu",
  Namespace: "acs_ecs_dashboard",
  MetricName: "CPUUtilization",
  Resources: '[{"resource":"_ALL"}]',
  ContactGroups: "ops",
  Period: "60",
  Webhook: webhook,
  "Escalations.Critical.Statistics": "Average",
  "Escalations.Critical.ComparisonOperator": "GreaterThanOrEqualToThreshold",
  "Escalations.Critical.Threshold": "90",
  "Escalations.Critical.Times": "2",
  ...more,
});

/** One minute of a CPU at `value`. */
export async function minuteOf(cloud: Cloud, value: number | undefined, instanceId = webOne(cloud)): Promise<void> {
  if (value !== undefined)
    cloud.cms.measure({
      namespace: "acs_ecs_dashboard",
      metricName: "CPUUtilization",
      dimensions: { instanceId },
      value,
    });
  await cloud.advance(60_000);
}

/** The id of the first instance. */
export const webOne = (cloud: Cloud): string => cloud.account.instances[0]?.instanceId ?? "";

/** A metric of a product. */
export const asked = { Namespace: "acs_ecs_dashboard", MetricName: "CPUUtilization" } as const;

/** A cloud in which two instances have been measured every half minute until now. */
export async function withPoints(count: number) {
  const cloud = await aCloud({ startMs: START_MS - count * 30_000 });
  for (let n = 0; n < count; n += 1) {
    for (const instanceId of ["i-1", "i-2"])
      cloud.cms.measure({
        namespace: asked.Namespace,
        metricName: asked.MetricName,
        dimensions: { instanceId },
        value: n + (instanceId === "i-2" ? 100 : 0),
      });
    await cloud.advance(30_000);
  }
  return { cloud, call: cmsClient(cloud) };
}

/** The data points of an answer. */
export const points = (body: Readonly<Record<string, unknown>>): readonly Record<string, unknown>[] =>
  JSON.parse(String(body["Datapoints"])) as Record<string, unknown>[];

/** A call by bytes of another make. */
export function rawCms(cloud: Cloud, call: RawCall): Promise<RawAnswer> {
  const place = {
    url: `http://${cloud.endpoints.cms}`,
    regionId: cloud.account.regionId,
    ...seedUser(cloud.account, "admin"),
  };
  return sendParts(place, signed(place, { version: "2019-01-01", ...call }));
}
