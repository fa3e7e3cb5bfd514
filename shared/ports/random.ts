// The randomness port: the only source of chance in the project.

/** Unpredictable bytes. Real in `shared/adapters/system`, seeded in tests. */
export interface Random {
  /** `length` random bytes, fit for secrets in the real implementation. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}
