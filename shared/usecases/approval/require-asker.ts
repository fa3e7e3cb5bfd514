// Whether whoever asked for a lease might still ask for it, when it is approved or starts later.
import { scopesOf } from "../../domain/access-policy.ts";
import type { Lease } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import { readToken } from "../../store/tokens.ts";
import type { App } from "../app.ts";
import { isWithin } from "../group/check-scope.ts";

/**
 * Throws REQUESTER_BARRED where the token it was asked with has been revoked (whoever found a token may have asked with it), or where
 * the policy in force keeps the person out of the group. A token that has only expired, or was rotated, was good when it was used.
 */
export async function requireAsker(app: App, policy: Policy, lease: Lease): Promise<void> {
  const { principal, group } = lease.request;
  const barred = (why: string) => fail("REQUESTER_BARRED", { principal, why });
  if (!(await isAskerGood(app, lease))) throw barred("the token it was asked with is revoked");
  if (!(await isWithin(app, { policy, scopes: scopesOf(policy, principal) }, group.groupId)))
    throw barred("access.scopes of the policy leaves the group out");
}

/** False where the token it was asked with has been revoked. */
export async function isAskerGood(app: App, { request: { grant } }: Lease): Promise<boolean> {
  const tokenId = grant?.tokenId;
  return tokenId === undefined || (await readToken(app.tables, tokenId))?.revokedAt === null;
}
