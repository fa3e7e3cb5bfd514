// Who is let in, as values. Text, defaults and checks are in `shared/config/access-schema.ts`.
import { type GrantPolicy, personOf } from "./grant-policy.ts";
import type { Role } from "./permission.ts";
import type { Scope } from "./scope.ts";

/** Algorithms a company's tokens may be signed with: those with a public key alone, so that no key can be taken for a secret. */
export const JWT_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "EdDSA",
] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** What a claim of an identity is good for: the claim is the value, or a list with it. */
export interface ClaimRule {
  readonly claim: string;
  readonly value: string;
  readonly roles: readonly Role[];
  /** Null: every group. */
  readonly scope: Scope | null;
}

/** A company's identity provider. */
export interface OidcIssuer {
  /** Its principals are `name/<value of the claim>`. */
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly principalClaim: string;
  readonly clockToleranceS: number;
  readonly rules: readonly ClaimRule[];
}

export interface AccessPolicy {
  readonly oidc: readonly OidcIssuer[];
  /** What part of the account a person or principal is for, beside what the token says. */
  readonly scopes: Readonly<Record<string, Scope>>;
  /** Requests of one principal or address a minute, of one instance of the function. */
  readonly requestsPerMinute: number;
  /** So many wrong tokens within five minutes, and an address or token is locked out for a time. */
  readonly failuresMax: number;
  /** Longest life of a token. */
  readonly tokenDaysMax: number;
}

/** The part of the account that the policy gives a principal, under its own name and its person's, whatever a token says. */
export function scopesOf(
  policy: { readonly access: AccessPolicy } & Pick<GrantPolicy, "persons">,
  principal: string,
): readonly Scope[] {
  const scopes = new Map(Object.entries(policy.access.scopes));
  const names = new Set([principal, personOf(policy, principal)]);
  return [...names].flatMap((name) => scopes.get(name) ?? []);
}
