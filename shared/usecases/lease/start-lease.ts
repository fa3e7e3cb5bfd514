// Opens a lease when its start has come. What was asked for then is judged anew: until now it was words.

import { approversOf } from "../../domain/approval.ts";
import type { LeaseId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Approval } from "../../domain/second-person.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../../errors/catalogue.ts";
import { startAt } from "../../plan/plan-start.ts";
import { type Due, dueJob } from "../../store/due.ts";
import { getLease, writeDecision } from "../../store/leases.ts";
import { readMode } from "../../store/mode.ts";
import type { App } from "../app.ts";
import { portsOf } from "../approval/ask-approval.ts";
import { openApproved } from "../approval/open-approved.ts";
import { requireAsker } from "../approval/require-asker.ts";
import { wordsInForce } from "../approval/words-in-force.ts";
import { bookHolds } from "../ledger/book-holds.ts";
import { requireUnlocked } from "../lockdown/require-unlocked.ts";
import { tell } from "../notices/tell.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { grantedBy } from "../records/said-by.ts";
import { judgeStored } from "./judge-lease.ts";
import { requireHost } from "./require-host.ts";
import { takePlace } from "./take-place.ts";

/** The job that starts leases; its name is in stored rows. */
const JOB = "start";
/** What is not open yet, or may not be opened by anybody now, is looked at again this much later. */
const AGAIN_MS = 15_000;

/** The row that has a lease started. */
export const dueStart = (leaseId: LeaseId, at: number): Due => dueJob(JOB, leaseId, at);

/**
 * One look at a lease whose start has come; answers when to look again, or null when it is open or over and whoever asked was told. From
 * whichever write a crash cuts it off, the same look goes on.
 */
export async function startLease(
  app: App,
  {
    policy,
    param,
    deadlineAt,
  }: { readonly policy: Policy; readonly param: string | null; readonly deadlineAt: number },
): Promise<number | null> {
  const leaseId = (param ?? "") as LeaseId;
  const lease = await getLease(app.tables, leaseId);
  // Not approved yet: whoever approves it opens it.
  if (lease === null || lease.approval === null || lease.status.state === "requested") return null;
  const { state } = lease.status;
  if (state === "approved") {
    const when = startAt(lease.request, app.clock.now());
    if (when === "early") return lease.request.startAt;
    const mayOpen = policy.isStandIn !== true && (await readMode(app.tables)).mode === "normal";
    if (when === "now" && !mayOpen) return app.clock.now() + AGAIN_MS;
    const why = when === "now" ? await refusalOf(app, policy, lease) : null;
    if (why === null) await openApproved(app, lease, policy);
    // Somebody may just have taken it back: then there is nothing to refuse.
    else await refuse(app, lease, lease.approval, why);
    return startLease(app, { policy, param, deadlineAt });
  }
  if (state === "opening" && (await bookHolds(app, lease))) {
    const { group, principal } = lease.request;
    const terms = {
      cause: `start ${leaseId}`,
      actor: principal,
      decidedBy: grantedBy(lease.request),
      policy,
      deadlineAt,
      priority: "open",
      rows: [],
    } as const;
    await lookAtGroup(app, group, terms);
  }
  const now = (await getLease(app.tables, leaseId)) ?? lease;
  if (now.status.state === "opening") return app.clock.now() + AGAIN_MS;
  await tellStart(app, now);
  return null;
}

/** What speaks against opening an approved lease now. Rejects where that cannot be found out. */
export async function refusalOf(app: App, policy: Policy, lease: Lease): Promise<AppError | null> {
  const { request, approval } = lease;
  try {
    await requireHost(app, lease);
    await requireAsker(app, policy, lease);
    const { grant } = await judgeStored(app, policy, lease);
    const persons = approval === null ? 0 : approversOf(request, await wordsInForce(app, policy, request, approval));
    if (grant.approvals > persons)
      throw fail("START_NEEDS_APPROVAL", { lease: request.leaseId, needed: grant.approvals, persons });
    await requireUnlocked(app, policy, { ref: request.group, name: request.groupName });
    await takePlace(app, { principal: request.principal, roles: [], scopes: [], policy }, request.leaseId);
    return null;
  } catch (error) {
    if (error instanceof AppError && error.entry.fault === "caller") return error;
    throw error;
  }
}

async function refuse(app: App, lease: Lease, approval: Approval, why: AppError): Promise<void> {
  const { code: note, detail: noteDetail } = why;
  const status = { ...lease.status, state: "failed", closedAt: app.clock.now(), note, noteDetail } as const;
  await writeDecision(app.tables, lease, { status, approval });
}

/** Tells whoever asked what came of it. */
async function tellStart(app: App, { request, status, approval }: Lease): Promise<void> {
  const { leaseId, principal, group, startAt: start } = request;
  const to = [{ kind: "person", principal }] as const;
  const at = start ?? approval?.approvedAt ?? request.requestedAt;
  const about = { lease: leaseId, principal, ports: portsOf(request) };
  const fact = { at, group, to, dedupe: `${leaseId}/start` };
  if (status.state === "open") {
    const data = { ...about, until: status.until, reason: request.reason };
    await tell(app, [noticeOf("leaseOpened", { ...fact, data })]);
  }
  if (status.state !== "failed" && status.state !== "lapsed") return;
  await tell(app, [noticeOf("leaseNotOpened", { ...fact, data: { ...about, startAt: at, why: wordsOf(status) } })]);
}

function wordsOf({ note, noteDetail, until }: Lease["status"]): string {
  if (note !== null && note in catalogue) return catalogue[note as ErrorCode].message(noteDetail ?? {});
  return note ?? `its end (${formatUtc(until)}) came before it could be opened`;
}
