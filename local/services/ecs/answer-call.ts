// One request from its bytes to its outcome: signature, fault, throttle, operation, record.
import { answerDate, playFault } from "../../call-faults.ts";
import type { FaultsOf, FaultTable } from "../../faults.ts";
import { hasToken } from "../../principals.ts";
import type { SignedRequest } from "../../protocol/rpc/acs3.ts";
import { type AnswerFormat, written } from "../../protocol/rpc/answer-format.ts";
import type { Nonces } from "../../protocol/rpc/nonces.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { readRpcCall } from "../../protocol/rpc/rpc-call.ts";
import { errorBody, RpcError } from "../../protocol/rpc/rpc-error.ts";
import type { Authorize, Denial } from "../../ram.ts";
import type { Assistant } from "../assistant/assistant.ts";
import type { EcsCall, EcsOptions, EcsUser } from "./ecs-service.ts";
import { refusal } from "./errors.ts";
import { execute } from "./execute.ts";
import type { EcsLimits, Throttle } from "./limits.ts";
import { operationsOf } from "./operation-table.ts";
import { permissionNeeded } from "./permission-needed.ts";
import type { AccountSeed } from "./seed.ts";
import type { EcsState } from "./state.ts";
import type { EcsSwitches } from "./switches.ts";

/** What goes back over the wire: an answer, or a connection that ends. */
export type Outcome =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Record<string, string>;
      readonly body: string;
    }
  | { readonly kind: "drop" };

/** What lives as long as the service. */
export interface Surroundings {
  readonly options: EcsOptions;
  readonly state: EcsState;
  readonly switches: EcsSwitches;
  readonly limits: EcsLimits;
  readonly throttle: Throttle;
  readonly nonces: Nonces;
  readonly assistant: Assistant;
  /** ClientTokens whose first call is still running. */
  readonly running: Set<string>;
  readonly account: () => AccountSeed;
  readonly findUser: (accessKeyId: string) => EcsUser | undefined;
  readonly faults: FaultTable;
  readonly authorize: Authorize;
  /** Aborts with the service; ends what sleeps. */
  readonly signal: AbortSignal;
}

/** A call whose caller is known, and that came over no wire. */
export interface KnownCall
  extends Pick<EcsCall, "operation" | "accessKeyId" | "params" | "clientAddress" | "userAgent"> {
  readonly version: string;
}

/** A request with the address that its connection came from. */
export interface EcsRequest extends SignedRequest {
  readonly clientAddress: string;
}

interface Arrival extends Pick<EcsCall, "clientAddress" | "userAgent"> {
  readonly operation: string;
  readonly version: string;
  readonly params: RpcParameters;
  readonly requestId: string;
  readonly at: number;
  readonly format: AnswerFormat;
  accessKeyId: string;
  fault?: FaultsOf["ecs"];
}

const htmlPage = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

const newRequestId = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes).toString("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
};

const record = (
  around: Surroundings,
  arrival: Arrival,
  outcome: Pick<EcsCall, "status" | "code" | "message" | "answer">,
): void => {
  const { accessKeyId, params, operation, at, requestId, clientAddress, userAgent, fault } = arrival;
  const call: EcsCall = {
    service: "ecs",
    operation,
    accessKeyId,
    principal: around.findUser(accessKeyId)?.name ?? "",
    ...outcome,
    at,
    params,
    requestId,
    clientAddress,
    userAgent,
    ...(params.RegionId === undefined ? {} : { regionId: params.RegionId }),
    ...(fault === undefined ? {} : { fault: fault.kind }),
  };
  around.options.onCall?.(call);
};

const unknownError = {
  status: 500,
  code: "InternalError",
  message: "The request processing has failed due to some unknown error.",
};

const forbidden = ({ detail }: Denial): RpcError => {
  const { status, code, message } = refusal("Forbidden.RAM");
  return new RpcError({ status, code, message, accessDenied: detail });
};

const answer = (arrival: Arrival, status: number, body: unknown, headers: Record<string, string> = {}): Outcome => {
  const { type, text } = written(arrival.format, status === 200 ? `${arrival.operation}Response` : "Error", body);
  return {
    kind: "answer",
    status,
    headers: { "content-type": type, "x-acs-request-id": arrival.requestId, ...headers },
    body: text,
  };
};

const refuse = (around: Surroundings, arrival: Arrival, error: unknown, headers?: Record<string, string>): Outcome => {
  const known = error instanceof RpcError ? error : unknownError;
  const { status, code, message } = known;
  record(around, arrival, { status, code, message });
  const hostId = `ecs.${arrival.params.RegionId ?? around.account().regionId}.aliyuncs.com`;
  return answer(arrival, status, errorBody(known, { requestId: arrival.requestId, hostId, product: "Ecs" }), headers);
};

const perform = async (around: Surroundings, arrival: Arrival): Promise<Outcome> => {
  const { options, state, switches, limits, throttle } = around;
  const now = options.clock.now();
  const regionId = arrival.params.RegionId ?? "";
  const blocked = throttle.check({ operation: arrival.operation, regionId, now }, limits, switches);
  if (blocked !== undefined) return refuse(around, arrival, blocked.error, blocked.headers);
  const operation = operationsOf(arrival.version)?.get(arrival.operation);
  if (operation === undefined) return refuse(around, arrival, refusal("InvalidAction.NotFound"));
  const denial = around.authorize(
    arrival.accessKeyId,
    permissionNeeded(arrival.operation, arrival.params, around.account()),
  );
  if (denial !== undefined) return refuse(around, arrival, forbidden(denial));
  const staleMs = arrival.fault?.kind === "stale-read" ? arrival.fault.ms : 0;
  try {
    const body = await execute({
      operation,
      name: arrival.operation,
      params: arrival.params,
      state,
      account: around.account(),
      switches,
      limits,
      random: options.random,
      assistant: around.assistant,
      now,
      staleMs,
      running: around.running,
      callsOf: (name, region) => throttle.callsOf(name, region, now),
    });
    const answered = { RequestId: arrival.requestId, ...body };
    record(around, arrival, { status: 200, answer: answered });
    return answer(arrival, 200, answered);
  } catch (error) {
    return refuse(around, arrival, error);
  }
};

const underFault = (around: Surroundings, arrival: Arrival): Promise<Outcome | undefined> => {
  const { options, signal } = around;
  const { fault } = arrival;
  return playFault(fault?.kind === "stale-read" ? undefined : fault, {
    clock: options.clock,
    signal,
    // A copy is a request of its own.
    perform: (copy) =>
      perform(around, copy === 0 ? arrival : { ...arrival, requestId: newRequestId(options.random.bytes(16)) }),
    refuse: ({ status, code, message = code }) => refuse(around, arrival, new RpcError({ status, code, message })),
    lost: () => record(around, arrival, { status: 0 }),
    html: () => {
      record(around, arrival, { status: 502 });
      return { kind: "answer", status: 502, headers: { "content-type": "text/html" }, body: htmlPage };
    },
  });
};

/** Answers a call that is made in this process. Never throws but when the service stops. */
export const answerKnown = (around: Surroundings, call: KnownCall): Promise<Outcome> =>
  answerArrival(around, {
    ...call,
    requestId: newRequestId(around.options.random.bytes(16)),
    at: around.options.clock.now(),
    format: "JSON",
  });

/** Answers one request. Never throws but when the service stops. */
export const answerCall = async (around: Surroundings, request: EcsRequest): Promise<Outcome> => {
  const { options } = around;
  const call = readRpcCall(request);
  const arrival: Arrival = {
    operation: call.operation,
    version: call.version,
    params: call.params,
    requestId: newRequestId(options.random.bytes(16)),
    at: options.clock.now(),
    format: call.format,
    clientAddress: request.clientAddress,
    userAgent: request.headers["user-agent"] ?? "",
    accessKeyId: "",
  };
  try {
    if (request.method !== "POST" && request.method !== "GET") throw refusal("UnsupportedHTTPMethod");
    arrival.accessKeyId = call.verify((id) => {
      const user = around.findUser(id);
      return hasToken(user, call.securityToken) ? user?.accessKeySecret : undefined;
    });
    around.nonces.take(arrival.accessKeyId, call.nonce);
    if (operationsOf(arrival.version) === undefined) throw refusal("InvalidAction.NotFound");
  } catch (error) {
    return refuse(around, arrival, error);
  }
  return answerArrival(around, arrival);
};

const answerArrival = async (around: Surroundings, arrival: Arrival): Promise<Outcome> => {
  const { options } = around;
  const { operation, accessKeyId, params } = arrival;
  const call = { service: "ecs", operation, accessKeyId, params } as const;
  const fault = around.faults.take(call);
  if (fault !== undefined) arrival.fault = fault;
  const outcome = await underFault(around, arrival);
  around.faults.ended(call, fault?.kind);
  if (outcome?.kind !== "answer") return { kind: "drop" };
  return { ...outcome, headers: { date: answerDate(options.clock.now(), fault), ...outcome.headers } };
};
