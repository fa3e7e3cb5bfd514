// The routes of leases: asked for, decided, read, extended, ended. Those that a cold start is most often asked for.
import type * as z from "zod/mini";
import { isPermitted } from "../domain/permission.ts";
import { fail } from "../errors/app-error.ts";
import { groupsNamedBy, type Place } from "../usecases/lease/find-target.ts";
import { isAskedOf } from "../usecases/lease/judge-lease.ts";
import type { LeaseAsk } from "../usecases/lease/open-lease.ts";
import { define, sourcesOf } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { extendBody, leaseBody, leasesQuery, tempAllowQuery } from "./inputs-leases.ts";
import { answered, leaseIdOf, leaseInPath, ownSource } from "./lease-call.ts";
import { viewAnswer, viewLease } from "./lease-view.ts";
import { type HttpResponse, jsonResponse } from "./message.ts";
import { invalid, readIdempotencyKey, readPeriod } from "./read-input.ts";
import type { Call, Route } from "./route.ts";
import { approvalRoutes } from "./routes-approvals.ts";
import { comfortRoutes } from "./routes-comforts.ts";

/** The routes, in the order of the API description. */
export const leaseRoutes: readonly Route[] = [
  define({
    method: "PUT",
    path: "/safeport/temp_allow",
    operationId: "tempAllow",
    summary: "Open a port for a while; repeated, it extends the caller's lease.",
    permission: "lease:open",
    about: (call, { query }) => targetOf(call, query),
    query: tempAllowQuery,
    body: noBody,
    idempotent: true,
    handle: async (call, { query: { dryRun, ...asked } }) => open(call, askOf(call, asked), "repeat", dryRun),
  }),
  define({
    method: "PUT",
    path: "/safeport/cleanup",
    operationId: "cleanup",
    summary: "Close what is due now.",
    permission: "sweep:run",
    about: "account",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, deadlineAt }) => {
      const cause = `cleanup by ${caller.principal}`;
      const report = await parts.useCases.sweep(parts.app, {
        ...{ policy: caller.policy, cause, deadlineAt },
        // Leases are what somebody asks for; jobs have their times.
        jobs: null,
      });
      const count = report.closed.length;
      const message = `${count === 1 ? "1 lease was" : `${count} leases were`} closed; ${report.left} due are left.`;
      return jsonResponse(200, { message, ...report });
    },
  }),
  define({
    method: "POST",
    path: "/v1/leases",
    operationId: "openLease",
    summary: "Ask for a lease.",
    permission: "lease:open",
    about: (call, { body }) => targetOf(call, body),
    query: dryRunQuery,
    body: leaseBody,
    idempotent: true,
    handle: async (call, { query, body }) => open(call, askOf(call, body), "create", query.dryRun),
  }),
  define({
    method: "GET",
    path: "/v1/leases",
    operationId: "listLeases",
    summary: "List leases, newest first; a requester sees the own ones.",
    permission: "lease:read",
    about: "list",
    query: leasesQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }, { query: { limit, cursor, state, group } }) => {
      const { leases, next } = await parts.useCases.listLeases(parts.app, {
        limit,
        cursor,
        ...(state === undefined ? {} : { state }),
        ...(group === undefined ? {} : { group }),
        ...(isPermitted(caller.roles, "lease:read:any") ? {} : { principal: caller.principal }),
        sees: await sees(),
      });
      return jsonResponse(200, { leases: leases.map(viewLease), next });
    },
  }),
  define({
    method: "GET",
    path: "/v1/leases/{id}",
    operationId: "getLease",
    summary: "Read a lease.",
    permission: "lease:read",
    about: leaseInPath,
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async (call) => {
      const answer = await call.parts.useCases.getLease(call.parts.app, leaseIdOf(call));
      const { request, approval } = answer.lease;
      const { principal, leaseId } = request;
      const isAsked = approval !== null && isAskedOf(approval, call.caller);
      if (!isAsked && !isPermitted(call.caller.roles, "lease:read:any") && principal !== call.caller.principal)
        throw fail("LEASE_NOT_YOURS", { lease: leaseId });
      return jsonResponse(200, viewAnswer(answer, false));
    },
  }),
  define({
    method: "POST",
    path: "/v1/leases/{id}:extend",
    operationId: "extendLease",
    summary: "Move the end of a lease to a period from now, within its total.",
    permission: "lease:extend",
    about: leaseInPath,
    query: dryRunQuery,
    body: extendBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const periodMs = readPeriod(body.period, caller.policy);
      const answer = await parts.useCases.extendLease(parts.app, caller, leaseIdOf(call), periodMs, { dryRun });
      return answered(answer, dryRun, 200);
    },
  }),
  define({
    method: "POST",
    path: "/v1/leases/{id}:end",
    operationId: "endLease",
    summary: "End a lease now.",
    permission: "lease:end",
    about: leaseInPath,
    query: dryRunQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query: { dryRun } }) => {
      const { parts, caller } = call;
      return answered(await parts.useCases.endLease(parts.app, caller, leaseIdOf(call), { dryRun }), dryRun, 200);
    },
  }),
  ...comfortRoutes,
  ...approvalRoutes,
];

/** The group a lease is asked for. Without any it is not told which there are, because some may be somebody else's. */
async function targetOf({ parts, caller }: Call, asked: Place): Promise<readonly string[]> {
  const groups = await groupsNamedBy(parts.app, caller.policy, asked);
  if (groups.length === 0) throw invalid("group", "is missing, and so is instance");
  return groups;
}

type Body = z.output<ReturnType<typeof leaseBody>>;
type Later = "breakGlass" | "startAt" | "sessions";
type Asked = Omit<Body, Later> & Partial<Pick<Body, Later>>;

function askOf(call: Call, asked: Asked): LeaseAsk {
  const { caller } = call;
  return {
    protocol: asked.protocol,
    port: asked.port === null ? null : String(asked.port),
    sources: asked.source === null ? [ownSource(call)] : sourcesOf(asked.source),
    group: asked.group,
    instance: asked.instance,
    region: asked.region,
    periodMs: readPeriod(asked.period, caller.policy),
    startAt: asked.startAt == null ? null : Math.ceil(Date.parse(asked.startAt) / 1000) * 1000,
    ...(asked.sessions === undefined ? {} : { sessions: asked.sessions }),
    reason: asked.reason,
    ticket: asked.ticket,
    breakGlass: asked.breakGlass ?? false,
  };
}

async function open(call: Call, ask: LeaseAsk, mode: "create" | "repeat", dryRun: boolean): Promise<HttpResponse> {
  const { parts, caller, request } = call;
  const options = { mode, idempotencyKey: readIdempotencyKey(request), dryRun };
  const answer = await parts.useCases.openLease(parts.app, caller, ask, options);
  return answered(answer, dryRun, mode === "create" && !answer.extended ? 201 : 200);
}
