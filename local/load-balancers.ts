// Classic load balancers: real sockets in front of instances. What they forward passes the instances' rules, as on the real
// service, and is seen by flow logs and by CloudMonitor's metrics of each listener.

import { createServer, type Socket } from "node:net";
import type { Random } from "../shared/ports/random.ts";
import type { SchedulingClock } from "./clock.ts";
import { type Bound, bindTcp } from "./dataplane/bind.ts";
import { contains, parseAddress, parseCidr } from "./dataplane/cidr.ts";
import type { SeenPackets } from "./dataplane/flow-log.ts";
import { TCP_FLAGS } from "./dataplane/flow-record.ts";
import { serveConnection } from "./dataplane/instance-service.ts";
import type { Measurement } from "./services/cms/cms.ts";
import type { EcsEni, EcsInstance } from "./services/ecs/model.ts";

/** One port of a load balancer, and who answers behind it. */
export interface LoadBalancerListener {
  readonly port: number;
  readonly backendPort: number;
  readonly instanceIds: readonly string[];
  /** Seconds between two health checks of a server; default 60. */
  readonly healthCheckS?: number;
}

/** One load balancer. */
export interface LoadBalancer {
  readonly loadBalancerId: string;
  /** In 127.0.0.0/8 and outside the instances' range. */
  readonly address: string;
  /** TCP listeners. */
  readonly listeners: readonly LoadBalancerListener[];
}

/** What they stand on. */
export interface LoadBalancersOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  /** The instances' range. */
  readonly range: string;
  readonly ecs: { instances(): readonly EcsInstance[]; enis(): readonly EcsEni[] };
  readonly see: (packets: SeenPackets) => void;
  readonly measure: (measurement: Measurement) => void;
}

/** The servers of one listener. */
interface Server {
  readonly name: string;
  readonly eni: EcsEni;
  readonly isHealthy: boolean;
}

interface Counts {
  opened: number;
  refused: number;
  active: number;
  most: number;
  bytesIn: number;
  bytesOut: number;
}

const NAMESPACE = "acs_slb_dashboard";
const MINUTE_MS = 60_000;
const HEALTH_CHECK_S = 60;
const TCP = 6;
const HEADER_BYTES = 40;
const SEGMENT_BYTES = 1_460;

/** The load balancers of one account. */
export class LoadBalancers {
  readonly #options: LoadBalancersOptions;
  readonly #bound: { readonly known: string; readonly bound: Bound; readonly sockets: Set<Socket> }[] = [];
  readonly #cancels = new Set<() => void>();
  #problems: string[] = [];

  constructor(options: LoadBalancersOptions) {
    this.#options = options;
  }

  /** Ports really served elsewhere: `address:port` → real port. */
  mappedPorts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bound.map(({ known, bound }) => [known, bound.port]));
  }

  /** Connections that are open now, over all listeners. */
  get open(): number {
    return this.#bound.reduce((sum, { sockets }) => sum + sockets.size, 0);
  }

  /** What could not be had, in words. */
  problems(): readonly string[] {
    return this.#problems;
  }

  /** Puts these in place of earlier ones. Throws a RangeError for an address that an instance could have. */
  async set(balancers: readonly LoadBalancer[]): Promise<void> {
    const range = parseCidr(this.#options.range);
    const loopback = parseCidr("127.0.0.0/8");
    for (const { loadBalancerId, address } of balancers) {
      const parsed = parseAddress(address);
      if (!parsed || !range || !loopback || !contains(loopback, parsed) || contains(range, parsed))
        throw new RangeError(`${loadBalancerId}: ${address} is not in 127.0.0.0/8 outside ${this.#options.range}`);
    }
    await this.stop();
    for (const balancer of balancers) for (const listener of balancer.listeners) await this.#open(balancer, listener);
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#problems = [];
    await Promise.all(
      this.#bound.splice(0).map(({ bound, sockets }) => {
        const closed = bound.close();
        for (const socket of sockets) socket.destroy();
        return closed;
      }),
    );
  }

  async #open(balancer: LoadBalancer, listener: LoadBalancerListener): Promise<void> {
    const counts: Counts = { opened: 0, refused: 0, active: 0, most: 0, bytesIn: 0, bytesOut: 0 };
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      this.#forward(socket, listener, counts);
    });
    const known = `${balancer.address}:${listener.port}`;
    const bound = await bindTcp(server, balancer.address, listener.port);
    const other = typeof bound === "string" ? await bindTcp(server, balancer.address, 0) : bound;
    if (typeof other === "string") this.#problems.push(`${known} is not served: ${other}`);
    else this.#bound.push({ known, bound: other, sockets });
    this.#each(MINUTE_MS, () => this.#measure(balancer, listener, counts));
    this.#each((listener.healthCheckS ?? HEALTH_CHECK_S) * 1_000, () => this.#check(listener));
  }

  /** At every multiple of the clock, until `stop`. */
  #each(everyMs: number, run: () => void): void {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    const arm = (): void => {
      this.#cancels.delete(cancel);
      cancel = clock.schedule(everyMs - (clock.now() % everyMs), () => {
        run();
        arm();
      });
      this.#cancels.add(cancel);
    };
    arm();
  }

  #serversOf({ instanceIds, backendPort }: LoadBalancerListener): readonly Server[] {
    const { ecs } = this.#options;
    return ecs.instances().flatMap(({ instanceId, name, status, listening }) => {
      const eni = ecs.enis().find((each) => each.primary && each.instanceId === instanceId);
      if (eni === undefined || !instanceIds.includes(instanceId)) return [];
      return [{ name, eni, isHealthy: status === "Running" && listening.includes(backendPort) }];
    });
  }

  #forward(socket: Socket, listener: LoadBalancerListener, counts: Counts): void {
    const healthy = this.#serversOf(listener).filter(({ isHealthy }) => isHealthy);
    const server = healthy[counts.opened % Math.max(1, healthy.length)];
    if (server === undefined) {
      counts.refused += 1;
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      return;
    }
    counts.opened += 1;
    counts.active += 1;
    counts.most = Math.max(counts.most, counts.active);
    const session = this.#session(server, listener);
    session(2, 0, TCP_FLAGS.SYN, { packets: 1, flags: TCP_FLAGS.SYN_ACK, bytes: 0 });
    socket.once("close", () => {
      counts.active -= 1;
      counts.bytesIn += socket.bytesRead;
      counts.bytesOut += socket.bytesWritten;
      const packetsOf = (bytes: number): number => Math.ceil(bytes / SEGMENT_BYTES) + 1;
      const flagsOf = (bytes: number): number => (bytes === 0 ? TCP_FLAGS.FIN : TCP_FLAGS.FIN | TCP_FLAGS.PSH);
      const { bytesRead, bytesWritten } = socket;
      const back = { packets: packetsOf(bytesWritten), flags: flagsOf(bytesWritten), bytes: bytesWritten };
      session(packetsOf(bytesRead), bytesRead, flagsOf(bytesRead), back);
    });
    serveConnection(socket, server.name, listener.backendPort);
  }

  /** A health check connects and goes away: no data either way. */
  #check(listener: LoadBalancerListener): void {
    for (const server of this.#serversOf(listener)) {
      const { packets, flags } = server.isHealthy
        ? { packets: 1, flags: TCP_FLAGS.SYN_ACK }
        : { packets: 1, flags: TCP_FLAGS.RST };
      const session = this.#session(server, listener);
      session(server.isHealthy ? 3 : 1, 0, server.isHealthy ? TCP_FLAGS.SYN | TCP_FLAGS.RST : TCP_FLAGS.SYN, {
        ...{ packets, flags, bytes: 0 },
      });
    }
  }

  /** Tells the flow log of packets between an address of the load balancers and a server; ports stay for one session. */
  #session({ eni }: Server, { backendPort }: LoadBalancerListener) {
    const { random, see } = this.#options;
    const sourceAddress = `100.64.${Math.floor(random.fraction() * 64)}.${1 + Math.floor(random.fraction() * 254)}`;
    const sourcePort = 1_024 + Math.floor(random.fraction() * 64_000);
    const base = { eniId: eni.eniId, origin: "derived", protocol: TCP, action: "ACCEPT" } as const;
    return (
      packets: number,
      bytes: number,
      tcpFlags: number,
      back: { readonly packets: number; readonly bytes: number; readonly flags: number },
    ): void => {
      see({
        ...{ ...base, direction: "in", sourceAddress, sourcePort, destAddress: eni.privateIp, destPort: backendPort },
        ...{ packets, bytes: packets * HEADER_BYTES + bytes, tcpFlags },
      });
      see({
        ...{ ...base, direction: "out", sourceAddress: eni.privateIp, sourcePort: backendPort },
        ...{ destAddress: sourceAddress, destPort: sourcePort },
        ...{ packets: back.packets, bytes: back.packets * HEADER_BYTES + back.bytes, tcpFlags: back.flags },
      });
    };
  }

  /** The listener's minute that has just ended. */
  #measure({ loadBalancerId, address }: LoadBalancer, listener: LoadBalancerListener, counts: Counts): void {
    const { clock, measure } = this.#options;
    const servers = this.#serversOf(listener);
    const healthy = servers.filter(({ isHealthy }) => isHealthy).length;
    const bitsASecond = (bytes: number): number => Math.round((bytes * 8_000) / MINUTE_MS);
    const values: Readonly<Record<string, number>> = {
      NewConnection: counts.opened / (MINUTE_MS / 1_000),
      ActiveConnection: counts.active,
      InactiveConnection: 0,
      MaxConnection: counts.most,
      DropConnection: counts.refused,
      TrafficRXNew: bitsASecond(counts.bytesIn),
      TrafficTXNew: bitsASecond(counts.bytesOut),
      // The service's own spelling.
      HeathyServerCount: healthy,
      UnhealthyServerCount: servers.length - healthy,
    };
    const dimensions = { instanceId: loadBalancerId, port: String(listener.port), protocol: "tcp", vip: address };
    const at = clock.now() - MINUTE_MS;
    for (const [metricName, value] of Object.entries(values))
      measure({ namespace: NAMESPACE, metricName, dimensions, value, at });
    Object.assign(counts, { opened: 0, refused: 0, most: counts.active, bytesIn: 0, bytesOut: 0 });
  }
}
