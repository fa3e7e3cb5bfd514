// Replaces a token by a new one of the same kind; the old one goes on for a while, so that nobody is cut off.
import { fail } from "../../errors/app-error.ts";
import { changeToken, createToken, type StoredToken } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";
import { recordAccess } from "../records/record-access.ts";
import { issuersOf, newToken, shownToken, type TokenAnswer } from "./issue-token.ts";
import { managesTokens, tokenFor } from "./list-tokens.ts";

/**
 * The new token has the principal, roles, scope and length of life of the old one, which ends after `overlapMs` at the latest. Whoever
 * holds a token rotates that very token and no other one, or a weak token could become a strong one of the same person. Who issued it
 * stays known. Throws TOKEN_UNKNOWN, TOKEN_NOT_YOURS, TOKEN_OVER.
 */
export async function rotateToken(
  app: App,
  caller: Caller,
  tokenId: string,
  overlapMs: number,
  options: { dryRun: boolean },
): Promise<TokenAnswer> {
  for (;;) {
    const old = await tokenFor(app, caller, tokenId);
    const isOwn = caller.tokenId === tokenId;
    if (!isOwn && !managesTokens(caller)) throw fail("TOKEN_NOT_YOURS");
    const now = app.clock.now();
    const why = whyOver(old, now);
    if (why !== null) throw fail("TOKEN_OVER", { token: tokenId, why });
    const daysMs = caller.policy.access.tokenDaysMax * 86_400_000;
    const expiresAt = now + Math.min(old.expiresAt - old.createdAt, daysMs);
    const { principal, roles, scope, note } = old;
    const createdBy = isOwn ? old.createdBy : caller.principal;
    const before = old.issuers ?? [old.createdBy];
    const issuers = isOwn ? before : issuersOf(caller, before);
    // Whoever has another's token made anew could have been nobody's second person until then.
    const since = isOwn ? { since: old.since ?? old.createdAt } : {};
    const made = newToken(app, { principal, roles, scope, note, createdBy, issuers, expiresAt, ...since });
    const plan = [`replace the token ${tokenId}, which goes on for ${overlapMs / 1000} seconds at most`];
    const token = { ...made.row, usedAt: null, rev: 1 };
    if (options.dryRun) return { token, text: null, plan };
    // The new one first: whoever dies in between has two tokens, and the old one's end is still its own.
    await createToken(app.tables, made.row);
    const change = { expiresAt: Math.min(old.expiresAt, now + overlapMs), replacedBy: made.row.tokenId };
    if (await changeToken(app.tables, old, change)) {
      const line = `the token ${tokenId} of ${principal} is replaced by ${made.row.tokenId}`;
      const changes = [
        { what: `token ${tokenId}`, before: shownToken(old), after: shownToken({ ...old, ...change }) },
        { what: `token ${made.row.tokenId}`, before: null, after: shownToken(made.row) },
      ];
      await recordAccess(app, caller, `rotate token ${tokenId}`, [line], changes);
      return { token, text: made.text, plan: [] };
    }
    // Somebody was faster: what was just made is nobody's, and nobody has seen it.
    const unseen = { ...made.row, usedAt: null, rev: 1 };
    await changeToken(app.tables, unseen, { revokedAt: now });
  }
}

function whyOver({ revokedAt, expiresAt, replacedBy }: StoredToken, now: number): string | null {
  if (revokedAt !== null) return "was revoked";
  if (expiresAt <= now) return "has expired";
  return replacedBy === null ? null : `was replaced by ${replacedBy} already`;
}
