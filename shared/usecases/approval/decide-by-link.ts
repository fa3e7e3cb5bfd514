// A word by a link in a message: whose it is, what it is about, and the decision.
import { scopesOf } from "../../domain/access-policy.ts";
import { isGenuineLink, parseLink } from "../../domain/approval-link.ts";
import { personOf } from "../../domain/grant-policy.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { isPermitted } from "../../domain/permission.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Approval } from "../../domain/second-person.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import { getLease } from "../../store/leases.ts";
import { identityOf, isGood, listTokens } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";
import { requireInScope } from "../group/check-scope.ts";
import { isAskedOf } from "../lease/judge-lease.ts";
import type { LeaseAnswer } from "../lease/lease-answer.ts";
import { decideLease, type LeaseWord, requireApprover } from "./decide-lease.ts";
import { hasWord } from "./words-in-force.ts";

/** A link that is good: the lease it is about, and the person who was asked. */
interface OpenedLink {
  readonly lease: Lease;
  readonly asked: Caller;
}

/**
 * What a link shows. Throws LINK_INVALID alike for one that is made up, too old or of another change, LINK_USED once its person has
 * spoken or nothing is left to decide, and what speaks against the person by now: LINK_WITHDRAWN, OUT_OF_SCOPE, APPROVER_MISSING,
 * APPROVAL_OWN, APPROVAL_ISSUER, ISSUERS_SHARED, TOKEN_TOO_NEW.
 */
export async function openLink(app: App, policy: Policy, text: string): Promise<OpenedLink> {
  const link = parseLink(text);
  const lease = link && (await getLease(app.tables, link.leaseId as LeaseId));
  const approval = lease?.approval ?? null;
  if (link === null || lease === null || approval === null) throw fail("LINK_INVALID");
  const terms = { change: approval.change, secret: app.settings.markSecret };
  if (!isGenuineLink(link, terms)) throw fail("LINK_INVALID");
  const { person } = link;
  const used = fail("LINK_USED", { lease: lease.request.leaseId, state: lease.status.state });
  // Whoever looks at an old message tries nothing: what is LINK_INVALID counts against the address.
  if (lease.status.state !== "requested") throw used;
  if (app.clock.now() >= link.expiresAt || !isAskedOf(approval, { principal: person, policy }))
    throw fail("LINK_INVALID");
  if (await hasWord(app, approval, (word) => word.by === person)) throw used;
  return { lease, asked: await callerOf(app, policy, person, lease, approval) };
}

/** Tokens that are read in one call. */
const PAGE = 1000;

/**
 * The person as the API would let them in now. A link is no right of its own: it was sent when the person had one. So it takes a token
 * that is good and with which the person could decide. Throws what speaks against it.
 */
async function callerOf(
  app: App,
  policy: Policy,
  principal: string,
  lease: Lease,
  approval: Approval,
): Promise<Caller> {
  const person = personOf(policy, principal);
  const callers: Caller[] = [];
  for (let after: string | null = null; ; ) {
    const { tokens, unreadable, next } = await listTokens(app.tables, { after, limit: PAGE });
    if (unreadable.length > 0) app.log.write("error", "tokens that cannot be read let nobody decide", { unreadable });
    for (const token of tokens) {
      const { roles, scopes, issuers, tokenId, tokenSince, ...its } = identityOf(token);
      if (personOf(policy, its.principal) !== person || !isGood(token, app.clock.now())) continue;
      if (!isPermitted(roles, "lease:decide")) continue;
      const names = new Set([its.principal, principal]);
      const bounds = [...names].flatMap((name) => scopesOf(policy, name));
      callers.push({ principal, roles, issuers, tokenId, tokenSince, policy, scopes: [...scopes, ...bounds] });
    }
    if (next === null) break;
    after = next;
  }
  if (callers.length === 0) throw fail("LINK_WITHDRAWN");
  let refusal: unknown;
  for (const caller of callers)
    try {
      await requireInScope(app, caller, [lease.request.group.groupId]);
      await requireApprover(app, caller, lease, approval);
      return caller;
    } catch (error) {
      if (!(error instanceof AppError) || error.entry.fault !== "caller") throw error;
      refusal ??= error;
    }
  throw refusal;
}

/** Decides in the name of the person who was asked. Throws as `openLink` and `decideLease`. */
export async function decideByLink(
  app: App,
  { policy, address }: Pick<Caller, "policy" | "address">,
  text: string,
  { decision, reason }: Pick<LeaseWord, "decision" | "reason">,
): Promise<LeaseAnswer> {
  const { lease, asked } = await openLink(app, policy, text);
  const word = { decision, reason, change: lease.approval?.change ?? null, via: "link" } as const;
  return decideLease(app, { ...asked, address }, lease.request.leaseId, word, { dryRun: false });
}
