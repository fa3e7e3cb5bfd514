// What an RPC request calls and who signed it, in either of the two forms that the services take: ACS3 in headers, or the older
// one of all parameters (SignatureVersion 1.0), which the first generation of SDKs sends.
import { createHmac, timingSafeEqual } from "node:crypto";
import { encode, type SignedRequest, verifyAcs3 } from "./acs3.ts";
import type { AnswerFormat } from "./answer-format.ts";
import { parseParameters, type RpcParameters } from "./parameters.ts";
import { RpcError } from "./rpc-error.ts";

/** A request as far as it can be read without knowing keys. */
export interface RpcCall {
  readonly operation: string;
  readonly version: string;
  /** Without those that sign. */
  readonly params: RpcParameters;
  readonly nonce: string;
  readonly securityToken: string | undefined;
  readonly format: AnswerFormat;
  /** The access key that signed it. Throws the service's refusal; `secretOf` answers undefined for an unknown key. */
  readonly verify: (secretOf: (accessKeyId: string) => string | undefined) => string;
}

const SIGNING = ["AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion"];
const COMMON = new Set([...SIGNING, "Action", "Version", "Format", "SecurityToken", "Timestamp"]);

/** Reads a request. Never throws. */
export function readRpcCall(request: SignedRequest): RpcCall {
  const { headers, rawQuery } = request;
  const body = Buffer.from(request.body).toString("utf8");
  const params = parseParameters({ rawQuery, contentType: headers["content-type"] ?? "", body });
  if (headers.authorization === undefined && params.Signature !== undefined) return signedByParameters(request, params);
  return {
    operation: headers["x-acs-action"] ?? "",
    version: headers["x-acs-version"] ?? "",
    params,
    nonce: headers["x-acs-signature-nonce"] ?? "",
    securityToken: headers["x-acs-security-token"],
    format: "JSON",
    verify: (secretOf) => verifyAcs3(request, secretOf),
  };
}

function signedByParameters(request: SignedRequest, all: RpcParameters): RpcCall {
  return {
    operation: all.Action ?? "",
    version: all.Version ?? "",
    params: Object.fromEntries(Object.entries(all).filter(([name]) => !COMMON.has(name))),
    nonce: all.SignatureNonce ?? "",
    securityToken: all.SecurityToken,
    format: all.Format?.toUpperCase() === "JSON" ? "JSON" : "XML",
    verify: (secretOf) => verifyParameters(request.method, all, secretOf),
  };
}

function verifyParameters(
  method: string,
  all: RpcParameters,
  secretOf: (accessKeyId: string) => string | undefined,
): string {
  for (const name of ["AccessKeyId", "Action", "SignatureMethod", "SignatureNonce", "SignatureVersion", "Timestamp"])
    if (all[name] === undefined) throw refused(400, `Missing${name}`, `${name} is mandatory for this action.`);
  if (all.SignatureMethod !== "HMAC-SHA1" || all.SignatureVersion !== "1.0")
    throw refused(400, "InvalidSignatureMethod", "The signature is HMAC-SHA1 of version 1.0, or ACS3-HMAC-SHA256.");
  const accessKeyId = all.AccessKeyId ?? "";
  const secret = secretOf(accessKeyId);
  if (secret === undefined) throw refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
  const text = stringToSign(method, all);
  const expected = createHmac("sha1", `${secret}&`).update(text).digest();
  const given = Buffer.from(all.Signature ?? "", "base64");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw refused(
      400,
      "SignatureDoesNotMatch",
      `Specified signature is not matched with our calculation. server string to sign is:${text}`,
    );
  return accessKeyId;
}

/** The text that a request of SignatureVersion 1.0 signs: its method and all parameters but the signature, sorted. */
function stringToSign(method: string, params: RpcParameters): string {
  const pairs = Object.entries(params)
    .filter(([name]) => name !== "Signature")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return `${method}&${encode("/")}&${encode(pairs.join("&"))}`;
}

const refused = (status: number, code: string, message: string): RpcError => new RpcError({ status, code, message });
