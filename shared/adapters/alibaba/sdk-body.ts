// The body of an SDK's answer that was asked for as a stream, read whole.
import type { IncomingMessage } from "node:http";

/** What the SDK's transport calls the timer that it keeps at the socket of a request. */
const TIMER = "TIMER::READ_TIMER";

/**
 * Reads to the end; rejects when the connection breaks before. Ends the transport's read timer: the SDK's own reader forgets it, and
 * each call is then held in memory for as long as a read may take. Whoever waits keeps a deadline of his own.
 */
export function readBody(message: IncomingMessage): Promise<Buffer> {
  endReadTimer(message);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    // Most answers come in one piece, which needs no copy.
    message.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    message.once("error", reject);
    // After the end, too: an error costs its stack, which is not to be paid by every call.
    message.once("close", () => {
      if (!message.readableEnded) reject(cutOff());
    });
  });
}

const cutOff = (): Error => Object.assign(new Error("the answer was cut off"), { code: "ECONNRESET" });

/** True for a body that `readBody` can read. */
export const isStream = (body: unknown): body is IncomingMessage =>
  typeof body === "object" && body !== null && "socket" in body && "on" in body;

function endReadTimer({ socket }: IncomingMessage): void {
  for (const symbol of Object.getOwnPropertySymbols(socket))
    if (symbol.description === TIMER)
      clearTimeout((socket as unknown as Readonly<Record<symbol, NodeJS.Timeout>>)[symbol]);
}
