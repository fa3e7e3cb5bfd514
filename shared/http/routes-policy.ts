// The routes of the policy: what is in force, and the way to another one.
import { POLICY_BYTES_MAX } from "../domain/policy.ts";
import { define } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { confirmPolicyBody, policyBody, policyQuery } from "./inputs-policy.ts";
import { jsonResponse } from "./message.ts";
import { viewPolicy, viewPolicyAnswer, viewVersion } from "./policy-view.ts";
import { BODY_BYTES_MAX } from "./read-input.ts";
import type { Call, Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const policyRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/policy",
    operationId: "getPolicy",
    summary: "Read the policy in force and what waits for a confirmation, or an older version.",
    permission: "policy:read",
    about: "account",
    query: policyQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }, { query: { version } }) => {
      const wanted = version === undefined ? null : Number(version);
      return jsonResponse(200, viewPolicy(await parts.useCases.getPolicyView(parts.app, wanted)));
    },
  }),
  define({
    method: "GET",
    path: "/v1/policy/versions",
    operationId: "listPolicyVersions",
    summary: "List the versions of the policy, the one in force first.",
    permission: "policy:read",
    about: "account",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }) =>
      jsonResponse(200, { versions: (await parts.useCases.listPolicyVersions(parts.app)).map(viewVersion) }),
  }),
  define({
    method: "PUT",
    path: "/v1/policy",
    operationId: "changePolicy",
    summary: "Change the policy. What allows more than before waits for another admin to confirm it.",
    permission: "policy:change",
    about: "account",
    query: dryRunQuery,
    body: policyBody,
    bodyBytesMax: POLICY_BYTES_MAX + BODY_BYTES_MAX,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const ask = { document: body.policy, reason: body.reason, base: body.base };
      const options = { dryRun, deadlineAt: compareUntil(call) };
      const answer = await parts.useCases.changePolicy(parts.app, caller, await parts.documents(), ask, options);
      return jsonResponse(answer.state === "pending" ? 202 : 200, viewPolicyAnswer(answer, dryRun));
    },
  }),
  define({
    method: "POST",
    path: "/v1/policy/pending:confirm",
    operationId: "confirmPolicy",
    summary: "Confirm, as a second person, the change that waits.",
    permission: "policy:change",
    about: "account",
    query: dryRunQuery,
    body: confirmPolicyBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const options = { dryRun, deadlineAt: compareUntil(call) };
      const answer = await parts.useCases.confirmPolicy(
        parts.app,
        caller,
        await parts.documents(),
        body.digest,
        options,
      );
      return jsonResponse(200, viewPolicyAnswer(answer, dryRun));
    },
  }),
  define({
    method: "DELETE",
    path: "/v1/policy/pending",
    operationId: "withdrawPolicy",
    summary: "Give up the change that waits.",
    permission: "policy:change",
    about: "account",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller }) => {
      await parts.useCases.withdrawPolicy(parts.app, caller);
      return jsonResponse(200, { message: "No change of the policy waits." });
    },
  }),
];

/** Half of what is left of the call: the other half is for writing. */
const compareUntil = ({ parts, deadlineAt }: Call): number => {
  const now = parts.app.clock.monotonicMs();
  return now + (deadlineAt - now) / 2;
};
