// The routes by which a lease is asked for once more, or follows its holder.
import { groupsNamedBy } from "../usecases/lease/find-target.ts";
import { define } from "./define-route.ts";
import { dryRunQuery, noBody } from "./inputs.ts";
import { followBody } from "./inputs-leases.ts";
import { answered, leaseIdOf, leaseInPath, ownSource } from "./lease-call.ts";
import { readIdempotencyKey } from "./read-input.ts";
import type { Call, Route } from "./route.ts";

/** The routes, in the order of the API description. */
export const comfortRoutes: readonly Route[] = [
  define({
    method: "POST",
    path: "/v1/leases/{id}:again",
    operationId: "askAgain",
    summary: "Ask for a lease in the words of an earlier one, through the policy and the approval of today.",
    permission: "lease:open",
    about: leaseAsItWouldBe,
    query: dryRunQuery,
    body: noBody,
    idempotent: true,
    handle: async (call, { query: { dryRun } }) => {
      const { parts, caller, request } = call;
      const options = { idempotencyKey: readIdempotencyKey(request), dryRun };
      return answered(await parts.useCases.askAgain(parts.app, caller, leaseIdOf(call), options), dryRun, 201);
    },
  }),
  define({
    method: "POST",
    path: "/v1/leases/{id}:follow",
    operationId: "followLease",
    summary:
      "Move the caller's lease to another address: a new lease for what is left of its time, and the old one ends when that is seen open.",
    permission: "lease:open",
    about: leaseAsItWouldBe,
    query: dryRunQuery,
    body: followBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body: { source, from } }) => {
      const { parts, caller } = call;
      const asked = { to: source ?? ownSource(call), from };
      return answered(
        await parts.useCases.followLease(parts.app, caller, leaseIdOf(call), asked, { dryRun }),
        dryRun,
        200,
      );
    },
  }),
];

/** The group of the lease in the path, and the one that its instance is in by now. */
async function leaseAsItWouldBe(call: Call): Promise<readonly string[]> {
  const { parts, caller } = call;
  const { lease } = await parts.useCases.getLease(parts.app, leaseIdOf(call));
  const { instanceId: instance, group } = lease.request;
  const now =
    instance === null
      ? []
      : await groupsNamedBy(parts.app, caller.policy, { group: null, instance, region: group.region });
  return [...(await leaseInPath(call)), ...now];
}
