// A lease as the API shows it, in fields and in words.
import type * as z from "zod/mini";
import { formatUtc } from "../domain/instant.ts";
import type { Lease } from "../domain/lease-record.ts";
import { portsText, protocolText, sourceText } from "../domain/rule-text.ts";
import type { Approval } from "../domain/second-person.ts";
import { RULE_MISSING, RULE_SUSPENDED } from "../usecases/lease/lease-status.ts";
import type { LeaseAnswer } from "../usecases/lease/open-lease.ts";
import type { leaseAnswerView, leaseView } from "./answers-leases.ts";

/** The fields of a lease. */
export function viewLease(lease: Lease): z.output<ReturnType<typeof leaseView>> {
  const { request, status } = lease;
  const spec = request.specs[0];
  const sources = request.specs.map(({ peer }) => sourceText(peer));
  const protocol = spec === undefined ? "" : protocolText(spec);
  const ports = spec === undefined ? "" : portsText(spec.ports);
  const where = request.instanceId ?? request.groupName;
  return {
    id: request.leaseId,
    state: status.state,
    until: formatUtc(status.until),
    message: sentence(lease, `${what(protocol, ports)} on ${where}`, sources),
    principal: request.principal,
    region: request.group.region,
    group: { id: request.group.groupId, name: request.groupName },
    instance: request.instanceId,
    protocol,
    ports,
    sources,
    periodSeconds: Math.round(request.periodMs / 1000),
    startAt: request.startAt === null ? null : formatUtc(request.startAt),
    sessions: { atEnd: request.sessions, outcome: lease.sessionsOutcome ?? null },
    reason: request.reason,
    ticket: request.ticket,
    requestedAt: formatUtc(request.requestedAt),
    follows: request.follows?.leaseId ?? null,
    openedAt: status.openedAt === null ? null : formatUtc(status.openedAt),
    closedAt: status.closedAt === null ? null : formatUtc(status.closedAt),
    preExisting: status.preExisting,
    ruleIds: [...status.ruleIds],
    note: status.note,
    grant: request.grant && {
      rule: request.grant.rule,
      policyVersion: request.grant.policyVersion,
      approvals: request.grant.approvals,
    },
    approval: lease.approval && lease.approval.needed > 0 ? viewApproval(lease.approval) : null,
    breakGlass: breakGlassOf(lease),
  };
}

function viewApproval({ needed, change, askedOf, lapsesAt, words }: Approval) {
  return {
    ...{ needed, change, askedOf: [...askedOf], lapsesAt: formatUtc(lapsesAt) },
    words: words.map(({ by, decision, reason, at, via }) => ({ by, decision, reason, at: formatUtc(at), via })),
  };
}

function breakGlassOf({ request, justification }: Lease): z.output<ReturnType<typeof leaseView>>["breakGlass"] {
  const justifyBy = request.grant?.justifyBy ?? null;
  if (justifyBy === null) return null;
  const justified = justification && { ...justification, at: formatUtc(justification.at) };
  return { justifyBy: formatUtc(justifyBy), justified };
}

/** The fields of a lease with its reach, and what was or would be done. */
export function viewAnswer(answer: LeaseAnswer, dryRun: boolean): z.output<ReturnType<typeof leaseAnswerView>> {
  const { lease, reach } = answer;
  const subject = `${what(reach.protocol, reach.ports)} on ${hostsText(answer)}`;
  const words = sentence(lease, subject, reach.sources);
  return {
    ...viewLease(lease),
    message: dryRun ? `Dry run, nothing was changed: ${answer.plan.join("; ") || "nothing would change"}.` : words,
    reach: { ...reach, hosts: reach.hosts.map((host) => ({ ...host })), sources: [...reach.sources] },
    settled: answer.settled,
    extended: answer.extended,
    dryRun,
    plan: [...answer.plan],
    notes: [...answer.notes],
  };
}

function sentence(lease: Lease, subject: string, sources: readonly string[]): string {
  const { state, until, preExisting, note } = lease.status;
  const end = formatUtc(until);
  const forWhom = `for ${sources.join(", ")}`;
  const start = lease.request.startAt;
  switch (state) {
    case "open":
      if (note === RULE_MISSING || note === RULE_SUSPENDED)
        return `${subject} is held ${forWhom} until ${end}, but ${note}.`;
      return preExisting
        ? `${subject} is open ${forWhom} by a rule that was there before; the lease ends ${end} and its end removes nothing.`
        : `${subject} is open ${forWhom} until ${end}; its end stops new connections only.`;
    case "requested": {
      const period = Math.round(lease.request.periodMs / 1000);
      const when = start === null ? "it opens" : `it opens at ${formatUtc(start)}`;
      return `${subject} waits to be approved ${forWhom} until ${end}; approved, ${when} for ${period} seconds.`;
    }
    case "approved":
      if (start !== null) return `${subject} is granted ${forWhom} and opens at ${formatUtc(start)} until ${end}.`;
      return `${subject} is approved ${forWhom} and about to open.`;
    case "opening":
      return `${subject} is being opened ${forWhom} until ${end}.`;
    case "closing":
      return `${subject} is being closed ${forWhom}.`;
    case "closed":
      return preExisting
        ? `The lease on ${subject} ${forWhom} has ended; the rule that was there before it was left in place.`
        : `${subject} is closed ${forWhom}; connections made before may go on.`;
    default:
      return `The lease on ${subject} ${forWhom} is ${state}${note === null ? "" : `: ${note}`}.`;
  }
}

function what(protocol: string, ports: string): string {
  return ports === "" || ports === "any" || ports === "-1/-1" ? protocol : `${ports}/${protocol}`;
}

function hostsText({ reach, lease }: LeaseAnswer): string {
  const names = reach.hosts
    .slice(0, 5)
    .map((host) => `${host.name ?? host.instanceId ?? "interface"} (${host.address})`);
  const more = reach.hosts.length - names.length;
  if (names.length === 0) return `${lease.request.groupName}, which has no member yet,`;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}
