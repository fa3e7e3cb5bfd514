// Idempotency keys: the first request with a key decides which lease it means.
import type { LeaseId } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import type { Tables } from "../ports/tables.ts";

/** What a key means. */
export interface KeyClaim {
  readonly leaseId: LeaseId;
  /** Hash of the request that claimed the key. */
  readonly requestHash: string;
}

/** What the key means, or null while nobody has claimed it. Throws STATE_UNREADABLE. */
export async function readKey(tables: Tables, key: string): Promise<KeyClaim | null> {
  const row = await tables.get("idempotency", [key]);
  if (!row) return null;
  const { leaseId, requestHash } = row.columns;
  if (typeof leaseId !== "string" || typeof requestHash !== "string")
    throw fail("STATE_UNREADABLE", { table: "idempotency" });
  return { leaseId: leaseId as LeaseId, requestHash };
}

/** Claims a key for a lease. Answers the lease it means, and the hash of the request that claimed it. */
export async function claimKey(tables: Tables, key: string, claim: KeyClaim): Promise<KeyClaim & { first: boolean }> {
  const outcome = await tables.put("idempotency", [key], { ...claim }, { kind: "absent" });
  if (outcome === "written") return { ...claim, first: true };
  return { ...((await readKey(tables, key)) ?? claim), first: false };
}
