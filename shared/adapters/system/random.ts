// The machine's own source of chance behind the random port.
import { randomBytes } from "node:crypto";
import type { Random } from "../../ports/random.ts";

/** Cryptographic randomness, fit for secrets. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};
