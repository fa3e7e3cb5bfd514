// Idempotency keys: the first request with a key decides which lease it means.
import type { LeaseId } from "../domain/ids.ts";
import type { Tables } from "../ports/tables.ts";

/** Claims a key for a lease. Answers the lease it means, and the hash of the request that claimed it. */
export async function claimKey(
  tables: Tables,
  key: string,
  claim: { leaseId: LeaseId; requestHash: string },
): Promise<{ leaseId: LeaseId; requestHash: string; first: boolean }> {
  const outcome = await tables.put("idempotency", [key], { ...claim }, { kind: "absent" });
  if (outcome === "written") return { ...claim, first: true };
  const row = await tables.get("idempotency", [key]);
  return {
    leaseId: String(row?.columns["leaseId"] ?? claim.leaseId) as LeaseId,
    requestHash: String(row?.columns["requestHash"] ?? claim.requestHash),
    first: false,
  };
}
