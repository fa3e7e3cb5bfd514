// Visits of hosts through the data plane: real connections and datagrams of loopback addresses, by what they are labelled.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { DataPlane } from "../../local/dataplane/data-plane.ts";

/** A port of a host, as the account knows it. */
export interface Port {
  readonly address: string;
  readonly port: number;
}

/** What came of a visit: `refused` stands for every way of not being let in. */
export type Welcome = "answered" | "refused";

/** How long a visitor waits. Machine time: a socket knows no other. */
const PATIENCE_MS = 700;
/** Asks a web server and says something to any other. */
const HELLO = "HEAD / HTTP/1.0\r\n\r\n";

/** Visitors of one data plane. Each resolves when its connection is over on both sides, so that its records are of this window. */
export interface Visits {
  /** Says something and reads the answer. */
  session(from: string, to: Port): Promise<Welcome>;
  /** Connects and goes away at once, as scanners and probes do. */
  scan(from: string, to: Port): Promise<Welcome>;
  /** Sends a datagram and waits for the answer. */
  datagram(from: string, to: Port): Promise<Welcome>;
}

/** Ports that the data plane serves elsewhere are found there. */
export function visits(dataPlane: Pick<DataPlane, "mappedPorts">): Visits {
  const real = ({ address, port }: Port, kind = ""): number =>
    dataPlane.mappedPorts()[`${address}:${port}${kind}`] ?? port;

  const tcp = (from: string, to: Port, hello: string): Promise<Welcome> =>
    new Promise((resolve) => {
      const socket = connect({ host: to.address, port: real(to), localAddress: from });
      let welcome: Welcome = "refused";
      socket.setTimeout(PATIENCE_MS, () => socket.destroy());
      socket.once("connect", () => {
        if (hello === "") {
          welcome = "answered";
          socket.resetAndDestroy();
        } else socket.write(hello);
      });
      socket.on("data", () => {
        welcome = "answered";
        socket.end();
      });
      socket.on("error", () => undefined);
      // The host's side notices a moment later.
      socket.once("close", () => setTimeout(() => resolve(welcome), 2));
    });

  return {
    session: (from, to) => tcp(from, to, HELLO),
    scan: (from, to) => tcp(from, to, ""),
    datagram: (from, to) =>
      new Promise((resolve) => {
        const socket = createSocket("udp4");
        const done = (welcome: Welcome): void => {
          clearTimeout(timer);
          socket.close(() => resolve(welcome));
        };
        const timer = setTimeout(() => done("refused"), PATIENCE_MS);
        socket.on("message", () => done("answered"));
        socket.on("error", () => done("refused"));
        socket.bind(0, from, () => socket.send("hello", real(to, "/udp"), to.address));
      }),
  };
}
