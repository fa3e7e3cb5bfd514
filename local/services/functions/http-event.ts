// An HTTP request as the event a function gets, and a function's answer as an HTTP response.

import { isUtf8 } from "node:buffer";

/** A request as it came off the socket. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
  readonly body: Buffer;
}

/** What the platform adds to the event. */
export interface EventSurroundings {
  readonly accountId: string;
  readonly domainName: string;
  readonly requestId: string;
  readonly nowMs: number;
}

/** A response ready for the socket. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const REQUEST_HEADERS_DROPPED = new Set(["connection", "keep-alive"]);
const RESPONSE_HEADERS_DROPPED = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "server",
  "upgrade",
  "transfer-encoding",
]);
/** Tabs and the visible letters of Latin-1: what a header can hold on the wire. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const RESPONSE_HEADER_BYTES_MAX = 8_192;

/** The event of section "HTTP trigger" of the platform's documentation, version v1. */
export function httpEvent(request: IncomingRequest, around: EventSurroundings): Record<string, unknown> {
  const [rawPath = "/", query = ""] = splitOnce(request.target, "?");
  const headers = eventHeaders(request.rawHeaders);
  const isText = isTextBody(headers["Content-Type"], request.body);
  return {
    version: "v1",
    rawPath,
    body: request.body.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: !isText,
    headers,
    queryParameters: joined([...new URLSearchParams(query)]),
    requestContext: {
      accountId: around.accountId,
      domainName: around.domainName,
      domainPrefix: around.domainName.split(".")[0] ?? "",
      requestId: around.requestId,
      time: `${new Date(around.nowMs).toISOString().slice(0, 19)}Z`,
      timeEpoch: String(around.nowMs),
      http: {
        method: request.method,
        path: decodedPath(rawPath),
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: plainAddress(request.remoteAddress),
        userAgent: headers["User-Agent"] ?? "",
      },
    },
  };
}

/** The response a handler's result stands for, or what is wrong with it. */
export function httpAnswer(result: Buffer): HttpAnswer | { readonly problem: string } {
  const parsed = parseObject(result);
  if (!parsed || !("statusCode" in parsed))
    return {
      status: 200,
      headers: { "content-type": parsed ? "application/json" : "text/plain; charset=utf-8" },
      body: result,
    };
  const { statusCode, headers = {}, body = "", isBase64Encoded = false } = parsed;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return { problem: "statusCode is not 200 to 599" };
  if (typeof headers !== "object" || headers === null || Array.isArray(headers))
    return { problem: "headers is no map" };
  const kept: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!["string", "number", "boolean"].includes(typeof value)) return { problem: `header ${name} is no string` };
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !HEADER_VALUE.test(String(value)))
      return { problem: `header ${JSON.stringify(name)} is not valid` };
    const lower = name.toLowerCase();
    if (lower.startsWith("x-fc-") || RESPONSE_HEADERS_DROPPED.has(lower)) continue;
    kept[lower] = String(value);
    size += name.length + Buffer.byteLength(String(value));
  }
  if (size > RESPONSE_HEADER_BYTES_MAX) return { problem: `the headers have ${size} bytes; the limit is 8192` };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: kept, body: Buffer.from(text, isBase64Encoded === true ? "base64" : "utf8") };
}

/** `::ffff:10.0.0.1` is `10.0.0.1`; anything else stays. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

function eventHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const pairs: Array<[string, string]> = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!REQUEST_HEADERS_DROPPED.has(name.toLowerCase()))
      pairs.push([canonicalName(name), rawHeaders[index + 1] ?? ""]);
  }
  return joined(pairs);
}

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

function joined(pairs: ReadonlyArray<readonly [string, string]>): Record<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of pairs) {
    const before = values.get(key);
    values.set(key, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

function isTextBody(contentType: string | undefined, body: Buffer): boolean {
  if (body.length === 0) return true;
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isTextType =
    type === "" ||
    type.startsWith("text/") ||
    /^application\/(json|xml|javascript|x-www-form-urlencoded|yaml|.+\+(json|xml))$/.test(type);
  return isTextType && isUtf8(body);
}

function decodedPath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return rawPath;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + separator.length)];
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
