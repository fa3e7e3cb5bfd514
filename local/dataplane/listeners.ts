// The real sockets of all instances, TCP and UDP: opened and closed as instances come and go.

import { createServer, type Socket } from "node:net";
import { type Bound, bindTcp, bindUdp, type Datagram, type UdpAnswer } from "./bind.ts";
import { type Cidr, contains, printCidr } from "./cidr.ts";
import { addressesOf } from "./eni-addresses.ts";
import type { PortMap } from "./nft-rules.ts";
import type { Topology } from "./topology.ts";

/** One port that an instance serves on one of its addresses. */
export interface Endpoint {
  readonly instanceId: string;
  readonly name: string;
  readonly eniId: string;
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
}

/** What is done with what arrives. */
export interface Arrivals {
  readonly onConnection: (socket: Socket, endpoint: Endpoint) => void;
  /** Called with each datagram; `answer` sends one back. */
  readonly onDatagram: (datagram: Datagram, endpoint: Endpoint, answer: UdpAnswer) => void;
}

interface Listener {
  endpoint: Endpoint;
  readonly bound: Bound;
  readonly sockets: Set<Socket>;
}

const MAPPED_OFFSET = 20_000;

/** `address:port`, or `[address]:port` where it is IPv6. */
export function addressAndPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The endpoints of a topology that lie in the ranges, by `address:port` (`address:port/udp`). The first interface to claim one has it. */
export function endpointsOf(topology: Topology, ranges: readonly Cidr[]): ReadonlyMap<string, Endpoint> {
  const enis = new Map(topology.enis.map((eni) => [eni.eniId, eni]));
  const endpoints = new Map<string, Endpoint>();
  for (const { instanceId, name, eniIds, listening, listeningUdp = [], status } of topology.instances) {
    if (status === "Stopped") continue;
    for (const eni of eniIds.map((eniId) => enis.get(eniId))) {
      for (const parsed of eni === undefined ? [] : addressesOf(eni)) {
        if (!ranges.some((range) => contains(range, parsed))) continue;
        const address = printCidr(parsed);
        const eniId = eni?.eniId ?? "";
        const claim = (key: string, protocol: Endpoint["protocol"], port: number): void => {
          if (!endpoints.has(key)) endpoints.set(key, { instanceId, name, eniId, protocol, address, port });
        };
        for (const port of listening) claim(addressAndPort(address, port), "TCP", port);
        for (const port of listeningUdp) claim(`${addressAndPort(address, port)}/udp`, "UDP", port);
      }
    }
  }
  return endpoints;
}

/** Keeps one listener per endpoint. */
export class Listeners {
  readonly #arrivals: Arrivals;
  readonly #listeners = new Map<string, Listener>();
  readonly #problems = new Map<string, string>();
  #mapped: ReadonlyMap<string, PortMap> | undefined;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** Closes the listeners that are not wanted any more, with their connections. */
  async closeAllBut(wanted: ReadonlyMap<string, Endpoint>): Promise<void> {
    for (const key of this.#problems.keys()) if (!wanted.has(key)) this.#problems.delete(key);
    const gone = [...this.#listeners].filter(
      ([key, { endpoint }]) => wanted.get(key)?.instanceId !== endpoint.instanceId,
    );
    await Promise.all(
      gone.map(([key, { bound, sockets }]) => {
        this.#listeners.delete(key);
        this.#mapped = undefined;
        const closed = bound.close();
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
    const { address, port, protocol } = endpoint;
    const sockets = new Set<Socket>();
    const present = (): Endpoint => this.#listeners.get(key)?.endpoint ?? endpoint;
    const bind = (candidate: number): Promise<Bound | string> =>
      protocol === "UDP"
        ? bindUdp(address, candidate, (datagram, answer) => this.#arrivals.onDatagram(datagram, present(), answer))
        : bindTcp(
            createServer((socket) => {
              sockets.add(socket);
              socket.once("close", () => sockets.delete(socket));
              this.#arrivals.onConnection(socket, present());
            }),
            address,
            candidate,
          );
    const candidates = [port, port + MAPPED_OFFSET, 0].filter((candidate) => candidate <= 65_535);
    let outcome: Bound | string = "";
    for (const candidate of candidates) {
      outcome = await bind(candidate);
      if (typeof outcome !== "string") break;
      if (outcome !== "EACCES" && outcome !== "EADDRINUSE" && outcome !== "EPERM") break;
    }
    if (typeof outcome === "string") {
      this.#problems.set(key, `${key} is not served: ${outcome}`);
      return;
    }
    this.#problems.delete(key);
    this.#mapped = undefined;
    this.#listeners.set(key, { endpoint, bound: outcome, sockets });
  }

  /** Per address, the ports that are really served elsewhere. The same object until something changes. */
  mapped(): ReadonlyMap<string, PortMap> {
    if (this.#mapped !== undefined) return this.#mapped;
    const result = new Map<string, { TCP: Map<number, number>; UDP: Map<number, number> }>();
    for (const { endpoint, bound } of this.#listeners.values()) {
      if (bound.port === endpoint.port) continue;
      const ports = result.get(endpoint.address) ?? { TCP: new Map(), UDP: new Map() };
      ports[endpoint.protocol].set(endpoint.port, bound.port);
      result.set(endpoint.address, ports);
    }
    this.#mapped = result;
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
