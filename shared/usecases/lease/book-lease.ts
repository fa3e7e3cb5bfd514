// Books a lease: idempotency key, due rows, lease, ledger; in this order, so that a crash in between leaves work the sweep finds.
import { sha256Hex } from "../../domain/digest.ts";
import type { LeaseId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Lease, LeaseGrant, LeaseRequest, LeaseStatus } from "../../domain/lease-record.ts";
import { type Addressee, noticeOf } from "../../domain/notice.ts";
import { fail } from "../../errors/app-error.ts";
import type { Write } from "../../ports/tables.ts";
import { unjustifiedWrite } from "../../store/attention.ts";
import { type Due, dueJob, dueLease, dueWrite } from "../../store/due.ts";
import { claimKey } from "../../store/idempotency.ts";
import { createLease, getLease, newLeaseId } from "../../store/leases.ts";
import { noticeWrites } from "../../store/outbox.ts";
import type { App, Caller } from "../app.ts";
import { approvalFor, approvalOfNobody, askWrites, portsOf, waitsFor } from "../approval/ask-approval.ts";
import { JUSTIFY_JOB } from "../approval/tend-justification.ts";
import { bookHolds, NET_AFTER_MS } from "../ledger/book-holds.ts";
import { recordDecision } from "../records/record-decision.ts";
import { grantedBy } from "../records/said-by.ts";
import { cutWrites } from "./cut-sessions.ts";
import { endNoticeWrites } from "./end-notices.ts";
import { endAfter, endIfOpened, type LeaseAsk, type Opening, requestOf } from "./lease-ask.ts";
import { dueStart } from "./start-lease.ts";
import { takePlace } from "./take-place.ts";

/** An idempotency key as it is stored: apart for each caller, and for one request only. */
export interface RequestKey {
  readonly name: string;
  readonly requestHash: string;
}

export const requestKey = (caller: Caller, ask: LeaseAsk, key: string): RequestKey => ({
  // Both may hold any separator.
  name: JSON.stringify([caller.principal, key]),
  requestHash: sha256Hex(JSON.stringify(ask)),
});

/** The due row that has the sweep look at a lease whose opener has died. */
export const netOf = (app: App, { group, leaseId, requestedAt }: LeaseRequest): Due =>
  dueLease(group, leaseId, requestedAt + NET_AFTER_MS, app.settings.shards);

/** The row of a lease that nobody has to approve first. */
const openingStatus = (until: number): LeaseStatus => ({
  state: "opening",
  until,
  openedAt: null,
  closedAt: null,
  preExisting: false,
  ruleIds: [],
  note: null,
  noteDetail: null,
});

/** True when other persons have to approve the lease before it opens. */
export const waitsForApproval = ({ approvals, justifyBy }: LeaseGrant): boolean => approvals > 0 && justifyBy === null;

/** What a lease has before it is booked: its id, by the key where there is one, and a place. Throws IDEMPOTENCY_KEY_REUSED, LEASES_TOO_MANY. */
export async function claimLease(
  app: App,
  { caller, follows }: Opening,
  key: RequestKey | null,
  freshId: LeaseId = newLeaseId(app.clock.now(), app.random),
): Promise<LeaseId> {
  let leaseId = freshId;
  if (key !== null) {
    const claim = await claimKey(app.tables, key.name, { leaseId, requestHash: key.requestHash });
    if (claim.requestHash !== key.requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
    leaseId = claim.leaseId;
  }
  await takePlace(app, caller, leaseId, follows?.leaseId);
  return leaseId;
}

/**
 * Books the lease that was claimed and arms its wake-up; one that other persons have to approve, or that starts later, is only asked for.
 * Throws IDEMPOTENCY_KEY_REUSED.
 */
export async function bookLease(app: App, opening: Opening, leaseId: LeaseId): Promise<Lease> {
  const now = app.clock.now();
  const { caller, follows, grant } = opening;
  const request = requestOf(opening, leaseId, now);
  if (waitsForApproval(grant) || request.startAt !== null) return bookRequest(app, caller, request);
  return bookOpening(app, caller, request, { now, until: follows?.until ?? endAfter(now, request.periodMs) });
}

async function bookOpening(
  app: App,
  caller: Caller,
  request: LeaseRequest,
  { now, until }: { readonly now: number; readonly until: number },
): Promise<Lease> {
  const { leaseId, group, grant, follows } = request;
  const end = dueLease(group, leaseId, until, app.settings.shards);
  const loud = grant !== null && grant.justifyBy !== null ? breakGlassWrites(caller, request, until, now) : [];
  const life = { from: follows?.openedAt ?? now, until, now };
  const jobs = [...cutWrites(request, until), ...endNoticeWrites(caller.policy, leaseId, life)];
  app.firewall.foreseeOpening?.(group, "open");
  await app.tables.writeAll([dueWrite(end), dueWrite(netOf(app, request)), ...jobs, ...loud]);
  const booked = { request, status: openingStatus(until), approval: null, justification: null };
  const created = await createLease(app.tables, booked);
  // The same key at the same time, or a retry of a request that died here: the lease that is there is the one.
  const lease = created === "conflict" ? await bookedBefore(app, booked) : booked;
  await Promise.all([bookHolds(app, lease, created === "written"), app.wakeup.arm(end.shard, until)]);
  return lease;
}

async function bookRequest(app: App, caller: Caller, request: LeaseRequest): Promise<Lease> {
  const { startAt, grant } = request;
  const isGranted = grant !== null && !waitsForApproval(grant);
  const approval = isGranted
    ? approvalOfNobody(caller.policy, request)
    : await approvalFor(app, caller, request, grant?.approvals ?? 1);
  const status: LeaseStatus = { ...openingStatus(approval.lapsesAt), state: isGranted ? "approved" : "requested" };
  const start = startAt === null ? null : dueStart(request.leaseId, startAt);
  await app.tables.writeAll([
    ...(start === null ? [] : [dueWrite(start)]),
    ...(isGranted ? [] : askWrites(request, approval)),
  ]);
  const booked = { request, status, approval, justification: null };
  const created = await createLease(app.tables, booked);
  if (start !== null) await app.wakeup.arm(start.shard, start.at);
  const waits = isGranted ? "it opens at its start" : waitsFor(approval);
  const from = startAt === null ? "" : ` from ${formatUtc(startAt)} to ${formatUtc(endIfOpened(request, startAt))}`;
  const line = `${request.leaseId} is asked for${from}: ${waits}`;
  if (created === "written")
    await recordDecision(app, caller, request.group, `ask ${request.leaseId}`, {
      lines: [line],
      changes: [{ what: `lease ${request.leaseId}`, before: null, after: status.state }],
      decidedBy: grantedBy(request),
    });
  return created === "conflict" ? bookedBefore(app, booked) : booked;
}

/** The lease that has the id already. Throws IDEMPOTENCY_KEY_REUSED for another's. */
async function bookedBefore(app: App, booked: Lease): Promise<Lease> {
  const { leaseId, principal } = booked.request;
  const lease = (await getLease(app.tables, leaseId)) ?? booked;
  if (lease.request.principal !== principal) throw fail("IDEMPOTENCY_KEY_REUSED");
  return lease;
}

/** Whoever opens without a second person is told of to those who answer for the group, and waits to justify it. */
function breakGlassWrites(caller: Caller, request: LeaseRequest, until: number, at: number): readonly Write[] {
  const { leaseId, group, reason } = request;
  const to: readonly Addressee[] = [
    { kind: "group" },
    { kind: "role", role: "approver" },
    { kind: "role", role: "admin" },
  ];
  const data = { lease: leaseId, principal: caller.principal, ports: portsOf(request), until, reason };
  return [
    unjustifiedWrite(leaseId, at),
    dueWrite(dueJob(JUSTIFY_JOB, leaseId, until)),
    ...noticeWrites(noticeOf("breakGlass", { at, group, to, dedupe: leaseId, data })),
  ];
}
