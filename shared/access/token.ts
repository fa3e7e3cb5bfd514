// Access tokens: made, and checked.
import { timingSafeEqual } from "node:crypto";
import { formatToken, hashSecret, parseToken, TOKEN_BYTES } from "../domain/token-text.ts";
import type { Random } from "../ports/random.ts";
import type { Tables } from "../ports/tables.ts";
import { isGood, readToken, type StoredToken } from "../store/tokens.ts";

/** What an unknown id is compared with. */
const NOTHING = { salt: "0".repeat(2 * TOKEN_BYTES.salt), secretHash: hashSecret("", "") };

/** The text of a new token. */
export const newTokenText = (random: Random): string =>
  formatToken(random.bytes(TOKEN_BYTES.id), random.bytes(TOKEN_BYTES.secret));

/**
 * The token of a text, or null alike for a malformed, unknown, wrong, revoked or expired one, so that nothing can be learned from the
 * difference: an unknown id is hashed and compared too.
 */
export async function checkToken(tables: Tables, text: string, now: number): Promise<StoredToken | null> {
  const parts = parseToken(text);
  if (parts === null) return null;
  const row = await readToken(tables, parts.tokenId);
  const { salt, secretHash } = row ?? NOTHING;
  const isSame = sameHash(hashSecret(salt, parts.secret), secretHash);
  return row !== null && isSame && isGood(row, now) ? row : null;
}

function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, "hex");
  const right = Buffer.from(b, "hex");
  return left.length === right.length && timingSafeEqual(left, right);
}
