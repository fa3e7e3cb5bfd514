// The routes of access tokens.
import type * as z from "zod/mini";
import { formatUtc } from "../domain/instant.ts";
import { fail } from "../errors/app-error.ts";
import type { TokenAnswer } from "../usecases/token/issue-token.ts";
import type { tokenAnswerView, tokenView } from "./answers-tokens.ts";
import { define } from "./define-route.ts";
import { dryRunQuery, noBody } from "./inputs.ts";
import { rotateBody, tokenBody, tokensQuery } from "./inputs-tokens.ts";
import { jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const tokenRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/tokens",
    operationId: "listTokens",
    summary: "List tokens: the caller's own, or everybody's for an administrator of the whole account.",
    permission: "token:read",
    about: "nothing",
    query: tokensQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller }, { query }) => {
      const { tokens, next } = await parts.useCases.listTokens(parts.app, caller, query);
      const now = parts.app.clock.now();
      return jsonResponse(200, { tokens: tokens.map((token) => viewToken(token, now)), next });
    },
  }),
  define({
    method: "POST",
    path: "/v1/tokens",
    operationId: "issueToken",
    summary: "Issue a token. Its text is in this answer alone.",
    permission: "token:manage",
    about: "account",
    query: dryRunQuery,
    body: tokenBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const answer = await call.parts.useCases.issueToken(call.parts.app, call.caller, body, { dryRun });
      return jsonResponse(dryRun ? 200 : 201, viewAnswer(call, answer, dryRun));
    },
  }),
  define({
    method: "POST",
    path: "/v1/tokens/{id}:rotate",
    operationId: "rotateToken",
    summary:
      "Replace a token by a new one of the same kind; the old one goes on for a while. One's own, or any as administrator.",
    permission: "token:read",
    about: "nothing",
    query: dryRunQuery,
    body: rotateBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const overlapMs = body.overlap * 1000;
      const answer = await parts.useCases.rotateToken(parts.app, caller, idOf(call), overlapMs, { dryRun });
      return jsonResponse(200, viewAnswer(call, answer, dryRun));
    },
  }),
  define({
    method: "DELETE",
    path: "/v1/tokens/{id}",
    operationId: "revokeToken",
    summary: "Revoke a token and what it was rotated into, at once: one's own, or any as administrator.",
    permission: "token:read",
    about: "nothing",
    query: dryRunQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query: { dryRun } }) => {
      const answer = await call.parts.useCases.revokeToken(call.parts.app, call.caller, idOf(call), { dryRun });
      return jsonResponse(200, viewAnswer(call, answer, dryRun));
    },
  }),
];

function viewAnswer(call: Call, answer: TokenAnswer, dryRun: boolean): z.output<ReturnType<typeof tokenAnswerView>> {
  const view = viewToken(answer.token, call.parts.app.clock.now());
  return { ...view, token: answer.text, dryRun, plan: [...answer.plan] };
}

function viewToken(token: TokenAnswer["token"], now: number): z.output<ReturnType<typeof tokenView>> {
  const { tokenId, principal, roles, scope, note, createdAt, createdBy, expiresAt, usedAt, revokedAt, replacedBy } =
    token;
  return {
    ...{ id: tokenId, principal, roles: [...roles], note, createdBy, replacedBy, state: stateOf(token, now) },
    scope: scope && { groups: [...scope.groups], tags: [...scope.tags], applications: [...scope.applications] },
    createdAt: formatUtc(createdAt),
    expiresAt: formatUtc(expiresAt),
    lastUsedAt: usedAt === null ? null : formatUtc(usedAt),
    revokedAt: revokedAt === null ? null : formatUtc(revokedAt),
  };
}

function stateOf({ revokedAt, expiresAt, replacedBy }: TokenAnswer["token"], now: number) {
  if (revokedAt !== null) return "revoked";
  if (expiresAt <= now) return "expired";
  return replacedBy === null ? "good" : "replaced";
}

function idOf({ params }: Call): string {
  const { id = "" } = params;
  if (!/^[0-9a-f]{16}$/.test(id)) throw fail("TOKEN_UNKNOWN", { token: id.slice(0, 32) });
  return id;
}
