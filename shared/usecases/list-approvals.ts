// What waits for somebody's word.
import { personOf } from "../domain/grant-policy.ts";
import type { Lease } from "../domain/lease-record.ts";
import { isPermitted } from "../domain/permission.ts";
import { listWaiting } from "../store/attention.ts";
import { getLease } from "../store/leases.ts";
import type { App, Caller } from "./app.ts";
import { isAskedOf, personsOf } from "./judge-lease.ts";

const WAITING_MAX = 200;

/** The leases the caller may decide about and has not, oldest first. */
export async function listApprovals(app: App, caller: Caller): Promise<readonly Lease[]> {
  const ids = await listWaiting(app.tables, WAITING_MAX);
  const leases = await Promise.all(ids.map((id) => getLease(app.tables, id)));
  const mayDecide = isPermitted(caller.roles, "lease:decide:any");
  const persons = personsOf(caller);
  return leases.filter((lease): lease is NonNullable<typeof lease> => {
    const approval = lease?.approval ?? null;
    if (lease === null || approval === null || lease.status.state !== "requested") return false;
    if (persons.includes(approval.requester) || app.clock.now() >= approval.lapsesAt) return false;
    if (approval.words.some((word) => word.person === personOf(caller.policy, caller.principal))) return false;
    return mayDecide || isAskedOf(approval, caller);
  });
}
