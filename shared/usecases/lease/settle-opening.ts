// Brings a booked lease to where it is open, or says why it is not.
import { formatUtc } from "../../domain/instant.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { fail } from "../../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../../errors/catalogue.ts";
import type { Member } from "../../ports/firewall.ts";
import type { Due } from "../../store/due.ts";
import type { App, Caller } from "../app.ts";
import type { PassOptions } from "../pass/pass-report.ts";
import { fromOf, grantedBy } from "../records/said-by.ts";
import { netOf } from "./book-lease.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { settleLease } from "./settle-lease.ts";

export interface OpeningTerms {
  /** Lines for the record and the answer. */
  readonly why?: readonly string[];
  /** The row that finds the lease should this process die; the one from its booking by default. */
  readonly net?: Due;
  /** As in `PassOptions`. */
  readonly lockRow?: PassOptions["lockRow"];
}

/** Runs a pass over the group of a lease that is in the ledger, and answers. Throws the reason why it cannot be opened. */
export async function settleOpening(
  app: App,
  caller: Caller,
  members: readonly Member[],
  lease: Lease,
  { why = [], net = netOf(app, lease.request), lockRow }: OpeningTerms = {},
): Promise<LeaseAnswer> {
  const { request } = lease;
  const { grant, specs } = request;
  const says = grant === null ? [] : [`${request.leaseId} is granted by the rule ${grant.rule}`];
  if (grant !== null && grant.justifyBy !== null)
    says.push(`${request.leaseId} opens without its second person, to be justified by ${formatUtc(grant.justifyBy)}`);
  const { lease: now, settled } = await settleLease(app, lease, {
    cause: `open ${request.leaseId}`,
    actor: caller.principal,
    from: fromOf(caller),
    decidedBy: grantedBy(request),
    policy: caller.policy,
    priority: "open",
    rows: [net],
    lockRow,
    says: [...says, ...why],
    wanted: (it) => it.status.state === "open",
    ...(specs.some((spec) => spec.dest !== null) ? { members } : {}),
  });
  throwIfFailed(now);
  const notes = [NEW_CONNECTIONS_ONLY, ...why];
  if (now.status.preExisting)
    notes.push("A rule that was there before allows the same: the lease rides on it and its end removes nothing.");
  return { lease: now, reach: reachOf(specs, members), settled, extended: false, plan: [], notes };
}

/** Throws the failure that a lease has come to. */
export function throwIfFailed(lease: Lease): void {
  const { state, note, noteDetail } = lease.status;
  if ((state === "failed" || state === "closing") && note && note in catalogue)
    throw fail(note as ErrorCode, noteDetail ?? {});
}
