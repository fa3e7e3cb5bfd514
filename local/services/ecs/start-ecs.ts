// Starts the embedded ECS: an HTTP server on loopback that the official SDK talks to.
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FaultTable } from "../../faults.ts";
import { Nonces } from "../../protocol/rpc/nonces.ts";
import { allowAll } from "../../ram.ts";
import { Assistant } from "../assistant/assistant.ts";
import {
  answerCall,
  answerKnown,
  type EcsRequest,
  type KnownCall,
  type Outcome,
  type Surroundings,
} from "./answer-call.ts";
import type { EcsOptions, EcsService } from "./ecs-service.ts";
import { defaultLimits, Throttle } from "./limits.ts";
import { openStore } from "./persistence.ts";
import { snapshotOf } from "./seeding.ts";
import { EcsState } from "./state.ts";
import { readable } from "./switch-reads.ts";
import { defaultSwitches } from "./switches.ts";

/** All parameters travel in the URL, so the URL may be long. */
const headerBytesMax = 1 << 20;
const bodyBytesMax = 8 << 20;

/** The gateway's own, before anybody looks at the call. */
const uriTooLong: Outcome = {
  ...{ kind: "answer", status: 414, headers: { "content-type": "text/html" } },
  body: "<html><head><title>414 Request-URI Too Large</title></head></html>",
};

const readRequest = async (request: IncomingMessage): Promise<EcsRequest | undefined> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  const url = request.url ?? "/";
  const at = url.indexOf("?");
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: request.method ?? "",
    path: at < 0 ? url : url.slice(0, at),
    rawQuery: at < 0 ? "" : url.slice(at + 1),
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
    // An IPv4 peer of a socket that takes both families.
    clientAddress: (request.socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
  };
};

const send = (response: ServerResponse, outcome: Outcome, now: number): void => {
  if (outcome.kind === "drop") {
    response.destroy();
    return;
  }
  const length = { "content-length": String(Buffer.byteLength(outcome.body)) };
  response.writeHead(outcome.status, { date: new Date(now).toUTCString(), ...length, ...outcome.headers });
  response.end(outcome.body);
};

/** The service without its wire. */
export interface EcsInProcess extends Omit<EcsService, "endpoint" | "port"> {
  /** Answers a call that is made in this process, of a caller who needs no signature. */
  answer(call: KnownCall): Promise<Outcome>;
}

/** The service as it is in this process: everything but the listener. */
export const createEcs = (options: EcsOptions): EcsInProcess => around(options).service;

function around(options: EcsOptions): { readonly surroundings: Surroundings; readonly service: EcsInProcess } {
  const { clock, random } = options;
  let account = options.seed;
  const switches = readable({ ...defaultSwitches, ...options.switches });
  const faults = options.faults ?? new FaultTable();
  const state = new EcsState({
    clock,
    store: options.directory === undefined ? undefined : openStore(options.directory),
    initial: () => snapshotOf(account, random, clock.now()),
  });
  const assistant = new Assistant(options.directory);
  const stopping = new AbortController();
  // Each call that waits listens for the end, and there are as many as are made.
  setMaxListeners(0, stopping.signal);
  const surroundings: Surroundings = {
    options,
    state,
    switches,
    limits: { ...defaultLimits, ...options.limits },
    throttle: new Throttle(),
    nonces: new Nonces(() => clock.now()),
    assistant,
    running: new Set(),
    account: () => account,
    findUser: options.findUser ?? ((id) => account.users.find((user) => user.accessKeyId === id)),
    faults,
    authorize: options.authorize ?? allowAll,
    signal: stopping.signal,
  };
  const service: EcsInProcess = {
    switches,
    faults,
    groups: () => state.groups(),
    instances: () => state.instances(),
    enis: () => state.enis(),
    lists: () => state.lists(),
    snapshot: () => state.snapshot(),
    onRulesChanged: (listener) => state.onRulesChanged(listener),
    onInstanceChanged: (listener) => state.onInstanceChanged(listener),
    giveSessions: (sessionsOf) => {
      assistant.sessionsOf = sessionsOf;
    },
    answer: (call) => answerKnown(surroundings, call),
    reset: async (seed) => {
      account = seed ?? account;
      assistant.reset();
      await state.reset(snapshotOf(account, random, clock.now()));
    },
    stop: async () => {
      stopping.abort();
      state.close();
    },
  };
  return { surroundings, service };
}

/** Starts the service; resolves when it accepts connections. */
export const startEcs = async (options: EcsOptions): Promise<EcsService> => {
  const { clock } = options;
  const { surroundings, service } = around(options);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const signed = await readRequest(request);
      const isTooLong = (request.url ?? "").length > surroundings.limits.urlBytes;
      const read = async (): Promise<Outcome> =>
        signed === undefined ? { kind: "drop" } : await answerCall(surroundings, signed);
      const outcome = isTooLong ? uriTooLong : await read();
      send(response, outcome, clock.now());
    } catch {
      // The peer went away while it spoke, or the service stops.
      response.destroy();
    }
  };
  // Idle connections outlive the SDK's pool, so that none closes under a request.
  const server = createServer({ maxHeaderSize: headerBytesMax, keepAliveTimeout: 75_000 }, (request, response) => {
    void serve(request, response);
  });
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;

  return {
    ...service,
    endpoint: `${host}:${port}`,
    port,
    stop: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await Promise.all([closed, service.stop()]);
    },
  };
};
