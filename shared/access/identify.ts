// Whom a request speaks for: a token of safeport's own or one of the company's identity provider, within the limits of attempts.
import type { AccessPolicy } from "../domain/access-policy.ts";
import { type GrantPolicy, personOf } from "../domain/grant-policy.ts";
import { ROLES, type Role } from "../domain/permission.ts";
import type { Scope } from "../domain/scope.ts";
import { parseToken } from "../domain/token-text.ts";
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tables } from "../ports/tables.ts";
import { type StoredToken, touchToken } from "../store/tokens.ts";
import { Attempts } from "./attempts.ts";
import type { OidcTokens } from "./oidc.ts";
import { checkToken } from "./token.ts";

/** Whom a request speaks for. */
export interface Identity {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  /** The token presented, and who issued it, back to the first; absent for a company's own. */
  readonly tokenId?: string | undefined;
  readonly issuers?: readonly string[] | undefined;
}

/** What a request says of its sender. */
export interface Presented {
  readonly authorization: string | null;
  /** The sender's address as a block, or empty where it cannot be told. */
  readonly address: () => Promise<string>;
  readonly policy: () => Promise<{ readonly access: AccessPolicy } & Pick<GrantPolicy, "persons">>;
}

export interface IdentifierParts {
  readonly clock: Pick<Clock, "now" | "monotonicMs">;
  readonly tables: Tables;
  readonly oidc: OidcTokens;
  /** Takes on what may end after the answer; it is waited for before the process is frozen. */
  readonly later: (work: Promise<unknown>) => void;
}

/** The last use of a token is told to the hour: one write an hour for each. */
const HOUR_MS = 60 * 60_000;
const V6_SITE = 64;

/**
 * Who sends a request. Throws TOKEN_MISSING without a bearer token; TOKEN_INVALID alike for a malformed, unknown, wrong, revoked or
 * expired one; ATTEMPTS_TOO_MANY and REQUESTS_TOO_MANY for an address or token that has tried too often.
 */
export function identifier(parts: IdentifierParts): (presented: Presented) => Promise<Identity> {
  const attempts = new Attempts(parts.clock);
  return async ({ authorization, address, policy: read }) => {
    const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (bearer === undefined) throw fail("TOKEN_MISSING");
    const isOwn = bearer.startsWith("spt_");
    const checking = isOwn ? checkToken(parts.tables, bearer, parts.clock.now()) : null;
    checking?.catch(() => undefined);
    const policy = await read();
    const { access } = policy;
    const from = `address ${siteOf(await address())}`;
    const claimed = isOwn ? [`token ${parseToken(bearer)?.tokenId ?? ""}`] : [];
    attempts.requireUnlocked([from, ...claimed]);
    const known: Known | null = await (checking === null
      ? parts.oidc.check(bearer, access.oidc)
      : checking.then(ownIdentity));
    if (known === null) {
      attempts.failed([from, ...claimed], access);
      throw fail("TOKEN_INVALID");
    }
    const { token, ...identity } = known;
    attempts.counted([from, `principal ${identity.principal}`], access);
    if (token !== undefined) touch(parts, token);
    const names = new Set([identity.principal, personOf(policy, identity.principal)]);
    const bounds = [...names].flatMap((name) =>
      Object.hasOwn(access.scopes, name) ? (access.scopes[name] ?? []) : [],
    );
    return { ...identity, scopes: [...identity.scopes, ...bounds] };
  };
}

/** An identity with the token's row, where it has one. */
interface Known extends Identity {
  readonly token?: StoredToken;
}

function ownIdentity(token: StoredToken | null): Known | null {
  if (token === null) return null;
  const { principal, tokenId, scope, createdBy } = token;
  const issuers = token.issuers ?? [createdBy];
  const roles = ROLES.filter((role) => token.roles.includes(role));
  return { principal, roles, scopes: scope === null ? [] : [scope], tokenId, issuers, token };
}

function touch({ clock, tables, later }: IdentifierParts, { tokenId, usedAt }: StoredToken): void {
  const hour = Math.floor(clock.now() / HOUR_MS) * HOUR_MS;
  if (usedAt !== null && usedAt >= hour) return;
  later(touchToken(tables, tokenId, hour));
}

/** An IPv6 site has more addresses than anybody could remember: its first 64 bits stand for it. */
function siteOf(block: string): string {
  const [address = ""] = block.split("/");
  if (!address.includes(":")) return address;
  const [head = ""] = address.split("::");
  return head
    .split(":")
    .slice(0, V6_SITE / 16)
    .join(":");
}
