// The embedded cloud's chance: the machine's, or repeatable from a seed.

import { createHash, randomBytes } from "node:crypto";
import type { Random } from "../shared/ports/random.ts";

/** Chance of the machine. */
export function machineRandom(): Random {
  return {
    bytes: (length) => new Uint8Array(randomBytes(length)),
    fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  };
}

/** The same bytes in the same order for the same seed: SHA-256 in counter mode. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  let pool = Buffer.alloc(0);
  const bytes = (length: number): Uint8Array => {
    while (pool.length < length) {
      const block = createHash("sha256").update(`${seed}\n${counter++}`).digest();
      pool = Buffer.concat([pool, block]);
    }
    const taken = new Uint8Array(pool.subarray(0, length));
    pool = pool.subarray(length);
    return taken;
  };
  return { bytes, fraction: () => Buffer.from(bytes(6)).readUIntBE(0, 6) / 2 ** 48 };
}

/** `length` characters of lower-case hex. */
export function hexText(random: Random, length: number): string {
  return Buffer.from(random.bytes(Math.ceil(length / 2)))
    .toString("hex")
    .slice(0, length);
}
