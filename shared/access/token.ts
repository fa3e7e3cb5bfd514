// Access tokens: how they are written, kept as a hash only, issued and checked.
import { createHash, timingSafeEqual } from "node:crypto";
import { ROLES, type Role } from "../domain/permission.ts";
import type { Scope } from "../domain/scope.ts";
import { fail } from "../errors/app-error.ts";
import type { Random } from "../ports/random.ts";
import type { Tables } from "../ports/tables.ts";
import { putToken, readToken } from "../store/tokens.ts";

/** Whom a token speaks for. */
export interface Identity {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
}

/** What a new token is for; `expiresAt` in milliseconds since the epoch. */
export interface TokenGrant {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly expiresAt: number;
}

/** The two parts of a token's text. */
export interface TokenText {
  readonly tokenId: string;
  readonly secret: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const TOKEN_TEXT = /^spt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const NOTHING_HASH = hashSecret("");

/** `spt_<16 hex>_<43 characters>`: the id finds the row, the secret has 256 random bits. */
export function newTokenText(random: Random): string {
  const tokenId = Buffer.from(random.bytes(ID_BYTES)).toString("hex");
  return `spt_${tokenId}_${Buffer.from(random.bytes(SECRET_BYTES)).toString("base64url")}`;
}

/** The parts of a token's text, or null when it has another form. */
export function parseTokenText(text: string): TokenText | null {
  const match = TOKEN_TEXT.exec(text);
  return match?.[1] === undefined || match[2] === undefined ? null : { tokenId: match[1], secret: match[2] };
}

/** SHA-256 in hex. The secret is random, so it needs no salt and no slow hash. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Stores the hash of a token under its id, so that the token is good until `expiresAt`. Repeating it changes nothing. */
async function keepToken(tables: Tables, text: string, grant: TokenGrant): Promise<void> {
  const parts = parseTokenText(text);
  if (parts === null) throw fail("TOKEN_INVALID");
  await putToken(tables, { tokenId: parts.tokenId, secretHash: hashSecret(parts.secret), ...grant });
}

/** Makes a token, keeps its hash, and returns its text: the only time it can be seen. */
export async function issueToken(tables: Tables, random: Random, grant: TokenGrant): Promise<string> {
  const text = newTokenText(random);
  await keepToken(tables, text, grant);
  return text;
}

/**
 * Who sends this `Authorization` header at `now`. Throws TOKEN_MISSING without a bearer token, and TOKEN_INVALID alike for a
 * malformed, unknown, wrong or expired one, so that nothing can be learned from the difference.
 */
export async function authenticate(tables: Tables, header: string | null, now: number): Promise<Identity> {
  const bearer = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (bearer === undefined) throw fail("TOKEN_MISSING");
  const parts = parseTokenText(bearer);
  if (parts === null) throw fail("TOKEN_INVALID");
  const row = await readToken(tables, parts.tokenId);
  // An unknown id is compared too, so that it takes as long as a wrong secret.
  const same = sameHash(hashSecret(parts.secret), row?.secretHash ?? NOTHING_HASH);
  if (row === null || !same || row.expiresAt <= now) throw fail("TOKEN_INVALID");
  return { principal: row.principal, roles: ROLES.filter((role) => row.roles.includes(role)), scopes: [] };
}

function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, "hex");
  const right = Buffer.from(b, "hex");
  return left.length === right.length && timingSafeEqual(left, right);
}
