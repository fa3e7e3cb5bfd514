// Function Compute's API of version 2023-03-30 behind the official SDK's plain requests.
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

/** The part of `@alicloud/fc2` that we use; the package has no types. */
export interface FcClient {
  version: string;
  securityToken?: string | undefined;
  /** Rejects with an error whose `code` is the service's, where it told one. */
  get(path: string): Promise<{ readonly data: unknown }>;
  post(path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<unknown>;
}
type FcClientClass = new (accountId: string, config: Readonly<Record<string, unknown>>) => FcClient;

/** The API whose functions have plain names; the SDK's own default is an older one. */
const API_VERSION = "2023-03-30";
const TIMEOUT_MS = 3_000;

/** Made anew for each call: it is cheap, and the credentials may have changed. */
export async function fcClient(place: FcPlace): Promise<FcClient> {
  // @ts-expect-error the package has no types
  const module: { readonly default: unknown } = await import("@alicloud/fc2");
  const wrapped = module.default as FcClientClass | { readonly default: FcClientClass };
  const Client = "default" in wrapped ? wrapped.default : wrapped;
  const { accessKeyId, accessKeySecret, securityToken } = place.credentials();
  const client = new Client(place.accountId, {
    accessKeyID: accessKeyId,
    accessKeySecret,
    securityToken,
    region: place.region,
    secure: place.secure ?? true,
    endpoint: place.endpoint,
    timeout: place.timeoutMs ?? TIMEOUT_MS,
  });
  client.version = API_VERSION;
  // The SDK takes the token only with keys that start with STS.
  client.securityToken = securityToken;
  return client;
}
