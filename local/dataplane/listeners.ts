// The real TCP listeners of all instances: started and stopped as instances come and go.

import { createServer, type Server, type Socket } from "node:net";
import { type Cidr, contains, parseAddress } from "./cidr.ts";
import type { Topology } from "./topology.ts";

/** One port that an instance serves on one of its addresses. */
export interface Endpoint {
  readonly instanceId: string;
  readonly name: string;
  readonly eniId: string;
  readonly address: string;
  readonly port: number;
}

interface Listener {
  endpoint: Endpoint;
  readonly server: Server;
  readonly realPort: number;
  readonly sockets: Set<Socket>;
}

const MAPPED_OFFSET = 20_000;

/** The endpoints of a topology that lie in the range, by `address:port`. The first interface to claim one has it. */
export function endpointsOf(topology: Topology, range: Cidr): ReadonlyMap<string, Endpoint> {
  const enis = new Map(topology.enis.map((eni) => [eni.eniId, eni]));
  const endpoints = new Map<string, Endpoint>();
  for (const { instanceId, name, eniIds, listening, status } of topology.instances) {
    if (status === "Stopped") continue;
    for (const eniId of eniIds) {
      const address = enis.get(eniId)?.privateIp ?? "";
      const parsed = parseAddress(address);
      if (parsed === undefined || !contains(range, parsed)) continue;
      for (const port of listening) {
        const key = `${address}:${port}`;
        if (!endpoints.has(key)) endpoints.set(key, { instanceId, name, eniId, address, port });
      }
    }
  }
  return endpoints;
}

/** Listens once; resolves to the error code when the port cannot be had. */
function tryListen(server: Server, address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    server.once("error", failed);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.removeListener("error", failed);
      resolve(undefined);
    });
  });
}

/** Keeps one listener per endpoint. `onConnection` is called with each connection and the endpoint it reached. */
export class Listeners {
  readonly #onConnection: (socket: Socket, endpoint: Endpoint) => void;
  readonly #listeners = new Map<string, Listener>();
  readonly #problems = new Map<string, string>();

  constructor(onConnection: (socket: Socket, endpoint: Endpoint) => void) {
    this.#onConnection = onConnection;
  }

  /** Closes the listeners that are not wanted any more, with their connections. */
  async closeAllBut(wanted: ReadonlyMap<string, Endpoint>): Promise<void> {
    for (const key of this.#problems.keys()) if (!wanted.has(key)) this.#problems.delete(key);
    const gone = [...this.#listeners].filter(
      ([key, { endpoint }]) => wanted.get(key)?.instanceId !== endpoint.instanceId,
    );
    await Promise.all(
      gone.map(([key, { server, sockets }]) => {
        this.#listeners.delete(key);
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const socket of sockets) socket.destroy();
        return closed;
      }),
    );
  }

  /** Opens the listeners that are missing. A port that cannot be had is served 20000 higher, or where there is room. */
  async open(wanted: ReadonlyMap<string, Endpoint>): Promise<void> {
    for (const [key, endpoint] of wanted) {
      const present = this.#listeners.get(key);
      if (present !== undefined) present.endpoint = endpoint;
      else await this.#listen(key, endpoint);
    }
  }

  async #listen(key: string, endpoint: Endpoint): Promise<void> {
    const { address, port } = endpoint;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      this.#onConnection(socket, this.#listeners.get(key)?.endpoint ?? endpoint);
    });
    const candidates = [port, port + MAPPED_OFFSET, 0].filter((candidate) => candidate <= 65_535);
    let failure: string | undefined;
    for (const candidate of candidates) {
      failure = await tryListen(server, address, candidate);
      if (failure === undefined) break;
      if (failure !== "EACCES" && failure !== "EADDRINUSE" && failure !== "EPERM") break;
    }
    if (failure !== undefined) {
      this.#problems.set(key, `${key} is not served: ${failure}`);
      return;
    }
    this.#problems.delete(key);
    server.on("error", () => undefined); // Accepting can fail when descriptors run out; the listener itself lives on.
    const bound = server.address();
    const realPort = bound !== null && typeof bound === "object" ? bound.port : port;
    this.#listeners.set(key, { endpoint, server, realPort, sockets });
  }

  /** Per address, the ports that are really served elsewhere. */
  mapped(): ReadonlyMap<string, ReadonlyMap<number, number>> {
    const result = new Map<string, Map<number, number>>();
    for (const { endpoint, realPort } of this.#listeners.values()) {
      if (realPort === endpoint.port) continue;
      const ports = result.get(endpoint.address) ?? new Map<number, number>();
      result.set(endpoint.address, ports.set(endpoint.port, realPort));
    }
    return result;
  }

  /** Endpoints that could not be served at all, in words. */
  problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** Every open connection with its endpoint. */
  *connections(): Iterable<readonly [Socket, Endpoint]> {
    for (const { endpoint, sockets } of this.#listeners.values()) {
      for (const socket of sockets) yield [socket, endpoint];
    }
  }
}
