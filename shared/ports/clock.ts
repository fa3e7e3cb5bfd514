// The clock port: the only way anything in the project learns the time.

/** Time as the program sees it. Real in `shared/adapters/system`, virtual in tests and in the embedded cloud. */
export interface Clock {
  /** Wall time in milliseconds since the epoch, UTC. May jump, in both directions. */
  now(): number;
  /** Milliseconds that never go backwards. For durations only; its zero means nothing. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds of this clock, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
