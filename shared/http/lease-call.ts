// What the routes of one lease share: its id in the path, the group it is about, and its answer.
import type { LeaseId } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import type { LeaseAnswer } from "../usecases/lease/open-lease.ts";
import { callerBlock } from "./client-address.ts";
import { viewAnswer } from "./lease-view.ts";
import { type HttpResponse, jsonResponse } from "./message.ts";
import { invalid } from "./read-input.ts";
import type { Call } from "./route.ts";

/** The group of the lease in the path, for its caller's scope. */
export async function leaseInPath(call: Call): Promise<readonly string[]> {
  const { lease } = await call.parts.useCases.getLease(call.parts.app, leaseIdOf(call));
  return [lease.request.group.groupId];
}

/** 202 while the cloud has not shown the change yet; a dry run is 200. */
export function answered(answer: LeaseAnswer, dryRun: boolean, status: 200 | 201): HttpResponse {
  const view = viewAnswer(answer, dryRun);
  if (dryRun) return jsonResponse(200, view);
  const pending = answer.settled ? status : 202;
  return jsonResponse(pending, view, pending === 200 ? {} : { Location: `/v1/leases/${view.id}` });
}

/** The lease in the path. Throws LEASE_UNKNOWN for what is no id. */
export function leaseIdOf(call: Call): LeaseId {
  const id = call.params["id"] ?? "";
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw fail("LEASE_UNKNOWN", { lease: id.slice(0, 64) });
  return id as LeaseId;
}

/** The caller's own address as the gateway saw it. Throws REQUEST_INVALID where that cannot be told. */
export function ownSource({ request, caller }: Call): string {
  const block = callerBlock(request, caller.policy.trustedProxies);
  if (block === null) throw invalid("source", "is missing, and the caller's own address cannot be told");
  return block;
}
