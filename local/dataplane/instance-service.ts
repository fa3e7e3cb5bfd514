// What an instance answers on one of its ports: a page, a banner, or a banner and an echo.

import type { Socket } from "node:net";

const HTTP_PORTS: ReadonlySet<number> = new Set([80, 443, 8000, 8080, 8443]);
const BANNER_ONLY_PORTS: ReadonlySet<number> = new Set([21, 22, 23, 25, 3389]);

function answerHttp(socket: Socket, line: string): void {
  let request = "";
  socket.on("data", (chunk: Buffer) => {
    if (socket.writableEnded) return;
    request = (request + chunk.toString("latin1")).slice(-65_536);
    if (!request.includes("\r\n\r\n")) return;
    const body = `${line}\n`;
    socket.end(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${request.startsWith("HEAD ") ? "" : body}`,
    );
  });
}

/** Serves one connection. The first line of a banner is `<name> port <n>`. */
export function serveConnection(socket: Socket, name: string, port: number): void {
  socket.on("error", () => socket.destroy());
  const line = `${name} port ${port}`;
  if (HTTP_PORTS.has(port)) {
    answerHttp(socket, line);
  } else if (BANNER_ONLY_PORTS.has(port)) {
    socket.resume();
    socket.end(`${line}\r\n`);
  } else {
    socket.write(`${line}\r\n`);
    socket.pipe(socket);
  }
}

/** The answer to a datagram: the banner's line and what was sent. */
export function answerDatagram(data: Buffer, name: string, port: number): Buffer {
  return Buffer.concat([Buffer.from(`${name} port ${port}\r\n`), data]);
}
