// The log service over HTTP: signed requests under a deadline of our own, with the service's errors sorted by what may be concluded.
import { gunzipSync } from "node:zlib";
import type { Clock } from "../../ports/clock.ts";
import { TrafficFailure } from "../../ports/traffic.ts";
import { type HttpReply, httpSenders } from "../system/http-call.ts";
import type { CredentialSource } from "./credentials.ts";
import { canonicalQuery, signSls } from "./sls-signature.ts";

export interface SlsSettings {
  readonly clock: Clock;
  readonly credentials: CredentialSource;
  /** `http://host:port` or `https://host`; null for each region's own. */
  readonly endpoint: string | null;
  /** A standard analysis may take 55 s. */
  readonly timeoutMs?: number;
}

/** One request. */
export interface SlsCall {
  readonly region: string;
  readonly project: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface SlsClient {
  /** The answer's JSON. Tried once more where the service is busy or the connection broke. Throws nothing but `TrafficFailure`. */
  call(call: SlsCall): Promise<unknown>;
}

const TIMEOUT_MS = 58_000;
const AGAIN_AFTER_MS = 1_000;
const MESSAGE_LENGTH_MAX = 200;

const KIND_BY_CODE: Readonly<Record<string, TrafficFailure["kind"]>> = {
  ProjectNotExist: "gone",
  LogStoreNotExist: "gone",
  IndexConfigNotExist: "gone",
  Unauthorized: "refused",
  SignatureNotMatch: "refused",
  InvalidAccessKeyId: "refused",
  RequestTimeExpired: "refused",
  ProjectForbidden: "refused",
  ReadQuotaExceed: "throttled",
  MetaOperationQpsLimitExceeded: "throttled",
};

/** Connections are kept; nothing is loaded or opened before the first call. */
export function slsClient(settings: SlsSettings): SlsClient {
  const timeoutMs = settings.timeoutMs ?? TIMEOUT_MS;
  const senderTo = httpSenders();

  async function send({ region, project, method, path, query = {}, body }: SlsCall): Promise<unknown> {
    const { url, host } = placeOf(settings.endpoint, region, project);
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = signSls(
      {
        method,
        path,
        query,
        body: text,
        headers: {
          host,
          accept: "application/json",
          "accept-encoding": "gzip",
          "x-log-apiversion": "0.6.0",
          "x-log-bodyrawsize": String(Buffer.byteLength(text)),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
      },
      { credentials: settings.credentials(), region, nowMs: settings.clock.now() },
    );
    const search = canonicalQuery(query);
    const request = {
      method,
      path: search === "" ? path : `${path}?${search}`,
      headers: { ...headers, "content-length": String(Buffer.byteLength(text)) },
      body: text,
    };
    try {
      return read(await senderTo(url.origin)(request, timeoutMs, () => new Error("no answer in time")));
    } catch (error) {
      if (error instanceof TrafficFailure) throw error;
      throw new TrafficFailure("unavailable", `the log service gave no usable answer: ${reasonOf(error)}`);
    }
  }

  return {
    async call(call) {
      try {
        return await send(call);
      } catch (error) {
        if (!(error instanceof TrafficFailure) || error.kind !== "unavailable") throw error;
        await settings.clock.sleep(AGAIN_AFTER_MS);
        return send(call);
      }
    },
  };
}

/** An address that is set by number serves every project; a name gets the project in front, as the region's own does. */
function placeOf(
  endpoint: string | null,
  region: string,
  project: string,
): { readonly url: URL; readonly host: string } {
  const own = `${project}.${region}.log.aliyuncs.com`;
  if (endpoint === null) return { url: new URL(`https://${own}`), host: own };
  const url = new URL(endpoint);
  if (/^[\d.]+$/.test(url.hostname) || url.hostname === "localhost") return { url, host: own };
  const host = `${project}.${url.host}`;
  return { url: new URL(`${url.protocol}//${host}`), host };
}

function read({ status, headers, body }: HttpReply): unknown {
  const isZipped = headers["content-encoding"] === "gzip" || headers["x-log-compresstype"] === "gzip";
  const text = (isZipped ? gunzipSync(body) : body).toString("utf8");
  const parsed = parse(text);
  if (status >= 200 && status < 300) {
    if (parsed === undefined) throw new Error("the answer is no JSON");
    return parsed;
  }
  const { errorCode, errorMessage } = (parsed ?? {}) as {
    readonly errorCode?: unknown;
    readonly errorMessage?: unknown;
  };
  const code = typeof errorCode === "string" ? errorCode : null;
  const told = typeof errorMessage === "string" ? `: ${errorMessage.slice(0, MESSAGE_LENGTH_MAX)}` : "";
  const requestId = headers["x-log-requestid"];
  throw new TrafficFailure(kindOf(code, status), `the log service answered ${code ?? status}${told}`, {
    cloudCode: code,
    requestId: typeof requestId === "string" ? requestId : null,
  });
}

function parse(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(code: string | null, status: number): TrafficFailure["kind"] {
  const known = code === null ? undefined : KIND_BY_CODE[code];
  if (known !== undefined) return known;
  if (status === 429) return "throttled";
  if (status === 401 || status === 403) return "refused";
  return code !== null && status >= 400 && status < 500 ? "invalid" : "unavailable";
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? ((error as { readonly code?: string }).code ?? error.message) : "unknown";
