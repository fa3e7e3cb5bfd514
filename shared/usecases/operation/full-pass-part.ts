// A part of a full pass: so many groups of one region, looked at in the order of their ids, from where the part's row says.
import { FULL_PASS_EVERY_MS } from "../../domain/full-pass.ts";
import { freshGroupRow } from "../../domain/guard.ts";
import type { GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { isSettledUnguarded, settledDigest } from "../../domain/settlement.ts";
import { effectiveGuard } from "../../plan/effective-guard.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { type Due, dueDelete } from "../../store/due.ts";
import { type Part, progressWrite, readPart } from "../../store/full-pass.ts";
import type { KeptRow } from "../../store/group-rows.ts";
import { GroupRowsInOrder } from "../../store/group-rows-in-order.ts";
import { pageEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { tellOnce } from "../notices/tell.ts";

/** How a group is to be looked at. */
export interface LookAt {
  readonly cause: string;
  /** False in a recovery: marks are believed. */
  readonly stateKnown?: boolean;
  /** True for a guarded group that is not surely as its last pass left it. */
  readonly drift?: boolean;
}

export interface FullPassOptions {
  readonly policy: Policy;
  /** Monotonic instant after which no further group is begun. */
  readonly deadlineAt: number;
  /** Runs a pass over a group; false when it could not. */
  readonly look: (group: GroupRef, how: LookAt) => Promise<boolean>;
}

/** `done`: the row is gone; `later`: something is left for the next tick; `throttled`: as that, and no call is left to make. */
export type PartOutcome = "done" | "later" | "throttled";

const AT_ONCE = 8;

const isOfRecovery = (row: Due): boolean => row.id.startsWith("recovery");

/** Goes on with a part. `listed` are its groups where they are known already. */
export async function goOnWithPart(
  app: App,
  row: Due,
  options: FullPassOptions,
  listed?: readonly GroupFacts[],
): Promise<PartOutcome> {
  const stored = await readPart(app.tables, row);
  if (!stored) return "done";
  if (app.clock.monotonicMs() >= options.deadlineAt) return "later";
  const { part, reached } = stored;
  try {
    const groups = listed ?? (await listPart(app, row.region, part, options.deadlineAt));
    if (groups === null) return "later";
    const end = await lookAtGroups(app, options, { row, groups, reached });
    if (end.outcome !== "done")
      await app.tables.writeAll([progressWrite({ ...row, groupId: end.reached.groupId }, part)]);
    else await app.tables.writeAll([dueDelete(row)]);
    return end.outcome;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    if (error.kind === "throttled") return "throttled";
    if (error.kind === "unknown" || error.kind === "invalid") {
      if (!isOutOfTime(app, row)) return "later";
      await tellUnseen(app, row, `groups of ${row.region}`, row.id, null);
    }
    // The next full pass tries the region again.
    app.log.write("error", `the groups of ${row.region} cannot be listed`, { code: error.cloudCode ?? error.kind });
    await app.tables.writeAll([dueDelete(row)]);
    return "done";
  }
}

/**
 * The groups of a part. When the cloud takes the cursor no longer, the list is walked from its beginning: the part is as many groups
 * behind as lay before it. Null when the time is over.
 */
async function listPart(app: App, region: string, part: Part, deadlineAt: number): Promise<GroupFacts[] | null> {
  try {
    return await walk(app, region, { ...part, skip: 0 }, deadlineAt);
  } catch (error) {
    if (!(error instanceof CloudFailure) || error.kind !== "invalid" || part.cursor === null) throw error;
    return walk(app, region, { cursor: null, count: part.count, skip: part.before }, deadlineAt);
  }
}

async function walk(
  app: App,
  region: string,
  from: { readonly cursor: string | null; readonly skip: number; readonly count: number },
  deadlineAt: number,
): Promise<GroupFacts[] | null> {
  const found: GroupFacts[] = [];
  let { cursor, skip } = from;
  do {
    if (app.clock.monotonicMs() >= deadlineAt) return null;
    const page = await app.inventory.groupPage(region, cursor, "inventory");
    found.push(...page.groups.slice(skip, skip + from.count - found.length));
    skip = Math.max(0, skip - page.groups.length);
    cursor = page.next;
  } while (cursor !== null && found.length < from.count);
  return found;
}

async function lookAtGroups(
  app: App,
  options: FullPassOptions,
  work: { readonly row: Due; readonly groups: readonly GroupFacts[]; readonly reached: GroupRef },
): Promise<{ reached: GroupRef; outcome: PartOutcome }> {
  const { row } = work;
  const rows = new GroupRowsInOrder(app.tables, row.region);
  const groups = work.groups
    .filter((facts) => !facts.serviceManaged && facts.ref.groupId > work.reached.groupId)
    .sort((a, b) => (a.ref.groupId < b.ref.groupId ? -1 : 1));
  let { reached } = work;
  let outcome: PartOutcome = "done";
  for (let start = 0; start < groups.length; start += AT_ONCE) {
    if (app.clock.monotonicMs() >= options.deadlineAt) return { reached, outcome: "later" };
    const batch = groups.slice(start, start + AT_ONCE);
    const kept = await rows.next(batch.map((facts) => facts.ref.groupId));
    const answers = await Promise.all(
      batch.map((facts, index) => lookInTime(app, options, { pass: row, facts, row: kept[index] ?? null })),
    );
    // The next tick begins before the first group that could not be looked at; the others still have their turn now.
    if (answers.some((answer) => answer !== "looked")) outcome = "later";
    if (answers.includes("throttled")) return { reached, outcome: "throttled" };
    const last = batch.at(-1);
    if (outcome === "done" && last) reached = last.ref;
  }
  return { reached, outcome };
}

interface Look {
  readonly pass: Due;
  readonly facts: GroupFacts;
  readonly row: KeptRow | null;
}

/**
 * What cannot be looked at waits until the next pass should have begun, and no longer: as long as it waits, nothing else has its turn
 * again. A recovery is not over before all has been looked at.
 */
export const isOutOfTime = (app: App, pass: Due): boolean =>
  !isOfRecovery(pass) && app.clock.now() >= pass.at + FULL_PASS_EVERY_MS;

/** People are told once a pass of what it leaves to the next one. `id` tells one such thing from another. */
export async function tellUnseen(app: App, pass: Due, whom: string, id: string, group: GroupRef | null): Promise<void> {
  const at = app.clock.now();
  const what = `${whom} could not be looked at in this full pass; the next one tries again`;
  app.log.write("error", what);
  const to = [{ kind: "role", role: "operator" }] as const;
  const dedupe = `unseen/${id}/${pass.at}`;
  await tellOnce(app, [noticeOf("healthAlarm", { at, group, to, dedupe, data: { what, since: pass.at } })]);
}

async function lookInTime(app: App, options: FullPassOptions, it: Look): Promise<"looked" | "later" | "throttled"> {
  const { pass, facts } = it;
  const answer = await lookAtGroup(app, options, it);
  if (answer !== "later" || !isOutOfTime(app, pass)) return answer;
  const { groupId } = facts.ref;
  await tellUnseen(app, pass, `the group ${groupId}`, groupId, facts.ref);
  return "looked";
}

async function lookAtGroup(app: App, options: FullPassOptions, it: Look): Promise<"looked" | "later" | "throttled"> {
  const { ref } = it.facts;
  try {
    return (await isAtRest(app, options, it)) ? "looked" : "later";
  } catch (error) {
    // What is wrong with the store is wrong with all groups.
    if (error instanceof StoreFailure) throw error;
    if (!(error instanceof CloudFailure)) {
      app.log.write("error", `the group ${ref.groupId} cannot be looked at; it is tried again`, { cause: error });
      return "later";
    }
    if (error.kind === "throttled") return "throttled";
    if (error.kind === "unknown") return "later";
    // A group that is gone, or refused to us: the next full pass tries it again.
    if (error.kind !== "groupGone")
      app.log.write("error", `the group ${ref.groupId} cannot be read`, { code: error.cloudCode ?? error.kind });
    return "looked";
  }
}

/**
 *     state   guard    rules                          what happens
 *     known   any      as when nothing was to be done  nothing
 *     known   none     others, without a mark          nothing
 *     known   none     others, with a mark             looked at
 *     known   guarded  others, or not known            looked at and compared with the ledger
 *     known   none     a row, not settled as none      the same: what was open of its drift is over
 *     lost    none     with a mark                     looked at, and the mark is believed
 *     lost    none     any, and a ledger               the same: what a lockdown has closed leaves no mark
 *     lost    guarded  any                             the same, whatever the rules
 *     any     unknown  any                             looked at for what ends, and people are told
 */
async function isAtRest(app: App, { policy, look }: FullPassOptions, { pass, facts, row }: Look): Promise<boolean> {
  const isLost = isOfRecovery(pass);
  const how: LookAt = isLost ? { cause: "recovery", stateKnown: false } : { cause: "full pass" };
  // How far it is guarded, and what its drift is judged by, is not known: nothing is compared, and nothing opens.
  if (row === "unreadable") {
    await tellUnreadable(app, facts.ref);
    return look(facts.ref, how);
  }
  const kept = row ?? freshGroupRow(facts.ref);
  const guard = effectiveGuard({ policy, facts, row: kept, entries: [] });
  const isGuarded = guard.level !== "none";
  // What a tag or a name asks for has to come into the row, or to be told.
  const isDenied = guard.deniedName !== kept.deniedName;
  const isNews = isDenied || guard.tagLowered || guard.tagGuard !== kept.tagGuard || guard.guardName !== kept.guardName;
  const digest = isLost || isNews ? null : settledDigest(row, guard.level, policy.version);
  const isFreed = !isLost && !isGuarded && row !== null && !isSettledUnguarded(row);
  if ((isGuarded && digest === null) || isDenied || isFreed) return look(facts.ref, { ...how, drift: true });
  if (isLost && (await hasLedger(app, facts.ref))) return look(facts.ref, how);
  const mark = `safeport/1 ${app.settings.installation} `;
  const glance = await app.firewall.glance(facts.ref, { digest, mark }, "inventory");
  if (glance.kind === "same" || !(isGuarded || glance.marked)) return true;
  return look(facts.ref, isGuarded ? { ...how, drift: true } : how);
}

/** Once a day, for as long as it is so. */
async function tellUnreadable(app: App, group: GroupRef): Promise<void> {
  const at = app.clock.now();
  const { region, groupId } = group;
  const what = `the row ${region} ${groupId} of the table group cannot be read: until it can, leases of ${groupId} end and none opens, and its rules are not compared with its ledger`;
  app.log.write("error", what);
  const to = [{ kind: "role", role: "operator" }] as const;
  const dedupe = `group-unreadable/${groupId}/${formatUtc(at).slice(0, 10)}`;
  await tellOnce(app, [noticeOf("healthAlarm", { at, group, to, dedupe, data: { what, since: at } })]);
}

async function hasLedger(app: App, { groupId }: GroupRef): Promise<boolean> {
  const { entries, unreadable } = await pageEntries(app.tables, { groupId, after: null, limit: 1 });
  return entries.length + unreadable.length > 0;
}
