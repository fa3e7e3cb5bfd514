// One RPC-style cloud API: requests of the official SDK's models, signed by it, sent by Node alone, with our own deadline and error classes.
import { stringify } from "node:querystring";
import type { Clock } from "../../ports/clock.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { type HttpCall, httpSenders } from "../system/http-call.ts";
import { afterThisTurn } from "../system/turn.ts";
import { ClockSkew } from "./clock-skew.ts";
import type { CredentialSource } from "./credentials.ts";
import { readAnswer } from "./ecs-answers.ts";
import { ecsFailure, isBrokenConnection } from "./ecs-failures.ts";

type EcsSdk = typeof import("./ecs-sdk.ts");

/** An official request model: it knows its parameters' wire names. */
export interface RequestModel {
  toMap(): Record<string, unknown>;
}

/** One call to make. */
export interface RpcCall {
  readonly action: string;
  readonly region: string;
  readonly priority: CallPriority;
  /** True for a call that changes nothing: it is tried once more after a broken connection. */
  readonly reading: boolean;
  readonly request: (models: EcsSdk["models"]) => RequestModel;
  /** True for an answer of one field, `bytes`: the body as it came, whole and not read. */
  readonly bytes?: boolean;
}

/** Decides whether a call may be made now, and hears what the cloud says to it. Throws `CloudFailure` "throttled" to refuse. */
export interface CallGate {
  admit(region: string, action: string, priority: CallPriority): Promise<void> | void;
  /** Asks now for what such calls, which will come soon, are going to need. Never throws. */
  foresee(region: string, actions: readonly string[], priority: CallPriority): void;
  throttled(region: string, action: string): void;
}

export interface RpcSettings {
  readonly clock: Clock;
  readonly credentials: CredentialSource;
  /** Host and port for a region, without a scheme. */
  readonly endpoint: (region: string) => string;
  readonly protocol?: "http" | "https";
  /** Limit of one attempt. */
  readonly timeoutMs?: number;
  readonly gate?: CallGate;
}

export interface RpcClient {
  /** The answer's JSON. Throws nothing but `CloudFailure`. */
  call(call: RpcCall): Promise<Readonly<Record<string, unknown>>>;
  /** Such calls will come soon: what the gate has to ask for them is asked now. Absent where it is nothing. */
  foresee?(region: string, actions: readonly string[], priority: CallPriority): void;
  /** Local clock minus the cloud's, as far as the `Date` of successful replies proves it; 0 before the first. */
  skewMs(): number;
}

const ECS_VERSION = "2014-05-26";
const ACTION_TRAIL_VERSION = "2020-07-06";
const VPC_VERSION = "2016-04-28";
const CLOUD_MONITOR_VERSION = "2019-01-01";
const RAM_VERSION = "2015-05-01";
const QUOTAS_VERSION = "2020-05-10";
const TIMEOUT_MS = 10_000;
/** What a gateway says of a request that is too long to be read: nothing of it was done. The service itself would answer in JSON. */
const TOO_LONG: readonly number[] = [413, 414, 431];
const SIGNATURE = "ACS3-HMAC-SHA256";
/** SHA-256 of a body without a byte: all parameters are in the query. */
const HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The ECS API of 2014-05-26. */
export function ecsRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, ECS_VERSION);
}

/** The ActionTrail API of 2020-07-06. */
export function actionTrailRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, ACTION_TRAIL_VERSION);
}

/** The CloudMonitor API of 2019-01-01. */
export function cloudMonitorRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, CLOUD_MONITOR_VERSION);
}

/** The VPC API of 2016-04-28. */
export function vpcRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, VPC_VERSION);
}

/** The Quota Center API of 2020-05-10. */
export function quotasRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, QUOTAS_VERSION);
}

/** The RAM API of 2015-05-01. */
export function ramRpcClient(settings: RpcSettings): RpcClient {
  return rpcClient(settings, RAM_VERSION);
}

/** The SDK is loaded by the first call. Connections stay open between calls, for each region its own. */
function rpcClient(settings: RpcSettings, version: string): RpcClient {
  const { timeoutMs = TIMEOUT_MS, protocol = "https" } = settings;
  const senderTo = httpSenders();
  const skew = new ClockSkew();
  /** Kept, as each `import()` of a bundle's part copies all its names once more. */
  let loaded: EcsSdk | null = null;

  /** The headers and their order are those of the SDK's generic call. */
  function signed({ helpers, flattenQuery, models }: EcsSdk, call: RpcCall, host: string): HttpCall {
    // Asked for each call, so that a changed key is used at once.
    const { accessKeyId, accessKeySecret, securityToken } = settings.credentials();
    const query = flattenQuery(call.request(models).toMap());
    const headers: Record<string, string> = {
      host,
      "x-acs-version": version,
      "x-acs-action": call.action,
      "user-agent": helpers.getUserAgent(""),
      "x-acs-date": helpers.getTimestamp(),
      "x-acs-signature-nonce": helpers.getNonce(),
      accept: "application/json",
      "x-acs-content-sha256": HASH_OF_NOTHING,
    };
    if (securityToken) {
      headers["x-acs-accesskey-id"] = accessKeyId;
      headers["x-acs-security-token"] = securityToken;
    }
    const request = { method: "POST" as const, pathname: "/", query, headers };
    headers["Authorization"] = helpers.getAuthorization(
      request as unknown as Parameters<typeof helpers.getAuthorization>[0],
      SIGNATURE,
      HASH_OF_NOTHING,
      accessKeyId,
      accessKeySecret,
    );
    return { method: request.method, path: `/?${stringify(query)}`, headers };
  }

  async function send(sdk: EcsSdk, call: RpcCall): Promise<Readonly<Record<string, unknown>>> {
    const { action } = call;
    const host = settings.endpoint(call.region);
    const late = (): CloudFailure => new CloudFailure("unknown", action, { message: `${action}: no answer in time` });
    const sentAt = settings.clock.now();
    const { status, headers, body } = await senderTo(`${protocol}://${host}`)(signed(sdk, call, host), timeoutMs, late);
    if (TOO_LONG.includes(status)) throw tooLong(action, status);
    if (status >= 300) throw refusal(status, readAnswer(action, body));
    skew.note(sentAt, settings.clock.now(), headers.date);
    return call.bytes ? { bytes: body } : readAnswer(action, body);
  }

  /** To compile it blocks the process: what the gate asks the store is on its way before, and answered meanwhile. */
  async function load(): Promise<EcsSdk> {
    if (loaded !== null) return loaded;
    if (settings.gate !== undefined) await new Promise<void>(afterThisTurn);
    loaded ??= await import("./ecs-sdk.ts");
    return loaded;
  }

  return {
    async call(call) {
      // It is a part of the address that the keys' token is sent to.
      if (!/^[a-z0-9-]+$/.test(call.region))
        throw new CloudFailure("invalid", call.action, { message: `${call.action}: there is no such region` });
      const admitted = settings.gate?.admit(call.region, call.action, call.priority);
      const [sdk] = await Promise.all([load(), admitted]);
      try {
        try {
          return await send(sdk, call);
        } catch (error) {
          if (!call.reading || !isBrokenConnection(error)) throw error;
          await settings.gate?.admit(call.region, call.action, call.priority);
          return await send(sdk, call);
        }
      } catch (error) {
        const failure = ecsFailure(call.action, error);
        if (failure.kind === "throttled" && failure.cloudCode !== null)
          settings.gate?.throttled(call.region, call.action);
        throw failure;
      }
    },
    foresee: (region, actions, priority) => settings.gate?.foresee(region, actions, priority),
    skewMs: () => skew.ms,
  };
}

function tooLong(action: string, status: number): CloudFailure {
  const message = `${action}: the request is too long for the service's gateway (${status})`;
  return new CloudFailure("invalid", action, { cloudCode: `HTTP ${status}`, message });
}

/** What the service says of a call that it refuses, as `ecsFailure` reads it. */
function refusal(statusCode: number, data: Readonly<Record<string, unknown>>): object {
  return { statusCode, code: data["Code"] ?? data["code"], requestId: data["RequestId"] ?? data["requestId"], data };
}
