// Sends datagrams to a data plane, and waits for answers.

import { createSocket } from "node:dgram";

/** The answer to one datagram, or undefined when none comes in time. */
export function ask(address: string, port: number, from = "127.0.0.1"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.close(() => resolve(answer));
    };
    const timer = setTimeout(() => done(undefined), 500);
    socket.on("message", (data) => done(data.toString()));
    socket.on("error", () => done(undefined));
    socket.bind(0, from, () => socket.send("hello", port, address));
  });
}
