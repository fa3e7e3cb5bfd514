// Ends a token at once.
import { changeToken } from "../store/tokens.ts";
import type { App, Caller } from "./app.ts";
import { shownToken, type TokenAnswer } from "./issue-token.ts";
import { tokenFor } from "./list-tokens.ts";
import { recordAccess } from "./record-access.ts";

/** From the next request on the token lets nobody in. Revoking it again is success. Throws TOKEN_UNKNOWN. */
export async function revokeToken(
  app: App,
  caller: Caller,
  tokenId: string,
  options: { dryRun: boolean },
): Promise<TokenAnswer> {
  for (;;) {
    const token = await tokenFor(app, caller, tokenId);
    if (token.revokedAt !== null) return { token, text: null, plan: [] };
    if (options.dryRun) return { token, text: null, plan: [`revoke the token ${tokenId} of ${token.principal}`] };
    const revokedAt = app.clock.now();
    if (!(await changeToken(app.tables, token, { revokedAt }))) continue;
    const line = `the token ${tokenId} of ${token.principal} was revoked`;
    const after = shownToken({ ...token, revokedAt });
    const changes = [{ what: `token ${tokenId}`, before: shownToken(token), after }];
    await recordAccess(app, caller, `revoke token ${tokenId}`, [line], changes);
    return { token: { ...token, revokedAt }, text: null, plan: [] };
  }
}
