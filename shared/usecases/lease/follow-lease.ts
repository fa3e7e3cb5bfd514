// Has a lease follow its holder to another address: a new lease with the new source is seen open before the old one ends.
import { type Cidr, formatCidr, parseCidr } from "../../domain/cidr.ts";
import { sha256Hex } from "../../domain/digest.ts";
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease, LeaseRequest } from "../../domain/lease-record.ts";
import { fail } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { followStep, planFollow, tookPlace } from "../../plan/plan-follow.ts";
import type { Write } from "../../ports/tables.ts";
import { type Due, dueJob, dueWrite } from "../../store/due.ts";
import { readKey } from "../../store/idempotency.ts";
import { getLease, newLeaseId } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { NET_AFTER_MS } from "../ledger/book-holds.ts";
import { requireUnlocked } from "../lockdown/require-unlocked.ts";
import { wordsOf } from "./ask-again.ts";
import { bookLease, claimLease, type RequestKey, requestKey } from "./book-lease.ts";
import { endHeld } from "./end-lease.ts";
import { isOnePeriod, leaseFor } from "./extend-lease.ts";
import { findTarget } from "./find-target.ts";
import { judgeLease } from "./judge-lease.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { type Opening, specsFor, specsOf } from "./lease-ask.ts";
import { previewOpening } from "./preview-opening.ts";
import { settleOpening } from "./settle-opening.ts";

/** The job that ends what was left behind; its name is in stored rows. */
const JOB = "follow";
const AGAIN_MS = 15_000;
/** Whoever books a lease lives no longer. */
const BOOKING_MS = 60_000;

/** Where the holder is now, and which source of a lease that has several gives way. */
export interface FollowAsk {
  readonly to: string;
  readonly from: string | null;
}

/**
 * Moves the holder's lease, for what is left of its time. Asked again, it answers the lease that it was moved to. Throws FOLLOW_AMBIGUOUS,
 * FOLLOW_UNKNOWN, FOLLOW_NEEDS_APPROVAL, LEASE_HOST_MOVED, LEASE_NOT_YOURS, LEASE_ENDED and what speaks against opening; then the lease is
 * as it was.
 */
export async function followLease(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  asked: FollowAsk,
  { dryRun }: { readonly dryRun: boolean },
): Promise<LeaseAnswer> {
  const lease = await leaseFor(app, caller, leaseId);
  // An operator's address is not the holder's: in another's name nobody is let in.
  if (lease.request.principal !== caller.principal) throw fail("LEASE_NOT_YOURS", { lease: leaseId });
  const [to, from] = [addressOf(asked.to), asked.from === null ? null : addressOf(asked.from)];
  const held = lease.request.specs.flatMap(({ peer }) => (peer.kind === "cidr" ? [peer.cidr] : []));
  const plan = planFollow(held, to, from);
  if (plan.kind === "unknown") throw fail("FOLLOW_UNKNOWN", { lease: leaseId, source: asked.from ?? "" });
  if (plan.kind === "ambiguous")
    throw fail("FOLLOW_AMBIGUOUS", { lease: leaseId, sources: held.map(formatCidr).join(", ") });
  if (plan.kind === "same") return asItIs(app, lease, to);
  const ask = { ...wordsOf(lease.request), sources: plan.sources.map(formatCidr) };
  const known = await keyOf(app, caller, leaseId, ask);
  if (known.lease !== null && !dryRun) return move(app, caller, { lease, to }, known.lease);

  const end = await endOf(app, lease);
  if (isOnePeriod(lease)) throw fail("FOLLOW_NEEDS_APPROVAL", { lease: leaseId });
  // All sources together: narrowed to a host they are judged one by one.
  specsOf(ask, caller.policy);
  const target = await findTarget(app, caller.policy, ask);
  if (target.facts.ref.groupId !== lease.request.group.groupId)
    throw fail("LEASE_HOST_MOVED", { instance: ask.instance ?? "", group: lease.request.groupName });
  const specs = specsFor(ask, caller.policy, target);
  const { grant } = judgeLease(app, caller, { ...ask, facts: target.facts, specs });
  if (grant.approvals > 0) throw fail("FOLLOW_NEEDS_APPROVAL", { lease: leaseId });
  await requireUnlocked(app, caller.policy, target.facts);
  const opening: Opening = { caller, ask, target, specs, grant, follows: { leaseId, ...end } };
  if (dryRun) {
    const preview = await previewOpening(app, opening);
    return { ...preview, plan: [...preview.plan, `end ${leaseId} when that is seen open`] };
  }
  const next = known.claimed ?? newLeaseId(app.clock.now(), app.random);
  // Before anything is booked there is a row that ends the old lease, should this process die with both open.
  await app.tables.writeAll([dueWrite(netOf(leaseId, next, app.clock.now()))]);
  const booked = await bookLease(app, opening, await claimLease(app, opening, known.key, next));
  return move(app, caller, { lease, to }, booked);
}

/** Opens the new lease, which is booked, and then ends the old one. */
async function move(
  app: App,
  caller: Caller,
  { lease, to }: { readonly lease: Lease; readonly to: Cidr },
  booked: Lease,
): Promise<LeaseAnswer> {
  const { group } = booked.request;
  const members = await app.inventory.members(group, "open").catch(() => []);
  const oldId = lease.request.leaseId;
  const reread = async (): Promise<Lease> => (await getLease(app.tables, oldId)) ?? lease;
  // Whoever ended it since it was looked at knew of no other.
  await undoIfEnded(app, caller, await reread(), booked);
  const answer = await settleOpening(app, caller, members, booked, { why: [`it follows ${oldId}`] });
  const before = await reread();
  await undoIfEnded(app, caller, before, answer.lease);
  if (followStep(before.status, answer.lease.status, booked.request.leaseId) !== "end") return answer;
  const { lease: ended, settled } = await endHeld(app, caller, before, movedTo(to, booked));
  await undoIfEnded(app, caller, ended, answer.lease);
  return { ...answer, settled: answer.settled && settled };
}

/** Ends the new lease, and throws LEASE_ENDED, where somebody has ended the old one while it moved. */
async function undoIfEnded(app: App, caller: Caller, before: Lease, after: Lease): Promise<void> {
  const { leaseId } = before.request;
  if (followStep(before.status, after.status, after.request.leaseId) !== "undo") return;
  await endHeld(app, caller, after, undone(leaseId));
  throw fail("LEASE_ENDED", { lease: leaseId, state: before.status.state });
}

/** One look at a move whose process may have died; answers when to look again, or null when it is over. */
export async function finishFollow(app: App, policy: Caller["policy"], param: string): Promise<number | null> {
  const [oldId = "", newId = "", at] = param.split("/");
  const [before, after] = await Promise.all([oldId, newId].map((id) => getLease(app.tables, id as LeaseId)));
  const now = app.clock.now();
  if (!before) return null;
  if (!after) return now < Number(at) + BOOKING_MS ? now + AGAIN_MS : null;
  const step = followStep(before.status, after.status, newId as LeaseId);
  if (step === "wait") return now + AGAIN_MS;
  if (step === "over") return null;
  const { principal } = before.request;
  const caller: Caller = { principal, roles: [], scopes: [], policy };
  if (step === "undo") {
    await endHeld(app, caller, after, undone(before.request.leaseId));
    return null;
  }
  const { lease: ended } = await endHeld(app, caller, before, `its holder has moved: ${tookPlace(newId as LeaseId)}`);
  // One more look: its end may have been somebody else's.
  return ended.status.note?.endsWith(tookPlace(newId as LeaseId)) === true ? null : now + AGAIN_MS;
}

const movedTo = (to: Cidr, { request }: Lease): string =>
  `its holder has moved to ${formatCidr(to)}: ${tookPlace(request.leaseId)}`;

const undone = (oldId: LeaseId): string => `${oldId}, whose place it was to take, was ended meanwhile`;

/** Has a move finished that may have lost the row that says so; one that is over is looked at once. */
export const followWrites = ({ leaseId, follows }: LeaseRequest, now: number): readonly Write[] =>
  follows ? [dueWrite(dueJob(JOB, `${follows.leaseId}/${leaseId}/${now}`, now))] : [];

const netOf = (oldId: LeaseId, newId: LeaseId, now: number): Due =>
  dueJob(JOB, `${oldId}/${newId}/${now}`, now + NET_AFTER_MS);

function addressOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw fail("SOURCE_INVALID", { source: text.slice(0, 60) });
  return cidr;
}

/** The end of an open lease and since when it counts towards its total, by the ledger. Throws LEASE_WAITS, LEASE_ENDED. */
async function endOf(app: App, { request, status }: Lease): Promise<{ until: number; openedAt: number }> {
  const { leaseId, group, entryIds, follows } = request;
  const detail = { lease: leaseId, state: status.state };
  if (["requested", "approved", "opening"].includes(status.state)) throw fail("LEASE_WAITS", detail);
  const [first] = entryIds;
  const entry = first === undefined ? null : await getEntry(app.tables, group, first);
  const holder = entry?.holders.find((it) => it.holderId === leaseId);
  if (status.state !== "open" || !holder || !isHolding(holder, app.clock.now())) throw fail("LEASE_ENDED", detail);
  return { until: holder.until, openedAt: follows?.openedAt ?? holder.openedAt ?? request.requestedAt };
}

/** The key by which a move that is asked for again is known, and the lease it has led to, where that is not over. */
async function keyOf(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  ask: ReturnType<typeof wordsOf>,
): Promise<{ readonly key: RequestKey; readonly claimed: LeaseId | null; readonly lease: Lease | null }> {
  const sources = sha256Hex(ask.sources.join());
  for (let turn = 0; ; turn++) {
    // No caller's own key has a blank. Of many addresses the name would be longer than a key of the store may be.
    const key = requestKey(caller, ask, `follow ${leaseId} ${sources} ${turn}`);
    const claim = await readKey(app.tables, key.name);
    if (claim === null) return { key, claimed: null, lease: null };
    const lease = await getLease(app.tables, claim.leaseId);
    if (lease === null) return { key, claimed: claim.leaseId, lease: null };
    if (["opening", "open"].includes(lease.status.state)) return { key, claimed: claim.leaseId, lease };
  }
}

/** The address is let in already. */
async function asItIs(app: App, lease: Lease, to: Cidr): Promise<LeaseAnswer> {
  await endOf(app, lease);
  const members = await app.inventory.members(lease.request.group, "open").catch(() => []);
  const reach = reachOf(lease.request.specs, members);
  const notes = [NEW_CONNECTIONS_ONLY, `${formatCidr(to)} is let in already: nothing was changed.`];
  return { lease, reach, settled: true, extended: false, plan: [], notes };
}
