// From approved to opening: the only way on which a lease that needs a second person comes to be opened.
import { isApproved } from "../../domain/approval.ts";
import type { Lease, LeaseStatus } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import { startAt } from "../../plan/plan-start.ts";
import { dueLease, dueWrite } from "../../store/due.ts";
import { getLease, writeDecision } from "../../store/leases.ts";
import type { App } from "../app.ts";
import { cutWrites } from "../lease/cut-sessions.ts";
import { endNoticeWrites } from "../lease/end-notices.ts";
import { endIfOpened } from "../lease/lease-ask.ts";

/**
 * Gives an approved lease its end, counted from now or from its start, and moves it to `opening`: by compare-and-set, so that it is either
 * opened or lapsed or cancelled. One whose approval is too old lapses, one that is not what was approved fails. Answers the lease as it is
 * then; in any state but `approved`, and before its start, it stays as it is.
 */
export async function openApproved(app: App, read: Lease, policy: Policy): Promise<Lease> {
  for (let lease = read; ; ) {
    const { request, status, approval } = lease;
    if (status.state !== "approved" || approval === null) return lease;
    const now = app.clock.now();
    if (startAt(request, now) === "early") return lease;
    const next = nextStatus(lease, now, policy.approval.useWithinMs);
    if (next.state === "opening") {
      const end = dueLease(request.group, request.leaseId, next.until, app.settings.shards);
      // The row is there before the lease counts as opening: whoever dies in between leaves a row too many.
      const life = { from: request.startAt ?? now, until: next.until, now };
      await app.tables.writeAll([
        dueWrite(end),
        ...cutWrites(request, next.until),
        ...endNoticeWrites(policy, request.leaseId, life),
      ]);
      await app.wakeup.arm(end.shard, next.until);
    }
    const moved = await writeDecision(app.tables, lease, { status: next, approval });
    if (moved !== null) return moved;
    const again = await getLease(app.tables, request.leaseId);
    if (again === null) return lease;
    lease = again;
  }
}

function nextStatus({ request, status, approval }: Lease, now: number, useWithinMs: number): LeaseStatus {
  if (!isApproved(request, approval))
    return {
      ...status,
      state: "failed",
      closedAt: now,
      note: "APPROVAL_BROKEN",
      noteDetail: { lease: request.leaseId },
    };
  if (startAt(request, now) === "over")
    return { ...status, state: "lapsed", closedAt: now, note: "its end came before it could be opened" };
  // Nobody's word grows old where nobody's was needed.
  const isAged = now >= Math.max(approval?.approvedAt ?? 0, request.startAt ?? 0) + useWithinMs;
  if (isAged && (approval?.needed ?? 0) > 0)
    return { ...status, state: "lapsed", closedAt: now, note: "it was approved and could not be opened in time" };
  return { ...status, state: "opening", until: endIfOpened(request, now), note: null };
}
