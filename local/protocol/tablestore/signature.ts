// Signatures of the Tablestore HTTP protocol (version 2), both directions.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Header names (lower case) and values. */
export type OtsHeaders = Readonly<Record<string, string>>;

/** base64(MD5(body)), the value of `x-ots-contentmd5`. */
export function contentMd5(body: Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}

function canonical(headers: OtsHeaders): string {
  return Object.keys(headers)
    .filter((name) => name.startsWith("x-ots-") && name !== "x-ots-signature")
    .sort()
    .map((name) => `${name}:${(headers[name] as string).trim()}`)
    .join("\n");
}

/** The value of `x-ots-signature` for a POST of these headers; every `x-ots-` header present takes part. */
export function signRequest(call: { path: string; headers: OtsHeaders; secret: string }): string {
  return createHmac("sha1", call.secret)
    .update(`${call.path}\nPOST\n\n${canonical(call.headers)}\n`)
    .digest("base64");
}

/** The signature part of the response's `Authorization: OTS <accessKeyId>:<signature>`. */
export function signResponse(answer: { path: string; headers: OtsHeaders; secret: string }): string {
  return createHmac("sha1", answer.secret)
    .update(`${canonical(answer.headers)}\n${answer.path}`)
    .digest("base64");
}

/** Compares two signatures in constant time. */
export function isSameSignature(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
