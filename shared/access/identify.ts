// Whom a request speaks for: a token of safeport's own or one of the company's identity provider, within the limits of attempts.
import { type AccessPolicy, scopesOf } from "../domain/access-policy.ts";
import { sha256Hex } from "../domain/digest.ts";
import type { GrantPolicy } from "../domain/grant-policy.ts";
import type { Role } from "../domain/permission.ts";
import type { Scope } from "../domain/scope.ts";
import { parseToken } from "../domain/token-text.ts";
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tables } from "../ports/tables.ts";
import { identityOf, type StoredToken, touchToken } from "../store/tokens.ts";
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
  /** Since when the caller has held it, or one that it replaced; absent for a company's own. */
  readonly tokenSince?: number | undefined;
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

/** What stands between a request and the program. */
export interface Doorkeeper {
  /**
   * Who sends a request. Throws TOKEN_MISSING without a bearer token; TOKEN_INVALID alike for a malformed, unknown, wrong, revoked or
   * expired one; ATTEMPTS_TOO_MANY and REQUESTS_TOO_MANY for an address that has tried too often.
   */
  readonly identify: (presented: Presented) => Promise<Identity>;
  readonly strangers: Strangers;
}

/** Those who come without a token, by an address that is signed. Known by the block they come from, or empty. */
export interface Strangers {
  /** Counts one. Throws ATTEMPTS_TOO_MANY, REQUESTS_TOO_MANY. */
  readonly admit: (block: string, access: AccessPolicy) => void;
  /** Counts one that is signed by nobody. */
  readonly failed: (block: string, access: AccessPolicy) => void;
}

/** Whoever has a link presses a button once; all of them together read the store no more often than this. */
const STRANGERS_PER_MINUTE = { address: 60, all: 600 } as const;
/** A token that is tried wrongly is locked for its sender; so many times as much, and the sender is locked out. */
const ADDRESS_SHARE = 4;

/**
 * A right token is let in whatever others have tried with its id: that is no secret, and its owner is not who tries. Wrong ones of one
 * id from everywhere are slowed down, whether there is such a token or not.
 */
export function doorkeeper(parts: IdentifierParts): Doorkeeper {
  const attempts = new Attempts(parts.clock);
  const everybody = ({ failuresMax, ...same }: AccessPolicy) => ({ ...same, failuresMax: failuresMax * ADDRESS_SHARE });
  const identify = async ({ authorization, address, policy: read }: Presented): Promise<Identity> => {
    const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (bearer === undefined) throw fail("TOKEN_MISSING");
    const isOwn = bearer.startsWith("spt_");
    const checking = isOwn ? checkToken(parts.tables, bearer, parts.clock.now()) : null;
    checking?.catch(() => undefined);
    const policy = await read();
    const { access } = policy;
    const from = addressKey(await address());
    // Another's stale token, tried by a program again and again, is not everybody's behind the same address.
    const token = isOwn ? `token ${parseToken(bearer)?.tokenId ?? ""}` : `a signed token ${sha256Hex(bearer)}`;
    attempts.requireUnlocked([from, `${from}, ${token}`]);
    const known: Known | null = await (checking === null
      ? parts.oidc.check(bearer, access.oidc)
      : checking.then(ownIdentity));
    if (known === null) {
      attempts.failed([from], everybody(access));
      attempts.failed([`${from}, ${token}`], access);
      if (isOwn) {
        attempts.requireUnlocked([token]);
        attempts.failed([token], access);
      }
      throw fail("TOKEN_INVALID");
    }
    const { stored, ...identity } = known;
    attempts.counted([from, `principal ${identity.principal}`], access);
    if (stored !== undefined) touch(parts, stored);
    return { ...identity, scopes: [...identity.scopes, ...scopesOf(policy, identity.principal)] };
  };
  const strangers: Strangers = {
    admit: (block, { requestsPerMinute }) => {
      const { address, all } = STRANGERS_PER_MINUTE;
      attempts.requireUnlocked([addressKey(block)]);
      attempts.counted([`${addressKey(block)}, a stranger`], {
        requestsPerMinute: Math.min(address, requestsPerMinute),
      });
      attempts.counted(["every stranger"], { requestsPerMinute: Math.min(all, requestsPerMinute) });
    },
    failed: (block, access) => attempts.failed([addressKey(block)], everybody(access)),
  };
  return { identify, strangers };
}

const addressKey = (block: string): string => `address ${siteOf(block)}`;

/** An identity with the token's row, where it has one. */
interface Known extends Identity {
  readonly stored?: StoredToken;
}

const ownIdentity = (stored: StoredToken | null): Known | null => stored && { ...identityOf(stored), stored };

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
