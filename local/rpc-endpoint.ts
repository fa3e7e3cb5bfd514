// A small service of signed RPC over HTTP: from the bytes of a request to the call, under its fault, to the answer.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Random } from "../shared/ports/random.ts";
import { answerDate, playFault } from "./call-faults.ts";
import type { SchedulingClock } from "./clock.ts";
import type { FaultTable } from "./faults.ts";
import { written } from "./protocol/rpc/answer-format.ts";
import { Nonces } from "./protocol/rpc/nonces.ts";
import type { RpcParameters } from "./protocol/rpc/parameters.ts";
import { readRpcCall } from "./protocol/rpc/rpc-call.ts";
import { errorBody, RpcError } from "./protocol/rpc/rpc-error.ts";
import { type Authorize, allowAll } from "./ram.ts";
import { newEventId } from "./services/eventbridge/cloud-event.ts";
import { closeServer, listen } from "./services/functions/functions.ts";
import { readBody } from "./services/functions/request-body.ts";

/** A call that was answered. */
export interface RpcCall {
  readonly operation: string;
  readonly accessKeyId: string;
  /** 0 when the connection was cut before anything was done. */
  readonly status: number;
  readonly code?: string;
  readonly params: RpcParameters;
}

/** What a service with such an endpoint is given by the cloud. */
export interface RpcSurroundings {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly faults: FaultTable;
  /** The key of a session is known with its token alone. */
  readonly secretOf: (accessKeyId: string, securityToken: string | undefined) => string | undefined;
  /** What callers may do; everything when omitted. */
  readonly authorize?: Authorize;
  readonly onCall: (call: RpcCall) => void;
}

type Body = Record<string, unknown>;

/** What the service says of itself. */
export interface RpcService {
  /** In the fault table. */
  readonly service: "cms" | "actiontrail" | "vpc" | "ram";
  /** As its errors name it. */
  readonly product: string;
  readonly hostId: string;
  readonly version: string;
  /** The resource that an operation needs its permission on. */
  readonly resource: string;
  /** How it refuses who has no permission. */
  readonly forbidden: { readonly code: string; readonly message: string };
  /** The body of the answer; throws an `RpcError` to refuse. */
  readonly perform: (operation: string, params: RpcParameters) => Body | Promise<Body>;
}

/** A running endpoint. */
export interface RpcEndpoint {
  readonly port: number;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly body: string;
  readonly type: string;
}

const BODY_BYTES_MAX = 1 << 20;
const KEEP_ALIVE_MS = 75_000;
const HTML: Answer = { status: 502, body: "<html><body><h1>502 Bad Gateway</h1></body></html>", type: "text/html" };

/** Starts listening. */
export async function startRpcEndpoint(around: RpcSurroundings, service: RpcService): Promise<RpcEndpoint> {
  const { clock, random, faults, authorize = allowAll } = around;
  const nonces = new Nonces(() => clock.now());

  const checkPermission = (accessKeyId: string, operation: string): void => {
    const action = `${service.service}:${operation}`;
    const denial = authorize(accessKeyId, { action, resources: [service.resource] });
    if (denial !== undefined) throw new RpcError({ status: 403, ...service.forbidden, accessDenied: denial.detail });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readBody(request, BODY_BYTES_MAX);
    if (read.kind !== "body") return void response.destroy();
    const [path = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const requestId = newEventId(random).toUpperCase();
    const asked = readRpcCall({ method: request.method ?? "", path, rawQuery, headers, body: read.body });
    const { operation, params } = asked;
    const answered = (status: number, body: unknown, code?: string): Answer => {
      const { type, text } = written(asked.format, status === 200 ? `${operation}Response` : "Error", body);
      return { status, type, body: text, ...(code === undefined ? {} : { code }) };
    };
    let accessKeyId = "";
    const refuse = (error: Pick<RpcError, "status" | "code" | "message"> & Partial<RpcError>): Answer => {
      const origin = { requestId, hostId: service.hostId, product: service.product };
      return answered(error.status, errorBody(error, origin), error.code);
    };
    const attempt = async (work: () => Body | Promise<Body>): Promise<Answer> => {
      try {
        return answered(200, { RequestId: requestId, ...(await work()) });
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        return refuse(error);
      }
    };
    const refused = await attempt(() => {
      accessKeyId = asked.verify((id) => around.secretOf(id, asked.securityToken));
      nonces.take(accessKeyId, asked.nonce);
      if (asked.version !== service.version)
        throw new RpcError({ status: 404, code: "InvalidVersion", message: "The specified version is not valid." });
      return {};
    });
    const isOurs = refused.status === 200;
    const call = { service: service.service, operation, accessKeyId, params } as const;
    const fault = isOurs ? faults.take(call) : undefined;
    const answer = isOurs
      ? await playFault(fault, {
          clock,
          perform: () =>
            attempt(() => {
              checkPermission(accessKeyId, operation);
              return service.perform(operation, params);
            }),
          refuse: ({ status, code, message = code }) => refuse({ status, code, message }),
          html: () => HTML,
        })
      : refused;
    faults.ended(call, fault?.kind);
    const { status = 0, code } = answer ?? {};
    around.onCall({ operation, accessKeyId, status, params, ...(code === undefined ? {} : { code }) });
    if (!answer) return void response.destroy();
    response.writeHead(answer.status, {
      date: answerDate(clock.now(), fault),
      "content-type": answer.type,
      "x-acs-request-id": requestId,
    });
    response.end(answer.body);
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: 1 << 20 }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, around.host, around.port);
  return { port, stop: () => closeServer(server) };
}
