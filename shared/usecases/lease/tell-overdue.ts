// Tells of leases whose end has passed and whose rules still stand.
import type { GroupRef, LeaseId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { type Notice, noticeOf } from "../../domain/notice.ts";
import type { Due } from "../../store/due.ts";
import { getKeptLease } from "../../store/leases.ts";
import type { App } from "../app.ts";
import { tellOnce } from "../notices/tell.ts";

/** How late an end may be before it is told of. */
export const OVERDUE_MS = 30_000;
/** Leases of one group that are named; more say nothing new. */
const LEASES_MAX = 20;
/** In place of whose lease it is. */
const UNREADABLE = "(its row cannot be read)";

/**
 * When the lease should have been closed; null for one that is over. `rowAt` is the instant of the due row that is still there, and all that
 * is known of a lease that cannot be read.
 */
export function dueEnd(lease: Lease | "unreadable" | null, rowAt: number): number | null {
  if (lease === "unreadable") return rowAt;
  if (!lease || isFinal(lease.status.state)) return null;
  // A lease that was ended early keeps the end it was granted: its row tells when it was to close.
  return lease.status.state === "closing" ? Math.min(rowAt, lease.status.until) : lease.status.until;
}

/** Due rows of a group that stay: the leases among them that are past their end are told of, once an hour. */
export async function tellOverdue(app: App, group: GroupRef, rows: readonly Due[], why: string): Promise<void> {
  const now = app.clock.now();
  const late = new Map<string, Due>();
  for (const row of rows)
    if (row.kind === "lease" && row.at < now - OVERDUE_MS && !late.has(row.id)) late.set(row.id, row);
  const found = await Promise.all(
    [...late.values()].slice(0, LEASES_MAX).map(async (row): Promise<readonly Notice[]> => {
      const lease = await getKeptLease(app.tables, row.id as LeaseId);
      const dueAt = dueEnd(lease, row.at);
      if (lease === null || dueAt === null || dueAt >= now - OVERDUE_MS) return [];
      const leaseId = row.id;
      const principal = lease === "unreadable" ? null : lease.request.principal;
      const hour = formatUtc(now).slice(0, 13);
      return [
        noticeOf("leaseOverdue", {
          at: now,
          group,
          to: [
            { kind: "role", role: "operator" },
            { kind: "group" },
            ...(principal === null ? [] : [{ kind: "person", principal } as const]),
          ],
          dedupe: `${leaseId}/${dueAt}/${hour}`,
          data: { lease: leaseId, principal: principal ?? UNREADABLE, dueAt, why },
        }),
      ];
    }),
  );
  await tellOnce(app, found.flat());
}
