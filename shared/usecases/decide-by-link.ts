// A word by a link in a message: whose it is, what it is about, and the decision.
import { isGenuineLink, parseLink } from "../domain/approval-link.ts";
import type { LeaseId } from "../domain/ids.ts";
import type { Lease } from "../domain/lease-record.ts";
import type { Policy } from "../domain/policy.ts";
import { fail } from "../errors/app-error.ts";
import { getLease } from "../store/leases.ts";
import type { App, Caller } from "./app.ts";
import { decideLease, type LeaseWord } from "./decide-lease.ts";
import { isAskedOf } from "./judge-lease.ts";
import type { LeaseAnswer } from "./lease-answer.ts";

/** A link that is good: the lease it is about, and the person who was asked. */
interface OpenedLink {
  readonly lease: Lease;
  readonly asked: Caller;
}

/**
 * What a link shows. Throws LINK_INVALID alike for one that is made up, too old or of another change, and LINK_USED once its person has
 * spoken or nothing is left to decide.
 */
export async function openLink(app: App, policy: Policy, text: string): Promise<OpenedLink> {
  const link = parseLink(text);
  const lease = link && (await getLease(app.tables, link.leaseId as LeaseId));
  const approval = lease?.approval ?? null;
  if (link === null || lease === null || approval === null) throw fail("LINK_INVALID");
  const terms = { change: approval.change, secret: app.settings.markSecret };
  if (!isGenuineLink(link, terms) || app.clock.now() >= link.expiresAt) throw fail("LINK_INVALID");
  const asked: Caller = { principal: link.person, roles: [], scopes: [], policy };
  if (!isAskedOf(approval, asked)) throw fail("LINK_INVALID");
  if (lease.status.state !== "requested" || approval.words.some((word) => word.by === link.person))
    throw fail("LINK_USED", { lease: lease.request.leaseId, state: lease.status.state });
  return { lease, asked };
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
