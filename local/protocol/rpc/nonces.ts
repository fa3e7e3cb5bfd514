// Signatures count once: the nonces that a service has seen.

import { RpcError } from "./rpc-error.ts";

/** A request's date may be off by so much, and no longer is its nonce remembered. */
const KEPT_MS = 15 * 60_000;

/** The nonces of one service. */
export class Nonces {
  readonly #now: () => number;
  readonly #seenAt = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Remembers the nonce of an authentic request. Throws the service's refusal when it came before. */
  take(accessKeyId: string, nonce: string): void {
    const key = `${accessKeyId} ${nonce}`;
    const now = this.#now();
    if (this.#seenAt.has(key))
      throw new RpcError({
        status: 400,
        code: "SignatureNonceUsed",
        message: "Specified signature nonce was used already.",
      });
    this.#seenAt.set(key, now);
    // In order of arrival.
    for (const [old, at] of this.#seenAt) {
      if (now - at <= KEPT_MS) break;
      this.#seenAt.delete(old);
    }
  }
}
