// A second person's word about a lease: approve or deny.
import { approversOf, changeOf, isApproved } from "../../domain/approval.ts";
import { personOf } from "../../domain/grant-policy.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease, LeaseRequest, LeaseStatus } from "../../domain/lease-record.ts";
import { isPermitted } from "../../domain/permission.ts";
import type { Approval, ApprovalWord } from "../../domain/second-person.ts";
import { fail } from "../../errors/app-error.ts";
import { startAt } from "../../plan/plan-start.ts";
import { type Due, dueDelete, dueLease, dueWrite } from "../../store/due.ts";
import { getLease, writeDecision } from "../../store/leases.ts";
import type { App, Caller } from "../app.ts";
import { approverBar, isAskedOf, judgeStored, personsOf } from "../lease/judge-lease.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "../lease/lease-answer.ts";
import { endIfOpened } from "../lease/lease-ask.ts";
import { requireHost } from "../lease/require-host.ts";
import { settleOpening } from "../lease/settle-opening.ts";
import { bookHolds, NET_AFTER_MS } from "../ledger/book-holds.ts";
import { requireUnlocked } from "../lockdown/require-unlocked.ts";
import { requireNormalMode } from "../policy/require-mode.ts";
import { ownersOf, waitsFor } from "./ask-approval.ts";
import { openApproved } from "./open-approved.ts";
import { requireAsker } from "./require-asker.ts";
import { decisionNet, tellDecision } from "./tend-approval.ts";
import { wordsInForce } from "./words-in-force.ts";

/** What somebody says about a lease that waits. */
export interface LeaseWord {
  readonly decision: "approve" | "deny";
  readonly reason: string;
  /** The change that was looked at; null for the one the lease has. */
  readonly change: string | null;
  readonly via: ApprovalWord["via"];
}

/**
 * Takes the word into account. With enough persons approving, the lease is opened by the ordinary path, its period counted from now.
 * Saying the same again answers where the lease stands. Throws APPROVAL_OWN, APPROVAL_ISSUER, ISSUERS_SHARED, TOKEN_TOO_NEW,
 * APPROVER_MISSING, APPROVAL_DECIDED, APPROVAL_CHANGED and what the policy in force says against it.
 */
export async function decideLease(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  word: LeaseWord,
  options: { dryRun: boolean },
): Promise<LeaseAnswer> {
  for (;;) {
    const lease = await getLease(app.tables, leaseId);
    if (lease === null) throw fail("LEASE_UNKNOWN", { lease: leaseId });
    const { request } = lease;
    const isOpen = lease.status.state === "requested";
    const approval =
      lease.approval && isOpen ? await wordsInForce(app, caller.policy, request, lease.approval) : lease.approval;
    if (approval === null) throw fail("APPROVAL_DECIDED", { lease: leaseId, state: lease.status.state });
    await requireApprover(app, caller, lease, approval, word.decision);
    if (word.change !== null && word.change !== approval.change) throw fail("APPROVAL_CHANGED");
    if (approval.change !== changeOf(request)) throw fail("APPROVAL_BROKEN", { lease: leaseId });
    if (hasSaid(approval, caller, word.decision)) return await answerOf(app, lease, options.dryRun, []);
    const now = app.clock.now();
    if (lease.status.state !== "requested")
      throw fail("APPROVAL_DECIDED", { lease: leaseId, state: lease.status.state });
    if (now >= approval.lapsesAt) throw fail("APPROVAL_DECIDED", { lease: leaseId, state: "lapsed" });
    if (word.decision === "approve") await requireAsker(app, caller.policy, lease);
    const judged = word.decision === "approve" ? await judgeStored(app, caller.policy, lease) : null;
    const next = withWord(lease, approval, caller, word, { now, needed: judged?.grant.approvals ?? approval.needed });
    const plan = [planOf(request, next)];
    // What opens at once has to be openable now; what starts later is judged at its start.
    if (next.status.state === "approved" && startAt(request, now) === "now") {
      await requireHost(app, lease);
      await requireNormalMode(app);
      await requireUnlocked(app, caller.policy, { ref: request.group, name: request.groupName });
    }
    if (options.dryRun) return await answerOf(app, { ...lease, ...next }, true, plan);
    const decided = await write(app, lease, next, now);
    if (decided === null) continue;
    await tellDecision(app, caller.policy, decided, {
      net: decisionNet(leaseId, now + NET_AFTER_MS),
      by: caller,
    });
    if (next.status.state !== "approved") return await answerOf(app, decided, false, []);
    return await open(app, caller, decided, openingNet(app, decided, now));
  }
}

/** Before the row is moved there are rows that find it, should this process die right after. */
async function write(
  app: App,
  lease: Lease,
  next: { readonly status: LeaseStatus; readonly approval: Approval },
  now: number,
): Promise<Lease | null> {
  const { leaseId } = lease.request;
  const nets = [decisionNet(leaseId, now + NET_AFTER_MS)];
  if (next.status.state === "approved") nets.push(openingNet(app, lease, now));
  await app.tables.writeAll(nets.map(dueWrite));
  const decided = await writeDecision(app.tables, lease, next);
  if (decided === null) await app.tables.writeAll(nets.slice(0, 1).map(dueDelete));
  return decided;
}

/** The row that has the sweep open an approved lease, should its approver's process die before. */
const openingNet = (app: App, { request }: Lease, now: number): Due =>
  dueLease(request.group, request.leaseId, now + NET_AFTER_MS, app.settings.shards);

async function open(app: App, caller: Caller, approved: Lease, net: Due): Promise<LeaseAnswer> {
  const lease = await openApproved(app, approved, caller.policy);
  const { group } = lease.request;
  const members = await app.inventory.members(group, "open").catch(() => []);
  if (lease.status.state !== "opening") return await answerOf(app, lease, false, []);
  await bookHolds(app, lease);
  return settleOpening(app, caller, members, lease, { why: [`approved by ${namesOf(lease.approval)}`], net });
}

/**
 * Not the person who asked, nor one whose token that person issued, nor one who issued the token it was asked with, nor by a token that was
 * issued since; and an approver, or whom it was put to as long as the ledger names them. How old a token is and who issued it besides keeps
 * nobody from denying. Throws APPROVAL_OWN, APPROVAL_ISSUER, ISSUERS_SHARED, TOKEN_TOO_NEW, APPROVER_MISSING.
 */
export async function requireApprover(
  app: App,
  caller: Caller,
  { request }: Lease,
  approval: Approval,
  decision: LeaseWord["decision"] = "approve",
): Promise<void> {
  const { policy, principal } = caller;
  const bar = approverBar(caller, request, approval);
  if (bar?.kind === "own") throw fail("APPROVAL_OWN", { person: bar.person });
  if (bar?.kind === "issuer") throw fail("APPROVAL_ISSUER", { person: bar.person, requester: request.principal });
  if (bar !== null && decision === "approve")
    throw fail(bar.kind === "late" ? "TOKEN_TOO_NEW" : "ISSUERS_SHARED", { person: bar.person });
  if (isPermitted(caller.roles, "lease:decide:any")) return;
  const person = personOf(policy, principal);
  const isNamed = (name: string): boolean => personOf(policy, name) === person;
  if (!isAskedOf(approval, caller) || !(await ownersOf(app, request.group, request.specs)).some(isNamed))
    throw fail("APPROVER_MISSING");
}

function hasSaid({ words }: Approval, { policy, principal }: Caller, said: ApprovalWord["decision"]): boolean {
  const person = personOf(policy, principal);
  return words.some(({ by, decision, isVoid }) => personOf(policy, by) === person && decision === said && !isVoid);
}

function withWord(
  lease: Lease,
  approval: Approval,
  caller: Caller,
  { decision, reason, via }: LeaseWord,
  { now, needed }: { readonly now: number; readonly needed: number },
): { readonly status: LeaseStatus; readonly approval: Approval } {
  const { request, status } = lease;
  const [person = caller.principal, ...issuers] = personsOf(caller);
  const said: ApprovalWord = {
    by: caller.principal,
    person,
    issuers,
    ...(caller.tokenId === undefined ? {} : { tokenId: caller.tokenId }),
    decision,
    reason,
    at: now,
    via,
    change: changeOf(request),
  };
  const next = {
    ...approval,
    needed: Math.max(approval.needed, needed),
    distinctIssuers: approval.distinctIssuers || caller.policy.approval.distinctIssuers,
    words: [...approval.words, said],
  };
  if (decision === "deny") {
    const note = reason === "" ? `denied by ${caller.principal}` : `denied by ${caller.principal}: ${reason}`;
    return { status: { ...status, state: "denied", closedAt: now, note }, approval: next };
  }
  if (!isApproved(request, next)) return { status, approval: next };
  const until = request.startAt === null ? status.until : endIfOpened(request, now);
  return { status: { ...status, state: "approved", until }, approval: { ...next, approvedAt: now } };
}

function planOf(
  request: LeaseRequest,
  { status, approval }: { readonly status: LeaseStatus; readonly approval: Approval },
): string {
  if (status.state === "denied") return "deny the request";
  if (status.state === "approved") return "approve the request and open the lease";
  return `approve the request: ${approversOf(request, approval)} of ${approval.needed}`;
}

async function answerOf(app: App, lease: Lease, isDryRun: boolean, plan: readonly string[]): Promise<LeaseAnswer> {
  const members = await app.inventory.members(lease.request.group, "inventory").catch(() => []);
  const isWaiting = lease.status.state === "requested" && lease.approval !== null;
  return {
    lease,
    reach: reachOf(lease.request.specs, members),
    settled: true,
    extended: false,
    plan: isDryRun ? plan : [],
    notes: isWaiting && lease.approval ? [waitsFor(lease.approval)] : [NEW_CONNECTIONS_ONLY],
  };
}

const namesOf = (approval: Approval | null): string => (approval?.words ?? []).map((word) => word.by).join(", ");
