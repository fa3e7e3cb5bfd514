// Binds one real socket, TCP or UDP, or says why it cannot be had.

import { createSocket } from "node:dgram";
import type { Server } from "node:net";

/** A bound socket. */
export interface Bound {
  readonly port: number;
  close(): Promise<void>;
}

/** A UDP datagram as it arrived. */
export interface Datagram {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly data: Buffer;
}

/** Sends one datagram back to where one came from. */
export type UdpAnswer = (data: Buffer) => void;

/** Listens with the server; resolves to the error code when the port cannot be had. */
export function bindTcp(server: Server, address: string, port: number): Promise<Bound | string> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    server.once("error", failed);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.removeListener("error", failed);
      server.on("error", () => undefined); // Accepting can fail when descriptors run out; the listener itself lives on.
      const bound = server.address();
      resolve({
        port: bound !== null && typeof bound === "object" ? bound.port : port,
        close: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
}

/** Binds a datagram socket; resolves to the error code when the port cannot be had. */
export function bindUdp(
  address: string,
  port: number,
  onDatagram: (datagram: Datagram, answer: UdpAnswer) => void,
): Promise<Bound | string> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const failed = (error: NodeJS.ErrnoException): void => {
      socket.close();
      resolve(error.code ?? error.message);
    };
    socket.once("error", failed);
    socket.on("message", (data, { address: sourceAddress, port: sourcePort }) => {
      onDatagram({ sourceAddress, sourcePort, data }, (answer) => {
        socket.send(answer, sourcePort, sourceAddress, () => undefined); // A peer that is gone is nobody's error.
      });
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener("error", failed);
      socket.on("error", () => undefined); // Answers to a closed port come back as errors.
      resolve({ port: socket.address().port, close: () => new Promise((done) => socket.close(() => done())) });
    });
  });
}
