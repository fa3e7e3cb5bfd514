// Whose word a record is about: who, from where, and by what they may say it.
import type { LeaseRequest } from "../../domain/lease-record.ts";
import type { Caller } from "../app.ts";

/** The part of a record that tells of a caller. */
export interface SaidBy {
  readonly actor: string;
  readonly from: string | undefined;
  readonly policyVersion: number;
  readonly decidedBy: string;
}

/** `decidedBy` is the line of the policy that decided; without one, what the caller's roles may. */
export function saidBy(caller: Caller, decidedBy?: string): SaidBy {
  const { principal: actor, policy, roles } = caller;
  return {
    actor,
    from: fromOf(caller),
    policyVersion: policy.version,
    decidedBy: decidedBy ?? `roles: ${roles.join(", ")}`,
  };
}

/** `203.0.113.7/32, token 0123456789abcdef issued by root`; absent where the caller's address is not known. */
export function fromOf({ address, tokenId, issuers = [] }: Caller): string | undefined {
  const issued = issuers.length > 0 ? ` issued by ${issuers.join(", by ")}` : "";
  const parts = [...(address ? [address] : []), ...(tokenId === undefined ? [] : [`token ${tokenId}${issued}`])];
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** The line of the policy by which a lease is granted; absent for one that was recovered from its mark. */
export function grantedBy({ grant }: Pick<LeaseRequest, "grant">): string | undefined {
  if (grant === null) return undefined;
  const passed = grant.justifyBy === null ? "" : "breakGlass; ";
  return `${passed}grants: ${grant.rule}, policy ${grant.policyVersion}`;
}
