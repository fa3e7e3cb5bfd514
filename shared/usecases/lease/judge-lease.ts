// Whether the policy grants a lease, in the words of use cases.

import { isSameName, personOf, shareIssuer } from "../../domain/grant-policy.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Lease, LeaseGrant, LeaseRequest } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import type { Approval } from "../../domain/second-person.ts";
import { fail } from "../../errors/app-error.ts";
import { type GrantVerdict, isFor, judgeGrant } from "../../plan/judge-grant.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import type { App, Caller } from "../app.ts";

type JudgedGroup = Pick<GroupFacts, "ref" | "name" | "tags">;

/** A lease about to be granted. */
interface LeaseTerms {
  readonly facts: JudgedGroup;
  readonly specs: readonly RuleSpec[];
  readonly periodMs: number;
  readonly ticket: string;
  readonly reason: string;
  /** True to open at once, without the second person it needs. */
  readonly breakGlass: boolean;
  /** True where that opens a port in a group that is locked down. */
  readonly passesLockdown?: boolean;
}

/** By what a lease is granted, and why, in sentences. */
export interface JudgedLease {
  readonly grant: LeaseGrant;
  readonly why: readonly string[];
}

/** Characters that a reason needs where nobody else looks at the request first. */
const REASON_MIN = 10;

/**
 * The grant, or throws GRANT_DENIED, GRANT_LIMIT, and for a lease that is to open without its second person BREAK_GLASS_FORBIDDEN or
 * REASON_MISSING.
 */
export function judgeLease(app: App, caller: Caller, terms: LeaseTerms): JudgedLease {
  const { policy } = caller;
  const verdict = judgeGrant(askOf(caller, terms), policy);
  if (verdict.kind === "refused") throw refusal(verdict);
  const { rule, approvals, why } = verdict;
  const { version: policyVersion } = policy;
  const { roles, tokenId } = caller;
  const grant: LeaseGrant = { rule, policyVersion, roles, tokenId, approvals, justifyBy: null };
  if (!terms.breakGlass) return { grant, why };
  if (approvals === 0 && !terms.passesLockdown)
    return { grant, why: [...why, "it needs no second person: it is opened as any other"] };
  const { breakGlass } = policy;
  if (breakGlass === null || !isFor(breakGlass, caller, policy)) throw fail("BREAK_GLASS_FORBIDDEN");
  if (terms.periodMs > breakGlass.periodMaxMs)
    throw fail("GRANT_LIMIT", {
      rule,
      why: `without a second person ${breakGlass.periodMaxMs / 1000} seconds at most`,
    });
  if (terms.reason.trim().length < REASON_MIN) throw fail("REASON_MISSING", { min: REASON_MIN });
  const justifyBy = app.clock.now() + breakGlass.justifyWithinMs;
  return { grant: { ...grant, justifyBy }, why: [...why, "it opens without them and has to be justified afterwards"] };
}

/**
 * What the policy in force says of a stored lease, asked for by whoever asked for it, with the roles it was asked with unless others are
 * given. Throws as `judgeLease`.
 */
export async function judgeStored(
  app: App,
  policy: Policy,
  lease: Lease,
  {
    periodMs = lease.request.periodMs,
    roles,
  }: { readonly periodMs?: number; readonly roles?: Caller["roles"] | undefined } = {},
): Promise<JudgedLease> {
  const { principal, group, groupName, specs, ticket, reason, grant } = lease.request;
  const facts = await groupOf(app, policy, group, groupName);
  const asker = { principal, roles: roles ?? grant?.roles ?? [], scopes: [], policy };
  return judgeLease(app, asker, { facts, specs, periodMs, ticket, reason, breakGlass: false });
}

/** The persons who stand behind a caller: the caller, and everybody in the chain that issued the caller's token. */
export const personsOf = ({ policy, principal, issuers = [] }: Caller): readonly string[] =>
  [principal, ...issuers].map((name) => personOf(policy, name));

/** Who asked first: the persons that may be, and who issued the token it was asked with, as in `Caller`. */
interface Asker {
  readonly persons: readonly string[];
  readonly issuers?: readonly string[] | undefined;
  /** When it was asked for. */
  readonly at: number;
}

/**
 * What keeps a caller from being the second person: `own` where whoever asked stands behind the caller, `issuer` where the caller stands
 * behind whoever asked, `shared` where the policy asks for distinct issuers and one stands behind both, `late` where the caller's token was
 * issued when it was known what for. Null for two persons.
 */
export function secondPersonBar(
  caller: Caller,
  { persons, issuers = [], at }: Asker,
): { readonly kind: "own" | "issuer" | "shared" | "late"; readonly person: string } | null {
  const { policy, tokenSince } = caller;
  const [person = "", ...behind] = personsOf(caller);
  const own = [person, ...behind].find((name) => persons.some((asker) => isSameName(name, asker)));
  if (own !== undefined) return { kind: "own", person: own };
  const askers = issuers.map((name) => personOf(policy, name));
  if (askers.some((name) => isSameName(name, person))) return { kind: "issuer", person };
  if (policy.approval.distinctIssuers && shareIssuer(askers, behind)) return { kind: "shared", person };
  return tokenSince !== undefined && tokenSince >= at ? { kind: "late", person } : null;
}

/** The same about a lease; its policy may let issuers decide. */
export function approverBar(caller: Caller, request: LeaseRequest, { requester, requesterIssuers }: Approval) {
  const persons = [personOf(caller.policy, request.principal), requester];
  const asker = { persons, issuers: requesterIssuers, at: request.requestedAt };
  const isLetIn = caller.policy.approval.issuerMayApprove;
  const bar = secondPersonBar(caller, asker);
  return bar?.kind === "issuer" && isLetIn ? secondPersonBar(caller, { ...asker, issuers: [] }) : bar;
}

/** True when the ledger names the caller as owner or stand-in of the port, under any of the person's names. */
export const isAskedOf = (
  { askedOf }: Approval,
  { policy, principal }: Pick<Caller, "policy" | "principal">,
): boolean => askedOf.some((name) => name === principal || personOf(policy, name) === personOf(policy, principal));

/** The group as grants see it; the cloud is asked only where the policy tells groups apart. */
async function groupOf(app: App, policy: Policy, ref: GroupRef, name: string): Promise<JudgedGroup> {
  const { groups, tags, applications } = policy.approval.where;
  const isAsked = policy.grants.length + groups.length + tags.length + applications.length > 0;
  const facts = isAsked ? await app.inventory.group(ref, "open") : null;
  return facts ?? { ref, name, tags: {} };
}

function askOf({ principal, roles }: Caller, { facts, specs, periodMs, ticket }: LeaseTerms) {
  const [first] = specs;
  const protocol = typeof first?.protocol === "string" ? first.protocol : "other";
  return {
    ...{ principal, roles, protocol, periodMs, ticket },
    group: { groupId: facts.ref.groupId, name: facts.name, tags: facts.tags },
    ports: first?.ports.kind === "range" ? first.ports.range : null,
    sources: specs.flatMap((spec) => (spec.peer.kind === "cidr" ? [spec.peer.cidr] : [])),
  };
}

function refusal({ rule, limit, why }: Extract<GrantVerdict, { kind: "refused" }>) {
  return fail(limit ? "GRANT_LIMIT" : "GRANT_DENIED", { rule: rule ?? "none", why: why.join("; ") });
}
