// Enters leases into the ledger: a hold on every rule they need.
import { isApproved } from "../../domain/approval.ts";
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease, LeaseStatus } from "../../domain/lease-record.ts";
import type { Entry, Holder, Standing } from "../../domain/ledger-entry.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { writeStatus } from "../../store/leases.ts";
import { getEntry, saveEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";

/** When the sweep looks at a lease whose opener has died: later than any opener answers. */
export const NET_AFTER_MS = 15_000;

/** The ledger row of a rule that nobody holds yet. */
export function freshEntry(group: GroupRef, spec: RuleSpec): Entry {
  const key = ruleKey(spec);
  return {
    group,
    entryId: entryIdOf(group.groupId, key),
    key,
    spec,
    allocation: null,
    holders: [],
    standing: { kind: "none" },
    createdAt: null,
    missingSince: null,
    suspension: null,
    undoneAt: [],
    rev: 0,
  };
}

/** Changes a ledger row by compare-and-set until it holds; `change` answers null to leave the row as it is. */
export async function changeEntry(
  app: App,
  group: GroupRef,
  entryId: EntryId,
  change: (entry: Entry | null) => Promise<Entry | null> | Entry | null,
): Promise<void> {
  for (;;) {
    const next = await change(await getEntry(app.tables, group, entryId));
    if (next === null || (await saveEntry(app.tables, next))) return;
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
  }
}

/**
 * Enters the lease into the ledger where it is not there yet. Also called by the sweep for a lease whose opener has died, and for one
 * whose ledger row is lost. For a lease that `isNew` the row of its rule is expected not to exist, and read only when it does.
 */
export async function bookHolds(app: App, lease: Lease, isNew = false): Promise<boolean> {
  const { request, status, approval } = lease;
  if (isFinal(status.state)) return false;
  // What needs a second person is entered only once it has been moved to `opening`, and only as what was approved.
  if (status.state === "requested" || status.state === "approved") return false;
  const { grant } = request;
  if (grant !== null && grant.approvals > 0 && grant.justifyBy === null && !isApproved(request, approval)) {
    const detail = { note: "APPROVAL_BROKEN", noteDetail: { lease: request.leaseId } };
    if (isUnopened(status))
      await writeStatus(
        app.tables,
        request.leaseId,
        { ...status, ...detail, state: "failed", closedAt: app.clock.now() },
        0,
      );
    return false;
  }
  const { leaseId, principal, reason } = request;
  const { until, openedAt } = status;
  const holder: Holder = {
    kind: "lease",
    holderId: leaseId,
    principal,
    reason,
    until,
    openedAt,
    statedUntil: null,
    // One that is on its way out has its place in the ledger until nothing of it stands, and is never opened again.
    ended: status.state === "closing" ? { cause: "asked", note: status.note, detail: null } : null,
  };
  const isIn = (entry: Entry | null) => entry?.holders.some((it) => it.holderId === leaseId) === true;
  if (until <= app.clock.now() && isUnopened(status)) {
    const entries = await Promise.all(request.entryIds.map((entryId) => getEntry(app.tables, request.group, entryId)));
    if (entries.some(isIn)) return true;
    await writeStatus(app.tables, leaseId, { ...status, state: "lapsed", closedAt: app.clock.now() }, 0);
    return false;
  }
  for (const spec of request.specs) {
    const entry = freshEntry(request.group, spec);
    const fresh = { ...entry, standing: standingOf(lease, entry.entryId) };
    if (isNew && (await saveEntry(app.tables, { ...fresh, holders: [holder] }))) continue;
    await changeEntry(app, request.group, fresh.entryId, (stored) => {
      const entry = stored ?? fresh;
      return isIn(entry) ? null : { ...entry, holders: [...entry.holders, holder] };
    });
  }
  return true;
}

const isUnopened = ({ state }: LeaseStatus): boolean => state !== "open" && state !== "closing";

/**
 * What stood for a rule of the lease when its status was written: a rule that is gone since is missing, and not opened again. Of several whose
 * status does not tell them apart none is taken for ours, as it may have stood before: what bears our mark is known by that.
 */
function standingOf({ request: { entryIds }, status }: Lease, entryId: EntryId): Standing {
  const [ruleId] = status.ruleIds;
  if (isUnopened(status)) return { kind: "none" };
  if (entryIds.length > 1) return status.standings?.[entryId] ?? { kind: "none" };
  return ruleId === undefined ? { kind: "none" } : { kind: status.preExisting ? "preExisting" : "ours", ruleId };
}
