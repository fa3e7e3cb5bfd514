// Reminds of a lease that was opened without its second person, until somebody has said why.
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { noticeOf } from "../../domain/notice.ts";
import { unjustifiedDelete } from "../../store/attention.ts";
import { getLease } from "../../store/leases.ts";
import { noticeWrites } from "../../store/outbox.ts";
import type { App } from "../app.ts";
import { portsOf } from "./ask-approval.ts";

/** The job that reminds. */
export const JUSTIFY_JOB = "justify";
const DAY_MS = 24 * 60 * 60_000;

/**
 * One look; answers when to remind next, or null when there is nothing to remind of. First at the lease's end, to whoever opened it;
 * when the time to say why is over, and each day from then on, to approvers and admins as well. Repeated, it tells nothing twice.
 */
export async function tendJustification(app: App, leaseId: LeaseId): Promise<number | null> {
  const lease = await getLease(app.tables, leaseId);
  const justifyBy = lease?.request.grant?.justifyBy ?? null;
  if (lease === null || justifyBy === null || lease.justification !== null) {
    // Whoever said why may have died before the row went.
    await app.tables.writeAll([unjustifiedDelete(leaseId)]);
    return null;
  }
  const now = app.clock.now();
  const daysLate = Math.floor((now - justifyBy) / DAY_MS);
  await app.tables.writeAll([...noticeWrites(reminder(lease, justifyBy, now, daysLate))]);
  return now < justifyBy ? justifyBy : justifyBy + (daysLate + 1) * DAY_MS;
}

function reminder({ request }: Lease, justifyBy: number, at: number, daysLate: number) {
  const { leaseId, group, principal, reason } = request;
  const isLate = daysLate >= 0;
  return noticeOf("unjustified", {
    ...{ at, group, dedupe: `${leaseId}/${isLate ? daysLate : "due"}` },
    to: [
      { kind: "person", principal },
      ...(isLate
        ? ([
            { kind: "role", role: "approver" },
            { kind: "role", role: "admin" },
          ] as const)
        : []),
    ],
    data: { lease: leaseId, principal, ports: portsOf(request), reason, justifyBy, isLate },
  });
}
