// Opens a port for a time: books the lease, then runs a pass over its group.
import { createHash } from "node:crypto";
import { type Cidr, widestPrefix } from "../domain/cidr.ts";
import { coversPort, parseGrant } from "../domain/grant.ts";
import type { LeaseId } from "../domain/ids.ts";
import { extendedEnd } from "../domain/lease.ts";
import type { Lease, LeaseRequest, LeaseStatus } from "../domain/lease-record.ts";
import type { Policy } from "../domain/policy.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { entryIdOf, ruleKey } from "../domain/rule-key.ts";
import { fail } from "../errors/app-error.ts";
import { catalogue, type ErrorCode } from "../errors/catalogue.ts";
import { isHolding } from "../plan/plan-group.ts";
import { type Due, dueLease, dueWrite } from "../store/due.ts";
import { claimKey } from "../store/idempotency.ts";
import { createLease, getLease, newLeaseId } from "../store/leases.ts";
import { getEntry } from "../store/ledger.ts";
import type { App, Caller } from "./app.ts";
import { bookHolds, freshEntry, NET_AFTER_MS } from "./book-holds.ts";
import { checkPeriod } from "./check-period.ts";
import { extendHolds } from "./extend-lease.ts";
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
  grantOf(ask, policy, null);
  checkPeriod(ask.periodMs, policy);
  const target = await findTarget(app, policy, ask);
  const specs = specsFor(ask, policy, target);
  if (options.dryRun) return dryRun(app, caller, ask, target, specs);

  if (options.mode === "repeat") {
    const again = await extendOwn(app, caller, ask, target, specs);
    if (again) return again;
  }
  const lease = await book(app, caller, ask, target, specs, options.idempotencyKey);
  return settleOpening(app, caller, target, lease);
}

async function settleOpening(app: App, caller: Caller, target: Target, lease: Lease): Promise<LeaseAnswer> {
  const { request } = lease;
  const net = dueLease(request.group, request.leaseId, netAt(request), app.settings.shards);
  const cause = `open ${request.leaseId}`;
  const { lease: now, settled } = await settleLease(app, request.group, request.leaseId, {
    cause,
    actor: caller.principal,
    policy: caller.policy,
    priority: "open",
    net,
    wanted: (it) => it.status.state === "open",
    ...(target.dests.length > 0 ? { members: target.members } : {}),
  });
  throwIfFailed(now);
  const notes = [NEW_CONNECTIONS_ONLY];
  if (now.status.preExisting)
    notes.push("A rule that was there before allows the same: the lease rides on it and its end removes nothing.");
  return { lease: now, reach: reachOf(request.specs, target.members), settled, extended: false, plan: [], notes };
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

/** Extends the caller's own live lease on these very rules, where there is one. */
async function extendOwn(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  target: Target,
  specs: readonly RuleSpec[],
): Promise<LeaseAnswer | null> {
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
  return lease && lease.request.specs.length === specs.length
    ? extendHolds(app, caller, lease, ask.periodMs, target.members)
    : null;
}

const entryIdFor = (target: Target, spec: RuleSpec) => entryIdOf(target.facts.ref.groupId, ruleKey(spec));

/** Books: idempotency key, due rows, lease, ledger; in this order, so that a crash in between leaves work the sweep finds. */
async function book(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  target: Target,
  specs: readonly RuleSpec[],
  idempotencyKey: string | null,
): Promise<Lease> {
  const now = app.clock.now();
  let leaseId = newLeaseId(now, app.random);
  if (idempotencyKey !== null) {
    const requestHash = createHash("sha256").update(JSON.stringify(ask)).digest("hex");
    const claim = await claimKey(app.tables, `${caller.principal}/${idempotencyKey}`, { leaseId, requestHash });
    if (claim.requestHash !== requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
    leaseId = claim.leaseId;
    const known = claim.first ? null : await getLease(app.tables, leaseId);
    if (known) {
      await bookHolds(app, known);
      return known;
    }
  }
  // Marks and wake-ups know whole seconds.
  const until = Math.ceil((now + ask.periodMs) / 1000) * 1000;
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
    state: "approved",
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
  const lease = { request, status };
  await createLease(app.tables, lease);
  await Promise.all([bookHolds(app, lease), app.wakeup.arm(end.shard, until)]);
  return lease;
}

/** What opening would do; reads the group and writes nothing. */
async function dryRun(
  app: App,
  caller: Caller,
  ask: LeaseAsk,
  target: Target,
  specs: readonly RuleSpec[],
): Promise<LeaseAnswer> {
  const { ref } = target.facts;
  const now = app.clock.now();
  const { policy } = caller;
  const [reading, facts] = await Promise.all([
    app.firewall.readGroup(ref, "open"),
    readOpenFacts(app, ref, target.members),
  ]);
  const leaseId = "ls-dry-run" as LeaseId;
  const until = extendedEnd({
    oldEnd: now,
    now,
    periodMs: ask.periodMs,
    openedFrom: now,
    totalMaxMs: policy.lease.totalMaxMs,
  }).end;
  const holders = [{ leaseId, principal: caller.principal, reason: ask.reason, until, openedAt: null, ended: null }];
  const keys = new Set(reading.rules.map((rule) => ruleKey(rule) as string));
  const plan: string[] = [];
  const entries = specs.map((spec) => ({ ...freshEntry(ref, spec), holders }));
  for (const { key } of entries)
    plan.push(keys.has(key) ? `ride on the rule that is there: ${key}` : `authorize ${key}`);
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
    preExisting: false,
    ruleIds: [],
    note: "dry run: nothing was booked",
    noteDetail: null,
  };
  return {
    lease: { request, status },
    reach: reachOf(specs, target.members),
    settled: true,
    extended: false,
    plan,
    notes: [NEW_CONNECTIONS_ONLY],
  };
}
