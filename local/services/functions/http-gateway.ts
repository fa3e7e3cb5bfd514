// The HTTP trigger: requests from outside become events of a function, its results become responses.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { InvocationOutcome } from "./function-definition.ts";
import type { FunctionRegistry } from "./function-registry.ts";
import { type HttpAnswer, httpAnswer, httpEvent } from "./http-event.ts";
import { type Problem, problemAnswer } from "./problem.ts";
import { readBody } from "./request-body.ts";

/** Sends paths that are `prefix` or lie under it to a function, while that function exists. */
export interface Route {
  readonly prefix: string;
  readonly function: string;
}

/** What the gateway needs. */
export interface GatewayOptions {
  readonly registry: FunctionRegistry;
  readonly now: () => number;
  readonly accountId: string;
  readonly region: string;
  /** Default: `/alarm` goes to `alarm`. */
  readonly routes?: readonly Route[];
  /** Where everything else goes; default `api`. */
  readonly defaultFunction?: string;
}

// Longer than clients keep an idle connection, so that none is closed under a request.
const KEEP_ALIVE_MS = 75_000;
const BODY_BYTES_MAX = 32 * 1024 * 1024;
const ASYNC_BODY_BYTES_MAX = 128 * 1024;
const HEADER_BYTES_MAX = 8 * 1024;
const TARGET_BYTES_MAX = 4 * 1024;

/** A server that is not listening yet. */
export function createGateway(options: GatewayOptions): Server {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    serve(options, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const requestId = options.registry.newRequestId();
    const message = error.code === "HPE_HEADER_OVERFLOW" ? "the headers have more than 8192 bytes" : "this is not HTTP";
    const answer = problemAnswer(
      invalid(requestId, message, "Send a well-formed HTTP/1.1 request with fewer headers."),
    );
    const head = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 400 Bad Request\r\n${head.join("")}content-length: ${answer.body.length}\r\nconnection: close\r\n\r\n${answer.body}`,
    );
  });
  return server;
}

async function serve(options: GatewayOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = options.registry.newRequestId();
  const read = await readBody(request, BODY_BYTES_MAX);
  if (read.kind === "aborted") return;
  const refusal = refusalOf(request, read.kind === "too-long");
  if (refusal) response.shouldKeepAlive = false;
  const result =
    refusal || read.kind === "too-long"
      ? problemAnswer(invalid(requestId, refusal?.message ?? "", refusal?.remedy ?? ""))
      : await answer(options, request, read.body, requestId);
  // The platform's own time, which may be virtual, and not the machine's.
  response.setHeader("date", new Date(options.now()).toUTCString());
  response.setHeader("x-fc-request-id", requestId);
  send(request, response, result);
}

async function answer(
  options: GatewayOptions,
  request: IncomingMessage,
  body: Buffer,
  requestId: string,
): Promise<HttpAnswer> {
  const { registry, accountId, region } = options;
  const target = request.url ?? "/";
  const ownDomain = defaultDomainOf(request, region);
  const name = ownDomain ?? routeOf(options, target.split("?")[0] ?? "/");
  if (!registry.has(name))
    return problemAnswer({
      status: 404,
      code: "FunctionNotFound",
      message: `no function named ${name} is deployed`,
      remedy: "Deploy it, or ask for another path.",
      requestId,
    });
  const event = httpEvent(
    {
      method: request.method ?? "GET",
      target,
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      remoteAddress: request.socket.remoteAddress ?? "",
      body,
    },
    { accountId, domainName: `${name}.${region}.fcapp.run`, requestId, nowMs: options.now() },
  );
  const bytes = Buffer.from(JSON.stringify(event));
  if (String(request.headers["x-fc-invocation-type"]).toLowerCase() === "async") {
    if (body.length > ASYNC_BODY_BYTES_MAX)
      return problemAnswer(
        invalid(requestId, "the body of an asynchronous call has more than 131072 bytes", "Send at most 128 KB."),
      );
    registry.submit(name, bytes, { requestId });
    return { status: 202, headers: {}, body: Buffer.alloc(0) };
  }
  const response = responseOf(await registry.invoke(name, bytes, { requestId }));
  if (ownDomain === undefined) return response;
  return { ...response, headers: { ...response.headers, "content-disposition": "attachment" } };
}

/** The function whose own domain was asked, `<name>.<region>.fcapp.run`. Browsers download what comes from there. */
function defaultDomainOf(request: IncomingMessage, region: string): string | undefined {
  const [host = ""] = (request.headers.host ?? "").split(":");
  const suffix = `.${region}.fcapp.run`;
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : undefined;
}

function responseOf(outcome: InvocationOutcome): HttpAnswer {
  const { requestId, errorType } = outcome;
  const failed = (code: string, message: string, remedy: string): HttpAnswer =>
    problemAnswer({ status: 502, code, message, remedy, requestId });
  if (errorType === "ResourceThrottled")
    return problemAnswer({
      status: 429,
      code: errorType,
      message: "as many requests run as may",
      remedy: "Try again in a moment.",
      requestId,
    });
  if (errorType !== undefined)
    return failed(errorType, "the function failed", "Look for the request id in the function's log, then try again.");
  const mapped = httpAnswer(outcome.body);
  if ("problem" in mapped)
    return failed(
      "BadResponse",
      `the function's answer is no HTTP response: ${mapped.problem}`,
      "Correct the function.",
    );
  return mapped;
}

function refusalOf(
  request: IncomingMessage,
  isTooLong: boolean,
): { readonly message: string; readonly remedy: string } | undefined {
  if (isTooLong) return { message: "the body has more than 33554432 bytes", remedy: "Send at most 32 MB." };
  const headerBytes = request.rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (headerBytes > HEADER_BYTES_MAX)
    return { message: "the headers have more than 8192 bytes", remedy: "Send fewer or shorter headers." };
  if (Buffer.byteLength(request.url ?? "") > TARGET_BYTES_MAX)
    return { message: "path and query have more than 4096 bytes", remedy: "Put the parameters into the body." };
  return undefined;
}

function invalid(requestId: string, message: string, remedy: string): Problem {
  return { status: 400, code: "InvalidArgument", message, remedy, requestId };
}

function routeOf(options: GatewayOptions, path: string): string {
  const { routes = [{ prefix: "/alarm", function: "alarm" }], defaultFunction = "api", registry } = options;
  const route = routes.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  return route && registry.has(route.function) ? route.function : defaultFunction;
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const hasBody = status !== 204 && status !== 304 && request.method !== "HEAD";
  const length = status === 204 ? {} : { "content-length": String(body.length) };
  response.writeHead(status, { ...headers, ...length });
  response.end(hasBody ? body : undefined);
}
