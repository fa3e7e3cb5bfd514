// What a pass closes by the word of a lease's own row, where the ledger's cannot be read.
import type { EntryId, GroupRef, LeaseId, RuleId } from "../../domain/ids.ts";
import { isLive } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { AppError } from "../../errors/app-error.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { type Due, readDue } from "../../store/due.ts";
import { listHistory } from "../../store/history.ts";
import { getKeptLease, readableLeases } from "../../store/leases.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";

const DUE_MAX = 100_000;

/**
 * Rules of leases that are over, by the leases' own rows, of entries that are `unreadable`. `rows` are due. None where anything else may
 * hold the rule; what cannot be told now holds up nothing else, and is asked again as long as the rows are due.
 */
export async function overdueRules(
  app: App,
  group: GroupRef,
  rows: readonly Due[],
  { entries, unreadable }: { readonly entries: readonly Entry[]; readonly unreadable: ReadonlySet<string> },
): Promise<ReadonlySet<RuleId>> {
  const ids = [...new Set(rows.flatMap(({ kind, id }) => (kind === "lease" ? [id as LeaseId] : [])))];
  const [row] = rows;
  if (unreadable.size === 0 || ids.length === 0 || row === undefined) return new Set();
  try {
    const now = app.clock.now();
    const over = (await readableLeases(app.tables, ids)).flatMap((lease) => {
      const entryId = soleEntryOf(lease);
      return isOver(lease, now) && entryId !== null && unreadable.has(entryId) ? [{ lease, entryId }] : [];
    });
    if (over.length === 0) return new Set();
    const held = await heldAhead(app, group, row.shard, now);
    const found = new Set<RuleId>();
    await inParallel(over, async ({ lease, entryId }) => {
      if (held !== null && !held.has(entryId) && !(await isGranted(app, group, entryId, lease)))
        for (const ruleId of lease.status.ruleIds) found.add(ruleId);
    });
    // As somebody has changed it, it may be what another entry grants.
    for (const { standing } of entries) if (standing.kind !== "none") found.delete(standing.ruleId);
    return found;
  } catch (cause) {
    if (!(cause instanceof StoreFailure || cause instanceof AppError)) throw cause;
    app.log.write("error", `nobody can tell which rules of ${group.groupId} are past their end`, { cause });
    return new Set();
  }
}

const isOver = ({ status }: Lease, now: number): boolean =>
  status.state === "closing" || (isLive(status.state) && status.until <= now);

const isHolding = ({ status }: Lease): boolean => isLive(status.state) && status.state !== "closing";

/** Of several rules a lease's row does not tell which stood before it. */
const soleEntryOf = ({ request: { entryIds }, status }: Lease): EntryId | null =>
  entryIds.length === 1 && !status.preExisting ? (entryIds[0] ?? null) : null;

/** Entries of leases whose ends are still to come, this one's own later end among them; null where one cannot be read. */
async function heldAhead(app: App, group: GroupRef, shard: number, now: number): Promise<ReadonlySet<string> | null> {
  const { due, more } = await readDue(app.tables, shard, Number.MAX_SAFE_INTEGER - 1, DUE_MAX);
  const isAhead = ({ kind, at, groupId, region }: Due): boolean =>
    kind === "lease" && at > now && groupId === group.groupId && region === group.region;
  const ids = new Set(due.filter(isAhead).map(({ id }) => id as LeaseId));
  const held = new Set<string>();
  for (const lease of await Promise.all([...ids].map((id) => getKeptLease(app.tables, id)))) {
    if (lease === "unreadable") return null;
    if (lease !== null && isHolding(lease)) for (const entryId of lease.request.entryIds) held.add(entryId);
  }
  return more ? null : held;
}

/** What was allocated or adopted since the lease was asked for is known to its row no more than to the rule. */
async function isGranted(app: App, group: GroupRef, entryId: EntryId, { request }: Lease): Promise<boolean> {
  const [last] = await listHistory(app.tables, group, entryId, 1);
  return last !== undefined && last.at >= request.requestedAt;
}
