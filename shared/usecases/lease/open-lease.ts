// Opens a port for a time: books the lease, then runs a pass over its group.

import type { GroupRef, LeaseId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Lease } from "../../domain/lease-record.ts";
import type { LeaseHolder } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { startMistake } from "../../plan/plan-start.ts";
import { listWaiting } from "../../store/attention.ts";
import { claimKey, readKey } from "../../store/idempotency.ts";
import { getLease, readableLeases } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import { readLock } from "../../store/lock.ts";
import type { App, Caller } from "../app.ts";
import { approvalFor, waitsFor } from "../approval/ask-approval.ts";
import { isAskerGood } from "../approval/require-asker.ts";
import { bookHolds } from "../ledger/book-holds.ts";
import { lockdownIn, requireUnlocked } from "../lockdown/require-unlocked.ts";
import { findPassages, passLockdown } from "../pass/pass-lockdown.ts";
import { requireNormalMode } from "../policy/require-mode.ts";
import { bookLease, claimLease, type RequestKey, requestKey, waitsForApproval } from "./book-lease.ts";
import { checkPeriod } from "./check-period.ts";
import { requireCuttable, SESSIONS_ARE_CUT } from "./cut-sessions.ts";
import { extendHolds, isOnePeriod, previewExtension } from "./extend-lease.ts";
import { findTarget } from "./find-target.ts";
import { judgeLease } from "./judge-lease.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { entryIdsOf, type LeaseAsk, type Opening, specsFor, specsOf } from "./lease-ask.ts";
import { previewLater, previewOpening } from "./preview-opening.ts";
import { requireWayIn } from "./require-way-in.ts";
import { settleOpening, throwIfFailed } from "./settle-opening.ts";
import { suggestSession } from "./suggest-session.ts";
import { placeFor } from "./take-place.ts";

/** Requests that wait, read to find one that is repeated. */
const WAITING_PAGE = 200;

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
  checkStart(app, ask, policy);
  const target = await findTarget(app, policy, ask);
  const specs = specsFor(ask, policy, target);
  // Who passes a lockdown breaks the glass, whether or not the port needs a second person at other times.
  const passesLockdown = ask.breakGlass && (await isStopped(app, policy, target, specs));
  const { grant, why } = judgeLease(app, caller, { ...ask, facts: target.facts, specs, passesLockdown });
  const opening: Opening = { caller, ask, target, specs, grant, follows: null };
  if (ask.sessions === "cut") await requireCuttable(app, target.facts.ref.region, specs, target.members);
  const [answer, suggested] = await Promise.all([
    openJudged(app, opening, key, why, options),
    suggestSession(app, target.facts.ref.region, specs, target.members),
  ]);
  const cut = ask.sessions === "cut" ? [SESSIONS_ARE_CUT] : [];
  return { ...answer, notes: [...answer.notes, ...cut, ...suggested] };
}

/** An opening that the policy grants: now, later, or once others have approved it. */
async function openJudged(
  app: App,
  opening: Opening,
  key: RequestKey | null,
  why: readonly string[],
  options: { readonly mode: "create" | "repeat"; readonly dryRun: boolean },
): Promise<LeaseAnswer> {
  const { caller, ask, target, grant } = opening;
  const { policy } = caller;
  // What speaks against a later start today may have passed by then, and the contrary: it is looked at then.
  if (ask.startAt !== null) return askForLater(app, opening, key, why, options);
  if (!ask.breakGlass) await requireUnlocked(app, policy, target.facts);
  if (waitsForApproval(grant)) return askFor(app, opening, key, why, options);
  // What breaks the glass makes its own way through, which goes with it: a lease from before would be extended behind the drops.
  const own = options.mode === "repeat" && grant.justifyBy === null ? await findOwn(app, opening) : null;
  if (own) await requireWayIn(app, policy, own.request, target.members);
  if (options.dryRun) {
    const passages = grant.justifyBy === null ? [] : await findPassages(app, groupsOf(target), opening.specs);
    const preview = own
      ? await previewExtension(app, caller, own, ask.periodMs, target.members)
      : await previewOpening(app, opening, passages);
    return { ...preview, notes: [...preview.notes, ...why] };
  }
  if (own) {
    const answer = await extendHolds(app, caller, own, ask.periodMs, { members: target.members, grant });
    // The key comes last: should this process die before it, the retry extends once more, which loses nothing.
    await meanBy(app, key, own);
    return answer;
  }
  // Before a way is made: whom the lease is refused is given none.
  if (grant.justifyBy !== null) await requireNormalMode(app);
  const leaseId = await claimLease(app, opening, key);
  if (grant.justifyBy !== null) {
    const until = app.clock.now() + ask.periodMs;
    await passLockdown(app, policy, target.facts.ref, opening.specs, groupsOf(target), until);
  }
  const [lease, lockRow] = await Promise.all([
    bookLease(app, opening, leaseId),
    // Where it cannot be read nothing is lost: whoever takes the lock reads it then.
    readLock(app.tables, target.facts.ref.groupId).catch(() => undefined),
  ]);
  const loud = grant.justifyBy === null ? [] : why;
  return settleOpening(app, caller, target.members, lease, { why: loud, lockRow });
}

/** True where a lockdown is on in the group, or has drops in another one of the hosts that would take from the lease. */
async function isStopped(
  app: App,
  policy: Policy,
  target: Opening["target"],
  specs: Opening["specs"],
): Promise<boolean> {
  if ((await lockdownIn(app, policy, target.facts)) !== null) return true;
  return (await findPassages(app, groupsOf(target), specs)).length > 0;
}

/** The group of a lease, and the others whose rules act on its hosts. */
function groupsOf({ facts, members }: Opening["target"]): readonly GroupRef[] {
  const ids = new Set([facts.ref.groupId, ...members.flatMap(({ groupIds }) => groupIds)]);
  return [...ids].map((groupId) => ({ ...facts.ref, groupId }));
}

/** Throws START_INVALID. */
function checkStart(app: App, { startAt, breakGlass }: LeaseAsk, policy: Policy): void {
  if (startAt === null) return;
  const mistake = breakGlass
    ? "what cannot wait for a second person cannot wait for a start"
    : startMistake(startAt, app.clock.now(), policy.lease.startAheadMaxMs);
  if (mistake !== null) throw fail("START_INVALID", { start: formatUtc(startAt), why: mistake });
}

/** A lease that starts later, with or without second persons before that. A dry run also tells what would speak against it today. */
async function askForLater(
  app: App,
  opening: Opening,
  key: RequestKey | null,
  why: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<LeaseAnswer> {
  const { caller, ask, target, specs, grant } = opening;
  const reach = reachOf(specs, target.members);
  const notes = [NEW_CONNECTIONS_ONLY, ...why];
  if (!dryRun) {
    const lease = await bookLease(app, opening, await claimLease(app, opening, key));
    return { lease, reach, settled: false, extended: false, plan: [], notes };
  }
  const now = app.clock.now();
  const lease = previewLater(opening, now);
  // It takes its place when it is asked for.
  await placeFor(app, caller, lease.request.leaseId);
  const waits = waitsForApproval(grant) ? await approvalFor(app, caller, lease.request, grant.approvals) : null;
  const today = await previewOpening(app, opening).catch((error: unknown) => {
    if (error instanceof AppError) return `As things are now it could not be opened: ${error.message}`;
    throw error;
  });
  return {
    lease: { ...lease, approval: waits },
    ...{ reach, settled: true, extended: false },
    plan: [
      ...(waits === null ? [] : [waitsFor(waits)]),
      `open it at ${formatUtc(ask.startAt ?? now)} until ${formatUtc(lease.status.until)}`,
    ],
    notes: [...notes, ...(typeof today === "string" ? [today] : [])],
  };
}

/** A lease that other persons have to approve first; repeated, the request that waits already is the answer. */
async function askFor(
  app: App,
  opening: Opening,
  key: RequestKey | null,
  why: readonly string[],
  options: { readonly mode: "create" | "repeat"; readonly dryRun: boolean },
): Promise<LeaseAnswer> {
  const { members } = opening.target;
  const answer = (lease: Lease, plan: readonly string[]): LeaseAnswer => ({
    ...{ lease, plan, reach: reachOf(opening.specs, members), settled: options.dryRun, extended: false },
    notes: [NEW_CONNECTIONS_ONLY, ...why],
  });
  const waiting = options.mode === "repeat" ? await findWaiting(app, opening) : null;
  if (waiting !== null) {
    if (!options.dryRun) await meanBy(app, key, waiting);
    return answer(waiting, []);
  }
  if (!options.dryRun) return answer(await bookLease(app, opening, await claimLease(app, opening, key)), []);
  const preview = await previewOpening(app, opening);
  const approval = await approvalFor(app, opening.caller, preview.lease.request, opening.grant.approvals);
  return answer({ ...preview.lease, approval }, [waitsFor(approval), ...preview.plan]);
}

/** Has the key mean a lease that was there before it. */
async function meanBy(app: App, key: RequestKey | null, { request: { leaseId } }: Lease): Promise<void> {
  if (key !== null) await claimKey(app.tables, key.name, { leaseId, requestHash: key.requestHash });
}

/** The caller's own request for these very rules that waits already and may still be approved, or null. */
async function findWaiting(app: App, opening: Opening): Promise<Lease | null> {
  const wanted = entryIdsOf(opening).join();
  const isSame = ({ request, status, approval }: Lease): boolean =>
    status.state === "requested" &&
    app.clock.now() < (approval?.lapsesAt ?? 0) &&
    request.principal === opening.caller.principal &&
    request.periodMs === opening.ask.periodMs &&
    request.startAt === opening.ask.startAt &&
    request.entryIds.join() === wanted;
  for (let before: LeaseId | null = null; ; ) {
    const { ids, next } = await listWaiting(app.tables, { before, limit: WAITING_PAGE });
    for (const lease of await readableLeases(app.tables, ids))
      if (isSame(lease) && (await isAskerGood(app, lease))) return lease;
    if (next === null) return null;
    before = next;
  }
}

/** The answer to a key that already means a lease: that lease, whatever has become of it; null when it has none yet. */
async function replay(app: App, caller: Caller, key: RequestKey, isDryRun: boolean): Promise<LeaseAnswer | null> {
  const claim = await readKey(app.tables, key.name);
  if (!claim) return null;
  if (claim.requestHash !== key.requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
  const lease = await getLease(app.tables, claim.leaseId);
  if (!lease) return null;
  if (lease.request.principal !== caller.principal) throw fail("IDEMPOTENCY_KEY_REUSED");
  throwIfFailed(lease);
  const { group, specs } = lease.request;
  const members = await app.inventory.members(group, "open").catch(() => []);
  if (lease.status.state === "opening" && !isDryRun) {
    await bookHolds(app, lease);
    return settleOpening(app, caller, members, lease);
  }
  const settled = lease.status.state !== "requested" && lease.status.state !== "approved";
  const notes = [NEW_CONNECTIONS_ONLY, "The Idempotency-Key was used before: this is the lease it opened."];
  return { lease, reach: reachOf(specs, members), settled, extended: false, plan: [], notes };
}

/** The caller's own live lease on these very rules, or null. */
async function findOwn(app: App, opening: Opening): Promise<Lease | null> {
  const { caller, target, specs } = opening;
  const now = app.clock.now();
  const entries = await Promise.all(
    entryIdsOf(opening).map((entryId) => getEntry(app.tables, target.facts.ref, entryId)),
  );
  const own = (entries[0]?.holders ?? []).filter(
    (holder): holder is LeaseHolder =>
      holder.kind === "lease" &&
      holder.principal === caller.principal &&
      isHolding(holder, now) &&
      entries.every((entry) => entry?.holders.some((it) => it.holderId === holder.holderId)),
  );
  const leases = await readableLeases(
    app.tables,
    own.map(({ holderId }) => holderId),
  );
  // What second persons approved, or were passed over for, is one period: it is not extended, and another lease may hold the rule too.
  return leases.find((lease) => !isOnePeriod(lease) && lease.request.specs.length === specs.length) ?? null;
}
