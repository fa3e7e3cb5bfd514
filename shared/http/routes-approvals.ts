// The routes of second persons: what waits for them, their word, and what is said of a lease that went without it.
import type { LeaseWord } from "../usecases/approval/decide-lease.ts";
import { decision, define } from "./define-route.ts";
import { noBody } from "./inputs.ts";
import { approvalsQuery, approveBody, denyBody, justifyBody } from "./inputs-leases.ts";
import { answered, leaseIdOf, leaseInPath } from "./lease-call.ts";
import { viewLease } from "./lease-view.ts";
import { type HttpResponse, jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";

const shared = { about: leaseInPath };

async function decide(call: Call, word: LeaseWord, dryRun: boolean): Promise<HttpResponse> {
  const { parts, caller } = call;
  return answered(await parts.useCases.decideLease(parts.app, caller, leaseIdOf(call), word, { dryRun }), dryRun, 200);
}

/** The routes, in the order of the API description. */
export const approvalRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/approvals",
    operationId: "listApprovals",
    summary: "List the leases that wait for the caller's word, newest first.",
    permission: "lease:read",
    about: "list",
    query: approvalsQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }, { query }) => {
      const { leases, next } = await parts.useCases.listApprovals(parts.app, caller, { ...query, sees: await sees() });
      return jsonResponse(200, { leases: leases.map(viewLease), next });
    },
  }),
  decision({
    ...shared,
    path: "/v1/leases/{id}:approve",
    operationId: "approveLease",
    summary: "Approve what somebody else asks for; with enough persons it opens, its period counted from then.",
    permission: "lease:decide",
    body: approveBody,
    decide: (call, body, dryRun) => decide(call, { decision: "approve", via: "api", ...body }, dryRun),
  }),
  decision({
    ...shared,
    path: "/v1/leases/{id}:deny",
    operationId: "denyLease",
    summary: "Deny what somebody else asks for, with a reason.",
    permission: "lease:decide",
    body: denyBody,
    decide: (call, body, dryRun) => decide(call, { decision: "deny", via: "api", ...body }, dryRun),
  }),
  decision({
    ...shared,
    path: "/v1/leases/{id}:justify",
    operationId: "justifyLease",
    summary:
      "Say why a lease was opened without its second person. Until then health and the lease say that it is not justified.",
    permission: "lease:justify",
    body: justifyBody,
    decide: async (call, { text }, dryRun) => {
      const { parts, caller } = call;
      const answer = await parts.useCases.justifyLease(parts.app, caller, leaseIdOf(call), text, { dryRun });
      return answered(answer, dryRun, 200);
    },
  }),
];
