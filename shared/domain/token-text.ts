// How access tokens are written, and what is kept of them.
import { createHash } from "node:crypto";

/** The two parts of a token's text. */
export interface TokenText {
  readonly tokenId: string;
  readonly secret: string;
}

/** Bytes of chance in a token: of its id, of its secret, and of the salt its hash is kept with. */
export const TOKEN_BYTES = { id: 8, secret: 32, salt: 16 } as const;

const TOKEN_TEXT = /^(spt_([0-9a-f]{16})_([A-Za-z0-9_-]{43}))([0-9A-Za-z]{6})$/;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * `spt_<16 hex>_<43 characters><6 of checksum>`: the id finds the row, the secret has 256 random bits, and the CRC-32 of what is before
 * it lets a scanner of secrets tell a token from what only looks like one, without asking anybody.
 */
export function formatToken(id: Uint8Array, secret: Uint8Array): string {
  const start = `spt_${Buffer.from(id).toString("hex")}_${Buffer.from(secret).toString("base64url")}`;
  return start + checksum(start);
}

/** The parts of a token's text, or null when it has another form or a wrong checksum. */
export function parseToken(text: string): TokenText | null {
  const [, start = "", tokenId = "", secret = "", sum = ""] = TOKEN_TEXT.exec(text) ?? [];
  return checksum(start) === sum ? { tokenId, secret } : null;
}

/** SHA-256 of salt and secret, in hex. The secret is random, so that it needs no slow hash. */
export function hashSecret(salt: string, secret: string): string {
  return createHash("sha256").update(salt).update(secret).digest("hex");
}

/** CRC-32 (IEEE) as six digits to the base 62. */
function checksum(text: string): string {
  let crc = 0xffff_ffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  let digits = "";
  for (let rest = (crc ^ 0xffff_ffff) >>> 0, n = 0; n < 6; n++, rest = Math.floor(rest / 62))
    digits = BASE62.charAt(rest % 62) + digits;
  return digits;
}
