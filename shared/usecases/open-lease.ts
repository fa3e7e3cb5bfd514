// Opens a port for a time: books the lease, then runs a pass over its group.
import { createHash } from "node:crypto";
import { type Cidr, widestPrefix } from "../domain/cidr.ts";
import { coversPort, parseGrant } from "../domain/grant.ts";
import type { LeaseId } from "../domain/ids.ts";
import { isFinal } from "../domain/lease.ts";
import type { Lease, LeaseRequest, LeaseStatus } from "../domain/lease-record.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Policy } from "../domain/policy.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import { fail } from "../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../errors/catalogue.ts";
import { isHolding } from "../plan/picture.ts";
import type { Member } from "../ports/firewall.ts";
import { type Due, dueLease, dueWrite } from "../store/due.ts";
import { claimKey, readKey } from "../store/idempotency.ts";
import { createLease, getLease, newLeaseId } from "../store/leases.ts";
import { getEntry } from "../store/ledger.ts";
import type { App, Caller } from "./app.ts";
import { bookHolds, freshEntry, NET_AFTER_MS } from "./book-holds.ts";
import { checkPeriod } from "./check-period.ts";
import { extendHolds, previewExtension } from "./extend-lease.ts";
import { findTarget, type Target } from "./find-target.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { readOpenFacts, refusalsOf } from "./open-facts.ts";
import { settleLease } from "./settle-lease.ts";

export type { LeaseAnswer } from "./lease-answer.ts";

/** What a caller asks for, as text. */
export interface LeaseAsk {
  readonly protocol: string;
  readonly port: string | null;
  readonly sources: readonly string[];
  readonly group: string | null;
  readonly instance: string | null;
  readonly region: string | null;
  readonly periodMs: number;
  readonly reason: string;
  readonly ticket: string;
}

/** Checks, books and opens. Throws AppError; then nothing is booked, or the lease that was booked has failed and says why. */
export async function openLease(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  options: { mode: "create" | "repeat"; idempotencyKey: string | null; dryRun: boolean },
): Promise<LeaseAnswer> {
  const { policy } = caller;
  const key = options.idempotencyKey === null ? null : keyFor(caller, ask, options.idempotencyKey);
  const replayed = key === null ? null : await replay(app, caller, key, options.dryRun);
  if (replayed) return replayed;

  grantOf(ask, policy, null);
  checkPeriod(ask.periodMs, policy);
  const target = await findTarget(app, policy, ask);
  const specs = specsFor(ask, policy, target);
  const own = options.mode === "repeat" ? await findOwn(app, caller, target, specs) : null;
  if (options.dryRun) {
    return own
      ? previewExtension(app, caller, own, ask.periodMs, target.members)
      : previewOpening(app, caller, ask, target, specs);
  }
  if (own) {
    const answer = await extendHolds(app, caller, own, ask.periodMs, target.members);
    // The key comes last: should this process die before it, the retry extends once more, which loses nothing.
    if (key) await claimKey(app.tables, key.name, { leaseId: own.request.leaseId, requestHash: key.requestHash });
    return answer;
  }
  const lease = await book(app, caller, ask, target, specs, key);
  return settleOpening(app, caller, target.members, lease);
}

/** An idempotency key as it is stored: apart for each caller, and for one request only. */
interface RequestKey {
  readonly name: string;
  readonly requestHash: string;
}

const keyFor = (caller: Caller, ask: LeaseAsk, key: string): RequestKey => ({
  name: `${caller.principal}/${key}`,
  requestHash: createHash("sha256").update(JSON.stringify(ask)).digest("hex"),
});

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
  const net = dueLease(request.group, request.leaseId, netAt(request), app.settings.shards);
  const cause = `open ${request.leaseId}`;
  const { lease: now, settled } = await settleLease(app, request, {
    cause,
    actor: caller.principal,
    policy: caller.policy,
    priority: "open",
    net,
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

const netAt = (request: LeaseRequest): number => request.requestedAt + NET_AFTER_MS;

/** The specs asked for; throws what is wrong with the words or with the width of the sources. */
function grantOf(ask: LeaseAsk, policy: Policy, dest: Cidr | null, sources = ask.sources): readonly RuleSpec[] {
  const grant = parseGrant({
    protocol: ask.protocol,
    ...(ask.port === null ? {} : { port: ask.port }),
    sources,
    priority: policy.lease.priority,
    dest,
  });
  if (!grant.ok) throw fail(grant.problem.code, grant.problem.detail);
  const { sensitivePorts, sourceWidthMax } = policy.lease;
  const [first] = grant.specs;
  const port = sensitivePorts.find((it) => first && coversPort(first, it));
  const widest = widestPrefix(grant.specs.flatMap((spec) => (spec.peer.kind === "cidr" ? [spec.peer.cidr] : [])));
  for (const family of ["v4", "v6"] as const) {
    const width = widest[family];
    if (port !== undefined && width !== null && width < sourceWidthMax[family]) {
      throw fail("SOURCE_TOO_WIDE", { width, allowed: sourceWidthMax[family], port });
    }
  }
  return grant.specs;
}

function specsFor(ask: LeaseAsk, policy: Policy, target: Target): readonly RuleSpec[] {
  if (target.dests.length === 0) return grantOf(ask, policy, null);
  return ask.sources.flatMap((source) => {
    const family = source.includes(":") ? 6 : 4;
    const dest = target.dests.find((it) => it.family === family) ?? target.dests[0] ?? null;
    return grantOf(ask, policy, dest, [source]);
  });
}

/** The caller's own live lease on these very rules, or null. */
async function findOwn(app: App, caller: Caller, target: Target, specs: readonly RuleSpec[]): Promise<Lease | null> {
  const now = app.clock.now();
  const entries = await Promise.all(
    specs.map((spec) => getEntry(app.tables, target.facts.ref, entryIdFor(target, spec))),
  );
  const own = entries[0]?.holders.find(
    (holder) =>
      holder.principal === caller.principal &&
      isHolding(holder, now) &&
      entries.every((entry) => entry?.holders.some((it) => it.leaseId === holder.leaseId)),
  );
  if (!own) return null;
  const lease = await getLease(app.tables, own.leaseId);
  return lease && lease.request.specs.length === specs.length ? lease : null;
}

const entryIdFor = (target: Target, spec: RuleSpec) => entryIdOf(target.facts.ref.groupId, ruleKey(spec));

/** Marks and wake-ups know whole seconds. */
const endAfter = (now: number, periodMs: number): number => Math.ceil((now + periodMs) / 1000) * 1000;

/** Books: idempotency key, due rows, lease, ledger; in this order, so that a crash in between leaves work the sweep finds. */
async function book(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  target: Target,
  specs: readonly RuleSpec[],
  key: RequestKey | null,
): Promise<Lease> {
  const now = app.clock.now();
  let leaseId = newLeaseId(now, app.random);
  if (key !== null) {
    const claim = await claimKey(app.tables, key.name, { leaseId, requestHash: key.requestHash });
    if (claim.requestHash !== key.requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
    leaseId = claim.leaseId;
  }
  const until = endAfter(now, ask.periodMs);
  const group = target.facts.ref;
  const request: LeaseRequest = {
    leaseId,
    principal: caller.principal,
    group,
    groupName: target.facts.name,
    instanceId: target.instanceId,
    specs,
    entryIds: specs.map((spec) => entryIdFor(target, spec)),
    periodMs: ask.periodMs,
    reason: ask.reason,
    ticket: ask.ticket,
    requestedAt: now,
  };
  const status: LeaseStatus = {
    state: "opening",
    until,
    openedAt: null,
    closedAt: null,
    preExisting: false,
    ruleIds: [],
    note: null,
    noteDetail: null,
  };
  const end: Due = dueLease(group, leaseId, until, app.settings.shards);
  await app.tables.writeAll([dueWrite(end), dueWrite({ ...end, at: netAt(request) })]);
  const booked = { request, status };
  const created = await createLease(app.tables, booked);
  // The same key at the same time, or a retry of a request that died here: the lease that is there is the one.
  const lease = created === "conflict" ? ((await getLease(app.tables, leaseId)) ?? booked) : booked;
  await Promise.all([bookHolds(app, lease, created === "written"), app.wakeup.arm(end.shard, until)]);
  return lease;
}

/** What opening would do; reads the group and its ledger rows, and writes nothing. */
async function previewOpening(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  target: Target,
  specs: readonly RuleSpec[],
): Promise<LeaseAnswer> {
  const { ref } = target.facts;
  const now = app.clock.now();
  const { policy } = caller;
  const [reading, facts, stored] = await Promise.all([
    app.firewall.readGroup(ref, "open"),
    readOpenFacts(app, ref, target.members),
    Promise.all(specs.map((spec) => getEntry(app.tables, ref, entryIdFor(target, spec)))),
  ]);
  const leaseId = "ls-dry-run" as LeaseId;
  const until = endAfter(now, ask.periodMs);
  const holder = {
    leaseId,
    principal: caller.principal,
    reason: ask.reason,
    until,
    openedAt: null,
    statedUntil: null,
    ended: null,
  };
  const entries = specs.map((spec, index) => {
    const entry = stored[index] ?? freshEntry(ref, spec);
    return { ...entry, holders: [...entry.holders, holder] };
  });
  const steps = entries.map((entry) => stepFor(entry, reading.rules, now));
  const refusals = refusalsOf(
    { ref, rules: reading.rules, entries, facts, policy },
    now,
    app.firewall.skewMs(),
    app.settings.skewMaxMs,
  );
  for (const refusal of refusals.values()) throw fail(refusal.code as ErrorCode, refusal.detail);
  const request: LeaseRequest = {
    leaseId,
    principal: caller.principal,
    group: ref,
    groupName: target.facts.name,
    instanceId: target.instanceId,
    specs,
    entryIds: entries.map((entry) => entry.entryId),
    periodMs: ask.periodMs,
    reason: ask.reason,
    ticket: ask.ticket,
    requestedAt: now,
  };
  const status: LeaseStatus = {
    state: "requested",
    until,
    openedAt: null,
    closedAt: null,
    preExisting: steps.every((step) => step.rides),
    ruleIds: [],
    note: "dry run: nothing was booked",
    noteDetail: null,
  };
  return {
    lease: { request, status },
    reach: reachOf(specs, target.members),
    settled: true,
    extended: false,
    plan: steps.flatMap((step) => step.words),
    notes: [NEW_CONNECTIONS_ONLY],
  };
}

/** What opening would do for one rule; the lease that asks is the entry's last holder. */
function stepFor(
  entry: Entry,
  rules: readonly Rule[],
  now: number,
): { readonly words: readonly string[]; readonly rides: boolean } {
  const { key, standing, holders } = entry;
  if (standing.kind === "ours" && rules.some((rule) => rule.id === standing.ruleId)) {
    const others = holders.slice(0, -1).filter((it) => isHolding(it, now));
    const moves = others.every((it) => it.until < (holders.at(-1)?.until ?? 0));
    const mark = moves ? [`rewrite the mark of ${standing.ruleId}`] : [];
    return { words: [`hold ${standing.ruleId} with another lease: ${key}`, ...mark], rides: false };
  }
  return rules.some((rule) => ruleKey(rule) === key)
    ? { words: [`ride on the rule that is there: ${key}`], rides: true }
    : { words: [`authorize ${key}`], rides: false };
}
