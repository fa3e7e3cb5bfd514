// One call to Tablestore: a deadline of our own, the error code decoded, and an answer to "was it applied?".
import http from "node:http";
import https from "node:https";
import type { Client, ConfigOptions } from "tablestore";
import { StoreFailure } from "../../ports/tables.ts";
import { withDeadline } from "../system/deadline.ts";
import { loaded } from "../system/loaded.ts";
import type { CredentialSource } from "./credentials.ts";

/** The SDK's module. */
export type TablestoreSdk = typeof import("tablestore");

export interface TablestoreSettings {
  /** With scheme: `https://<instance>.<region>.ots.aliyuncs.com`. */
  readonly endpoint: string;
  readonly instance: string;
  readonly credentials: CredentialSource;
  /** Limit of one attempt; a whole call takes about three times as long at most. */
  readonly timeoutMs?: number;
}

/** A refusal or an accident of a call, with what may be concluded about a write. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  /** `conflict`: the condition did not hold. `notApplied`: later may work. `unknown`: it may be done. `final`: will repeat. */
  readonly kind: "conflict" | "notApplied" | "unknown" | "final";
  readonly code: string;
  constructor(kind: CallFailure["kind"], code: string, detail: string) {
    super(`Tablestore: ${code}${detail === "" ? "" : ` (${detail})`}`);
    this.kind = kind;
    this.code = code;
  }
}

/** The server says so, or the request never reached it: these were not applied, and later may work. */
const NOT_APPLIED = new Set([
  "OTSServerBusy",
  "OTSPartitionUnavailable",
  "OTSTableNotReady",
  "OTSRowOperationConflict",
  "OTSNotEnoughCapacityUnit",
  "OTSCapacityUnitExhausted",
  "OTSOperationThrottled",
  "OTSFlowControl",
  "OTSTooFrequentReservedThroughputAdjustment",
]);
const UNKNOWN = new Set(["OTSTimeout", "OTSInternalServerError", "OTSServerUnavailable", "OTSRequestTimeout"]);
const TOO_FREQUENT = /Too frequent table operations/;

/** Operations that we call, with their parameters and answers as the SDK types them. */
type Operation =
  | "getRow"
  | "putRow"
  | "updateRow"
  | "deleteRow"
  | "getRange"
  | "batchGetRow"
  | "batchWriteRow"
  | "createTable"
  | "listTable";
type Parameters_<Name extends Operation> = Parameters<Client[Name]>[0];
type Answer<Name extends Operation> = Awaited<ReturnType<Client[Name]>>;

export interface TablestoreCaller {
  /** Loads the SDK on first use. */
  sdk(): Promise<TablestoreSdk>;
  /** One attempt. Throws nothing but `CallFailure`. */
  call<Name extends Operation>(operation: Name, parameters: Parameters_<Name>): Promise<Answer<Name>>;
  readonly timeoutMs: number;
}

/** The part of the SDK's request that its types leave out: the socket under it. */
interface RawClient {
  makeRequest(
    operation: string,
    parameters: unknown,
    callback: (error: unknown, data: unknown) => void,
  ): { readonly httpRequest: { readonly stream?: { destroy(): void } } };
}

const TIMEOUT_MS = 5_000;
const SOCKETS_MAX = 50;

/** A caller whose connections stay open between calls. */
export function tablestoreCaller(settings: TablestoreSettings): TablestoreCaller {
  const timeoutMs = settings.timeoutMs ?? TIMEOUT_MS;
  const load = loaded(async () => {
    const module: object = await import("tablestore");
    // Under native ESM the default export of a CommonJS module is the module itself.
    const sdk = ((module as { readonly default?: TablestoreSdk }).default ?? module) as TablestoreSdk;
    const client = new sdk.Client(clientConfig(settings, timeoutMs));
    // Asked by the SDK when it signs, so that a changed key is used at once.
    Object.assign((client as unknown as { readonly config: object }).config, {
      getCredentials: () => {
        const { accessKeyId, accessKeySecret, securityToken } = settings.credentials();
        return { accessKeyId, secretAccessKey: accessKeySecret, securityToken };
      },
    });
    return { sdk, client: client as unknown as RawClient };
  });

  return {
    timeoutMs,
    sdk: async () => (await load()).sdk,
    async call<Name extends Operation>(operation: Name, parameters: Parameters_<Name>): Promise<Answer<Name>> {
      const { client } = await load();
      let request: ReturnType<RawClient["makeRequest"]> | undefined;
      const answer = new Promise<Answer<Name>>((resolve, reject) => {
        request = client.makeRequest(operation, parameters, (error, data) => {
          if (error === null || error === undefined) resolve(data as Answer<Name>);
          else reject(callFailure(error));
        });
      });
      return withDeadline(timeoutMs, answer, () => {
        // A reply that was cut off never settles by itself, and its socket would never be given back.
        request?.httpRequest.stream?.destroy();
        return new CallFailure("unknown", "NoAnswer", `${operation} within ${timeoutMs} ms`);
      });
    },
  };
}

function clientConfig(settings: TablestoreSettings, timeoutMs: number): ConfigOptions {
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const agent = settings.endpoint.startsWith("https:") ? new https.Agent(options) : new http.Agent(options);
  const { accessKeyId, accessKeySecret } = settings.credentials();
  return {
    accessKeyId,
    accessKeySecret,
    endpoint: settings.endpoint,
    instancename: settings.instance,
    maxRetries: 0,
    httpOptions: { agent, timeout: timeoutMs },
  } as object as ConfigOptions;
}

/**
 * What the SDK's error means. Its `code` is the HTTP status; the service's code is somewhere in the message, which is the
 * undecoded answer and is therefore not repeated.
 */
function callFailure(thrown: unknown): CallFailure {
  const error = typeof thrown === "object" && thrown !== null ? (thrown as Readonly<Record<string, unknown>>) : {};
  const message = typeof error["message"] === "string" ? error["message"] : "";
  const status = typeof error["code"] === "number" ? error["code"] : null;
  const code = /OTS[A-Za-z]+/.exec(message)?.[0];
  if (status !== null && code !== undefined)
    return new CallFailure(kindOfCode(code, message, status), code, `${status}`);
  if (status !== null) return new CallFailure(status >= 500 ? "unknown" : "final", `HTTP ${status}`, "");
  if (error["code"] === "NetworkingError") {
    const neverSent = error["syscall"] === "connect" || error["syscall"] === "getaddrinfo";
    return new CallFailure(neverSent ? "notApplied" : "unknown", "NetworkingError", `${error["errno"] ?? ""}`);
  }
  if (error["code"] === "Forbidden") return new CallFailure("final", "OTSAuthFailed", "empty answer");
  if (error["code"] === "NotFound" || error["code"] === "BadRequest")
    return new CallFailure("final", `${error["code"]}`, "");
  // Neither a status nor a network error: the answer, or our own request, could not be coded.
  return new CallFailure("unknown", "Unreadable", `${error["name"] ?? ""} ${message.slice(0, 100)}`);
}

/** What the service's code says about the write. `status` is null for a row of a batch. */
export function kindOfCode(code: string, message: string, status: number | null): CallFailure["kind"] {
  if (code === "OTSConditionCheckFail") return "conflict";
  if (NOT_APPLIED.has(code) || (code === "OTSQuotaExhausted" && TOO_FREQUENT.test(message))) return "notApplied";
  if (UNKNOWN.has(code) || (status !== null && status >= 500)) return "unknown";
  return "final";
}

/** What the caller of the port gets to see. */
export function storeFailure(thrown: unknown): StoreFailure {
  if (thrown instanceof StoreFailure) return thrown;
  if (!(thrown instanceof CallFailure)) {
    const told = thrown instanceof Error ? thrown.message : "unknown error";
    return new StoreFailure("unavailable", `Tablestore: ${told}`, thrown);
  }
  if (thrown.code === "OTSObjectNotExist") return new StoreFailure("tableMissing", thrown.message, thrown);
  const refused = thrown.code === "OTSAuthFailed" || thrown.code === "OTSNoPermissionAccess";
  return new StoreFailure(refused ? "refused" : "unavailable", thrown.message, thrown);
}
