// Asks for a lease in the words of an earlier one.
import { formatCidr } from "../../domain/cidr.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { LeaseRequest } from "../../domain/lease-record.ts";
import { portsText, protocolText, sourceText } from "../../domain/rule-text.ts";
import type { App, Caller } from "../app.ts";
import { leaseFor } from "./extend-lease.ts";
import type { LeaseAnswer } from "./lease-answer.ts";
import { type LeaseAsk, openLease } from "./open-lease.ts";

/** A new request, by the caller, through the policy in force: nothing of what the earlier one was granted counts. */
export async function askAgain(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  options: { readonly idempotencyKey: string | null; readonly dryRun: boolean },
): Promise<LeaseAnswer> {
  const { request } = await leaseFor(app, caller, leaseId);
  return openLease(app, caller, wordsOf(request), { mode: "create", ...options });
}

/** The words of a request. An instance is found anew, as its address may be another by now. */
export function wordsOf({ specs, instanceId, group, periodMs, sessions, reason, ticket }: LeaseRequest): LeaseAsk {
  const [first] = specs;
  const sources = specs.map(({ peer }) => (peer.kind === "cidr" ? formatCidr(peer.cidr) : sourceText(peer)));
  return {
    protocol: first === undefined ? "" : protocolText(first),
    port: first === undefined || first.ports.kind === "any" ? null : portsText(first.ports),
    sources: [...new Set(sources)],
    group: instanceId === null ? group.groupId : null,
    instance: instanceId,
    region: group.region,
    periodMs,
    startAt: null,
    sessions,
    reason,
    ticket,
    breakGlass: false,
  };
}
