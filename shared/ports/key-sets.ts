// The public keys of identity providers.

/** Reads a key set from where its provider publishes it, at a public address only. Rejects when there is none. */
export interface KeySets {
  read(url: string): Promise<unknown>;
}
