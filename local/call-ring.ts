// The last calls made to the embedded cloud, for tools that check who called what.

/** One call to one service. */
export interface CloudCall {
  /** Grows by one with every call, never reused. */
  readonly seq: number;
  /** Milliseconds of the cloud's clock. */
  readonly at: number;
  readonly service: string;
  readonly operation: string;
  readonly caller: { readonly accessKeyId: string; readonly principal: string };
  /** HTTP status; 0 when the connection was cut instead of answered. */
  readonly status: number;
  readonly code?: string;
  readonly params?: Readonly<Record<string, string>>;
  /** Capacity units that the answer of Tablestore tells of. */
  readonly units?: { readonly reads: number; readonly writes: number };
}

const CALLS_MAX = 10_000;
// A sequence number never gets this far, and an instant in milliseconds was never this small since 2001.
const FIRST_INSTANT_MS = 1_000_000_000_000;

/** Keeps the last 10,000 calls. */
export class CallRing {
  #calls: CloudCall[] = [];
  #next = 1;

  add(call: Omit<CloudCall, "seq">): void {
    this.#calls.push({ seq: this.#next++, ...call });
    if (this.#calls.length >= CALLS_MAX * 2) this.#calls = this.#calls.slice(-CALLS_MAX);
  }

  /** Calls from a sequence number on, or from an instant on when `since` is one; `next` asks for what comes after. */
  since(since: number): { readonly calls: readonly CloudCall[]; readonly next: number } {
    const kept = this.#calls.slice(-CALLS_MAX);
    const calls = kept.filter((call) => (since >= FIRST_INSTANT_MS ? call.at >= since : call.seq >= since));
    return { calls, next: this.#next };
  }

  clear(): void {
    this.#calls = [];
  }
}
