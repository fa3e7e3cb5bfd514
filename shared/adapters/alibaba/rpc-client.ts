// One RPC-style cloud API behind the official SDK's generic call, with our own deadline and error classes.
import type { Clock } from "../../ports/clock.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { withDeadline } from "../system/deadline.ts";
import { afterThisTurn } from "../system/turn.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { sameCredentials } from "./credentials.ts";
import { readAnswer } from "./ecs-answers.ts";
import { ecsFailure, isBrokenConnection } from "./ecs-failures.ts";
import type { RpcSdkClient } from "./ecs-sdk.ts";
import { isStream, readBody } from "./sdk-body.ts";

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
  /** The SDK treats both as a limit on silence of the socket, so the smaller one ends a slow call. */
  readonly connectTimeoutMs?: number;
  readonly readTimeoutMs?: number;
  readonly gate?: CallGate;
}

export interface RpcClient {
  /** The answer's JSON. Throws nothing but `CloudFailure`. */
  call(call: RpcCall): Promise<Readonly<Record<string, unknown>>>;
  /** Such calls will come soon: what the gate has to ask for them is asked now. Absent where it is nothing. */
  foresee?(region: string, actions: readonly string[], priority: CallPriority): void;
  /** Local clock minus the cloud's, by the last successful reply's `Date`; 0 before the first. */
  skewMs(): number;
}

const ECS_VERSION = "2014-05-26";
const ACTION_TRAIL_VERSION = "2020-07-06";
const VPC_VERSION = "2016-04-28";
const CLOUD_MONITOR_VERSION = "2019-01-01";
const RAM_VERSION = "2015-05-01";
const QUOTAS_VERSION = "2020-05-10";
const CONNECT_TIMEOUT_MS = 10_000;
const READ_TIMEOUT_MS = 10_000;
/** How much longer than the SDK's own limits we wait before we give a call up ourselves. */
const DEADLINE_MARGIN_MS = 500;

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

/** The SDK is loaded, and a client per region made, by the first call. */
function rpcClient(settings: RpcSettings, version: string): RpcClient {
  const connectTimeout = settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const readTimeout = settings.readTimeoutMs ?? READ_TIMEOUT_MS;
  const paramsOf = new Map<string, InstanceType<EcsSdk["Params"]>>();
  const clients = new Map<string, { readonly client: RpcSdkClient; readonly credentials: Credentials }>();
  let skew = 0;
  /** Kept, as each `import()` of a bundle's part copies all its names once more. */
  let loaded: EcsSdk | null = null;

  function clientFor(sdk: EcsSdk, region: string): RpcSdkClient {
    const credentials = settings.credentials();
    const known = clients.get(region);
    if (known !== undefined && sameCredentials(known.credentials, credentials)) return known.client;
    const client = new sdk.RpcSdkClient(
      new sdk.Config({
        ...credentials,
        regionId: region,
        endpoint: settings.endpoint(region),
        protocol: settings.protocol ?? "https",
        connectTimeout,
        readTimeout,
      }),
    );
    clients.set(region, { client, credentials });
    return client;
  }

  /** The same for every call of an API, so that a long walk makes them once. */
  function paramsFor(sdk: EcsSdk, action: string): InstanceType<EcsSdk["Params"]> {
    const known = paramsOf.get(action);
    if (known !== undefined) return known;
    const made = new sdk.Params({
      action,
      version,
      protocol: (settings.protocol ?? "https").toUpperCase(),
      pathname: "/",
      method: "POST",
      authType: "AK",
      style: "RPC",
      reqBodyType: "formData",
      bodyType: "binary",
    });
    paramsOf.set(action, made);
    return made;
  }

  async function send(sdk: EcsSdk, call: RpcCall): Promise<Readonly<Record<string, unknown>>> {
    const request = new sdk.OpenApiRequest({ query: sdk.flattenQuery(call.request(sdk.models).toMap()) });
    const runtime = {} as Parameters<RpcSdkClient["callApi"]>[2];
    const client = clientFor(sdk, call.region);
    const bytes = await withDeadline(
      Math.max(connectTimeout, readTimeout) + DEADLINE_MARGIN_MS,
      client.callApi(paramsFor(sdk, call.action), request, runtime).then(async (answer) => {
        const { headers, body } = answer;
        if (!isStream(body)) throw new CloudFailure("unknown", call.action, { message: `${call.action}: no body` });
        const read = await readBody(body);
        noteDate(headers);
        return read;
      }),
      () => new CloudFailure("unknown", call.action, { message: `${call.action}: no answer in time` }),
    );
    return call.bytes ? { bytes } : readAnswer(call.action, bytes);
  }

  function noteDate(headers: unknown): void {
    if (typeof headers !== "object" || headers === null) return;
    const date = Date.parse(String((headers as Readonly<Record<string, unknown>>)["date"]));
    if (!Number.isNaN(date)) skew = settings.clock.now() - date;
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
    skewMs: () => skew,
  };
}
