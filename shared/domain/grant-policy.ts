// What may be granted to whom, as values. Text, defaults and checks are in `shared/config/grant-schema.ts`.
import type { Cidr } from "./cidr.ts";
import type { Role } from "./permission.ts";
import type { PortRange } from "./port-range.ts";
import type { Scope } from "./scope.ts";

/** One rule about grants; the first that matches decides. What is null bounds nothing. Durations in milliseconds. */
export interface GrantRule {
  readonly name: string;
  /** `deny` matches what it touches in part; `allow` only what lies within it as a whole. */
  readonly effect: "allow" | "deny";
  /** Persons or principals, and roles; both empty: anybody who may ask. */
  readonly persons: readonly string[];
  readonly roles: readonly Role[];
  readonly where: Scope | null;
  readonly protocols: readonly string[] | null;
  readonly ports: readonly PortRange[] | null;
  readonly sources: readonly Cidr[] | null;
  /** Bounds of what the rule allows: what matches it and exceeds them is refused by it. */
  readonly periodMaxMs: number | null;
  readonly isTicketNeeded: boolean;
  readonly portsMax: number | null;
  readonly sourceWidthMax: { readonly v4: number; readonly v6: number } | null;
  /** Second persons that have to approve. */
  readonly approvals: number;
}

/** What needs a second person, whatever rule grants it, and how long a word is good. */
export interface ApprovalPolicy {
  readonly ports: readonly PortRange[];
  readonly where: Scope;
  /** How many persons. */
  readonly count: number;
  /** A request that nobody has decided by then lapses; an approval that could not be used by then, too. */
  readonly decideWithinMs: number;
  readonly useWithinMs: number;
  /** True where whoever issued the token a lease was asked with may be its second person. */
  readonly issuerMayApprove: boolean;
  /** True where two tokens to which one and the same person's led are one person's, also where the policy itself is changed. */
  readonly distinctIssuers: boolean;
}

/** Opening at once without a second person. */
export interface BreakGlassPolicy {
  readonly persons: readonly string[];
  readonly roles: readonly Role[];
  readonly periodMaxMs: number;
  readonly justifyWithinMs: number;
}

/** The part of the policy about grants. */
export interface GrantPolicy {
  /** Empty: everybody may have what the limits of leases allow. */
  readonly grants: readonly GrantRule[];
  readonly approval: ApprovalPolicy;
  /** Null: nobody may. */
  readonly breakGlass: BreakGlassPolicy | null;
  /** Principals of one and the same person, by the person's name. */
  readonly persons: Readonly<Record<string, readonly string[]>>;
}

/** The person a principal is: several principals may be one. */
export function personOf({ persons }: Pick<GrantPolicy, "persons">, principal: string): string {
  for (const [person, principals] of Object.entries(persons)) if (principals.includes(principal)) return person;
  return principal;
}

/**
 * True for names that may be of one person: alike but for case and form, or the same with and without the provider that tells it
 * (`corp/ann` and `ann`, not `partner/ann`). Where second persons are asked for, they count as one; nobody is granted anything by it.
 */
export function isSameName(a: string, b: string): boolean {
  const [one, other] = [foldedName(a), foldedName(b)];
  return one === other || one.endsWith(`/${other}`) || other.endsWith(`/${one}`);
}

/** Whom records and tokens name where the program itself has acted: no person. */
export const PROGRAM_NAMES: readonly string[] = [
  ...["safeport", "setup", "recovered", "monitoring", "alarm", "link", "unknown"],
];

/** True where one person is in both chains of issuers. */
export const shareIssuer = (a: readonly string[], b: readonly string[]): boolean =>
  a.some((name) => !PROGRAM_NAMES.includes(name) && b.some((other) => isSameName(name, other)));

const foldedName = (name: string): string => name.normalize("NFKC").toLowerCase();
