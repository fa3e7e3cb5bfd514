// The older signature of RPC calls, in parameters, as the SDKs of the first generation send it: by the official core and by bytes.
import { createHmac, randomUUID } from "node:crypto";
import { request } from "node:http";
import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { START_MS } from "./target.ts";

type Service = "ecs" | "cms" | "vpc";
type Parameters = Record<string, string>;

const VERSION = { ecs: "2014-05-26", cms: "2019-01-01", vpc: "2016-04-28" };

async function aCloud(): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.127.0.0/16", engine: "userspace", startMs: START_MS });
  onTestFinished(() => cloud.stop());
  return cloud;
}

/** By the official core, told to sign as its predecessors did. */
async function byCore(cloud: Cloud, service: Service, action: string, query: Parameters = {}): Promise<Parameters> {
  const config = new $OpenApiUtil.Config({
    ...seedUser(cloud.account, "admin"),
    ...{ endpoint: cloud.endpoints[service], protocol: "http", signatureAlgorithm: "v2" },
    regionId: cloud.account.regionId,
  });
  const params = new $OpenApiUtil.Params({
    ...{ action, version: VERSION[service], protocol: "HTTP", pathname: "/", method: "POST", authType: "AK" },
    ...{ style: "RPC", reqBodyType: "formData", bodyType: "json" },
  });
  const answer = await new OpenApiClient(config).callApi(
    params,
    new $OpenApiUtil.OpenApiRequest({ query }),
    {} as never,
  );
  return (answer as { body: Parameters }).body;
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

interface Sent {
  readonly method?: "GET" | "POST";
  readonly more?: Parameters;
  readonly without?: string;
  readonly spoiled?: Parameters;
}

/** By bytes: the parameters in the query of a GET, or in the form of a POST. */
function byBytes(cloud: Cloud, action: string, { method = "GET", more = {}, without, spoiled = {} }: Sent = {}) {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  const all: Parameters = {
    ...{ Action: action, Version: VERSION.ecs, AccessKeyId: accessKeyId, Timestamp: "2026-11-01T08:00:00Z" },
    ...{ SignatureMethod: "HMAC-SHA1", SignatureVersion: "1.0", SignatureNonce: randomUUID(), ...more },
  };
  if (without !== undefined) delete all[without];
  const query = (of: Parameters) =>
    Object.keys(of)
      .sort()
      .map((name) => `${encode(name)}=${encode(of[name] ?? "")}`)
      .join("&");
  const text = `${method}&%2F&${encode(query(all))}`;
  const Signature = createHmac("sha1", `${accessKeySecret}&`).update(text).digest("base64");
  const sent = query({ ...all, Signature, ...spoiled });
  const form = { "content-type": "application/x-www-form-urlencoded" };
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const url = `http://${cloud.endpoints.ecs}/${method === "GET" ? `?${sent}` : ""}`;
    const outgoing = request(url, { method, headers: method === "GET" ? {} : form }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const type = response.headers["content-type"] ?? "";
      resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() });
    });
    outgoing.on("error", reject);
    outgoing.end(method === "GET" ? "" : sent);
  });
}

it("is taken at every RPC service, from the official core", async () => {
  const cloud = await aCloud();
  expect(await byCore(cloud, "ecs", "DescribeRegions")).toHaveProperty("Regions");
  expect(await byCore(cloud, "cms", "DescribeMetricRuleList")).toMatchObject({ Success: true });
  expect(await byCore(cloud, "vpc", "DescribeFlowLogs", { RegionId: cloud.account.regionId })).toHaveProperty(
    "FlowLogs",
  );
});

it("carries lists and what has to be escaped, and changes what it names", async () => {
  const cloud = await aCloud();
  const [group] = cloud.ecs.groups();
  const RegionId = cloud.account.regionId;
  await byCore(cloud, "ecs", "AuthorizeSecurityGroup", {
    ...{ RegionId, SecurityGroupId: String(group?.groupId) },
    ...{ "Permissions.1.IpProtocol": "TCP", "Permissions.1.PortRange": "8022/8022" },
    ...{ "Permissions.1.SourceCidrIp": "203.0.113.7/32", "Permissions.1.Description": "安全 *~'() +&=%" },
  });
  const rule = cloud.ecs.groups()[0]?.rules.find(({ portRange }) => portRange === "8022/8022");
  expect(rule?.description).toBe("安全 *~'() +&=%");
  expect(cloud.calls.since(0).calls.at(-1)).toMatchObject({ operation: "AuthorizeSecurityGroup", status: 200 });
});

it("answers in JSON when that is asked for, else in XML", async () => {
  const cloud = await aCloud();
  const json = await byBytes(cloud, "DescribeRegions", { more: { Format: "JSON" } });
  expect([json.status, json.type]).toEqual([200, "application/json;charset=utf-8"]);
  expect(JSON.parse(json.text)).toHaveProperty("Regions.Region");
  const xml = await byBytes(cloud, "DescribeRegions", { method: "POST" });
  expect([xml.status, xml.type]).toEqual([200, "text/xml;charset=utf-8"]);
  expect(xml.text).toMatch(/^<\?xml version='1.0' encoding='UTF-8'\?><DescribeRegionsResponse><RequestId>[0-9A-F-]+</);
  expect(xml.text).toContain("<Regions><Region><RegionId>");
  const refused = await byBytes(cloud, "DescribeNothing");
  expect(refused.text).toContain("<Code>InvalidAction.NotFound</Code>");
  expect(refused.text).toMatch(/^<\?xml [^>]+><Error><RequestId>/);
});

it.each<[string, Sent, number, string]>([
  ["a parameter that was changed on its way", { spoiled: { RegionId: "cn-beijing" } }, 400, "SignatureDoesNotMatch"],
  ["another signature", { spoiled: { Signature: "AAAA" } }, 400, "SignatureDoesNotMatch"],
  ["an unknown key", { more: { AccessKeyId: "LTAInobody" } }, 404, "InvalidAccessKeyId.NotFound"],
  ["another method of signing", { more: { SignatureMethod: "HMAC-MD5" } }, 400, "InvalidSignatureMethod"],
  ["no nonce", { without: "SignatureNonce" }, 400, "MissingSignatureNonce"],
  ["no time", { without: "Timestamp" }, 400, "MissingTimestamp"],
])("refuses %s", async (_, sent, status, code) => {
  const cloud = await aCloud();
  const answer = await byBytes(cloud, "DescribeRegions", { ...sent, more: { Format: "JSON", ...sent.more } });
  expect([answer.status, JSON.parse(answer.text).Code]).toEqual([status, code]);
});

it("counts once", async () => {
  const cloud = await aCloud();
  const more = { Format: "JSON", SignatureNonce: "the-same" };
  expect((await byBytes(cloud, "DescribeRegions", { more })).status).toBe(200);
  expect(JSON.parse((await byBytes(cloud, "DescribeRegions", { more })).text).Code).toBe("SignatureNonceUsed");
});
