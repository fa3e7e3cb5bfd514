// Reads tokens: never their secrets.
import { isPermitted } from "../../domain/permission.ts";
import { fail } from "../../errors/app-error.ts";
import { readToken, listTokens as readTokens, type StoredToken } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";

/** A page of tokens: the caller's own, or everybody's for those who manage them. */
export async function listTokens(
  app: App,
  caller: Caller,
  query: { readonly limit: number; readonly cursor: string | null },
): Promise<{ readonly tokens: readonly StoredToken[]; readonly next: string | null }> {
  const { limit } = query;
  if (managesTokens(caller)) return readTokens(app.tables, { limit, after: query.cursor });
  const tokens: StoredToken[] = [];
  for (let after = query.cursor; ; ) {
    const page = await readTokens(app.tables, { limit: 200, after });
    tokens.push(...page.tokens.filter((token) => token.principal === caller.principal));
    if (tokens.length > limit) return { tokens: tokens.slice(0, limit), next: tokens[limit - 1]?.tokenId ?? null };
    if (page.next === null) return { tokens, next: null };
    after = page.next;
  }
}

/** True when the caller may see and change everybody's tokens: not with a scope, which a token could be issued without. */
export const managesTokens = (caller: Caller): boolean =>
  isPermitted(caller.roles, "token:manage") && caller.scopes.length === 0;

/** The caller's own token, or anybody's for those who manage them. Throws TOKEN_UNKNOWN alike for what is another's and what is not. */
export async function tokenFor(app: App, caller: Caller, tokenId: string): Promise<StoredToken> {
  const token = await readToken(app.tables, tokenId);
  if (token === null || (token.principal !== caller.principal && !managesTokens(caller)))
    throw fail("TOKEN_UNKNOWN", { token: tokenId.slice(0, 32) });
  return token;
}
