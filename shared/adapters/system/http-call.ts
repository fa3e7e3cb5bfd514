// One request and its whole reply, by Node alone, over connections that stay open.
import http from "node:http";
import https from "node:https";
import { withDeadline } from "./deadline.ts";

/** A request that is ready to be sent. */
export interface HttpCall {
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Buffer | string;
}

/** What came back, whatever its status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Rejects with the network's own error, also where the reply breaks off, and with `late()` where it is not whole after `ms`.
 * Throws at once where the headers cannot be sent.
 */
export type SendHttp = (call: HttpCall, ms: number, late: () => Error) => Promise<HttpReply>;

/** Sends requests to `endpoint`, a URL of scheme, host and port, over `socketsMax` connections at most. */
export function httpSender(endpoint: string, socketsMax = Number.POSITIVE_INFINITY): SendHttp {
  const { protocol, hostname, port } = new URL(endpoint);
  const transport = protocol === "https:" ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxSockets: socketsMax });
  return ({ method, path, headers, body }, ms, late) => {
    const request = transport.request({ protocol, hostname, port, agent, method, path, headers });
    const reply = new Promise<HttpReply>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (response) => {
        const pieces: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            // Most answers come in one piece, which needs no copy.
            body: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces),
          }),
        );
      });
    });
    request.end(body);
    return withDeadline(ms, reply, () => {
      // Its socket would never be given back.
      request.destroy();
      return late();
    });
  };
}

/** A sender for each endpoint, made when it is first asked for and kept with its connections. */
export function httpSenders(): (endpoint: string) => SendHttp {
  const made = new Map<string, SendHttp>();
  return (endpoint) => {
    const known = made.get(endpoint) ?? httpSender(endpoint);
    made.set(endpoint, known);
    return known;
  };
}
