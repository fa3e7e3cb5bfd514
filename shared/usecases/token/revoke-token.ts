// Ends a token at once, and what it was replaced by.
import { changeToken, readToken, type StoredToken } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";
import { recordAccess } from "../records/record-access.ts";
import { shownToken, type TokenAnswer } from "./issue-token.ts";
import { tokenFor } from "./list-tokens.ts";

/** Rotations that are followed; a token of which there were more is told of by the id that is next. */
const FOLLOWED_MAX = 1000;

/**
 * From the next request on neither the token nor a successor of it lets anybody in: whoever found a token may have rotated it. Whoever asks
 * with a successor keeps that one, and ends the earlier ones. Revoking again is success, and finishes what was interrupted. Throws
 * TOKEN_UNKNOWN.
 */
export async function revokeToken(
  app: App,
  caller: Caller,
  tokenId: string,
  options: { dryRun: boolean },
): Promise<TokenAnswer> {
  const first = await tokenFor(app, caller, tokenId);
  const plan: string[] = [];
  let revoked = first;
  let token: StoredToken | null = first;
  for (let turn = 0; token !== null; turn++) {
    if (turn > FOLLOWED_MAX) {
      plan.push(`revoke ${token.tokenId} too: it goes on from there`);
      break;
    }
    if (options.dryRun) {
      if (token.revokedAt === null) plan.push(`revoke the token ${token.tokenId} of ${token.principal}`);
    } else token = await revoke(app, caller, token);
    if (token.tokenId === tokenId) revoked = token;
    const next: string | null = token.replacedBy;
    token = next === null || next === caller.tokenId ? null : await readToken(app.tables, next);
  }
  return { token: revoked, text: null, plan };
}

/** The token as it is afterwards: once revoked it is not rotated any more, so that its successor is the last word. */
async function revoke(app: App, caller: Caller, read: StoredToken): Promise<StoredToken> {
  let token = read;
  while (token.revokedAt === null) {
    const { tokenId, principal } = token;
    const after = { ...token, revokedAt: app.clock.now() };
    if (await changeToken(app.tables, token, { revokedAt: after.revokedAt })) {
      const changes = [{ what: `token ${tokenId}`, before: shownToken(token), after: shownToken(after) }];
      await recordAccess(
        app,
        caller,
        `revoke token ${tokenId}`,
        [`the token ${tokenId} of ${principal} was revoked`],
        changes,
      );
      return after;
    }
    token = await tokenFor(app, caller, tokenId);
  }
  return token;
}
