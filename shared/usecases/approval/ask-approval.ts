// Whom a lease that needs a second person is put to, and what is written for it.
import { changeOf } from "../../domain/approval.ts";
import { isSameName, personOf } from "../../domain/grant-policy.ts";
import type { GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { LeaseRequest } from "../../domain/lease-record.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { type Addressee, type Notice, noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { portRangesOverlap } from "../../domain/port-range.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { portsText, protocolText } from "../../domain/rule-text.ts";
import type { Approval } from "../../domain/second-person.ts";
import type { Write } from "../../ports/tables.ts";
import { waitingWrite } from "../../store/attention.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import { noticeWrites } from "../../store/outbox.ts";
import type { App, Caller } from "../app.ts";
import { endIfOpened } from "../lease/lease-ask.ts";

/** The job that looks after a request: asks more people, has it lapse, and tells what a crash left untold. */
export const APPROVAL_JOB = "approval";

/** Who is asked where the ledger names nobody, and later when nobody has decided. */
export const EVERY_APPROVER: Addressee = { kind: "role", role: "approver" };

/** Persons that are asked first, at most. */
const ASKED_MAX = 10;

/** The word of nobody, for a lease that waits for its start alone. */
export const approvalOfNobody = (policy: Policy, request: LeaseRequest): Approval => ({
  needed: 0,
  requester: personOf(policy, request.principal),
  change: changeOf(request),
  askedOf: [],
  lapsesAt: endIfOpened(request, request.requestedAt),
  words: [],
  approvedAt: request.requestedAt,
  rev: 0,
});

/** What the request needs, put to the owners and stand-ins of its port by the ledger; to nobody in particular where it names none. */
export async function approvalFor(
  app: App,
  { policy, issuers = [] }: Caller,
  request: LeaseRequest,
  needed: number,
): Promise<Approval> {
  const requester = personOf(policy, request.principal);
  // Nobody is asked who could not approve it.
  const barred = policy.approval.issuerMayApprove ? [] : issuers.map((name) => personOf(policy, name));
  const askedOf = (await ownersOf(app, request.group, request.specs)).filter((name) =>
    [requester, ...barred].every((person) => !isSameName(personOf(policy, name), person)),
  );
  return {
    needed,
    requester,
    requesterIssuers: issuers,
    distinctIssuers: policy.approval.distinctIssuers,
    change: changeOf(request),
    askedOf: askedOf.slice(0, ASKED_MAX),
    // What is over by then nobody needs to decide.
    lapsesAt: Math.min(
      request.requestedAt + policy.approval.decideWithinMs,
      request.startAt === null ? Number.POSITIVE_INFINITY : endIfOpened(request, request.startAt),
    ),
    words: [],
    approvedAt: null,
    rev: 0,
  };
}

/** What is written before the request's own row: the job that looks after it, and the notice that asks for it. */
export function askWrites(request: LeaseRequest, approval: Approval): readonly Write[] {
  const { requestedAt, leaseId } = request;
  const halfway = requestedAt + Math.floor((approval.lapsesAt - requestedAt) / 2);
  const asked = approval.askedOf.map((principal): Addressee => ({ kind: "person", principal }));
  return [
    waitingWrite(leaseId, requestedAt),
    dueWrite(dueJob(APPROVAL_JOB, leaseId, halfway)),
    // One for each person: only that person's carries the link that decides in the person's name.
    ...noticeWrites(
      ...(asked.length > 0 ? asked : [EVERY_APPROVER]).map((to) => askNotice(request, approval, requestedAt, to)),
    ),
  ];
}

/** The notice that asks one addressee. */
export function askNotice(
  request: LeaseRequest,
  approval: Approval,
  at: number,
  to: Addressee,
): Notice<"approvalAsked"> {
  const { leaseId, group, principal: requester, reason } = request;
  const { lapsesAt: expiresAt, change } = approval;
  return noticeOf("approvalAsked", {
    ...{ at, group, to: [to] },
    dedupe: `${leaseId}/${to.kind === "person" ? to.principal : to.kind}`,
    data: { lease: leaseId, requester, ports: portsOf(request), reason, expiresAt, change },
  });
}

/** What a lease is about, in a few words. */
export function portsOf({ specs, groupName }: LeaseRequest): string {
  const [spec] = specs;
  return spec === undefined ? groupName : `${portsText(spec.ports)}/${protocolText(spec)} on ${groupName}`;
}

/** Who a request waits for, in a sentence. */
export function waitsFor({ needed, askedOf, lapsesAt }: Approval): string {
  const persons = needed === 1 ? "one other person" : `${needed} other persons`;
  const whom = askedOf.length > 0 ? ` (asked first: ${askedOf.join(", ")})` : "";
  return `ask ${persons}${whom} to approve it until ${formatUtc(lapsesAt)}`;
}

/** Owners and stand-ins of the ports, as the ledger names them now. */
export async function ownersOf(app: App, group: GroupRef, specs: readonly RuleSpec[]): Promise<readonly string[]> {
  const { entries } = await listEntries(app.tables, group);
  const touched = entries.filter((entry) => specs.some((spec) => isSamePort(entry, spec)));
  const names = touched.flatMap(({ allocation }) => (allocation ? [allocation.owner, allocation.backup ?? ""] : []));
  return [...new Set(names.filter((name) => name !== ""))];
}

/** True when the entry's rule is about a port that the spec reaches. */
function isSamePort({ spec: granted, allocation }: Entry, spec: RuleSpec): boolean {
  if (allocation === null || granted.direction !== spec.direction) return false;
  const isSameProtocol = granted.protocol === spec.protocol || granted.protocol === "all" || spec.protocol === "all";
  if (!isSameProtocol) return false;
  return granted.ports.kind !== "range" || spec.ports.kind !== "range"
    ? true
    : portRangesOverlap(granted.ports.range, spec.ports.range);
}
