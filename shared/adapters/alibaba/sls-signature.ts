// Version 4 of the log service's request signature. Source: `@alicloud/gateway-sls` 0.3.2, by reading and by capture.
import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "./credentials.ts";

/** What is signed. Header names are lower case; the body goes in by its hash. */
export interface SlsRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const EMPTY = "";

/** The headers with date, body hash, token and authorization added. */
export function signSls(
  { method, path, query, headers, body }: SlsRequest,
  by: { readonly credentials: Credentials; readonly region: string; readonly nowMs: number },
): Record<string, string> {
  const { accessKeyId, accessKeySecret, securityToken } = by.credentials;
  const date = new Date(by.nowMs).toISOString().replace(/[-:]|\.\d+/g, EMPTY);
  const hash = createHash("sha256").update(body).digest("hex");
  const sent: Record<string, string> = {
    ...headers,
    "x-log-date": date,
    "x-log-content-sha256": hash,
    ...(securityToken ? { "x-acs-security-token": securityToken } : {}),
  };
  const names = Object.keys(sent)
    .filter((name) => name === "host" || name === "content-type" || /^x-(log|acs)-/.test(name))
    .sort();
  const canonical = [
    method,
    path,
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(sent[name] ?? EMPTY).trim()}`),
    EMPTY,
    names.join(";"),
    hash,
  ].join("\n");
  const scope = [date.slice(0, 8), by.region, "sls", "aliyun_v4_request"];
  const toSign = ["SLS4-HMAC-SHA256", date, scope.join("/"), createHash("sha256").update(canonical).digest("hex")];
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `aliyun_v4${accessKeySecret}`);
  const signature = hmac(key, toSign.join("\n")).toString("hex");
  return {
    ...sent,
    authorization: `SLS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")},Signature=${signature}`,
  };
}

/** The query as it is sent and signed. */
export const canonicalQuery = (query: Readonly<Record<string, string>>): string =>
  Object.keys(query)
    .sort()
    .map((name) => (query[name] ? `${name}=${encoded(query[name])}` : name))
    .join("&");

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
