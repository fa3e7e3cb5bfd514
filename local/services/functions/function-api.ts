// The Function Compute API, as far as it is used: GetFunction and InvokeFunction of version 2023-03-30.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerDate, playFault } from "../../call-faults.ts";
import type { SchedulingClock } from "../../clock.ts";
import type { FaultsOf, FaultTable } from "../../faults.ts";
import type { Authorize } from "../../ram.ts";
import type { FunctionDefinition } from "./function-definition.ts";
import type { FunctionRegistry } from "./function-registry.ts";
import { readBody } from "./request-body.ts";
import { type ApiKey, checkSignature } from "./signature.ts";

/** One call, for the cloud's list of calls. */
export interface ApiCall {
  readonly operation: string;
  readonly accessKeyId: string;
  readonly principal: string;
  readonly status: number;
  readonly code?: string;
  readonly params: Readonly<Record<string, string>>;
}

/** What the API needs. */
export interface FunctionApiOptions {
  readonly registry: FunctionRegistry;
  readonly clock: SchedulingClock;
  readonly findKey: (accessKeyId: string) => ApiKey | undefined;
  readonly faults?: FaultTable;
  /** What callers may do; everything when omitted. */
  readonly authorize?: Authorize;
  /** What the names of resources begin with: `acs:fc:<region>:<account>:`. */
  readonly arn: string;
  readonly onCall?: (call: ApiCall) => void;
}

interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly code?: string;
}

// Longer than the SDK keeps an idle connection, also over an instance's freeze.
const KEEP_ALIVE_MS = 75_000;
const SYNC_BYTES_MAX = 32 * 1024 * 1024;
const ASYNC_BYTES_MAX = 128 * 1024;
const PATH = /^\/2023-03-30\/functions\/([^/]+)(\/invocations)?$/;

/** A server that is not listening yet. */
export function createFunctionApi(options: FunctionApiOptions): Server {
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(options, request, response).catch(() => response.destroy());
  });
}

async function serve(options: FunctionApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = options.registry.newRequestId();
  const [path = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s, 2);
  const method = request.method ?? "GET";
  const name = operationOf(method, path);
  const read = await readBody(request, SYNC_BYTES_MAX);
  if (read.kind === "aborted") return;
  // What is too long to be kept cannot be compared with its digest.
  const body = read.kind === "too-long" ? Buffer.alloc(0) : read.body;
  const check = checkSignature({ method, path, rawQuery, headers: request.headers, body }, options.findKey);
  const accessKeyId = check.kind === "caller" ? check.key.accessKeyId : check.accessKeyId;
  const principal = check.kind === "caller" ? check.key.principal : "";
  const params = paramsOf(request, path);
  let fault: FaultsOf["fc"] | undefined;
  const finish = (answer: ApiAnswer | undefined): void => {
    const { status = 0, code } = answer ?? { code: "ConnectionLost" };
    const call = { operation: name ?? "unknown", accessKeyId, principal, status, params };
    options.onCall?.(code === undefined ? call : { ...call, code });
    if (!answer) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, {
      date: answerDate(options.clock.now(), fault),
      ...answer.headers,
      "x-fc-request-id": requestId,
    });
    response.end(answer.body);
  };
  if (check.kind === "refused") return finish(refusal(check.status, check.code, check.message, requestId));
  const perform = (): Promise<ApiAnswer> => {
    if (read.kind === "too-long")
      return Promise.resolve(refusal(400, "InvalidArgument", "the payload has more than 33554432 bytes", requestId));
    if (name === undefined)
      return Promise.resolve(
        refusal(404, "ApiNotSupported", `${method} ${path} is not an operation of this endpoint`, requestId),
      );
    const action = `fc:${name}`;
    const resources = [`${options.arn}functions/${params["functionName"] ?? ""}`];
    const denial = options.authorize?.(accessKeyId, { action, resources });
    if (denial !== undefined)
      return Promise.resolve(
        refusal(
          403,
          "AccessDenied",
          `the caller is not authorized to perform '${action}' on '${denial.resource}'`,
          requestId,
        ),
      );
    const call = { path, request, body, requestId };
    return name === "GetFunction" ? Promise.resolve(describe(options, call)) : invoke(options, call);
  };
  const operation = { service: "fc", operation: name ?? "unknown", accessKeyId, params } as const;
  fault = options.faults?.take(operation);
  const answer = await playFault(fault, {
    clock: options.clock,
    perform,
    refuse: ({ status, code, message = code }) => refusal(status, code, message, requestId),
    html: () => ({ status: 502, headers: { "content-type": "text/html" }, body: Buffer.from("<html>502</html>") }),
  });
  options.faults?.ended(operation, fault?.kind);
  finish(answer);
}

/** What the call is; undefined for what is no operation here. */
function operationOf(method: string, path: string): "GetFunction" | "InvokeFunction" | undefined {
  const [found, , invocations] = PATH.exec(path) ?? [];
  if (found === undefined) return undefined;
  if (invocations === undefined) return method === "GET" ? "GetFunction" : undefined;
  return method === "POST" ? "InvokeFunction" : undefined;
}

interface FunctionCall {
  readonly path: string;
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly requestId: string;
}

/** The function that a path names, or why there is none. */
function functionAt(
  { registry }: FunctionApiOptions,
  { path, requestId }: FunctionCall,
): FunctionDefinition | ApiAnswer {
  const name = decodeName(PATH.exec(path)?.[1]) ?? "";
  return registry.find(name) ?? refusal(404, "FunctionNotFound", `function '${name}' does not exist`, requestId);
}

/** The fields of a function that the embedded service keeps. */
function describe(options: FunctionApiOptions, call: FunctionCall): ApiAnswer {
  const it = functionAt(options, call);
  if ("status" in it) return it;
  const document = {
    functionName: it.name,
    handler: it.handler ?? "index.handler",
    runtime: "nodejs20",
    memorySize: it.memoryMb ?? 512,
    timeout: it.timeoutS ?? 60,
    environmentVariables: it.environment ?? {},
  };
  return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(document)) };
}

async function invoke(options: FunctionApiOptions, call: FunctionCall): Promise<ApiAnswer> {
  const { registry } = options;
  const { requestId, body } = call;
  const wrong = (message: string): ApiAnswer => refusal(400, "InvalidArgument", message, requestId);
  const it = functionAt(options, call);
  if ("status" in it) return it;
  const { name } = it;

  const { headers } = call.request;
  const type = String(headers["x-fc-invocation-type"] ?? "Sync").toLowerCase();
  if (type !== "async" && type !== "sync") return wrong("x-fc-invocation-type is Async or Sync");
  if (type === "sync") {
    const outcome = await registry.invoke(name, body, { requestId });
    if (outcome.errorType === "ResourceThrottled")
      return refusal(429, outcome.errorType, "as many requests run as may", requestId);
    if (outcome.errorType === undefined)
      return { status: 200, headers: { "content-type": "application/octet-stream" }, body: outcome.body };
    const errorHeaders = { "content-type": "application/json", "x-fc-error-type": outcome.errorType };
    return { status: 200, headers: errorHeaders, body: outcome.body };
  }

  if (body.length > ASYNC_BYTES_MAX) return wrong("the payload of an asynchronous call has more than 131072 bytes");
  const delay = headers["x-fc-async-delay"];
  // The documents of 3.0 have neither end in the range.
  if (delay !== undefined && (!/^\d{1,4}$/.test(String(delay)) || Number(delay) < 1 || Number(delay) > 3_599))
    return wrong("x-fc-async-delay is 1 to 3599 whole seconds");
  const taskId = headers["x-fc-async-task-id"];
  if (taskId !== undefined && !/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/.test(String(taskId)))
    return wrong("x-fc-async-task-id starts with a letter or _ and has at most 128 letters, digits, _ or -");
  const { acceptance } = registry.submit(name, body, {
    requestId,
    delayMs: Number(delay ?? 0) * 1_000,
    ...(taskId === undefined ? {} : { taskId: String(taskId) }),
  });
  if (acceptance === "duplicate")
    return refusal(
      409,
      "StatefulAsyncInvocationAlreadyExists",
      `the task id ${String(taskId)} was used before`,
      requestId,
    );
  return { status: 202, headers: { "x-fc-async-task-id": String(taskId ?? requestId) }, body: Buffer.alloc(0) };
}

function refusal(status: number, code: string, message: string, requestId: string): ApiAnswer {
  // The old SDK reads ErrorCode and ErrorMessage, the present API documents Code and Message.
  const document = { RequestId: requestId, Code: code, Message: message, ErrorCode: code, ErrorMessage: message };
  return { status, code, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(document)) };
}

function paramsOf(request: IncomingMessage, path: string): Record<string, string> {
  const params: Record<string, string> = { functionName: decodeName(PATH.exec(path)?.[1]) ?? "" };
  for (const header of ["x-fc-invocation-type", "x-fc-async-delay", "x-fc-async-task-id"]) {
    const value = request.headers[header];
    if (value !== undefined) params[header] = String(value);
  }
  return params;
}

function decodeName(name: string | undefined): string | undefined {
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
