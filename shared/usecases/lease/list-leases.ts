// Reads leases: one with its reach, or a page of them.
import type { GroupId, LeaseId } from "../../domain/ids.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { fail } from "../../errors/app-error.ts";
import { getLease as readLease, listLeases as readLeases } from "../../store/leases.ts";
import type { App } from "../app.ts";
import type { Sees } from "../group/check-scope.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";

/** One lease. Throws LEASE_UNKNOWN. */
export async function getLease(app: App, leaseId: LeaseId): Promise<LeaseAnswer> {
  const lease = await readLease(app.tables, leaseId);
  if (!lease) throw fail("LEASE_UNKNOWN", { lease: leaseId });
  const members = await app.inventory.members(lease.request.group, "inventory").catch(() => []);
  return {
    lease,
    reach: reachOf(lease.request.specs, members),
    settled: true,
    extended: false,
    plan: [],
    notes: [NEW_CONNECTIONS_ONLY],
  };
}

/** Leases, newest first; `next` continues. */
export function listLeases(
  app: App,
  query: { limit: number; cursor: string | null; state?: string; group?: string; principal?: string; sees?: Sees },
): Promise<{ leases: readonly Lease[]; next: string | null }> {
  const { limit, cursor, state, group, principal, sees } = query;
  return readLeases(app.tables, {
    limit,
    before: cursor,
    ...(state === undefined ? {} : { state }),
    ...(group === undefined ? {} : { group: group as GroupId }),
    ...(principal === undefined ? {} : { principal }),
    ...(sees === undefined ? {} : { sees }),
  });
}
