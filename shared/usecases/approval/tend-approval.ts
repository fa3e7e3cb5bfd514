// Looks after a lease that waits for a second person: asks more people, has it lapse, and tells what was decided.
import type { LeaseId } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { type Notice, noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { waitingDelete } from "../../store/attention.ts";
import { type Due, dueDelete, dueJob } from "../../store/due.ts";
import { getLease, writeDecision } from "../../store/leases.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import type { App, Caller } from "../app.ts";
import { fromOf, grantedBy, saidBy } from "../records/said-by.ts";
import { APPROVAL_JOB, askNotice, EVERY_APPROVER } from "./ask-approval.ts";

/** The row that has a decision told, should whoever decides die before. */
export const decisionNet = (leaseId: LeaseId, at: number): Due => dueJob(APPROVAL_JOB, `${leaseId}/decided`, at);

/**
 * One look at the lease; answers when to look again, or null when nothing is left to look after. May be repeated: what is told twice is
 * known by its id.
 */
export async function tendApproval(app: App, policy: Policy, param: string): Promise<number | null> {
  const [leaseId = "", isDecided] = param.split("/");
  for (;;) {
    const lease = await getLease(app.tables, leaseId as LeaseId);
    if (lease === null || lease.approval === null) return null;
    const { approval, request, status } = lease;
    const now = app.clock.now();
    if (isDecided !== undefined || status.state !== "requested") {
      // Whoever decides tells of it, unless they died; what has lapsed nobody else tells.
      if (isDecided !== undefined || status.state === "lapsed") await tellDecision(app, policy, lease, NOBODY);
      return null;
    }
    if (now < approval.lapsesAt) {
      await app.tables.writeAll(noticeWrites(askNotice(request, approval, now, EVERY_APPROVER)));
      return approval.lapsesAt;
    }
    const lapsed = { ...status, state: "lapsed", closedAt: now, note: "nobody decided about it in time" } as const;
    const over = await writeDecision(app.tables, lease, { status: lapsed, approval });
    if (over === null) continue;
    await tellDecision(app, policy, over, NOBODY);
    return null;
  }
}

const NOBODY = { net: null, by: null };

/** Who tells: `net` is the row that would have done so after a crash; both null where this is it. */
interface Telling {
  readonly net: Due | null;
  readonly by: Caller | null;
}

const TAKEN_BACK = "taken back by ";

/** The note of a request that somebody has taken back. */
export const takenBackBy = (principal: string): string => `${TAKEN_BACK}${principal}`;

/** Records what was decided, by whom and from where, and tells whoever asked of what others decided. */
export async function tellDecision(app: App, policy: Policy, lease: Lease, { net, by }: Telling): Promise<void> {
  const { request, status, approval } = lease;
  const { leaseId, group, principal } = request;
  const last = approval?.words.at(-1);
  const now = app.clock.now();
  const takenBack = status.state === "cancelled" ? (status.note ?? "").slice(TAKEN_BACK.length) : null;
  const isOwn = takenBack === principal;
  const spoken = status.state === "lapsed" ? null : (takenBack ?? last?.by);
  const actor = by?.principal ?? spoken ?? "safeport";
  const from = by === null ? undefined : fromOf(by);
  const words = (approval?.words ?? []).map(
    (word) =>
      `${word.by} said ${word.decision} to ${word.change.slice(0, 16)} by ${word.via}: ${word.reason || "no reason"}`,
  );
  const lines = [...words, `${leaseId} is ${status.state}${takenBack === null ? "" : `: ${status.note}`}`];
  const record = {
    ...{ at: now, group, cause: `decide ${leaseId}`, actor, from, policyVersion: policy.version, lines },
    decidedBy: decidedBy(lease, isOwn, by),
    changes: [{ what: `lease ${leaseId}`, before: "requested", after: status.state }],
  };
  const notice = noticeOf("approvalDecided", {
    ...{ at: now, group, to: [{ kind: "person", principal }] },
    dedupe: `${leaseId}/${decisionOf(status.state)}`,
    data: { lease: leaseId, requester: principal, by: actor, decision: decisionOf(status.state) },
  });
  const told = isOwn ? [] : noticeWrites(notice);
  await writeRecord(app, record, status.state === "requested" ? [] : [waitingDelete(leaseId), ...told]);
  if (net !== null) await app.tables.writeAll([dueDelete(net)]);
}

function decidedBy({ request, status }: Lease, isOwn: boolean, by: Caller | null): string | undefined {
  if (status.state === "lapsed") return "approval.decideWithin";
  if (status.state !== "cancelled") return grantedBy(request);
  if (isOwn) return "whoever asked";
  return by === null ? undefined : saidBy(by).decidedBy;
}

function decisionOf(state: Lease["status"]["state"]): Notice<"approvalDecided">["data"]["decision"] {
  if (state === "denied") return "denied";
  if (state === "cancelled") return "cancelled";
  return isFinal(state) ? "expired" : "approved";
}
