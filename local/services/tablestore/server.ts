// The embedded Tablestore: an HTTP server that unmodified SDKs talk to.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Random } from "../../../shared/ports/random.ts";
import { playFault } from "../../call-faults.ts";
import type { CallFault } from "../../faults.ts";
import { encodeMessage } from "../../protocol/tablestore/messages.ts";
import { contentMd5, type OtsHeaders, signingKey, signResponse } from "../../protocol/tablestore/signature.ts";
import type { Authorize, Permission } from "../../ram.ts";
import { authenticate } from "./authentication.ts";
import { inflate } from "./compression.ts";
import { consumedBy, type Units } from "./consumed.ts";
import { findOperation } from "./dispatch.ts";
import { internalError, noPermission, OtsError } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Call } from "./operation.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import { purgeExpired } from "./purge.ts";
import { openStore } from "./store.ts";
import { Transactions } from "./transactions.ts";

/** What a fault does to one call. `drop-before` cuts the connection with nothing done, `drop-after` after the commit. */
export type TablestoreFault = CallFault;

/** One call that was made. `status` is 0 when the connection was cut before anything was done. */
export interface TablestoreCall {
  readonly service: "ots";
  readonly operation: string;
  readonly accessKeyId: string;
  readonly status: number;
  readonly at: number;
  readonly code?: string;
  readonly table?: string;
  /** The kind of the fault that hit the call. */
  readonly fault?: string;
  /** What the answer says the call has cost. */
  readonly units?: Units;
}

/** How to run it. Without `directory` nothing outlives the process. */
export interface TablestoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly directory?: string;
  readonly host?: string;
  readonly port?: number;
  readonly instances: readonly string[];
  readonly credentials: (accessKeyId: string, securityToken: string | undefined) => { secret: string } | undefined;
  /** The largest difference between a request's date and the clock. Absent: not checked, as a virtual clock needs. */
  readonly requestSkewMsMax?: number;
  /** What callers may do; everything when omitted. */
  readonly authorize?: Authorize;
  /** What the names of resources begin with: `acs:ots:<region>:<account>:`. */
  readonly arn?: string;
  /** Waits and rates of table operations; none when absent. */
  readonly pace?: PaceOptions;
  /** New tables have local transactions without asking, as where a ticket has enabled them. Default false. */
  readonly localTransactions?: boolean;
  /** A row of which every cell has expired exists for conditions until it is purged, though no read shows it. Default false. */
  readonly keepsExpired?: boolean;
  /** Told of every call, before its answer is sent. */
  readonly onCall?: (call: TablestoreCall) => void;
  /** Told what is behind an answer of 500. Absent: written to the standard error stream. */
  readonly onBug?: (error: unknown) => void;
  /** Told why what was written could not be made durable; its calls are answered 503. Absent: as `onBug`. */
  readonly onUnwritable?: (error: unknown) => void;
  /** Asked about every call that is authentic, before it runs. */
  readonly intercept?: (
    call: Pick<TablestoreCall, "service" | "operation" | "accessKeyId" | "table">,
  ) => TablestoreFault | undefined;
}

/** A running Tablestore. `stop` commits what is queued; `reset` forgets all tables and rows. */
export interface Tablestore {
  readonly url: string;
  readonly port: number;
  reset(): Promise<void>;
  /** Takes rows whose time is over from the disk; resolves with how many. They are not read either way. */
  purge(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a Tablestore on loopback. */
export async function startTablestore(options: TablestoreOptions): Promise<Tablestore> {
  const store = openStore(options.directory, options.onUnwritable ?? options.onBug ?? console.error);
  const transactions = new Transactions(() => uuid(options.random));
  const pace = new Pace(options.pace ?? {});
  const { localTransactions = false, keepsExpired = false } = options;
  const state = { store, transactions, pace, localTransactions, keepsExpired, now: () => options.clock.now() };
  const server = createServer((request, response) => {
    serve(options, state, request, response).catch(() => request.socket.destroy());
  });
  // A server that closes idle connections races with clients that reuse them.
  server.keepAliveTimeout = 0;
  const host = options.host ?? "127.0.0.1";
  try {
    await listen(server, host, options.port ?? 0);
  } catch (error) {
    store.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    store.close();
  };
  return {
    url: `http://${host}:${port}`,
    port,
    reset: () => {
      transactions.endAll();
      return store.reset();
    },
    purge: () => purgeExpired(store, () => options.clock.now()),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Reading the list of tables and whatever names no table is about the instance. */
function permissionNeeded(
  operation: string,
  instance: string,
  tables: readonly string[],
  { arn = "acs:ots:::" }: TablestoreOptions,
): Permission {
  const base = `${arn}instance/${instance.toLowerCase()}`;
  return {
    action: `ots:${operation}`,
    resources: tables.length === 0 ? [base] : tables.map((table) => `${base}/table/${table}`),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function serve(
  options: TablestoreOptions,
  state: Omit<Call, "instance">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] as string;
  const headers = otsHeaders(request);
  const call: Writable<TablestoreCall> = {
    service: "ots",
    operation: path.slice(1),
    accessKeyId: headers["x-ots-accesskeyid"] ?? "",
    status: 200,
    at: options.clock.now(),
  };
  const attempt = (work: () => Buffer | Promise<Buffer>): Promise<Answer> => answerOrRefuse(options, work);
  let fault: TablestoreFault | undefined;
  const tell = (answer: Pick<Answer, "status" | "code"> & { readonly body?: Buffer }): void => {
    const { status, code, body } = answer;
    const units = status === 200 && body !== undefined ? consumedBy(call.operation, body) : undefined;
    options.onCall?.({
      ...call,
      status,
      ...(units === undefined ? {} : { units }),
      ...(code === undefined ? {} : { code }),
      ...(fault === undefined ? {} : { fault: fault.kind }),
    });
  };
  let run: () => Promise<Answer> = async () => ({ status: 200, body: Buffer.alloc(0) });
  // A client that is gone before it has sent everything is owed no answer.
  const received = await readBody(request);
  const refused = await attempt(async () => {
    if (received === undefined)
      throw new OtsError(413, "OTSRequestBodyTooLarge", "The size of POST data is too large.");
    if (request.method !== "POST")
      throw new OtsError(405, "OTSMethodNotAllowed", "Only POST method for requests is supported.");
    const { instance } = authenticate(
      { ...options, skewMsMax: options.requestSkewMsMax },
      { path, headers, body: received, nowMs: call.at },
    );
    const prepared = findOperation(call.operation)(inflate(received, headers));
    const [table] = prepared.tables;
    if (table !== undefined) call.table = table;
    const denial = options.authorize?.(
      call.accessKeyId,
      permissionNeeded(call.operation, instance, prepared.tables, options),
    );
    if (denial !== undefined) throw noPermission();
    run = () => attempt(() => prepared.run({ ...state, instance }));
    return Buffer.alloc(0);
  });
  const told = (answer: Answer): Answer => {
    tell(answer);
    return answer;
  };
  fault = refused.status === 200 ? options.intercept?.(call) : undefined;
  const answer =
    refused.status !== 200
      ? told(refused)
      : await playFault(fault, {
          clock: options.clock,
          perform: async () => told(await run()),
          refuse: ({ status, code, message = code }) => told(refusalOf(new OtsError(status, code, message))),
          lost: () => tell({ status: 0 }),
          html: () => told({ status: 502, body: Buffer.from("<html><h1>502 Bad Gateway</h1></html>"), isHtml: true }),
        });
  if (answer === undefined) {
    request.socket.destroy();
    return;
  }
  const { status, body } = answer;
  const skewMs = fault?.kind === "skew" ? fault.ms : 0;
  const own = answer.isHtml
    ? { "content-type": "text/html", "content-length": body.length }
    : answerHeaders(options, {
        path,
        body,
        accessKeyId: call.accessKeyId,
        request: headers,
        nowMs: options.clock.now() + skewMs,
      });
  response.writeHead(status, own);
  response.end(body);
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly body: Buffer;
  readonly isHtml?: boolean;
}

async function answerOrRefuse(
  options: Pick<TablestoreOptions, "onBug">,
  work: () => Buffer | Promise<Buffer>,
): Promise<Answer> {
  try {
    return { status: 200, body: await work() };
  } catch (error) {
    if (!(error instanceof OtsError)) (options.onBug ?? console.error)(error);
    return refusalOf(error instanceof OtsError ? error : internalError());
  }
}

function refusalOf({ status, code, message }: OtsError): Answer {
  return { status, code, body: encodeMessage("Error", { code, message }) };
}

/** All `x-ots-` headers of the request. */
function otsHeaders(request: IncomingMessage): OtsHeaders {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith("x-ots-") && value !== undefined)
      headers[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return headers;
}

/** The whole body. One over the limit is read to its end and thrown away, so that the client can read the answer. */
/** Undefined for a body that is too large. Throws when the client goes away. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limits.bodyBytesMax) chunks.push(chunk);
  }
  if (size > limits.bodyBytesMax) return undefined;
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** The headers of every answer, errors included; SDKs of other languages refuse an answer without them. */
function answerHeaders(
  options: TablestoreOptions,
  answer: {
    readonly path: string;
    readonly body: Buffer;
    readonly accessKeyId: string;
    /** The headers of the request. */
    readonly request: OtsHeaders;
    readonly nowMs: number;
  },
): Record<string, string | number> {
  const headers = {
    "x-ots-contentmd5": contentMd5(answer.body),
    "x-ots-contenttype": "protocol buffer",
    "x-ots-date": new Date(answer.nowMs).toISOString(),
    "x-ots-requestid": uuid(options.random),
  };
  const { secret = "" } = options.credentials(answer.accessKeyId, answer.request["x-ots-ststoken"]) ?? {};
  const signature = signResponse({ path: answer.path, headers, secret: signingKey(answer.request, secret) });
  return {
    ...headers,
    Date: new Date(answer.nowMs).toUTCString(),
    Authorization: `OTS ${answer.accessKeyId}:${signature}`,
    "Content-Length": answer.body.length,
  };
}

function uuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
