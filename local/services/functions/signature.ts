// Checks who calls the Function Compute API: by `ACS3-HMAC-SHA256`, as the SDK of version 2023-03-30 signs, or by the
// `FC <key>:<hmac>` of the 2.0 SDK, which that version takes as well.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { hasToken } from "../../principals.ts";
import { verifyAcs3 } from "../../protocol/rpc/acs3.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";

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
  | {
      readonly kind: "refused";
      readonly accessKeyId: string;
      readonly status: number;
      readonly code: string;
      readonly message: string;
    };

/** A request as it came: `path` is the part before the query, `body` what the digest of ACS3 is of. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Verifies one request. */
export function checkSignature(
  request: ReceivedRequest,
  findKey: (accessKeyId: string) => ApiKey | undefined,
): SignatureCheck {
  const authorization = request.headers.authorization ?? "";
  return authorization.startsWith("ACS3-HMAC-SHA256 ") ? checkAcs3(request, findKey) : checkFc(request, findKey);
}

function checkAcs3(request: ReceivedRequest, findKey: (accessKeyId: string) => ApiKey | undefined): SignatureCheck {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, headerOf(value) ?? ""]),
  );
  let key: ApiKey | undefined;
  let accessKeyId = "";
  try {
    verifyAcs3({ ...request, headers }, (id) => {
      accessKeyId = id;
      key = findKey(id);
      return key !== undefined && hasToken(key, headers["x-acs-security-token"]) ? key.accessKeySecret : undefined;
    });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { kind: "refused", accessKeyId, status: error.status, code: error.code, message: error.message };
  }
  return { kind: "caller", key: key as ApiKey };
}

function checkFc(request: ReceivedRequest, findKey: (accessKeyId: string) => ApiKey | undefined): SignatureCheck {
  const match = /^FC ([^:\s]+):(\S+)$/.exec(request.headers.authorization ?? "");
  const [, accessKeyId = "", signature = ""] = match ?? [];
  const refuse = (code: string, message: string): SignatureCheck => ({
    ...{ kind: "refused", accessKeyId, status: 403, code, message },
  });
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
