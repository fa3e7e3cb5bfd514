// Signed tokens as the library for them reads them, in one module, so that it is loaded with the first such token only.
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { createLocalJWKSet } from "jose/jwks/local";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";

type KeySet = Parameters<typeof createLocalJWKSet>[0];
type Claims = ReturnType<typeof decodeJwt>;

/** What a token claims, and which key it names; nothing of it is true yet. Throws where it is none. */
export function claimsOf(text: string): { readonly claims: Claims; readonly kid: string | undefined } {
  return { claims: decodeJwt(text), kid: decodeProtectedHeader(text).kid };
}

/** The claims, once signature and conditions hold. Throws otherwise. */
export async function verifiedClaims(
  text: string,
  keys: KeySet,
  conditions: Parameters<typeof jwtVerify>[2],
): Promise<Claims> {
  const { payload } = await jwtVerify(text, createLocalJWKSet(keys), conditions);
  return payload;
}
