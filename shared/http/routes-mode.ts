// The routes of the mode: what the whole program may do to the cloud.
import { define } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { modeBody } from "./inputs-policy.ts";
import { jsonResponse } from "./message.ts";
import { viewMode } from "./mode-view.ts";
import type { Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const modeRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/mode",
    operationId: "getMode",
    summary: "Read the mode, who set it and why.",
    permission: "mode:read",
    about: "nothing",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }) => jsonResponse(200, viewMode(await parts.useCases.getMode(parts.app))),
  }),
  define({
    method: "PUT",
    path: "/v1/mode",
    operationId: "setMode",
    summary: "Set the mode. An operator can make it stricter; making it freer again takes an admin.",
    permission: "mode:set",
    about: "account",
    query: dryRunQuery,
    body: modeBody,
    idempotent: false,
    handle: async ({ parts, caller }, { query: { dryRun }, body }) => {
      const { inForce, plan } = await parts.useCases.setMode(parts.app, caller, body, { dryRun });
      return jsonResponse(200, { ...viewMode(inForce), dryRun, plan });
    },
  }),
];
