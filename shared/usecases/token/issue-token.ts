// Makes a token for somebody: its text is told once, and a salted hash of it is kept.
import { isSameName, PROGRAM_NAMES } from "../../domain/grant-policy.ts";
import { formatUtc } from "../../domain/instant.ts";
import { ROLES, type Role } from "../../domain/permission.ts";
import type { Scope } from "../../domain/scope.ts";
import { formatToken, hashSecret, parseToken, TOKEN_BYTES } from "../../domain/token-text.ts";
import { fail } from "../../errors/app-error.ts";
import { createToken, type StoredToken, type TokenRow } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";
import { recordAccess } from "../records/record-access.ts";

export interface TokenAsk {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly scope: Scope | null;
  readonly days: number;
  readonly note: string;
}

/** A token, and its text where it was just made: the only time it can be seen. */
export interface TokenAnswer {
  readonly token: StoredToken;
  readonly text: string | null;
  readonly plan: readonly string[];
}

const DAY_MS = 86_400_000;

/** Throws REQUEST_INVALID for a name that is the program's own, and for a longer life than the policy allows. */
export async function issueToken(
  app: App,
  caller: Caller,
  ask: TokenAsk,
  options: { dryRun: boolean },
): Promise<TokenAnswer> {
  const { tokenDaysMax } = caller.policy.access;
  if (PROGRAM_NAMES.some((name) => isSameName(name, ask.principal)))
    throw fail("REQUEST_INVALID", { field: "principal", why: "principal is a name of the program itself" });
  if (ask.days > tokenDaysMax)
    throw fail("REQUEST_INVALID", { field: "days", why: `days is above access.tokenDaysMax, ${tokenDaysMax}` });
  const { principal, roles, scope, note } = ask;
  const expiresAt = app.clock.now() + ask.days * DAY_MS;
  const issuers = issuersOf(caller);
  const made = newToken(app, { principal, roles, scope, note, createdBy: caller.principal, issuers, expiresAt });
  const plan = [`issue a token for ${principal} with the roles ${roles.join(", ")}`];
  const token = { ...made.row, usedAt: null, rev: 1 };
  if (options.dryRun) return { token, text: null, plan };
  await createToken(app.tables, made.row);
  const line = `the token ${made.row.tokenId} of ${principal} (${roles.join(", ")}) was issued`;
  const what = `token ${made.row.tokenId}`;
  await recordAccess(app, caller, `issue ${what}`, [line], [{ what, before: null, after: shownToken(made.row) }]);
  return { token, text: made.text, plan: [] };
}

/** A token as records show it: whose it is and what it may, and nothing of its secret. */
export const shownToken = ({ principal, roles, scope, expiresAt, revokedAt, replacedBy }: TokenRow) => ({
  ...{ principal, roles, scope, expiresAt: formatUtc(expiresAt), isRevoked: revokedAt !== null, replacedBy },
});

/** Longer chains would have to be cut, and with that somebody would no longer be known. */
const ISSUERS_MAX = 50;

/**
 * Whose word stands behind a token that the caller issues: the caller's, and of everybody whose token led to it. `before` issued the
 * token that it replaces. Throws REQUEST_INVALID for a chain that is too long.
 */
export function issuersOf({ principal, issuers = [] }: Caller, before: readonly string[] = []): readonly string[] {
  const all = [...new Set([principal, ...issuers, ...before])];
  if (all.length > ISSUERS_MAX)
    throw fail("REQUEST_INVALID", {
      field: "principal",
      why: "the token would be issued by a chain of over 50 persons",
    });
  return all;
}

/** A token that is nowhere yet. */
export function newToken(
  app: App,
  terms: Pick<TokenRow, "principal" | "roles" | "scope" | "note" | "createdBy" | "issuers" | "since" | "expiresAt">,
): { readonly text: string; readonly row: TokenRow } {
  const text = formatToken(app.random.bytes(TOKEN_BYTES.id), app.random.bytes(TOKEN_BYTES.secret));
  const { tokenId = "", secret = "" } = parseToken(text) ?? {};
  const salt = Buffer.from(app.random.bytes(TOKEN_BYTES.salt)).toString("hex");
  const roles = ROLES.filter((role) => terms.roles.includes(role));
  const row: TokenRow = {
    ...terms,
    ...{ tokenId, salt, roles, secretHash: hashSecret(salt, secret) },
    ...{ createdAt: app.clock.now(), revokedAt: null, replacedBy: null },
  };
  return { text, row };
}
