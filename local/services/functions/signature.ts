// Checks who calls the Function Compute API: the `FC <key>:<hmac>` signature that its 2.0 SDK also sends to version 2023-03-30.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { hasToken } from "../../principals.ts";

/** A key that the API accepts. */
export interface ApiKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly principal: string;
  /** Goes with a key of a session. */
  readonly securityToken?: string;
}

/** The caller, or why the call is refused. */
export type SignatureCheck =
  | { readonly kind: "caller"; readonly key: ApiKey }
  | { readonly kind: "refused"; readonly accessKeyId: string; readonly code: string; readonly message: string };

/** Verifies one request. `path` is the part before the query, as sent. */
export function checkSignature(
  request: { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders },
  findKey: (accessKeyId: string) => ApiKey | undefined,
): SignatureCheck {
  const match = /^FC ([^:\s]+):(\S+)$/.exec(request.headers.authorization ?? "");
  const [, accessKeyId = "", signature = ""] = match ?? [];
  const refuse = (code: string, message: string): SignatureCheck => ({ kind: "refused", accessKeyId, code, message });
  if (!match) return refuse("AccessDenied", 'the header "authorization" is not "FC <access key id>:<signature>"');
  const key = findKey(accessKeyId);
  if (!key || !hasToken(key, headerOf(request.headers["x-fc-security-token"])))
    return refuse("InvalidAccessKeyID", `the access key id ${accessKeyId} is not known`);
  const expected = createHmac("sha256", key.accessKeySecret).update(stringToSign(request), "utf8").digest();
  const given = Buffer.from(signature, "base64");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    return refuse("SignatureNotMatch", "the request signature we calculated does not match the signature you provided");
  return { kind: "caller", key };
}

const headerOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(",") : value;

function stringToSign(request: {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}): string {
  const { headers } = request;
  const fcHeaders = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-fc-"))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${String(value)}\n`)
    .join("");
  const fixed = [request.method, headers["content-md5"] ?? "", headers["content-type"] ?? "", headers.date ?? ""];
  return `${fixed.join("\n")}\n${fcHeaders}${request.path}`;
}
