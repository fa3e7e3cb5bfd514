// Requests as a client of another make sends them: signed by hand after the documents of ACS3, and nothing of local/ in it.
import { createHash, createHmac, randomUUID } from "node:crypto";
import { request } from "node:http";
import { request as requestOverTls } from "node:https";
import type { Place } from "../real-account.ts";

/** A call: parameters of the query, of a form, or a body as it is; at `/` where no path is said. */
export interface RawCall {
  readonly action: string;
  readonly version?: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is signed, ready to be sent or spoiled. */
export interface SignedParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
const pairs = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join("&");

/** Signs a call for the place. */
export const signed = (place: Place, call: RawCall): SignedParts => {
  const { action, version = "2014-05-26", method = "POST", path = "/", query = {}, form } = call;
  const body = form === undefined ? (call.body ?? "") : pairs(form);
  const headers: Record<string, string> = {
    host: new URL(place.url).host,
    "x-acs-action": action,
    "x-acs-version": version,
    "x-acs-date": new Date().toISOString().replace(/\.\d+/, ""),
    "x-acs-signature-nonce": randomUUID(),
    "x-acs-content-sha256": sha256(body),
    ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    ...(place.securityToken === undefined ? {} : { "x-acs-security-token": place.securityToken }),
    ...call.headers,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    path,
    pairs(query),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    headers["x-acs-content-sha256"],
  ].join("\n");
  const signature = createHmac("sha256", place.accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest("hex");
  const authorization = `ACS3-HMAC-SHA256 Credential=${place.accessKeyId},SignedHeaders=${names.join(";")},Signature=${signature}`;
  return { method, path, query: pairs(query), headers: { ...headers, authorization }, body };
};

/** Sends what is signed. A body that is no JSON is answered as `{ text }`. */
export const sendParts = ({ url }: Place, parts: SignedParts): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { method, path, query, headers, body } = parts;
    const start = url.startsWith("https:") ? requestOverTls : request;
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const outgoing = start(`${url}${path}?${query}`, { method, headers: { ...headers, ...length } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const isJson = text.startsWith("{");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
