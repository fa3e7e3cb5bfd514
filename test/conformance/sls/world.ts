// A cloud and a client of its log service that signs by itself, in every version that SDKs use.

import { createHash, createHmac } from "node:crypto";
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import { onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";

export const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);
/** In the unit of the service. */
export const START_S = START_MS / 1_000;

/** How a client signs. */
export type Signing = "v1-sha1" | "v1-sha256" | "v4";

/** One answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it expects.
  readonly body: any;
}

/** A cloud on virtual time whose instances have no listeners. */
export async function aCloud(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud({ range: "127.122.0.0/16", engine: "userspace", startMs: START_MS, ...options });
  onTestFinished(() => cloud.stop());
  return cloud;
}

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where and as whom a client of the log service calls. */
export interface SlsPlace {
  readonly url: string;
  /** What names the project; the address when absent. */
  readonly host?: string | undefined;
  readonly regionId: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string | undefined;
  readonly signing?: Signing | undefined;
  readonly now: () => number;
}

/** Calls the embedded log service. */
export function slsClient(
  cloud: Cloud,
  more: {
    readonly signing?: Signing;
    readonly secret?: string;
    readonly accessKeyId?: string;
    readonly atMs?: number;
  } = {},
): (call: Call) => Promise<Answer> {
  const user = seedUser(cloud.account, "admin");
  return slsCaller({
    url: `http://${cloud.endpoints.sls}`,
    regionId: "cn-hangzhou",
    accessKeyId: more.accessKeyId ?? user.accessKeyId,
    accessKeySecret: more.secret ?? user.accessKeySecret,
    signing: more.signing,
    now: () => more.atMs ?? cloud.clock.now(),
  });
}

/** Calls a log service. */
export function slsCaller(place: SlsPlace): (call: Call) => Promise<Answer> {
  const { accessKeyId, accessKeySecret, securityToken, regionId, signing = "v1-sha256" } = place;
  const { protocol, hostname, port, host: address } = new URL(place.url);
  const start = protocol === "https:" ? requestOverTls : request;
  return ({ method = "GET", path, query = {}, body, host, headers = {} }) => {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    const at = new Date(place.now());
    const isV4 = signing === "v4";
    const sent: Record<string, string> = {
      host: host ?? place.host ?? address,
      "x-log-apiversion": "0.6.0",
      "x-log-bodyrawsize": String(bytes.length),
      ...(securityToken === undefined ? {} : { "x-acs-security-token": securityToken }),
      ...(bytes.length > 0 ? { "content-type": "application/json" } : {}),
      ...(isV4
        ? {
            "x-log-date": at.toISOString().replace(/[-:]|\.\d+/g, ""),
            "x-log-content-sha256": createHash("sha256").update(bytes).digest("hex"),
          }
        : {
            date: at.toUTCString(),
            "x-log-signaturemethod": signing === "v1-sha1" ? "hmac-sha1" : "hmac-sha256",
            ...(bytes.length > 0 ? { "content-md5": createHash("md5").update(bytes).digest("hex").toUpperCase() } : {}),
          }),
      ...headers,
    };
    const signed = { method, path, query, headers: sent };
    const authorization = isV4
      ? signV4(signed, accessKeyId, accessKeySecret, regionId)
      : signV1(signed, accessKeyId, accessKeySecret);
    const text = new URLSearchParams(query).toString();
    return new Promise((resolve, reject) => {
      const outgoing = start(
        {
          // A real project is found by its own name.
          host: protocol === "https:" ? sent["host"] : hostname,
          ...(port === "" ? {} : { port }),
          method,
          path: text === "" ? path : `${path}?${text}`,
          headers: { authorization, ...sent, "content-length": String(bytes.length) },
          agent: false,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const answered = Buffer.concat(chunks).toString("utf8");
            const isJson = answered.startsWith("{") || answered.startsWith("[");
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: isJson ? JSON.parse(answered) : answered,
            });
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(bytes);
    });
  };
}

interface Signed {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

function signV1({ method, path, query, headers }: Signed, accessKeyId: string, secret: string): string {
  const names = Object.keys(headers).filter((name) => /^x-(log|acs)-/.test(name));
  const own = names.sort().map((name) => `${name}:${headers[name]}`);
  const pairs = Object.keys(query)
    .sort()
    .map((name) => `${name}=${query[name]}`);
  const text = [
    method,
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    headers["date"],
    own.join("\n"),
    path + (pairs.length === 0 ? "" : `?${pairs.join("&")}`),
  ].join("\n");
  const algorithm = headers["x-log-signaturemethod"] === "hmac-sha1" ? "sha1" : "sha256";
  return `LOG ${accessKeyId}:${createHmac(algorithm, secret).update(text).digest("base64")}`;
}

function signV4({ method, path, query, headers }: Signed, accessKeyId: string, secret: string, region: string): string {
  const names = Object.keys(headers).filter((name) => /^(host|content-type|x-(log|acs)-.*)$/.test(name));
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonical = [
    method,
    path,
    Object.keys(query)
      .sort()
      .map((name) => `${name}=${encode(query[name] ?? "")}`)
      .join("&"),
    ...names.sort().map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    headers["x-log-content-sha256"],
  ].join("\n");
  const date = headers["x-log-date"] ?? "";
  const scope = [date.slice(0, 8), region, "sls", "aliyun_v4_request"];
  const hash = createHash("sha256").update(canonical).digest("hex");
  const key = scope.reduce<string | Buffer>(
    (last, part) => createHmac("sha256", last).update(part).digest(),
    `aliyun_v4${secret}`,
  );
  const signature = createHmac("sha256", key).update(`SLS4-HMAC-SHA256\n${date}\n${scope.join("/")}\n${hash}`);
  return `SLS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")},Signature=${signature.digest("hex")}`;
}

/** A flow of one window, as the log service keeps it. */
export const flow = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  version: "1",
  "eni-id": "eni-1",
  "vm-id": "i-1",
  protocol: "6",
  srcaddr: "203.0.113.7",
  srcport: "40000",
  dstaddr: "10.0.0.1",
  dstport: "22",
  direction: "in",
  action: "ACCEPT",
  packets: "5",
  bytes: "500",
  "tcp-flags": "2",
  "log-status": "OK",
  ...more,
});

/** A cloud with one logstore of flows, each a second after the other, that queries see. */
export async function withFlows(flows: readonly Record<string, string>[]) {
  const cloud = await aCloud();
  cloud.sls.ensure("net", "flow");
  cloud.sls.put(
    "net",
    "flow",
    flows.map((fields, n) => ({ at: START_MS + n * 1_000, topic: "flow_log", fields })),
  );
  await cloud.advance(3_000);
  const call = slsClient(cloud);
  const range = { from: START_S, to: START_S + 3_600 };
  const ask = (query: string, more: Record<string, unknown> = {}) =>
    call({ method: "POST", path: "/logstores/flow/logs", body: { ...range, query, ...more } });
  return { cloud, call, ask };
}
