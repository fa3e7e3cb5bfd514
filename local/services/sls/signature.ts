// Who signed a request to the log service: `LOG <key>:<signature>`, or version 4.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { SlsError } from "./sls-error.ts";

/** A request as it came. Header names are lower case. */
export interface SlsRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const V4 =
  /^SLS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/sls\/aliyun_v4_request,\s*Signature=([0-9a-f]{64})$/;
const V1 = /^LOG ([^:]+):(.+)$/;

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

const pairsOf = (rawQuery: string): [string, string][] => [...new URLSearchParams(rawQuery)].sort(byName);

const isOwn = (name: string): boolean => name.startsWith("x-log-") || name.startsWith("x-acs-");

const hex = (algorithm: string, data: string | Buffer): string => createHash(algorithm).update(data).digest("hex");

const same = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The access key that signed exactly this request. Throws the service's refusal otherwise. */
export function verifySls(request: SlsRequest, secretOf: (accessKeyId: string) => string | undefined): string {
  const authorization = request.headers["authorization"] ?? "";
  const v4 = V4.exec(authorization);
  const v1 = V1.exec(authorization);
  const accessKeyId = v4?.[1] ?? v1?.[1];
  if (accessKeyId === undefined)
    throw new SlsError(401, "Unauthorized", "The authorization header is missing or not valid.");
  const secret = secretOf(accessKeyId);
  if (secret === undefined)
    throw new SlsError(401, "InvalidAccessKeyId", "The access key id you provided is not found.");
  const isRight = v4
    ? same(signatureV4(request, secret, v4[2] ?? "", v4[3] ?? ""), v4[4] ?? "") && hasV4Body(request)
    : same(signatureV1(request, secret), v1?.[2] ?? "") && hasV1Body(request);
  if (!isRight) throw new SlsError(401, "SignatureNotMatch", `signature ${authorization} not match`);
  return accessKeyId;
}

const hasV1Body = ({ headers, body }: SlsRequest): boolean =>
  headers["content-md5"] === undefined
    ? body.length === 0
    : headers["content-md5"].toUpperCase() === hex("md5", body).toUpperCase();

const hasV4Body = ({ headers, body }: SlsRequest): boolean => headers["x-log-content-sha256"] === hex("sha256", body);

/** The signature of version 1 in Base64. */
function signatureV1({ method, path, rawQuery, headers }: SlsRequest, secret: string): string {
  const own = Object.entries(headers).filter(([name]) => isOwn(name));
  const query = pairsOf(rawQuery).map(([name, value]) => `${name}=${value}`);
  const text = [
    method,
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    headers["x-log-date"] ?? headers["date"] ?? "",
    ...own.sort(byName).map(([name, value]) => `${name}:${value}`),
    query.length === 0 ? path : `${path}?${query.join("&")}`,
  ].join("\n");
  const algorithm = headers["x-log-signaturemethod"] === "hmac-sha256" ? "sha256" : "sha1";
  return createHmac(algorithm, secret).update(text).digest("base64");
}

/** The signature of version 4 in hexadecimal. */
function signatureV4(
  { method, path, rawQuery, headers }: SlsRequest,
  secret: string,
  date: string,
  region: string,
): string {
  const signed = Object.entries(headers)
    .filter(([name]) => name === "content-type" || name === "host" || isOwn(name))
    .sort(byName);
  const query = pairsOf(rawQuery).map(([name, value]) => (value === "" ? name : `${name}=${encode(value)}`));
  const canonical = [
    method,
    path,
    query.join("&"),
    signed.map(([name, value]) => `${name}:${value.trim()}\n`).join(""),
    signed.map(([name]) => name).join(";"),
    headers["x-log-content-sha256"] ?? "",
  ].join("\n");
  const scope = `${date}/${region}/sls/aliyun_v4_request`;
  const text = ["SLS4-HMAC-SHA256", headers["x-log-date"] ?? "", scope, hex("sha256", canonical)].join("\n");
  let key: string | Buffer = `aliyun_v4${secret}`;
  for (const part of [date, region, "sls", "aliyun_v4_request"]) key = createHmac("sha256", key).update(part).digest();
  return createHmac("sha256", key).update(text).digest("hex");
}
