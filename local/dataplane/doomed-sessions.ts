// Open connections that the rules would no longer let in, and that live on until their session entry ends.

import type { Socket } from "node:net";

/** How long a session entry lives at most, by the service's documents. */
const SESSION_MS_MAX = 910_000;

/** Ends each such connection in time, unless the rules let it in again before. */
export class DoomedSessions {
  readonly #schedule: (delayMs: number, run: () => void) => () => void;
  readonly #doomed = new Map<Socket, () => void>();

  constructor(schedule: (delayMs: number, run: () => void) => () => void) {
    this.#schedule = schedule;
  }

  /** Says whether the rules let the connection in, as often as they change. */
  judge(socket: Socket, allowed: boolean): void {
    const spare = this.#doomed.get(socket);
    if (allowed) {
      spare?.();
      this.#doomed.delete(socket);
      return;
    }
    if (spare !== undefined) return;
    const cancel = this.#schedule(SESSION_MS_MAX, () => {
      this.#doomed.delete(socket);
      socket.resetAndDestroy();
    });
    this.#doomed.set(socket, cancel);
    socket.once("close", () => {
      cancel();
      this.#doomed.delete(socket);
    });
  }
}
