// ACS3-HMAC-SHA256: who signed this request, and did they sign exactly this request.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { parsePairs } from "./parameters.ts";
import { RpcError } from "./rpc-error.ts";

/** A request as it came over the wire. Header names are lower case. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const mustBeSigned = (name: string): boolean => name === "host" || name === "content-type" || name.startsWith("x-acs-");
const mandatory = ["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"];

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Percent-encoding as signatures want it: all but letters, digits and `-_.~`. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const incomplete = (message: string): RpcError => new RpcError({ status: 400, code: "IncompleteSignature", message });

const parseAuthorization = (header: string): { accessKeyId: string; signedHeaders: string; signature: string } => {
  const found = /^ACS3-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/.exec(header);
  if (found === null) throw incomplete("The request signature does not conform to Aliyun standards.");
  return { accessKeyId: found[1] ?? "", signedHeaders: found[2] ?? "", signature: found[3] ?? "" };
};

/** The text both sides hash. The query is decoded, sorted by code unit and encoded again; its keys stay as they are. */
export const canonicalRequest = (request: SignedRequest, signedHeaders: string): string => {
  const query = parsePairs(request.rawQuery, "query")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join("&");
  const headers = signedHeaders
    .split(";")
    .map((name) => `${name}:${(request.headers[name] ?? "").trim()}\n`)
    .join("");
  const bodyHash = request.headers["x-acs-content-sha256"] ?? "";
  return [request.method, request.path, query, headers, signedHeaders, bodyHash].join("\n");
};

/** The signature of a canonical request. */
export const signatureOf = (canonical: string, secret: string): string =>
  createHmac("sha256", secret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest("hex");

/**
 * The access key a request is signed with. `secretOf` answers undefined for an unknown key.
 * Throws the service's own refusal when anything is missing, unsigned, altered or signed with another secret.
 */
export const verifyAcs3 = (request: SignedRequest, secretOf: (accessKeyId: string) => string | undefined): string => {
  const { accessKeyId, signedHeaders, signature } = parseAuthorization(request.headers.authorization ?? "");
  const signed = new Set(signedHeaders.split(";"));
  for (const name of mandatory) {
    if (request.headers[name] === undefined) throw incomplete(`The header ${name} is missing.`);
  }
  const unsigned = Object.keys(request.headers).find((name) => mustBeSigned(name) && !signed.has(name));
  if (unsigned !== undefined) throw incomplete(`The header ${unsigned} is not signed.`);
  const secret = secretOf(accessKeyId);
  if (secret === undefined) {
    throw new RpcError({
      status: 404,
      code: "InvalidAccessKeyId.NotFound",
      message: "Specified access key is not found.",
    });
  }
  const canonical = canonicalRequest(request, signedHeaders);
  const expected = signatureOf(canonical, secret);
  const same = expected.length === signature.length && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  if (!same || sha256(request.body) !== request.headers["x-acs-content-sha256"]) {
    throw new RpcError({
      status: 400,
      code: "SignatureDoesNotMatch",
      message: `Specified signature is not matched with our calculation. server canonical request hash is:${sha256(canonical)}`,
    });
  }
  return accessKeyId;
};
