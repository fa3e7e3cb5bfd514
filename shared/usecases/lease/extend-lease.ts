// Moves the end of a lease, within its total.
import type { LeaseId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { extendedEnd, isFinal } from "../../domain/lease.ts";
import type { Lease, LeaseGrant } from "../../domain/lease-record.ts";
import type { Holder } from "../../domain/ledger-entry.ts";
import { isPermitted } from "../../domain/permission.ts";
import { fail } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import type { Member } from "../../ports/firewall.ts";
import { dueLease, dueWrite } from "../../store/due.ts";
import { getLease } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { changeEntry, NET_AFTER_MS } from "../ledger/book-holds.ts";
import { requireNormalMode } from "../policy/require-mode.ts";
import { fromOf, grantedBy } from "../records/said-by.ts";
import { checkPeriod } from "./check-period.ts";
import { endNoticeWrites } from "./end-notices.ts";
import { refuseProtected } from "./find-target.ts";
import { judgeStored } from "./judge-lease.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { requireHost } from "./require-host.ts";
import { requireWayIn } from "./require-way-in.ts";
import { settleLease } from "./settle-lease.ts";

/** The caller's lease, or an operator's view of anybody's. Throws LEASE_UNKNOWN, LEASE_NOT_YOURS. */
export async function leaseFor(app: App, caller: Caller, leaseId: LeaseId): Promise<Lease> {
  const lease = await getLease(app.tables, leaseId);
  if (!lease) throw fail("LEASE_UNKNOWN", { lease: leaseId });
  const mayAll = isPermitted(caller.roles, "lease:change:any");
  if (!mayAll && lease.request.principal !== caller.principal) throw fail("LEASE_NOT_YOURS", { lease: leaseId });
  return lease;
}

/** Sets the end to the later of the old one and a period from now, bounded by the total from the first opening. */
export async function extendLease(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  periodMs: number,
  options: { dryRun: boolean },
): Promise<LeaseAnswer> {
  checkPeriod(periodMs, caller.policy);
  const lease = await leaseFor(app, caller, leaseId);
  if (isFinal(lease.status.state) || lease.status.state === "closing")
    throw fail("LEASE_ENDED", { lease: leaseId, state: lease.status.state });
  if (lease.status.state === "requested" || lease.status.state === "approved")
    throw fail("LEASE_WAITS", { lease: leaseId, state: lease.status.state });
  const members = await app.inventory.members(lease.request.group, "open");
  const grant = await requireExtendable(app, caller, lease, { periodMs, members });
  // As asking again does: what a lockdown closes is not kept for longer behind it.
  await requireWayIn(app, caller.policy, lease.request, members);
  return options.dryRun
    ? previewExtension(app, caller, lease, periodMs, members)
    : extendHolds(app, caller, lease, periodMs, { members, grant });
}

/** What was approved, or opened without approval or through a lockdown, was one period. */
export const isOnePeriod = ({ request: { grant } }: Lease): boolean =>
  grant !== null && (grant.approvals > 0 || grant.justifyBy !== null);

/**
 * By what the extension is granted. A longer period than was approved is another change, and neither a group that takes no new rule nor what
 * may be another host by now is kept open for longer. Throws GROUP_PROTECTED, EXTENSION_NEEDS_APPROVAL, and as `requireHost` and `judgeLease`.
 */
async function requireExtendable(
  app: App,
  caller: Caller,
  lease: Lease,
  { periodMs, members }: { readonly periodMs: number; readonly members: readonly Member[] },
): Promise<LeaseGrant> {
  const { group, groupName } = lease.request;
  const facts = await app.inventory.group(group, "open");
  if (!facts) throw fail("GROUP_UNKNOWN", { group: groupName, region: group.region });
  await refuseProtected(app, facts, members, caller.policy);
  await requireHost(app, lease);
  // What its holder may today counts, as in asking again; in the holder's stead it is judged as it was asked for.
  const roles = lease.request.principal === caller.principal ? caller.roles : undefined;
  const { grant } = await judgeStored(app, caller.policy, lease, { periodMs, roles });
  if (grant.approvals > 0 || isOnePeriod(lease))
    throw fail("EXTENSION_NEEDS_APPROVAL", { lease: lease.request.leaseId });
  return grant;
}

/** What `extendHolds` would answer and do; told from the same ledger rows, and writes nothing. */
export async function previewExtension(
  app: App,
  caller: Caller,
  lease: Lease,
  periodMs: number,
  members: readonly Member[],
): Promise<LeaseAnswer> {
  const { group, leaseId, entryIds, specs } = lease.request;
  await requireNormalMode(app);
  const now = app.clock.now();
  let { until } = lease.status;
  const marks: string[] = [];
  for (const entryId of entryIds) {
    const entry = await getEntry(app.tables, group, entryId);
    const holder = entry?.holders.find((it) => it.holderId === leaseId);
    if (!entry || !holder || !isHolding(holder, now)) throw fail("LEASE_ENDED", { lease: leaseId, state: "ending" });
    until = newEnd(now, caller, lease, holder, periodMs);
    const last = Math.max(...entry.holders.filter((it) => isHolding(it, now)).map((it) => it.until));
    if (entry.standing.kind === "ours" && until > last) marks.push(`rewrite the mark of ${entry.standing.ruleId}`);
  }
  const moved = until > lease.status.until;
  return {
    lease: { ...lease, status: { ...lease.status, until } },
    reach: reachOf(specs, members),
    settled: true,
    extended: true,
    plan: moved ? [`extend ${leaseId} until ${formatUtc(until)}`, ...marks] : marks,
    notes: [NEW_CONNECTIONS_ONLY],
  };
}

/** The end of a rule's hold, for whoever asks for a period at `now`. Throws LEASE_TOTAL_REACHED. */
function newEnd(
  now: number,
  caller: Caller,
  lease: Lease,
  { until: oldEnd, openedAt }: Holder,
  periodMs: number,
): number {
  const { totalMaxMs } = caller.policy.lease;
  const { end, cut } = extendedEnd({
    oldEnd,
    now,
    periodMs,
    openedFrom: lease.request.follows?.openedAt ?? openedAt ?? lease.request.requestedAt,
    totalMaxMs,
  });
  // Marks know whole seconds: a period is rounded up to one, and the total is never passed.
  const whole = (cut ? Math.floor(end / 1000) : Math.ceil(end / 1000)) * 1000;
  if (whole <= oldEnd && now + periodMs > oldEnd + 1000)
    throw fail("LEASE_TOTAL_REACHED", { total: totalMaxMs / 1000 });
  return Math.max(whole, oldEnd);
}

/** Extends a live lease: due rows first, then its holds in the ledger, then a pass that rewrites the marks. */
export async function extendHolds(
  app: App,
  caller: Caller,
  lease: Lease,
  periodMs: number,
  { members, grant }: { readonly members: readonly Member[]; readonly grant: LeaseGrant },
): Promise<LeaseAnswer> {
  await requireNormalMode(app);
  const { request } = lease;
  const { group, leaseId } = request;
  const { shards } = app.settings;
  // However long the writes take, all rules end at once.
  const askedAt = app.clock.now();
  const net = dueLease(group, leaseId, askedAt + NET_AFTER_MS, shards);
  let until = lease.status.until;
  // The first is the last: by that people are told of an end that is near, and who dies in between leaves it as it was.
  for (const entryId of [...request.entryIds].reverse()) {
    await changeEntry(app, group, entryId, async (entry) => {
      const holder = entry?.holders.find((it) => it.holderId === leaseId);
      if (!entry || !holder || !isHolding(holder, app.clock.now()))
        throw fail("LEASE_ENDED", { lease: leaseId, state: "ending" });
      until = newEnd(askedAt, caller, lease, holder, periodMs);
      const from = request.follows?.openedAt ?? holder.openedAt ?? request.requestedAt;
      const life = { from, until, now: app.clock.now() };
      const told = endNoticeWrites(caller.policy, leaseId, life);
      await app.tables.writeAll([dueWrite({ ...net, at: until }), dueWrite(net), ...told]);
      return { ...entry, holders: entry.holders.map((it) => (it === holder ? { ...it, until } : it)) };
    });
  }
  const end = until;
  const [{ lease: now, settled }] = await Promise.all([
    settleLease(app, lease, {
      cause: `extend ${leaseId}`,
      actor: caller.principal,
      from: fromOf(caller),
      decidedBy: grantedBy({ grant }),
      policy: caller.policy,
      priority: "open",
      rows: [net],
      wanted: ({ status }) => status.state === "open" && status.until >= end && status.note === null,
      ...(request.instanceId === null ? {} : { members }),
    }),
    app.wakeup.arm(net.shard, end),
  ]);
  return {
    lease: now,
    reach: reachOf(request.specs, members),
    settled,
    extended: true,
    plan: [],
    notes: [NEW_CONNECTIONS_ONLY],
  };
}
