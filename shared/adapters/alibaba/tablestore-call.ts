// One call to Tablestore: a deadline of our own, the error code decoded, and an answer to "was it applied?".
import { createHash } from "node:crypto";
import type { Client } from "tablestore";
import { StoreFailure } from "../../ports/tables.ts";
import { httpSender } from "../system/http-call.ts";
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

/** What the SDK's types leave out: what codes a request and its answer, and what signs it. */
interface WireSdk {
  readonly encoder: { encode(operation: string, parameters: unknown): object };
  readonly decoder: { decode(operation: string, body: Buffer): unknown };
  readonly Signer: new (request: SignedRequest) => { addAuthorization(keys: SdkKeys, date: Date): void };
  /** The machine's time, in which the service takes signatures. */
  readonly util: { readonly date: { getDate(): Date } };
}

interface SignedRequest {
  readonly method: "POST";
  readonly path: string;
  readonly headers: Record<string, string | number>;
}

interface SdkKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly securityToken: string | undefined;
}

/** The class of each message of the SDK writes it. */
interface MessageClass {
  encode(message: object): { finish(): Buffer };
}

const API_VERSION = "2015-12-31";
const TIMEOUT_MS = 5_000;
const SOCKETS_MAX = 50;

/**
 * A caller whose connections stay open between calls. Requests are coded and signed by the SDK and sent by Node alone: the SDK's own way
 * through a request, with its events, retries and four streams for each body, was a tenth of a first lease.
 */
export function tablestoreCaller(settings: TablestoreSettings): TablestoreCaller {
  const timeoutMs = settings.timeoutMs ?? TIMEOUT_MS;
  const load = loaded(async () => {
    const module: object = await import("tablestore");
    // Under native ESM the default export of a CommonJS module is the module itself.
    return ((module as { readonly default?: TablestoreSdk }).default ?? module) as TablestoreSdk;
  });
  const send = httpSender(settings.endpoint, SOCKETS_MAX);

  return {
    timeoutMs,
    sdk: load,
    async call<Name extends Operation>(operation: Name, parameters: Parameters_<Name>): Promise<Answer<Name>> {
      const wire = (await load()) as unknown as WireSdk;
      const body = coded(() => bytesOf(wire.encoder.encode(operation, parameters)));
      const late = (): CallFailure => new CallFailure("unknown", "NoAnswer", `${operation} within ${timeoutMs} ms`);
      const sent = coded(() => send({ ...signed(wire, settings, operation, body), body }, timeoutMs, late));
      const { status, body: answer } = await sent.catch((error) => {
        throw error instanceof CallFailure ? error : accident(error);
      });
      if (status >= 300) throw refusal(status, answer.toString());
      return coded(() => wire.decoder.decode(operation, answer) as Answer<Name>);
    },
  };
}

function bytesOf(message: object): Buffer {
  return (message.constructor as object as MessageClass).encode(message).finish();
}

function signed(
  { Signer, util }: WireSdk,
  { instance, credentials }: TablestoreSettings,
  operation: string,
  body: Buffer,
): SignedRequest {
  const request: SignedRequest = {
    method: "POST",
    path: `/${operation.charAt(0).toUpperCase()}${operation.slice(1)}`,
    headers: {
      "x-ots-apiversion": API_VERSION,
      "x-ots-instancename": instance,
      "x-ots-contentmd5": createHash("md5").update(body).digest("base64"),
      "Content-Length": body.length,
    },
  };
  // Asked for each call, so that a changed key is used at once.
  const { accessKeyId, accessKeySecret, securityToken } = credentials();
  const keys = { accessKeyId, secretAccessKey: accessKeySecret, securityToken };
  new Signer(request).addAuthorization(keys, util.date.getDate());
  return request;
}

/** What the network did to a request. */
function accident({ syscall, code }: NodeJS.ErrnoException): CallFailure {
  const neverSent = syscall === "connect" || syscall === "getaddrinfo";
  return new CallFailure(neverSent ? "notApplied" : "unknown", "NetworkingError", code ?? "");
}

/** The service's code is somewhere in the answer, which may hold what was sent and is therefore not repeated. */
function refusal(status: number, answer: string): CallFailure {
  const code = /OTS[A-Za-z]+/.exec(answer)?.[0];
  if (code !== undefined) return new CallFailure(kindOfCode(code, answer, status), code, `${status}`);
  if (status === 403 && answer === "") return new CallFailure("final", "OTSAuthFailed", "empty answer");
  return new CallFailure(status >= 500 ? "unknown" : "final", `HTTP ${status}`, "");
}

/** Runs what codes and signs a request, or reads its answer. Throws CallFailure. */
function coded<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (thrown) {
    const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    throw new CallFailure("unknown", "Unreadable", `${name} ${message.slice(0, 100)}`);
  }
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
