// What happens to what arrives at the sockets of instances: served, refused, ended when the rules change.

import type { Socket } from "node:net";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Datagram } from "./bind.ts";
import { DoomedSessions } from "./doomed-sessions.ts";
import type { Flow } from "./flow.ts";
import { answerDatagram, serveConnection } from "./instance-service.ts";
import type { Arrivals, Endpoint } from "./listeners.ts";
import type { Policies } from "./policy.ts";
import { decide, type Verdict } from "./verdict.ts";

/** What the handling stands on. */
export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  /** Whether what the rules refuse arrives here all the same, and must be refused here. */
  readonly refuses: boolean;
  readonly policies: () => Policies;
  readonly establishedAfterDeny: () => "keep" | "cut";
  readonly onFlow: (flow: Flow) => void;
  readonly onDatagram: (datagram: Datagram, endpoint: Endpoint, answerBytes: number | undefined) => void;
}

const SESSION_MS_MAX = 910_000;

/** Handles arrivals by the policies of the moment. */
export class Connections implements Arrivals {
  readonly #options: ConnectionsOptions;
  readonly #doomed: DoomedSessions;
  /** When each UDP session was last let in, by both its ends. */
  readonly #udpSessions = new Map<string, number>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#doomed = new DoomedSessions(options.schedule);
  }

  #judge(protocol: "TCP" | "UDP", sourceAddress: string, sourcePort: number, { address, port }: Endpoint): Verdict {
    return decide(this.#options.policies(), {
      protocol,
      sourceAddress,
      sourcePort,
      destAddress: address,
      destPort: port,
    });
  }

  #judgeSocket(socket: Socket, endpoint: Endpoint): Verdict {
    return this.#judge("TCP", socket.remoteAddress ?? "", socket.remotePort ?? 0, endpoint);
  }

  onConnection = (socket: Socket, endpoint: Endpoint): void => {
    const { clock, refuses, onFlow } = this.#options;
    const openedAt = clock.now();
    const found = this.#judgeSocket(socket, endpoint);
    const refused = refuses && !found.accept;
    const fixed = {
      origin: "derived",
      action: refused ? "REJECT" : "ACCEPT",
      openedAt,
      protocol: "TCP",
      sourceAddress: socket.remoteAddress ?? "",
      sourcePort: socket.remotePort ?? 0,
      destAddress: endpoint.address,
      destPort: endpoint.port,
      instanceId: endpoint.instanceId,
      eniId: endpoint.eniId,
      ...(found.ruleId !== undefined && found.accept !== refused ? { ruleId: found.ruleId } : {}),
    } as const;
    if (refused) {
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      onFlow({ ...fixed, phase: "refused", at: openedAt, bytesIn: 0, bytesOut: 0 });
      return;
    }
    onFlow({ ...fixed, phase: "opened", at: openedAt, bytesIn: 0, bytesOut: 0 });
    socket.once("close", () => {
      onFlow({ ...fixed, phase: "closed", at: clock.now(), bytesIn: socket.bytesRead, bytesOut: socket.bytesWritten });
    });
    serveConnection(socket, endpoint.name, endpoint.port);
  };

  onDatagram = (datagram: Datagram, endpoint: Endpoint, answer: (data: Buffer) => void): void => {
    const { refuses, onDatagram } = this.#options;
    if (refuses && !this.#letsIn(datagram, endpoint)) {
      onDatagram(datagram, endpoint, undefined);
      return;
    }
    const data = answerDatagram(datagram.data, endpoint.name, endpoint.port);
    onDatagram(datagram, endpoint, data.length);
    answer(data);
  };

  #letsIn({ sourceAddress, sourcePort }: Datagram, endpoint: Endpoint): boolean {
    const { clock, establishedAfterDeny } = this.#options;
    const key = `${sourceAddress} ${sourcePort} ${endpoint.address} ${endpoint.port}`;
    const now = clock.monotonicMs();
    if (this.#judge("UDP", sourceAddress, sourcePort, endpoint).accept) {
      this.#udpSessions.delete(key);
      this.#udpSessions.set(key, now);
      for (const [old, at] of this.#udpSessions) {
        if (now - at <= SESSION_MS_MAX) break;
        this.#udpSessions.delete(old);
      }
      return true;
    }
    const lastLetIn = this.#udpSessions.get(key);
    return establishedAfterDeny() === "keep" && lastLetIn !== undefined && now - lastLetIn <= SESSION_MS_MAX;
  }

  /** Looks at every open connection after the rules have changed. */
  judgeAll(open: Iterable<readonly [Socket, Endpoint]>): void {
    const { refuses, establishedAfterDeny } = this.#options;
    const keep = establishedAfterDeny() === "keep";
    for (const [socket, endpoint] of [...open]) {
      const { accept } = this.#judgeSocket(socket, endpoint);
      if (keep || accept) this.#doomed.judge(socket, accept);
      else if (refuses) socket.resetAndDestroy();
    }
  }
}
