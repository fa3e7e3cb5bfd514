// The one way in which allocations change: a look is booked, the change announced, told to the history, written and closed off.
import type { Allocation } from "../../domain/allocation.ts";
import type { Baseline, GroupRow } from "../../domain/guard.ts";
import type { GroupRef, RuleId, RuleKey } from "../../domain/ids.ts";
import type { Entry, Holder, Standing } from "../../domain/ledger-entry.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import {
  type AllocationsDigest,
  allocationsDigest,
  baselineAgrees,
  countedBaseline,
  isSameDigest,
  withGivenBack,
} from "../../plan/effective-guard.ts";
import type { Write } from "../../ports/tables.ts";
import { getGroupRow, saveGroupRow } from "../../store/group-rows.ts";
import { type HistoryKind, historyWrite } from "../../store/history.ts";
import { deleteEntry, getEntry, listEntries, saveEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { freshEntry } from "./book-holds.ts";
import { driftNet } from "./net.ts";

/** What is to become of a rule's allocation; null retires it. */
export interface AllocationChange {
  readonly spec: RuleSpec;
  readonly allocation: Allocation | null;
  /**
   * Of what is allocated, the rule as it was read; it may be gone before a pass reads it again, and then it was this one that somebody
   * removed. With open hours the rule is the program's from then on: closed outside of them, and opened again within.
   */
  readonly standsAs?: RuleId | null;
  /** Of what is retired, the rule that another entry takes over: leases that had it open end with it. */
  readonly takenOver?: RuleId | null;
  /** Of what is retired: not where somebody has asked for it anew. */
  readonly unlessOwed?: true;
}

/** What is allocated stays as it is stored by then, and its rule is owed anew. */
export interface OwedAgain {
  readonly spec: RuleSpec;
  readonly again: true;
}

type Change = AllocationChange | OwedAgain;

/** How long another change of the same group may take before it counts as dead. */
const OTHERS_MS = 2000;
const POLL_MS = 100;

/**
 * Changes allocations one after the other, each announced by itself, so that after a crash between any two writes the ledger is
 * still one that the baseline knows, a look at the group is due, and the same call again finishes. Per change:
 *
 *     1  due row            somebody looks at the group
 *     2  group row          the baseline's `next`: what the ledger will be; nothing counts as settled
 *     3  history line       what was and what will be; with the first one `beside`, such as notices of the changes
 *     4  ledger row
 *     5  group row          the baseline is what the ledger is; `next` is over, and so is a hold on the rule
 *
 * Throws BASELINE_DISAGREES when the ledger is none that a person confirmed: a change must not make a disagreement the baseline; and
 * GROUP_BUSY before a change that `mayWrite` forbids.
 */
export async function changeAllocations(
  app: App,
  group: GroupRef,
  by: string,
  changes: readonly Change[],
  mayWrite: () => boolean = () => true,
  beside: readonly Write[] = [],
): Promise<void> {
  const net = driftNet(app, group);
  for (const [index, change] of distinct(changes).entries()) {
    await net.hold();
    const expected = await announce(app, group, [change], null);
    await net.hold();
    if (!mayWrite()) throw fail("GROUP_BUSY", { group: group.groupId });
    const before = await writeEntry(app, group, by, change, index === 0 ? beside : []);
    await closeOff(app, group, [change], expected, null, withoutChange(group, change, before));
    await net.hold();
  }
}

/**
 * Changes one allocation in a ledger that no baseline knows any more, or of which nobody can tell. It makes no baseline of it: the group is
 * observed until a person has confirmed what they find, or all but what is given back here is once more what was confirmed. After
 * BASELINE_DISAGREES and STATE_UNREADABLE alone.
 */
export async function changeUnconfirmed(
  app: App,
  group: GroupRef,
  by: string,
  change: AllocationChange,
): Promise<void> {
  const net = driftNet(app, group);
  await net.hold();
  for (;;) {
    const row = await getGroupRow(app.tables, group);
    const { entryId, key } = freshEntry(group, change.spec);
    const after = entryAfter(group, await getEntry(app.tables, group, entryId), change);
    const baseline = row.baseline && withGivenBack(row.baseline, key, after);
    // Noted before it is given: what comes about has to be known as such.
    if (await saveGroupRow(app.tables, { ...withoutHolds(row, [change]), baseline, settled: null })) break;
    await pause(app);
  }
  await net.hold();
  await writeEntry(app, group, by, change);
  await net.hold();
}

/** A person's word that the ledger they looked at, once changed, is what should stand. */
export interface Confirmation extends Pick<Baseline, "confirmedBy" | "confirmedAt"> {
  readonly looked: AllocationsDigest;
}

/**
 * Changes allocations all together and makes the result the baseline. A crash in between leaves a ledger no baseline knows: the
 * group is observed until a person confirms again. Throws BASELINE_CHANGED when the ledger is not the one they looked at, and GROUP_BUSY
 * before a change that `mayWrite` forbids.
 */
export async function confirmAllocations(
  app: App,
  group: GroupRef,
  confirmation: Confirmation,
  changes: readonly Change[],
  mayWrite: () => boolean = () => true,
): Promise<void> {
  const net = driftNet(app, group);
  const all = distinct(changes);
  await net.hold();
  const expected = await announce(app, group, all, confirmation);
  await inParallel(all, async (change) => {
    await net.hold();
    if (!mayWrite()) throw fail("GROUP_BUSY", { group: group.groupId });
    await writeEntry(app, group, confirmation.confirmedBy, change);
  });
  await closeOff(app, group, all, expected, confirmation);
  await net.hold();
}

/** Answers what the ledger will be, or null in a group without a baseline. */
async function announce(
  app: App,
  group: GroupRef,
  changes: readonly Change[],
  confirmation: Confirmation | null,
): Promise<AllocationsDigest | null> {
  for (;;) {
    const row = await rowAtRest(app, group);
    const { baseline } = row;
    if (baseline === null && confirmation === null) {
      if (row.settled === null || (await saveGroupRow(app.tables, { ...row, settled: null }))) return null;
    } else {
      const entries = await wholeLedger(app, group);
      const next = allocationsDigest(entriesAfter(group, entries, changes));
      const actual = allocationsDigest(entries);
      if (confirmation !== null && !isSameDigest(confirmation.looked, actual))
        throw fail("BASELINE_CHANGED", { group: group.groupId });
      const isKnown = baseline !== null && baselineAgrees(baseline, entries);
      if (!isKnown && confirmation === null) throw fail("BASELINE_DISAGREES", { group: group.groupId });
      const announced = baseline && { ...(isKnown ? countedBaseline(baseline, entries) : baseline), next };
      if (await saveGroupRow(app.tables, { ...row, baseline: announced, settled: null })) return next;
    }
    await pause(app);
  }
}

type Entries = readonly Entry[];

/** The ledger as it would be had the entry of the change stayed as it was. */
const withoutChange =
  (group: GroupRef, { spec }: Change, before: Entry | null) =>
  (entries: Entries): Entries => {
    const { entryId } = freshEntry(group, spec);
    return [...entries.filter((entry) => entry.entryId !== entryId), ...(before === null ? [] : [before])];
  };

/** The row without what was counted of these rules before: a word on them is said, and what becomes of them later is judged anew. */
function withoutHolds(row: GroupRow, changes: readonly Change[]): GroupRow {
  const keys = new Set(changes.map(({ spec }) => ruleKey(spec)));
  const isOthers = ({ key }: { readonly key: RuleKey }): boolean => !keys.has(key);
  const [holds, reverts] = [row.holds.filter(isOthers), row.reverts.filter(isOthers)];
  return holds.length === row.holds.length && reverts.length === row.reverts.length ? row : { ...row, holds, reverts };
}

/**
 * Whoever was frozen so long that others took its change for dead has made it beside theirs: where all but it is what was confirmed, it
 * is made the baseline as it would be by asking for it now.
 */
async function closeOff(
  app: App,
  group: GroupRef,
  changes: readonly Change[],
  expected: AllocationsDigest | null,
  confirmation: Confirmation | null,
  without: (entries: Entries) => Entries = (entries) => entries,
): Promise<void> {
  for (;;) {
    const row = await getGroupRow(app.tables, group);
    const word = confirmation ?? row.baseline;
    const free = withoutHolds(row, changes);
    let closed: GroupRow = { ...free, settled: null };
    if (expected !== null && word !== null) {
      const next = row.baseline?.next ?? null;
      const entries = await wholeLedger(app, group);
      if (confirmation === null && (next === null || !isSameDigest(next, expected))) {
        // Somebody took this change for dead, and has settled it or will.
        if (row.baseline === null || baselineAgrees(row.baseline, entries)) return;
        if (!baselineAgrees(row.baseline, without(entries))) return;
      } else if (!isSameDigest(allocationsDigest(entries), expected))
        throw fail("BASELINE_DISAGREES", { group: group.groupId });
      const { confirmedBy, confirmedAt } = word;
      closed = {
        ...closed,
        baseline: countedBaseline({ ...row.baseline, confirmedBy, confirmedAt, next: null }, entries),
      };
    } else if (row.settled === null && free === row) return;
    if (await saveGroupRow(app.tables, closed)) return;
    await pause(app);
  }
}

/** The group's row when no change is under way, or the one that is has had its time. */
async function rowAtRest(app: App, group: GroupRef): Promise<GroupRow> {
  const since = app.clock.monotonicMs();
  for (;;) {
    const row = await getGroupRow(app.tables, group);
    if (!row.baseline?.next || app.clock.monotonicMs() - since >= OTHERS_MS) return row;
    await app.clock.sleep(POLL_MS);
  }
}

/** Answers the entry as it was before. */
async function writeEntry(
  app: App,
  group: GroupRef,
  by: string,
  change: Change,
  beside: readonly Write[] = [],
): Promise<Entry | null> {
  const { entryId } = freshEntry(group, change.spec);
  for (;;) {
    const stored = await getEntry(app.tables, group, entryId);
    const next = entryAfter(group, stored, change);
    const [before, after] = [stored?.allocation ?? null, next?.allocation ?? null];
    if (next === null || JSON.stringify([before, stored?.standing]) === JSON.stringify([after, next.standing]))
      return stored;
    const kind: HistoryKind = before === null ? "allocated" : after === null ? "retired" : "changed";
    const at = app.clock.now();
    const line = { group, entryId, at, kind, by, spec: change.spec, before, after, leases: [], createdAt: null };
    await app.tables.writeAll([...beside, historyWrite(line, app.random)]);
    if (await (isEmpty(next, before) ? deleteEntry(app.tables, next) : saveEntry(app.tables, next))) return stored;
    await pause(app);
  }
}

/** Nothing stands for it, nobody holds it, and no opening of it can be on its way. */
const isEmpty = (entry: Entry, before: Allocation | null): boolean =>
  entry.allocation === null &&
  entry.holders.length === 0 &&
  entry.standing.kind === "none" &&
  before !== null &&
  before.openHours === null &&
  before.seenAt !== null;

/** The entry with its allocation changed; null when there is none and none is asked for. */
function entryAfter(group: GroupRef, stored: Entry | null, change: Change): Entry | null {
  if ("again" in change)
    return stored?.allocation ? { ...stored, allocation: { ...stored.allocation, seenAt: null } } : stored;
  const { spec, allocation, standsAs, takenOver, unlessOwed } = change;
  const isTaken = allocation?.openHours != null;
  const standing: Standing =
    standsAs && allocation ? { kind: isTaken ? "ours" : "preExisting", ruleId: standsAs } : { kind: "none" };
  if (stored === null) return allocation && { ...freshEntry(group, spec), standing, allocation };
  if (unlessOwed && allocation === null && stored.allocation?.seenAt === null) return stored;
  if (allocation === null && stored.standing.kind !== "none" && stored.standing.ruleId === takenOver)
    return { ...stored, standing, allocation, holders: stored.holders.map(withoutRule) };
  const kept = stored.allocation;
  // Who gives again what is given already changes nothing: the first word counts.
  const isSame = kept !== null && allocation !== null && contentOf(kept) === contentOf(allocation);
  return {
    ...stored,
    standing:
      stored.standing.kind === "none" || (stored.standing.kind === "preExisting" && standing.kind === "ours")
        ? standing
        : stored.standing,
    allocation: isSame ? { ...kept, seenAt: allocation.seenAt } : allocation,
  };
}

/** Who had it open has lost it to the rule that was accepted in its place; nobody has asked for another one. */
function withoutRule(holder: Holder): Holder {
  if (holder.kind !== "lease" || holder.openedAt === null || holder.ended !== null) return holder;
  const note = "its rule was changed by somebody else, and that was accepted in its place";
  return { ...holder, ended: { cause: "removed", note, detail: null } };
}

const contentOf = (allocation: Allocation): string => {
  const { provenance, owner, application, reason, ticket, allowedSources, openHours, description } = allocation;
  const { backup = "" } = allocation;
  return JSON.stringify([
    provenance,
    owner,
    backup,
    application,
    reason,
    ticket,
    allowedSources,
    openHours,
    description,
  ]);
};

function entriesAfter(group: GroupRef, entries: readonly Entry[], changes: readonly Change[]): Entry[] {
  const after = new Map(entries.map((entry) => [entry.entryId, entry]));
  for (const change of changes) {
    const entryId = entryIdOf(group.groupId, ruleKey(change.spec));
    const next = entryAfter(group, after.get(entryId) ?? null, change);
    if (next) after.set(entryId, next);
  }
  return [...after.values()];
}

async function wholeLedger(app: App, group: GroupRef): Promise<readonly Entry[]> {
  const { entries, unreadable } = await listEntries(app.tables, group);
  if (unreadable[0] !== undefined)
    throw fail("STATE_UNREADABLE", { table: "ledger", key: `${group.groupId} ${unreadable[0]}` });
  return entries;
}

/** One change per rule: the last word counts. */
function distinct(changes: readonly Change[]): Change[] {
  return [...new Map(changes.map((change) => [ruleKey(change.spec), change])).values()];
}

const pause = (app: App): Promise<void> => app.clock.sleep(5 * (1 + app.random.fraction() * 4));
