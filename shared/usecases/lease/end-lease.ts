// Ends a lease before its time.
import type { LeaseId } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease } from "../../domain/lease-record.ts";
import { fail } from "../../errors/app-error.ts";
import { isWanted } from "../../plan/group-differences.ts";
import { dueDelete, dueLease, dueWrite } from "../../store/due.ts";
import { getLease, writeDecision } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { decisionNet, takenBackBy, tellDecision } from "../approval/tend-approval.ts";
import { bookHolds, changeEntry, NET_AFTER_MS } from "../ledger/book-holds.ts";
import { Net } from "../ledger/net.ts";
import { hastenLockdown } from "../lockdown/hasten-lockdown.ts";
import { lockdownHolding } from "../lockdown/require-unlocked.ts";
import { fromOf } from "../records/said-by.ts";
import { cutWrites } from "./cut-sessions.ts";
import { leaseFor } from "./extend-lease.ts";
import { type LeaseAnswer, reachOf } from "./lease-answer.ts";
import { settleLease } from "./settle-lease.ts";

/** Takes back what waits for approval; null when it has been opened meanwhile. */
async function cancelRequest(app: App, caller: Caller, leaseId: LeaseId): Promise<Lease | null> {
  for (;;) {
    const lease = await getLease(app.tables, leaseId);
    if (lease === null || lease.approval === null) return null;
    if (lease.status.state !== "requested" && lease.status.state !== "approved") return null;
    const now = app.clock.now();
    const note = takenBackBy(caller.principal);
    const status = { ...lease.status, state: "cancelled", closedAt: now, note } as const;
    const net = decisionNet(leaseId, now + NET_AFTER_MS);
    await app.tables.writeAll([dueWrite(net)]);
    const cancelled = await writeDecision(app.tables, lease, { status, approval: lease.approval });
    if (cancelled === null) {
      await app.tables.writeAll([dueDelete(net)]);
      continue;
    }
    await tellDecision(app, caller.policy, cancelled, { net, by: caller });
    return cancelled;
  }
}

/** Ends the lease at once. Ending a lease that has ended is success. */
export async function endLease(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  options: { dryRun: boolean },
): Promise<LeaseAnswer> {
  const lease = await leaseFor(app, caller, leaseId);
  const { request, status } = lease;
  const members = await app.inventory.members(request.group, "end").catch(() => []);
  const reach = reachOf(request.specs, members);
  const answer = { lease, reach, settled: true, extended: false, plan: [], notes: [] };
  if (isFinal(status.state)) {
    if (status.state === "closed" || status.state === "cancelled") return answer;
    throw fail("LEASE_ENDED", { lease: leaseId, state: status.state });
  }
  if (status.state === "requested" || status.state === "approved") {
    if (options.dryRun) return { ...answer, plan: ["take the request back"] };
    const cancelled = await cancelRequest(app, caller, leaseId);
    if (cancelled !== null) return { ...answer, lease: cancelled };
    return endLease(app, caller, leaseId, options);
  }
  if (options.dryRun) return { ...answer, plan: await previewEnd(app, lease) };
  const { lease: now, settled } = await endHeld(app, caller, lease, `ended early by ${caller.principal}`);
  // Its way through a lockdown goes with it.
  const passed = (request.grant?.justifyBy ?? null) === null ? null : await lockdownHolding(app, request.group);
  if (passed !== null) await hastenLockdown(app, passed.id);
  const notes = now.status.preExisting ? ["The rule stood before the lease and was left as it is."] : [];
  return { ...answer, lease: now, settled, notes };
}

/** What `endHeld` would come to for each of the lease's rules. */
async function previewEnd(app: App, { request }: Lease): Promise<readonly string[]> {
  const { group, leaseId, entryIds } = request;
  const now = app.clock.now();
  const entries = await Promise.all(entryIds.map((entryId) => getEntry(app.tables, group, entryId)));
  return entries.flatMap((entry) => {
    if (entry === null || entry.standing.kind === "none") return [];
    const { kind, ruleId } = entry.standing;
    if (kind === "preExisting") return [`leave ${ruleId}: it stood before the lease`];
    const holders = entry.holders.filter(({ holderId }) => holderId !== leaseId);
    return [isWanted({ ...entry, holders }, now) ? `leave ${ruleId}: somebody else holds it` : `revoke ${ruleId}`];
  });
}

/** Ends a lease that may have a rule in the cloud: rows that find it, its holds in the ledger, and a pass. */
export async function endHeld(
  app: App,
  caller: Caller,
  lease: Lease,
  note: string,
): Promise<{ readonly lease: Lease; readonly settled: boolean }> {
  const { request } = lease;
  const { leaseId } = request;
  // Later than now: looked at before it says that it is over, the lease would be at rest.
  const net = new Net(app, (at) => dueLease(request.group, leaseId, at, app.settings.shards));
  await net.hold(cutWrites(request, app.clock.now() + NET_AFTER_MS));
  await bookHolds(app, lease);
  const ended = { cause: "asked" as const, note, detail: null };
  for (const entryId of request.entryIds) {
    await net.hold();
    await changeEntry(app, request.group, entryId, (entry) => {
      if (!entry?.holders.some((it) => it.holderId === leaseId && it.ended === null)) return null;
      const holders = entry.holders.map((it) => (it.holderId === leaseId && it.ended === null ? { ...it, ended } : it));
      return { ...entry, holders };
    });
  }
  // Looked at before the ledger said so, the sessions would have been left until the lease's own end.
  await app.tables.writeAll(cutWrites(request, app.clock.now()));
  await net.hold();
  return settleLease(app, lease, {
    cause: `end ${leaseId}`,
    actor: caller.principal,
    from: fromOf(caller),
    policy: caller.policy,
    priority: "end",
    rows: net.booked,
    wanted: () => false,
  });
}
