// The routes of groups: how far they are guarded, and the baseline they are guarded by.
import { fail } from "../errors/app-error.ts";
import { define, groupInPath, lookNow } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { baselineBody, baselineQuery, guardBody } from "./inputs-ledger.ts";
import { sentence, viewBaseline, viewGroup } from "./ledger-view.ts";
import { jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const groupRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/groups",
    operationId: "listGroups",
    summary: "List the security groups safeport sees, which of them take leases, and how far they are guarded.",
    permission: "group:read",
    about: "list",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }) => {
      const { groups, unreadable } = await parts.useCases.listGroups(parts.app, caller.policy);
      const isSeen = await sees();
      return jsonResponse(200, {
        groups: groups.filter((group) => isSeen(group.groupId)).map(viewGroup),
        unreadable: unreadable.filter(isSeen),
      });
    },
  }),
  define({
    method: "GET",
    path: "/v1/groups/{id}",
    operationId: "getGroup",
    summary: "Read a group, by id or name.",
    permission: "group:read",
    about: groupInPath,
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async (call) => {
      const { parts, caller } = call;
      return jsonResponse(200, viewGroup(await parts.useCases.getGroup(parts.app, caller.policy, nameOf(call))));
    },
  }),
  define({
    method: "PUT",
    path: "/v1/groups/{id}/guard",
    operationId: "confirmGuard",
    summary: "Confirm that a group is guarded less than its tags once asked for.",
    permission: "group:guard",
    about: groupInPath,
    query: dryRunQuery,
    body: guardBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const answer = await parts.useCases.confirmGuard(parts.app, caller, nameOf(call), body.confirm, { dryRun });
      const isOver = dryRun || answer.plan.length === 0;
      const settled = isOver || (await lookNow(call, answer.ref, `guard by ${caller.principal}`)) !== null;
      return jsonResponse(200, { ...viewGroup(answer.group), dryRun, settled, plan: answer.plan });
    },
  }),
  define({
    method: "GET",
    path: "/v1/groups/{id}/baseline",
    operationId: "previewBaseline",
    summary: "Show what a confirmed baseline would change in the group's ledger, with the digest that confirms it.",
    permission: "baseline:read",
    about: groupInPath,
    query: baselineQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query }) => {
      const { parts, caller } = call;
      const answer = await parts.useCases.previewBaseline(parts.app, caller, nameOf(call), query);
      return jsonResponse(200, viewBaseline(answer));
    },
  }),
  define({
    method: "POST",
    path: "/v1/groups/{id}/baseline",
    operationId: "confirmBaseline",
    summary: "Confirm the diff that was looked at: it becomes the ledger, and the ledger what the group is guarded by.",
    permission: "baseline:confirm",
    about: groupInPath,
    query: dryRunQuery,
    body: baselineBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const answer = await parts.useCases.confirmBaseline(parts.app, caller, nameOf(call), body, { dryRun });
      const settled = dryRun || (await lookNow(call, answer.facts.ref, `baseline by ${caller.principal}`)) !== null;
      const done = { dryRun, settled };
      return jsonResponse(200, { ...viewBaseline(answer), ...done, message: sentence(answer.plan, done) });
    },
  }),
];

function nameOf({ params, caller }: Call): string {
  const { id = "" } = params;
  if (id !== "" && id.length <= 128) return id;
  throw fail("GROUP_UNKNOWN", { group: id.slice(0, 64), region: caller.policy.regions.join(", ") });
}
