// Connects to a data plane as a stranger would, and says what came of it.

import { connect, type Socket } from "node:net";

/** How long a dropped connection is waited for. */
const PATIENCE_MS = 700;

/** What a connection attempt met. `text` is what the other side said before it was done. */
export type Outcome =
  | { readonly kind: "connected"; readonly text: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "failed"; readonly code: string };

/** A block of loopback addresses that no other test process uses at the same time: the first three octets. */
export function ownNet(second: number): string {
  return `127.${second + ((process.pid >> 8) & 15)}.${process.pid & 255}`;
}

/** Connects, says `hello`, and reads until the first line or the end. */
export function attempt(address: string, port: number, from = "127.0.0.1", hello = ""): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: from });
    let text = "";
    const done = (outcome: Outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(PATIENCE_MS, () => done({ kind: "timeout" }));
    socket.on("connect", () => socket.write(hello));
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (hello === "" && text.includes("\n")) done({ kind: "connected", text });
    });
    socket.on("end", () => done({ kind: "connected", text }));
    socket.on("error", (error: NodeJS.ErrnoException) => done({ kind: "failed", code: error.code ?? "" }));
  });
}

/** A connection that stays open, after its banner. */
export function openSession(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    socket.on("error", reject);
    socket.once("data", () => resolve(socket));
  });
}

/** Whether an open session still echoes. */
export function echoes(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (alive: boolean) => {
      socket.setTimeout(0);
      socket.removeAllListeners("data");
      resolve(alive);
    };
    socket.setTimeout(PATIENCE_MS, () => done(false));
    socket.once("data", () => done(true));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
    socket.write("ping\n");
  });
}
