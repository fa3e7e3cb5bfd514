// Signatures of the Tablestore HTTP protocol (versions 2 and 4), both directions.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Header names (lower case) and values. */
export type OtsHeaders = Readonly<Record<string, string>>;

/** The header of a signature of version 4; one of version 2 is in `x-ots-signature`. */
export const signatureV4 = "x-ots-signaturev4";
// What version 4 appends to the text that is signed.
const salt = "ots";

/**
 * What a request of these headers is signed with, and its answer: the secret, or in version 4 a key made of the secret,
 * `x-ots-signdate` and `x-ots-signregion`. As the SDKs of Python, Go and Java make it.
 */
export function signingKey(headers: OtsHeaders, secret: string): string {
  if (headers[signatureV4] === undefined) return secret;
  let key: string | Buffer = `aliyun_v4${secret}`;
  for (const part of [headers["x-ots-signdate"] ?? "", headers["x-ots-signregion"] ?? "", "ots", "aliyun_v4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  return key.toString("base64");
}

/** base64(MD5(body)), the value of `x-ots-contentmd5`. */
export function contentMd5(body: Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}

function canonical(headers: OtsHeaders): string {
  return Object.keys(headers)
    .filter((name) => name.startsWith("x-ots-") && name !== "x-ots-signature" && name !== signatureV4)
    .sort()
    .map((name) => `${name}:${(headers[name] as string).trim()}`)
    .join("\n");
}

/** The signature of a POST of these headers, in the version they say; every other `x-ots-` header takes part. */
export function signRequest(call: { path: string; headers: OtsHeaders; secret: string }): string {
  const isV4 = call.headers[signatureV4] !== undefined;
  return createHmac(isV4 ? "sha256" : "sha1", signingKey(call.headers, call.secret))
    .update(`${call.path}\nPOST\n\n${canonical(call.headers)}\n${isV4 ? salt : ""}`)
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
