// What is to happen to leases is booked again when the rows that say so may be lost.
import type { LeaseId } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError, isUnreadable } from "../../errors/app-error.ts";
import type { Write } from "../../ports/tables.ts";
import { type Due, dueJob, dueLease, dueWrite } from "../../store/due.ts";
import { getLease, listLeases } from "../../store/leases.ts";
import type { App } from "../app.ts";
import { APPROVAL_JOB } from "../approval/ask-approval.ts";
import { JUSTIFY_JOB } from "../approval/tend-justification.ts";
import { inParallel } from "../in-parallel.ts";
import { bookHolds } from "../ledger/book-holds.ts";
import { cutWrites } from "./cut-sessions.ts";
import { endNoticeWrites } from "./end-notices.ts";
import { followWrites } from "./follow-lease.ts";
import { dueStart } from "./start-lease.ts";

/** The job that waits for a lease that cannot be read, or not be entered; its name is in stored rows. */
export const REBOOK_JOB = "rebook";
const AGAIN_MS = 60_000;
const LEASES_PAGE = 1000;

/** Leases whose due rows or holds may be lost are booked again: their ends, and whatever else has to happen in their lives. */
export async function rebookLeases(app: App, policy: Policy): Promise<void> {
  const now = app.clock.now();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listLeases>> = await listLeases(app.tables, {
      ...{ limit: LEASES_PAGE, before: cursor },
    });
    for (const leaseId of page.unreadable)
      app.log.write(
        "error",
        `the lease ${leaseId} cannot be read, and is booked again once it can; its rule ends by the ledger, or its mark`,
      );
    await app.tables.writeAll([
      ...page.leases.flatMap((lease) => lifeWrites(app, policy, lease, now)),
      ...page.unreadable.map((leaseId) => dueWrite(dueJob(REBOOK_JOB, leaseId, now + AGAIN_MS))),
    ]);
    const live = page.leases.filter(({ status }) => !isFinal(status.state));
    await inParallel(live, async (lease) => {
      if (await isEntered(app, lease)) return;
      await app.tables.writeAll([dueWrite(dueJob(REBOOK_JOB, lease.request.leaseId, now + AGAIN_MS))]);
    });
    cursor = page.next;
  } while (cursor !== null);
}

/** One look at a lease that could not be read, or not be entered; answers when to look again, or null when it is booked again or gone. */
export async function rebookLease(app: App, policy: Policy, leaseId: LeaseId): Promise<number | null> {
  const now = app.clock.now();
  let lease: Lease | null;
  try {
    lease = await getLease(app.tables, leaseId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return now + AGAIN_MS;
  }
  if (lease === null) return null;
  await app.tables.writeAll(lifeWrites(app, policy, lease, now));
  return (await isEntered(app, lease)) ? null : now + AGAIN_MS;
}

/** Enters it into the ledger; false where a row there cannot be read, which keeps no other lease from being booked. */
async function isEntered(app: App, lease: Lease): Promise<boolean> {
  try {
    await bookHolds(app, lease);
    return true;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const { leaseId } = lease.request;
    app.log.write("error", `the ledger of the lease ${leaseId} cannot be read; its rule ends by its mark`, {
      cause: error,
    });
    return false;
  }
}

/** Rows of what is still to happen to a lease. Whoever acts on one looks at the lease first: one too many does no harm. */
function lifeWrites(app: App, policy: Policy, lease: Lease, now: number): readonly Write[] {
  const { request, status, approval, justification, sessionsOutcome } = lease;
  const { leaseId, group, startAt } = request;
  const { state, until } = status;
  const rows: Due[] = [];
  if (request.grant?.justifyBy != null && justification === null) rows.push(dueJob(JUSTIFY_JOB, leaseId, now));
  if (state === "closed" && sessionsOutcome === undefined) return [...rows.map(dueWrite), ...cutWrites(request, now)];
  if (isFinal(state)) return rows.map(dueWrite);
  const end = (at: number): Due => dueLease(group, leaseId, at, app.settings.shards);
  if (state === "requested" && approval !== null) rows.push(end(until), dueJob(APPROVAL_JOB, leaseId, now));
  else if (state !== "approved") rows.push(end(until));
  // Opened by nobody yet: at its start, or now.
  else rows.push(startAt === null ? end(now) : dueStart(leaseId, Math.max(now, startAt)));
  const life = { from: startAt ?? request.requestedAt, until, now };
  const isOpening = state === "opening" || state === "open";
  return [
    ...rows.map(dueWrite),
    ...(isOpening ? endNoticeWrites(policy, leaseId, life) : []),
    ...followWrites(lease.request, now),
    ...(state === "approved" || state === "requested" ? [] : cutWrites(request, until)),
  ];
}
