// The word of second persons about a lease: what they approve, who has spoken, and whether it is enough.
import { sha256Hex } from "./digest.ts";
import { isSameName, shareIssuer } from "./grant-policy.ts";
import type { LeaseRequest } from "./lease-record.ts";
import { ruleKey } from "./rule-key.ts";
import type { Approval, ApprovalWord } from "./second-person.ts";

/**
 * The hash of everything a lease would change and of everything its approver is told of it: 64 hex digits. Two requests have the same
 * only if they are one and the same request.
 */
export function changeOf(request: LeaseRequest): string {
  const { leaseId, principal, group, instanceId, specs, periodMs, reason, ticket, requestedAt, startAt, sessions } =
    request;
  const rules = specs.map(ruleKey).sort();
  const place = [group.region, group.groupId, instanceId];
  const words = [leaseId, principal, place, rules, periodMs, reason, ticket, requestedAt];
  // Stored approvals are of the first form.
  const isPlain = startAt === null && sessions === "keep";
  return sha256Hex(JSON.stringify(isPlain ? [1, ...words] : [2, ...words, startAt, sessions]));
}

/** True when enough other persons have approved this very request, and nobody has denied it. */
export function isApproved(request: LeaseRequest, approval: Approval | null): boolean {
  if (approval === null) return false;
  if (approval.words.some((word) => word.decision === "deny")) return false;
  return approversOf(request, approval) >= approval.needed;
}

/**
 * How many persons have approved this very request. A word counts for nothing where the token that it or an earlier one was spoken with
 * was issued by the other's person: that may be one person twice.
 */
export function approversOf(request: LeaseRequest, { requester, words, distinctIssuers = false }: Approval): number {
  const change = changeOf(request);
  const said = words.filter(
    (it) => it.change === change && it.decision === "approve" && !it.isVoid && !isSameName(it.person, requester),
  );
  const isTold = (a: ApprovalWord, b: ApprovalWord): boolean =>
    isOnePerson(a, b) || (distinctIssuers && shareIssuer(issuersOf(a), issuersOf(b)));
  return said.filter((word, at) => !said.slice(0, at).some((earlier) => isTold(word, earlier))).length;
}

const isOnePerson = (a: ApprovalWord, b: ApprovalWord): boolean =>
  isSameName(a.person, b.person) || isIssuedBy(a, b) || isIssuedBy(b, a);

const isIssuedBy = (word: ApprovalWord, { person }: ApprovalWord): boolean =>
  issuersOf(word).some((name) => isSameName(name, person));

const issuersOf = ({ issuers = [] }: ApprovalWord): readonly string[] => issuers;
