// Checks who sent a request: headers, body digest, signature, instance.

import {
  contentMd5,
  isSameSignature,
  type OtsHeaders,
  signatureV4,
  signRequest,
} from "../../protocol/tablestore/signature.ts";
import { authFailed, OtsError, parameterInvalid } from "./errors.ts";

/** What the check needs to know. */
export interface Authority {
  readonly instances: readonly string[];
  /** Undefined: dates of any age are taken. */
  readonly skewMsMax: number | undefined;
  /** The key of a session is known with its token alone. */
  readonly credentials: (accessKeyId: string, securityToken: string | undefined) => { secret: string } | undefined;
}

const required = [
  "x-ots-apiversion",
  "x-ots-date",
  "x-ots-accesskeyid",
  "x-ots-contentmd5",
  "x-ots-instancename",
] as const;
const requiredV2 = [...required, "x-ots-signature"];
const requiredV4 = [...required, "x-ots-signdate", "x-ots-signregion"];

/** Checks a request. Gives the instance it is for; throws OtsError. */
export function authenticate(
  authority: Authority,
  request: { readonly path: string; readonly headers: OtsHeaders; readonly body: Buffer; readonly nowMs: number },
): { instance: string } {
  const { headers } = request;
  const given = headers[signatureV4] ?? headers["x-ots-signature"] ?? "";
  for (const name of headers[signatureV4] === undefined ? requiredV2 : requiredV4) {
    if (headers[name] === undefined) throw parameterInvalid(`Missing header: ${name}.`);
  }
  const date = headers["x-ots-date"] ?? "";
  const sentMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(sentMs)) throw parameterInvalid(`Invalid date format: ${date}.`);
  if (headers["x-ots-apiversion"] !== "2015-12-31") throw parameterInvalid("Invalid API version.");
  const known = authority.credentials(headers["x-ots-accesskeyid"] ?? "", headers["x-ots-ststoken"]);
  if (known === undefined) throw authFailed("The AccessKeyID does not exist.");
  const expected = signRequest({ path: request.path, headers, secret: known.secret });
  if (!isSameSignature(expected, given)) throw authFailed("Signature mismatch.");
  if (authority.skewMsMax !== undefined && Math.abs(sentMs - request.nowMs) > authority.skewMsMax) {
    throw authFailed(`Mismatch between system time and x-ots-date: ${date}.`);
  }
  if (contentMd5(request.body) !== headers["x-ots-contentmd5"]) {
    throw new OtsError(
      403,
      "OTSAuthFailed",
      "Mismatch between MD5 value of request body and x-ots-contentmd5 in header.",
    );
  }
  const instance = headers["x-ots-instancename"] ?? "";
  if (!authority.instances.includes(instance)) throw authFailed("The instance is not found.");
  return { instance };
}
