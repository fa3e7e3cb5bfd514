// Function Compute's API of version 2023-03-30: requests headed and signed by the official SDK, sent by Node alone.
import { createHash } from "node:crypto";
import { httpSender, type SendHttp } from "../system/http-call.ts";
import type { CredentialSource } from "./credentials.ts";

/** Where the account's functions are, and who asks. */
export interface FcPlace {
  readonly credentials: CredentialSource;
  readonly accountId: string;
  readonly region: string;
  /** With scheme; by default the account's own host in the region. */
  readonly endpoint?: string;
  /** HTTPS on the default endpoint; on unless told otherwise, unlike in the SDK. */
  readonly secure?: boolean;
  readonly timeoutMs?: number;
}

/** Both answer the reply's JSON, or its text where it is none, and reject with `FcRefusal` or what the network did. */
export interface FcClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<unknown>;
}

/** The service answered something else than success. */
export class FcRefusal extends Error {
  override readonly name = "FcRefusal";
  readonly status: number;
  /** The service's own; undefined where it told none. */
  readonly code: string | undefined;
  constructor(call: string, status: number, told: unknown) {
    const { ErrorCode: code, ErrorMessage: message } = (told ?? {}) as Readonly<Record<string, unknown>>;
    super(`${call} failed with ${status}: ${code}, ${message}`);
    this.status = status;
    this.code = typeof code === "string" ? code : undefined;
  }
}

/** The part of `@alicloud/fc2` that we use; the package has no types. */
interface SdkClient {
  readonly endpoint: string;
  securityToken?: string | undefined;
  buildHeaders(): Record<string, string>;
}
interface SdkClass {
  new (accountId: string, config: Readonly<Record<string, unknown>>): SdkClient;
  getSignature(id: string, secret: string, method: string, path: string, headers: object, queries: null): string;
}

/** The API whose functions have plain names; the SDK's own default is an older one. */
const API_VERSION = "2023-03-30";
const TIMEOUT_MS = 3_000;

/** The SDK is loaded by the first call; keys are asked for each. */
export function fcClient(place: FcPlace): FcClient {
  const { timeoutMs = TIMEOUT_MS } = place;
  let send: SendHttp | null = null;

  async function call(method: "GET" | "POST", path: string, body: string, own: Readonly<Record<string, string>>) {
    const Client = await sdkClass();
    const { accessKeyId, accessKeySecret, securityToken } = place.credentials();
    const client = new Client(place.accountId, {
      accessKeyID: accessKeyId,
      accessKeySecret,
      securityToken,
      region: place.region,
      secure: place.secure ?? true,
      endpoint: place.endpoint,
    });
    // The SDK takes the token only with keys that start with STS.
    client.securityToken = securityToken;
    send ??= httpSender(client.endpoint);
    const headers: Record<string, string | number> = { ...client.buildHeaders(), ...own };
    if (body !== "") {
      headers["content-type"] = "application/octet-stream";
      headers["content-length"] = Buffer.byteLength(body);
      // Of the digits, not of the bytes, as the service has it.
      headers["content-md5"] = Buffer.from(createHash("md5").update(body).digest("hex")).toString("base64");
    }
    const whole = `/${API_VERSION}${path}`;
    headers["authorization"] = Client.getSignature(accessKeyId, accessKeySecret, method, whole, headers, null);
    const late = (): Error => new Error(`${method} ${path}: no answer within ${timeoutMs} ms`);
    const reply = await send({ method, path: whole, headers, body }, timeoutMs, late);
    const text = reply.body.toString();
    const isJson = reply.headers["content-type"]?.startsWith("application/json");
    const told: unknown = isJson ? JSON.parse(text) : text;
    if (reply.status < 200 || reply.status >= 300) throw new FcRefusal(`${method} ${path}`, reply.status, told);
    return told;
  }

  return {
    get: (path) => call("GET", path, "", {}),
    post: (path, body, headers) => call("POST", path, body, headers),
  };
}

async function sdkClass(): Promise<SdkClass> {
  // @ts-expect-error the package has no types
  const module: { readonly default: unknown } = await import("@alicloud/fc2");
  // Under native ESM the default export of a CommonJS module is the module itself.
  const wrapped = module.default as SdkClass | { readonly default: SdkClass };
  return "default" in wrapped ? wrapped.default : wrapped;
}
