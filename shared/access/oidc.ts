// Tokens of a company's identity provider (JWT), checked with the keys it publishes.
import type { JSONWebKeySet, JWTPayload } from "jose";
import type { OidcIssuer } from "../domain/access-policy.ts";
import { ROLES, type Role } from "../domain/permission.ts";
import type { Scope } from "../domain/scope.ts";
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeySets } from "../ports/key-sets.ts";

/** Whom a company's token speaks for. */
export interface OidcIdentity {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
}

/** Keys are kept for so long, and for a key nobody knows they are read again, but not more often than this. */
const KEEP_MS = 10 * 60_000;
const AGAIN_MS = 30_000;
const TOKEN_MAX = 16 * 1024;

interface KeptKeys {
  /** Null when they could not be read and there were none before. */
  readonly keys: Promise<JSONWebKeySet | null>;
  readonly triedAt: number;
}

/** Checks tokens of the issuers that the policy names. The library is loaded when the first one comes. */
export class OidcTokens {
  private readonly clock: Pick<Clock, "now" | "monotonicMs">;
  private readonly keySets: KeySets;
  private readonly kept = new Map<string, KeptKeys>();

  constructor(clock: Pick<Clock, "now" | "monotonicMs">, keySets: KeySets) {
    this.clock = clock;
    this.keySets = keySets;
  }

  /**
   * The identity of a token, or null when it is not let in, whatever is wrong with it. Throws KEYS_UNAVAILABLE when its issuer's keys cannot be read.
   * Checked: an algorithm of the issuer's list, which holds none without a public key; the signature; issuer, audience, times.
   */
  async check(text: string, issuers: readonly OidcIssuer[]): Promise<OidcIdentity | null> {
    if (text.length > TOKEN_MAX) return null;
    const { claimsOf } = await import("./signed-token.ts");
    let claimed: JWTPayload;
    let kid: string | undefined;
    try {
      ({ claims: claimed, kid } = claimsOf(text));
    } catch {
      return null;
    }
    const issuer = issuers.find((it) => it.issuer === claimed.iss);
    if (issuer === undefined) return null;
    let keys = await this.keysOf(issuer, KEEP_MS);
    // A provider that has changed its keys signs with one that is not known yet.
    if (!knows(keys, kid)) keys = await this.keysOf(issuer, AGAIN_MS);
    const payload = await this.verified(text, issuer, keys);
    return payload === null ? null : identityOf(payload, issuer);
  }

  private async verified(text: string, issuer: OidcIssuer, keys: JSONWebKeySet): Promise<JWTPayload | null> {
    const { verifiedClaims } = await import("./signed-token.ts");
    try {
      return await verifiedClaims(text, keys, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: [...issuer.algorithms],
        clockTolerance: issuer.clockToleranceS,
        currentDate: new Date(this.clock.now()),
        requiredClaims: ["exp", "iat", issuer.principalClaim],
      });
    } catch {
      return null;
    }
  }

  /**
   * The issuer's keys, read again when they are older than `maxAgeMs`; where they cannot be, or are none, the old ones. Those that come together share
   * one reading, and nobody makes it read more often than once in half a minute.
   */
  private async keysOf({ jwksUri }: OidcIssuer, maxAgeMs: number): Promise<JSONWebKeySet> {
    const now = this.clock.monotonicMs();
    const kept = this.kept.get(jwksUri);
    if (kept !== undefined && now - kept.triedAt < maxAgeMs) {
      const keys = await kept.keys;
      if (keys !== null || now - kept.triedAt < AGAIN_MS) return usable(keys);
    }
    const old = kept?.keys ?? Promise.resolve(null);
    const keys = this.keySets
      .read(jwksUri)
      .then(keysIn)
      .catch(() => old);
    this.kept.set(jwksUri, { keys, triedAt: now });
    return usable(await keys);
  }
}

function usable(keys: JSONWebKeySet | null): JSONWebKeySet {
  if (keys === null) throw fail("KEYS_UNAVAILABLE");
  return keys;
}

const knows = ({ keys }: JSONWebKeySet, kid: string | undefined): boolean =>
  kid === undefined || keys.some((key) => key.kid === kid);

/** Only public keys of asymmetric algorithms: a secret in a key set is never one to check with. */
function keysIn(value: unknown): JSONWebKeySet {
  const { keys } = Object(value) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("what the identity provider publishes is no key set");
  return { keys: keys.filter((key) => ["RSA", "EC", "OKP"].includes(Object(key).kty)).slice(0, 100) };
}

function identityOf(payload: JWTPayload, { name, principalClaim, rules }: OidcIssuer): OidcIdentity | null {
  const subject = payload[principalClaim];
  if (typeof subject !== "string" || !/^[\x21-\x7e]{1,128}$/.test(subject)) return null;
  const matching = rules.filter(({ claim, value }) => [payload[claim]].flat().includes(value));
  const roles = ROLES.filter((role) => matching.some((rule) => rule.roles.includes(role)));
  if (roles.length === 0) return null;
  const scopes = matching.flatMap((rule) => (rule.scope === null ? [] : [rule.scope]));
  // What several rules give adds up: one without a scope gives every group.
  const isEverywhere = scopes.length < matching.length;
  return { principal: `${name}/${subject}`, roles, scopes: isEverywhere ? [] : [united(scopes)] };
}

const united = (scopes: readonly Scope[]): Scope => ({
  groups: scopes.flatMap((scope) => scope.groups),
  tags: scopes.flatMap((scope) => scope.tags),
  applications: scopes.flatMap((scope) => scope.applications),
});
