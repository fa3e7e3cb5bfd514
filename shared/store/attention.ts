// What waits for a person: requests that nobody has decided, and leases that were opened without a second person and are not justified.
import type { LeaseId } from "../domain/ids.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";

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

/** Leases that may wait for approval, newest first, at most `limit`; `before` is the last of the page before. */
export async function listWaiting(
  tables: Tables,
  { before, limit }: { readonly before: string | null; readonly limit: number },
): Promise<{ readonly ids: readonly LeaseId[]; readonly next: LeaseId | null }> {
  const to = before === null ? ["approval\u0001"] : ["approval", before];
  const page = await tables.range({ table: "attention", from: ["approval"], to, reverse: true, limit });
  const ids = page.rows.map(idOf);
  return { ids, next: (page.more && ids.at(-1)) || null };
}

/** Leases that may wait to be justified, oldest first, at most `limit`. */
export async function listUnjustified(tables: Tables, limit: number): Promise<readonly LeaseId[]> {
  const page = await tables.range({ table: "attention", from: ["justify"], to: ["justify\u0001"], limit });
  return page.rows.map(idOf);
}

const idOf = ({ key }: Row): LeaseId => String(key[1]) as LeaseId;
