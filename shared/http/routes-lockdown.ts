// The routes of lockdowns: by hand, beside those that alarms start.
import type * as z from "zod/mini";
import type { LockdownScope } from "../domain/alarm.ts";
import { define } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { lockdownBody, lockdownQuery } from "./inputs-lockdown.ts";
import { viewLockdown, viewLockdownAnswer } from "./lockdown-view.ts";
import { jsonResponse } from "./message.ts";
import type { Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const lockdownRoutes: readonly Route[] = [
  define({
    method: "POST",
    path: "/v1/lockdown",
    operationId: "startLockdown",
    summary: "Close every port but the core ones in some groups for a time, and read it back.",
    permission: "lockdown:change",
    about: "account",
    query: dryRunQuery,
    body: lockdownBody,
    idempotent: false,
    handle: async ({ parts, caller, deadlineAt }, { query: { dryRun }, body }) => {
      const { app, useCases } = parts;
      const { policy, principal } = caller;
      const ask = {
        ...{ scope: scopeOf(body), policy, principal, cause: principal, reason: body.reason, deadlineAt },
        periodMs: body.period === undefined ? policy.lockdown.periodMs : body.period * 1000,
        waivedBy: body.waivedBy ?? null,
        decidedBy: `roles: ${caller.roles.join(", ")}`,
        arrivedAt: app.clock.monotonicMs(),
      };
      if (dryRun) return jsonResponse(200, viewLockdownAnswer(await useCases.previewLockdown(app, ask), true));
      const answer = viewLockdownAnswer(await useCases.startLockdown(app, ask), false);
      return jsonResponse(answer.closed ? 200 : 202, answer);
    },
  }),
  define({
    method: "GET",
    path: "/v1/lockdown",
    operationId: "listLockdowns",
    summary: "List lockdowns, newest first.",
    permission: "lockdown:read",
    about: "account",
    query: lockdownQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }, { query }) => {
      const { lockdowns, unreadable, next } = await parts.useCases.listLockdowns(parts.app, query);
      return jsonResponse(200, { lockdowns: lockdowns.map(viewLockdown), unreadable, next });
    },
  }),
  define({
    method: "GET",
    path: "/v1/lockdown/{id}",
    operationId: "getLockdown",
    summary: "Read a lockdown: what is closed, what is not, and how long each step took.",
    permission: "lockdown:read",
    about: "account",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, params }) =>
      jsonResponse(200, viewLockdown(await parts.useCases.getLockdown(parts.app, params["id"] ?? ""))),
  }),
  define({
    method: "POST",
    path: "/v1/lockdown/{id}:lift",
    operationId: "liftLockdown",
    summary: "End a lockdown. Its groups are then as they were; leases that ended meanwhile stay closed.",
    permission: "lockdown:change",
    about: "account",
    query: dryRunQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, params, deadlineAt }, { query: { dryRun } }) => {
      const { app, useCases } = parts;
      const id = params["id"] ?? "";
      if (dryRun) return jsonResponse(200, viewLockdownAnswer(await useCases.getLockdown(app, id), true));
      const terms = { policy: caller.policy, by: caller.principal, isPerson: true, deadlineAt };
      const answer = viewLockdownAnswer(await useCases.liftLockdown(app, id, terms), false);
      return jsonResponse(answer.state === "lifted" ? 200 : 202, answer);
    },
  }),
];

function scopeOf({ instance, groups, tag }: z.output<ReturnType<typeof lockdownBody>>): LockdownScope {
  if (instance !== undefined) return { kind: "instance", instanceId: instance };
  return tag === undefined ? { kind: "groups", groups: groups ?? [] } : { kind: "tag", tag };
}
