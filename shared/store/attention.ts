// What waits for a person: requests that nobody has decided, and leases that were opened without a second person and are not justified.
import type { LeaseId } from "../domain/ids.ts";
import type { Tables, Write } from "../ports/tables.ts";

type AttentionKind = "approval" | "justify";

/** Written before the lease it names; the lease is the truth. */
const attentionWrite = (kind: AttentionKind, leaseId: LeaseId, at: number): Write => ({
  kind: "put",
  table: "attention",
  key: [kind, leaseId],
  columns: { at },
});

const attentionDelete = (kind: AttentionKind, leaseId: LeaseId): Write => ({
  kind: "delete",
  table: "attention",
  key: [kind, leaseId],
});

export const waitingWrite = (leaseId: LeaseId, at: number): Write => attentionWrite("approval", leaseId, at);
export const waitingDelete = (leaseId: LeaseId): Write => attentionDelete("approval", leaseId);
export const unjustifiedWrite = (leaseId: LeaseId, at: number): Write => attentionWrite("justify", leaseId, at);
export const unjustifiedDelete = (leaseId: LeaseId): Write => attentionDelete("justify", leaseId);

/** Leases that may wait for approval, oldest first, at most `limit`. */
export const listWaiting = (tables: Tables, limit: number): Promise<readonly LeaseId[]> =>
  list(tables, "approval", limit);

/** Leases that may wait to be justified, oldest first, at most `limit`. */
export const listUnjustified = (tables: Tables, limit: number): Promise<readonly LeaseId[]> =>
  list(tables, "justify", limit);

async function list(tables: Tables, kind: AttentionKind, limit: number): Promise<readonly LeaseId[]> {
  const page = await tables.range({ table: "attention", from: [kind], to: [`${kind}\u0001`], limit });
  return page.rows.map((row) => String(row.key[1]) as LeaseId);
}
