// Every route of the API, each with the permission it needs and what it is about.
import { define } from "./define-route.ts";
import { noBody, noQuery } from "./inputs.ts";
import { viewHealth } from "./list-views.ts";
import { jsonResponse } from "./message.ts";
import type { Route } from "./route.ts";
import { auditRoutes } from "./routes-audits.ts";
import { driftRoutes } from "./routes-drift.ts";
import { groupRoutes } from "./routes-groups.ts";
import { leaseRoutes } from "./routes-leases.ts";
import { ledgerRoutes } from "./routes-ledger.ts";
import { linkRoutes } from "./routes-links.ts";
import { lockdownRoutes } from "./routes-lockdown.ts";
import { modeRoutes } from "./routes-mode.ts";
import { policyRoutes } from "./routes-policy.ts";
import { recordRoutes } from "./routes-records.ts";
import { recyclingRoutes } from "./routes-recycling.ts";
import { tokenRoutes } from "./routes-tokens.ts";

/** The routes, in the order of the API description. */
export const routes: readonly Route[] = [
  ...leaseRoutes,
  ...linkRoutes,
  ...tokenRoutes,
  ...groupRoutes,
  ...ledgerRoutes,
  ...driftRoutes,
  ...recyclingRoutes,
  ...auditRoutes,
  ...lockdownRoutes,
  ...modeRoutes,
  ...policyRoutes,
  ...recordRoutes,
  define({
    method: "GET",
    path: "/v1/health",
    operationId: "health",
    summary: "How safeport is doing. Without a token it only says that it answers.",
    permission: "health:read",
    about: "list",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }) => {
      const health = await parts.useCases.health(parts.app, caller.policy);
      const isSeen = await sees();
      const overdueEnds = health.overdueEnds.filter((end) => isSeen(end.group));
      const unjustified = health.unjustified.filter((lease) => isSeen(lease.group));
      return jsonResponse(200, viewHealth({ ...health, overdueEnds, unjustified }));
    },
  }),
  define({
    method: "GET",
    path: "/v1/openapi.json",
    operationId: "describeApi",
    summary: "This description.",
    permission: "api:read",
    about: "nothing",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }) => jsonResponse(200, { ...(await parts.describeApi(routes)) }),
  }),
];
