// Reads a request's body with a bound, so that a caller who sends too much gets an answer rather than a reset connection.

import type { IncomingMessage } from "node:http";

/** The body, or that it was longer than allowed. */
export type BodyRead =
  | { readonly kind: "body"; readonly body: Buffer }
  | { readonly kind: "too-long" }
  | { readonly kind: "aborted" };

// Beyond this much the connection may break: nobody sends that by mistake.
const DRAINED_BYTES_MAX = 128 * 1024 * 1024;

/** Keeps at most `bytesMax`; what is longer is read off the socket and dropped, up to 128 MB. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<BodyRead> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bytesMax) chunks.push(chunk);
      else chunks = [];
      if (size > DRAINED_BYTES_MAX) {
        request.pause();
        resolve({ kind: "too-long" });
      }
    });
    request.on("end", () =>
      resolve(size > bytesMax ? { kind: "too-long" } : { kind: "body", body: Buffer.concat(chunks) }),
    );
    request.on("error", () => resolve({ kind: "aborted" }));
    request.on("close", () => resolve({ kind: "aborted" }));
  });
}
