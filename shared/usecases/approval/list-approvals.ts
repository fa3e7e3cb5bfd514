// What waits for somebody's word.
import { personOf } from "../../domain/grant-policy.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { isPermitted } from "../../domain/permission.ts";
import { listWaiting } from "../../store/attention.ts";
import { readableLeases } from "../../store/leases.ts";
import type { App, Caller } from "../app.ts";
import type { Sees } from "../group/check-scope.ts";
import { approverBar, isAskedOf } from "../lease/judge-lease.ts";
import { hasWord } from "./words-in-force.ts";

/** The leases that the caller may decide about and has not, newest first; `next` is the cursor of the next page. */
export async function listApprovals(
  app: App,
  caller: Caller,
  query: { readonly limit: number; readonly cursor: string | null; readonly sees: Sees },
): Promise<{ readonly leases: readonly Lease[]; readonly next: LeaseId | null }> {
  const leases: Lease[] = [];
  for (let before = query.cursor; ; ) {
    const { ids, next } = await listWaiting(app.tables, { before, limit: query.limit });
    for (const lease of await readableLeases(app.tables, ids))
      if (query.sees(lease.request.group.groupId) && (await waitsForCaller(app, caller, lease))) {
        if (leases.length === query.limit) return { leases, next: leases.at(-1)?.request.leaseId ?? null };
        leases.push(lease);
      }
    if (next === null) return { leases, next: null };
    before = next;
  }
}

async function waitsForCaller(app: App, caller: Caller, { request, approval, status }: Lease): Promise<boolean> {
  if (approval === null || status.state !== "requested" || app.clock.now() >= approval.lapsesAt) return false;
  if (approverBar(caller, request, approval) !== null) return false;
  const person = personOf(caller.policy, caller.principal);
  if (await hasWord(app, approval, ({ by }) => personOf(caller.policy, by) === person)) return false;
  return isPermitted(caller.roles, "lease:decide:any") || isAskedOf(approval, caller);
}
