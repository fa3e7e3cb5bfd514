// Opens a port for a time: books the lease, then runs a pass over its group.
import { isFinal } from "../domain/lease.ts";
import type { Lease } from "../domain/lease-record.ts";
import type { LeaseHolder } from "../domain/ledger-entry.ts";
import { fail } from "../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../errors/catalogue.ts";
import { isHolding } from "../plan/picture.ts";
import type { Member } from "../ports/firewall.ts";
import { claimKey, readKey } from "../store/idempotency.ts";
import { getLease } from "../store/leases.ts";
import { getEntry } from "../store/ledger.ts";
import type { App, Caller } from "./app.ts";
import { bookHolds } from "./book-holds.ts";
import { bookLease, netOf, type RequestKey, requestKey } from "./book-lease.ts";
import { checkPeriod } from "./check-period.ts";
import { extendHolds, previewExtension } from "./extend-lease.ts";
import { findTarget } from "./find-target.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { entryIdsOf, type LeaseAsk, type Opening, specsFor, specsOf } from "./lease-ask.ts";
import { previewOpening } from "./preview-opening.ts";
import { settleLease } from "./settle-lease.ts";

export type { LeaseAnswer } from "./lease-answer.ts";
export type { LeaseAsk } from "./lease-ask.ts";

/** Checks, books and opens. Throws AppError; then nothing is booked, or the lease that was booked has failed and says why. */
export async function openLease(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  options: { mode: "create" | "repeat"; idempotencyKey: string | null; dryRun: boolean },
): Promise<LeaseAnswer> {
  const { policy } = caller;
  const key = options.idempotencyKey === null ? null : requestKey(caller, ask, options.idempotencyKey);
  const replayed = key === null ? null : await replay(app, caller, key, options.dryRun);
  if (replayed) return replayed;

  // What is wrong with the words is told before anything is looked up.
  specsOf(ask, policy);
  checkPeriod(ask.periodMs, policy);
  const target = await findTarget(app, policy, ask);
  const opening: Opening = { caller, ask, target, specs: specsFor(ask, policy, target) };
  const own = options.mode === "repeat" ? await findOwn(app, opening) : null;
  if (options.dryRun) {
    return own ? previewExtension(app, caller, own, ask.periodMs, target.members) : previewOpening(app, opening);
  }
  if (own) {
    const answer = await extendHolds(app, caller, own, ask.periodMs, target.members);
    // The key comes last: should this process die before it, the retry extends once more, which loses nothing.
    if (key) await claimKey(app.tables, key.name, { leaseId: own.request.leaseId, requestHash: key.requestHash });
    return answer;
  }
  const lease = await bookLease(app, opening, key);
  return settleOpening(app, caller, target.members, lease);
}

/** The answer to a key that already means a lease: that lease, whatever has become of it; null when it has none yet. */
async function replay(app: App, caller: Caller, key: RequestKey, isDryRun: boolean): Promise<LeaseAnswer | null> {
  const claim = await readKey(app.tables, key.name);
  if (!claim) return null;
  if (claim.requestHash !== key.requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
  const lease = await getLease(app.tables, claim.leaseId);
  if (!lease) return null;
  throwIfFailed(lease);
  const { group, specs } = lease.request;
  const members = await app.inventory.members(group, "open").catch(() => []);
  const opening = !isFinal(lease.status.state) && lease.status.state !== "open" && lease.status.state !== "closing";
  if (opening && !isDryRun) {
    await bookHolds(app, lease);
    return settleOpening(app, caller, members, lease);
  }
  const notes = [NEW_CONNECTIONS_ONLY, "The Idempotency-Key was used before: this is the lease it opened."];
  return { lease, reach: reachOf(specs, members), settled: true, extended: false, plan: [], notes };
}

async function settleOpening(app: App, caller: Caller, members: readonly Member[], lease: Lease): Promise<LeaseAnswer> {
  const { request } = lease;
  const { lease: now, settled } = await settleLease(app, request, {
    cause: `open ${request.leaseId}`,
    actor: caller.principal,
    policy: caller.policy,
    priority: "open",
    net: netOf(app, request),
    wanted: (it) => it.status.state === "open",
    ...(request.specs.some((spec) => spec.dest !== null) ? { members } : {}),
  });
  throwIfFailed(now);
  const notes = [NEW_CONNECTIONS_ONLY];
  if (now.status.preExisting)
    notes.push("A rule that was there before allows the same: the lease rides on it and its end removes nothing.");
  return { lease: now, reach: reachOf(request.specs, members), settled, extended: false, plan: [], notes };
}

function throwIfFailed(lease: Lease): void {
  const { state, note, noteDetail } = lease.status;
  if ((state === "failed" || state === "closing") && note && note in catalogue)
    throw fail(note as ErrorCode, noteDetail ?? {});
}

/** The caller's own live lease on these very rules, or null. */
async function findOwn(app: App, opening: Opening): Promise<Lease | null> {
  const { caller, target, specs } = opening;
  const now = app.clock.now();
  const entries = await Promise.all(
    entryIdsOf(opening).map((entryId) => getEntry(app.tables, target.facts.ref, entryId)),
  );
  const own = entries[0]?.holders.find(
    (holder): holder is LeaseHolder =>
      holder.kind === "lease" &&
      holder.principal === caller.principal &&
      isHolding(holder, now) &&
      entries.every((entry) => entry?.holders.some((it) => it.holderId === holder.holderId)),
  );
  if (!own) return null;
  const lease = await getLease(app.tables, own.holderId);
  return lease && lease.request.specs.length === specs.length ? lease : null;
}
