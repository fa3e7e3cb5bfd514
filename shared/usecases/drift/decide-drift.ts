// What a person says of drift: it is accepted, what was before comes back, or a hold is let go of.
import type { Allocation } from "../../domain/allocation.ts";
import { type DriftItem, type DriftState, isOpenDrift, type KeptRule } from "../../domain/drift-item.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Reach } from "../../domain/lease-record.ts";
import { parseMark } from "../../domain/mark.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import { guardOfTag } from "../../plan/effective-guard.ts";
import { carriesOurMark } from "../../plan/picture.ts";
import { keptFor } from "../../plan/plan-lockdown.ts";
import { getDrift as readDrift, saveDrift } from "../../store/drift-items.ts";
import { getGroupRow, saveGroupRow } from "../../store/group-rows.ts";
import { listHistory } from "../../store/history.ts";
import { getEntry } from "../../store/ledger.ts";
import { readMode } from "../../store/mode.ts";
import type { App, Caller } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { refuseProtected } from "../lease/find-target.ts";
import { reachOf } from "../lease/lease-answer.ts";
import { requireWayIn } from "../lease/require-way-in.ts";
import { freshEntry } from "../ledger/book-holds.ts";
import { type AllocationChange, changeAllocations } from "../ledger/change-allocations.ts";
import { lowerTagGuard } from "../ledger/confirm-guard.ts";
import { driftNet, type Net } from "../ledger/net.ts";
import { writtenFor } from "../ledger/rule-description.ts";
import { grantInTurn, requireConfirmed, sensitiveBesideGranted } from "../ledger/sensitive-ports.ts";
import { requireNormalMode } from "../policy/require-mode.ts";
import { recordDecision } from "../records/record-decision.ts";
import { shownDriftId } from "./drift-id.ts";
import { getDrift } from "./list-drift.ts";

/** For whom and why a rule is accepted. */
export interface DriftWord {
  readonly owner: string;
  readonly reason: string;
  readonly ticket: string;
  readonly sensitiveConfirmed: boolean;
}

export interface DriftAnswer {
  readonly item: DriftItem;
  readonly group: GroupRef;
  readonly reach: Reach;
  /** The changes in words. */
  readonly plan: readonly string[];
}

type Verb = "adopt" | "restore" | "release";

/** What a decision changes, found out before anything is written. */
interface Decision {
  readonly state: DriftState;
  readonly plan: readonly string[];
  readonly carryOut: () => Promise<void>;
  /** Throws where somebody else has decided otherwise since it was carried out. */
  readonly requireStill?: () => Promise<void>;
}

/**
 *     kind      adopt, open or rolled back        restore, open        restore, rolled back   release, held
 *     added     allocated                         refused              allocated and opened   back to reported
 *     removed   its entry is retired              opened again         it is back already     back to reported
 *     edited    the found rule instead of it      opened again         it is back already     back to reported
 *               and of leases that had it open
 *     guard     the lower guard is confirmed      refused              never                  refused
 *
 * Whatever is decided ends a hold on the rule: what becomes of it later is judged anew. A hold outlives its difference, and is let go of by
 * the item that is over.
 *
 * The item's state is written last: a decision that died on the way is taken by the same call again.
 */
export async function decideDrift(
  app: App,
  caller: Caller,
  id: string,
  verb: Verb,
  word: DriftWord,
  options: { readonly dryRun: boolean },
): Promise<DriftAnswer> {
  const item = await getDrift(app, caller, id);
  const { group } = item;
  const specs = [item.found ?? item.wanted].flatMap((kept) => (kept ? [kept.spec] : []));
  const members = await app.inventory.members(group, "drift").catch(() => []);
  const answer = { item, group, reach: reachOf(specs, members), plan: [] };
  if (isDone(item, verb)) return answer;
  const work = { app, caller, item, word, dryRun: options.dryRun };
  const decision = await { adopt: adoption, restore: restoration, release: letting }[verb](work);
  const { plan } = decision;
  if (options.dryRun) return { ...answer, plan };
  const net = driftNet(app, group);
  await decision.carryOut();
  await forgetHold(app, item, net);
  const decided = await moveTo(app, item, decision);
  await net.hold();
  await recordDecision(app, caller, group, `${verb} ${shownDriftId(item)}`, {
    lines: [...plan, ...(word.reason ? [word.reason] : [])],
    changes: [{ what: `drift ${shownDriftId(item)}`, before: item.state, after: decided.state }],
  });
  return { ...answer, item: decided, plan };
}

interface Work {
  readonly app: App;
  readonly caller: Caller;
  readonly item: DriftItem;
  readonly word: DriftWord;
  readonly dryRun: boolean;
}

function isDone({ state, kind }: DriftItem, verb: Verb): boolean {
  if (verb === "adopt") return state === "adopted";
  if (verb === "restore") return state === "restored" || (state === "rolledBack" && kind !== "added");
  return state === "waiting" || state === "reported";
}

function refuse(item: DriftItem, why: string): Error {
  return fail("DRIFT_DECIDED", { drift: shownDriftId(item), kind: item.kind, state: item.state, why });
}

async function adoption(work: Work): Promise<Decision> {
  const { app, caller, item } = work;
  const { group, kind, found, wanted, state } = item;
  const isHalfDone = await isHalfAdopted(work);
  if (!isHalfDone && !isOpenDrift(item) && state !== "rolledBack")
    throw refuse(item, "it is over and cannot be adopted");
  if (kind === "guard") return guardAdoption(work);
  // What was rolled back does not stand, and what is being rolled back may not: to accept it is to open it.
  const seenAt = state === "rolledBack" || state === "rollingBack" ? null : app.clock.now();
  // With open hours the rule was ours, and would be closed as an entry's that is over. What was put right is nobody else's.
  const taken = kind === "edited" && seenAt !== null ? item.ruleId : null;
  const isOnlyWords = found !== null && wanted !== null && ruleKey(found.spec) === ruleKey(wanted.spec);
  const retired: AllocationChange[] =
    wanted && !isOnlyWords ? [{ spec: wanted.spec, allocation: null, takenOver: taken }] : [];
  const allocated = found && kind !== "removed" && !isHalfDone ? [await accepted(work, found, seenAt)] : [];
  if (found && allocated.length > 0) await (seenAt === null ? requireOpening(work, found) : requireSeen(work, found));
  if (kind === "removed" && wanted && seenAt !== null) await requireSeen(work, wanted);
  const changes = (await isRetiredFirst(work)) ? [...retired, ...allocated] : [...allocated, ...retired];
  return {
    state: "adopted",
    plan: changes.map(({ spec, allocation }) => `${allocation ? "allocate" : "retire"} ${ruleKey(spec)}`),
    carryOut: () =>
      found && allocated.length > 0
        ? grantInTurn(app, caller, group, sensitiveOf(work, found), changes)
        : changeAllocations(app, group, caller.principal, changes),
  };
}

/**
 * Whoever dies in between leaves both granted, as in an enforced group neither would stand else. But a lease has no word in what stands for
 * good, and would take the rule with it; and what lets everybody reach a sensitive port only beside the old rule is never granted with it.
 */
async function isRetiredFirst({ app, caller, item: { group, found, wanted }, word }: Work): Promise<boolean> {
  if (!found || !wanted) return false;
  const entry = await getEntry(app.tables, group, freshEntry(group, wanted.spec).entryId);
  if (!entry?.allocation) return true;
  if (word.sensitiveConfirmed && caller.roles.includes("admin")) return false;
  const together = { specs: [found.spec], replaced: null };
  return (await sensitiveBesideGranted(app, caller.policy, group, together)).length > 0;
}

/**
 * True where the same person has died, or was stopped, between granting what was found and retiring what was before, and a pass has since
 * taken the difference for over.
 */
async function isHalfAdopted({ app, caller, item }: Work): Promise<boolean> {
  const { group, kind, state, found, wanted, ruleId, firstSeenAt } = item;
  if (kind !== "edited" || state !== "gone" || !found || !wanted || ruleKey(found.spec) === ruleKey(wanted.spec))
    return false;
  const [given, before] = await Promise.all(
    [found, wanted].map(({ spec }) => getEntry(app.tables, group, freshEntry(group, spec).entryId)),
  );
  if (!given?.allocation || !before?.allocation) return false;
  const { by, at, provenance } = given.allocation;
  const isTheirs = by === caller.principal && provenance === "adopted";
  const isOfIt = given.standing.kind !== "none" && given.standing.ruleId === ruleId;
  return isTheirs && isOfIt && at >= firstSeenAt && before.allocation.at < at;
}

/** A rule as it has to be confirmed, where it may let everybody reach a sensitive port. */
const sensitiveOf = ({ item, word }: Work, { spec }: KeptRule) => ({
  specs: [spec],
  replaced: item.wanted?.spec ?? null,
  isConfirmed: word.sensitiveConfirmed,
});

/** The found rule as an allocation: with what its entry said before, where it had one. */
async function accepted(work: Work, found: KeptRule, seenAt: number | null): Promise<AllocationChange> {
  const { app, caller, item, word } = work;
  const { group, wanted } = item;
  await requireConfirmed(app, caller, group, sensitiveOf(work, found));
  const before = wanted && (await lastAllocation(app, group, wanted));
  const owner = word.owner || before?.owner;
  const reason = word.reason || before?.reason;
  for (const [field, value] of Object.entries({ owner, reason }))
    if (!value) throw fail("REQUEST_INVALID", { field, why: `${field} is missing` });
  const openHours = before?.openHours ?? null;
  const isMarked = parseMark(found.description) !== null;
  const rule = { ...found.spec, description: found.description, id: item.ruleId, createdAt: null };
  // The mark of something else ends nothing: the rule stays as it was accepted, and the ledger knows no words of it.
  const isOthers =
    isMarked && seenAt !== null && openHours === null && !carriesOurMark(rule, { group, ...app.settings });
  const allocation: Allocation = {
    provenance: "adopted",
    owner: owner ?? "",
    application: before?.application ?? "",
    reason: reason ?? "",
    ticket: word.ticket || before?.ticket || "",
    allowedSources: before?.allowedSources ?? [],
    openHours,
    description: isOthers ? "" : isMarked ? writtenFor(reason ?? "") : found.description,
    by: caller.principal,
    at: app.clock.now(),
    seenAt,
  };
  return { spec: found.spec, allocation, standsAs: seenAt === null ? null : item.ruleId };
}

/**
 * What a pass would refuse to open is not said to be back. Throws MODE_FORBIDS, GROUP_LOCKED_DOWN, GROUP_PROTECTED, GROUP_UNKNOWN. Drops
 * open nothing, and what a lockdown keeps it lets open.
 */
async function requireOpening({ app, caller, item }: Work, { spec }: KeptRule): Promise<void> {
  const { policy } = caller;
  const { group } = item;
  const { mode } = await readMode(app.tables);
  if (mode === "halt" || (mode !== "normal" && spec.policy === "accept")) throw fail("MODE_FORBIDS", { mode });
  const facts = await findGroup(app, policy, group.groupId);
  const members = await app.inventory.members(group, "drift");
  await refuseProtected(app, facts, members, policy);
  const { operatorPath, lockdown } = policy;
  if (spec.policy === "drop" || keptFor(spec, { core: lockdown.core, operatorPath }) !== null) return;
  await requireWayIn(app, policy, { group, groupName: facts.name, specs: [spec] }, members);
}

/**
 * Nobody accepts what is not as it was seen: what has gone since would be owed, and what is back would be nobody's. The item is looked at anew.
 */
async function requireSeen({ app, item, dryRun }: Work, { spec }: KeptRule): Promise<void> {
  const { group, kind } = item;
  const { rules } = await app.firewall.readGroup(group, "drift");
  const key = ruleKey(spec);
  const isGone = !rules.some((rule) => ruleKey(rule) === key);
  if (isGone === (kind === "removed")) return;
  if (!dryRun) await driftNet(app, group).hold();
  throw refuse(item, isGone ? "the rule is not there any more" : "the rule is there again");
}

/** What was last allocated for a rule, also when a decision that died has retired it. */
async function lastAllocation(app: App, group: GroupRef, { spec }: KeptRule): Promise<Allocation | null> {
  const { entryId } = freshEntry(group, spec);
  const [entry, [last]] = await Promise.all([
    getEntry(app.tables, group, entryId),
    listHistory(app.tables, group, entryId, 1),
  ]);
  return entry?.allocation ?? last?.before ?? null;
}

async function guardAdoption({ app, item }: Work): Promise<Decision> {
  const { group } = item;
  const facts = await app.inventory.group(group, "drift", true);
  if (!facts) throw fail("GROUP_UNKNOWN", { group: group.groupId, region: group.region });
  const guard = guardOfTag(facts.tags);
  return {
    state: "adopted",
    plan: [`lower the guard by tag to ${guard}`],
    carryOut: () => lowerTagGuard(app, group, guard),
  };
}

async function restoration(work: Work): Promise<Decision> {
  const { app, caller, item } = work;
  const { group, kind, found, wanted, state } = item;
  if (kind === "guard") throw refuse(item, "set the tag again, or the guard in the policy");
  if (kind === "added") {
    if ((state !== "rolledBack" && state !== "rollingBack") || !found)
      throw refuse(item, "nothing of it was removed; adopt it, or remove the rule");
    const change = await accepted(work, found, null);
    await requireOpening(work, found);
    return {
      state: "restored",
      plan: [`allocate ${ruleKey(found.spec)} and open it`],
      carryOut: () => grantInTurn(app, caller, group, sensitiveOf(work, found), [change]),
    };
  }
  if (!isOpenDrift(item) || !wanted) throw refuse(item, "it is over and cannot be restored");
  const entry = await getEntry(app.tables, group, freshEntry(group, wanted.spec).entryId);
  if (!entry?.allocation) throw refuse(item, "its entry was retired meanwhile");
  const requireStill = async (): Promise<void> => {
    const owed = await getEntry(app.tables, group, entry.entryId);
    if (!owed?.allocation) throw refuse(item, "its entry was retired meanwhile");
  };
  const onlyWords = found !== null && ruleKey(found.spec) === entry.key;
  await (onlyWords ? requireNormalMode(app) : requireOpening(work, wanted));
  return {
    state: "restored",
    plan: [onlyWords ? `describe ${entry.key} as it was` : `open ${entry.key} again`],
    carryOut: async () => {
      await changeAllocations(app, group, caller.principal, [{ spec: wanted.spec, again: true }]);
      await requireStill();
    },
    requireStill,
  };
}

async function letting({ app, item }: Work): Promise<Decision> {
  const { group, state, verdict, key } = item;
  const isHeld = state === "held" || (await getGroupRow(app.tables, group)).holds.some((hold) => hold.key === key);
  if (!isHeld) throw refuse(item, "nothing holds it");
  const plan = [`let go of the hold on ${key}`];
  const carryOut = () => driftNet(app, group).hold();
  return { state: state !== "held" ? state : verdict.kind === "unknown" ? "waiting" : "reported", plan, carryOut };
}

/** A person has decided about the rule: what was counted of it before counts no more. */
async function forgetHold(app: App, { group, key, found, wanted }: DriftItem, net: Net): Promise<void> {
  const keys = new Set([key, ...[found, wanted].flatMap((kept) => (kept ? [ruleKey(kept.spec)] : []))]);
  for (;;) {
    const row = await getGroupRow(app.tables, group);
    const holds = row.holds.filter((hold) => !keys.has(hold.key));
    const reverts = row.reverts.filter((revert) => !keys.has(revert.key));
    if (holds.length === row.holds.length && reverts.length === row.reverts.length) return;
    await net.hold();
    if (await saveGroupRow(app.tables, { ...row, holds, reverts, settled: null })) return;
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
  }
}

/** A pass may have moved the item meanwhile: what the person decided counts. Of two persons the last one whose word the ledger has. */
async function moveTo(app: App, item: DriftItem, { state, requireStill }: Decision): Promise<DriftItem> {
  let stored: DriftItem = item;
  for (;;) {
    if (stored.state === state) return stored;
    const now = app.clock.now();
    const saved = await saveDrift(app.tables, { ...stored, state, heldBy: null, changedAt: now }, now);
    if (saved) return saved;
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
    stored = (await readDrift(app.tables, item.group, item.driftId)) ?? { ...item, rev: 0 };
    await requireStill?.();
  }
}
