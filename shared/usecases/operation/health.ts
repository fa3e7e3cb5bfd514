// How the program is: what is due and not done, how long ago the groups were looked at, and how far its clock is off.
import { dayOf } from "../../domain/evidence.ts";
import { isSeenLate, seenTargetMs } from "../../domain/full-pass.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { ModeInForce } from "../../domain/mode.ts";
import type { Policy } from "../../domain/policy.ts";
import { listUnjustified } from "../../store/attention.ts";
import { listCollections } from "../../store/collection.ts";
import { type Due, readDue } from "../../store/due.ts";
import { lastFullPass } from "../../store/full-pass.ts";
import { getKeptLease, readableLeases } from "../../store/leases.ts";
import { readMode } from "../../store/mode.ts";
import { checkUnreadable, readTrailCheck, type TrailFault } from "../../store/trail-check.ts";
import type { App } from "../app.ts";
import { dueEnd, OVERDUE_MS } from "../lease/tell-overdue.ts";

/** Instants in milliseconds. */
export interface Health {
  readonly status: "ok" | "overdue" | "unseen" | "trail-broken" | "unjustified" | "not-installed";
  readonly now: number;
  /** Instant of the oldest due row that is past, or null. */
  readonly oldestDueAt: number | null;
  /** Leases that should have been closed more than 30 s ago and are not, or of which nobody can tell. */
  readonly overdueEnds: readonly { readonly lease: string; readonly group: string; readonly dueAt: number }[];
  /** Since when surely every group has been looked at, or null when that is not known. */
  readonly oldestGroupSeenAt: number | null;
  /** How old that becomes when all is well; the status is `unseen` at over twice as much. */
  readonly groupSeenTargetMs: number | null;
  /** Leases that were opened without their second person and have not been justified. */
  readonly unjustified: readonly {
    readonly lease: string;
    readonly group: string;
    readonly principal: string;
    readonly justifyBy: number;
  }[];
  /** Sources of evidence: how far each has been read, and what is the matter with it. Without them there is none. */
  readonly evidence: readonly {
    readonly region: string;
    readonly source: string;
    readonly readUntil: number | null;
    readonly trouble: string | null;
    readonly queriesToday: number;
  }[];
  /** The audit trail: when it was last looked at, null for never, and what is not as it was written. */
  readonly trail: {
    readonly checkedAt: number | null;
    readonly faults: readonly Pick<TrailFault, "of" | "kind" | "why">[];
  };
  /** Own clock minus the cloud's. */
  readonly clockSkewMs: number;
  readonly policyVersion: number;
  readonly mode: ModeInForce;
}

const ROWS_MAX = 1000;
/** Overdue leases that are looked up and named; one is enough for the status. */
const ENDS_MAX = 100;
const COLLECTION_UNREADABLE =
  "how far it was read cannot be read in the table schedule; nothing counts as idle by it until that row is repaired, or deleted to read all of it anew";

/** Reads the due table and the leases it says are late; makes no call to ECS. */
export async function health(app: App, policy: Policy): Promise<Health> {
  const now = app.clock.now();
  const shards = await Promise.all(
    Array.from({ length: app.settings.shards }, (_, shard) => readDue(app.tables, shard, now, ROWS_MAX)),
  );
  const due = shards.flatMap((it) => it.due).sort((a, b) => a.at - b.at);
  const installed = shards.some(({ ownership }) => ownership.installations.includes(app.settings.installation));
  const [overdueEnds, last, mode, unjustified, evidence, check] = await Promise.all([
    lateEnds(app, due, now - OVERDUE_MS),
    lastFullPass(app.tables),
    readMode(app.tables),
    unjustifiedLeases(app),
    evidenceSources(app, now),
    readTrailCheck(app.tables),
  ]);
  const trail =
    check === "unreadable"
      ? { checkedAt: null, faults: [checkUnreadable(now)] }
      : { checkedAt: check?.checkedAt ?? null, faults: check?.faults ?? [] };
  const isUnseen = last !== null && isSeenLate(last, now);
  return {
    status: statusOf({
      installed,
      isOverdue: overdueEnds.length > 0,
      isUnseen,
      isBroken: trail.faults.length > 0,
      isUnjustified: unjustified.length > 0,
    }),
    now,
    oldestDueAt: due[0]?.at ?? null,
    overdueEnds,
    oldestGroupSeenAt: last?.startedAt ?? null,
    groupSeenTargetMs: last && seenTargetMs(last),
    unjustified,
    evidence,
    trail,
    clockSkewMs: app.firewall.skewMs(),
    policyVersion: policy.version,
    mode,
  };
}

/** The worst of what is the matter. */
function statusOf(is: {
  readonly installed: boolean;
  readonly isOverdue: boolean;
  readonly isUnseen: boolean;
  readonly isBroken: boolean;
  readonly isUnjustified: boolean;
}): Health["status"] {
  if (!is.installed) return "not-installed";
  if (is.isOverdue) return "overdue";
  if (is.isUnseen) return "unseen";
  if (is.isBroken) return "trail-broken";
  return is.isUnjustified ? "unjustified" : "ok";
}

async function evidenceSources(app: App, now: number): Promise<Health["evidence"]> {
  return (await listCollections(app.tables)).map(({ region, source, collection }) => ({
    region,
    source,
    readUntil: collection === null || collection.firstUntil === 0 ? null : collection.firstUntil,
    trouble: collection === null ? COLLECTION_UNREADABLE : collection.trouble,
    queriesToday: collection?.spent.day === dayOf(now) ? collection.spent.queries : 0,
  }));
}

/** The row that names a lease may be there before it and after it: the lease tells. */
async function unjustifiedLeases(app: App): Promise<Health["unjustified"]> {
  const ids = await listUnjustified(app.tables, ENDS_MAX);
  return (await readableLeases(app.tables, ids)).flatMap((lease) => {
    const justifyBy = lease.request.grant?.justifyBy ?? null;
    if (justifyBy === null || lease.justification !== null) return [];
    const { leaseId, group, principal } = lease.request;
    return [{ lease: leaseId, group: group.groupId, principal, justifyBy }];
  });
}

/** A late row alone says only that nobody has looked: the lease tells whether something should have been closed, where it can be read. */
async function lateEnds(app: App, due: readonly Due[], bound: number): Promise<Health["overdueEnds"]> {
  const late = new Map<string, Due>();
  for (const row of due) if (row.kind === "lease" && row.at < bound && !late.has(row.id)) late.set(row.id, row);
  const ends = await Promise.all(
    [...late.values()].slice(0, ENDS_MAX).map(async (row) => {
      const dueAt = dueEnd(await getKeptLease(app.tables, row.id as LeaseId), row.at);
      return dueAt !== null && dueAt < bound ? [{ lease: row.id, group: row.groupId as string, dueAt }] : [];
    }),
  );
  return ends.flat();
}
