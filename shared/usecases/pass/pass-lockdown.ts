// Makes way for break-glass through the drops of a lockdown: for its own sources and ports, and for nobody else.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { DropHolder, Entry } from "../../domain/ledger-entry.ts";
import { LOCKDOWN_JOB } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import type { StandbyList } from "../../domain/standby.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { isHolding, isSuspending } from "../../plan/picture.ts";
import { besideListed, listNamed } from "../../plan/standby-drops.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getEntry, listEntries } from "../../store/ledger.ts";
import { getLockdown, saveLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { type Booked, holdDrops } from "../ledger/hold-drops.ts";
import { groupNet } from "../ledger/net.ts";
import { endHolds } from "../ledger/release-drops.ts";
import { resumeRule } from "../ledger/resume-rules.ts";
import { lookAtGroup } from "./look-at-group.ts";
import { beside, livePassages, PASSAGE_GRACE_MS } from "./passages.ts";

/** A drop of a lockdown in the way, and the drops that take its place. */
export interface Blocking {
  readonly group: GroupRef;
  readonly entry: Entry;
  readonly holder: DropHolder;
  readonly pieces: readonly RuleSpec[];
  /** True for a drop on a filled list, which stands for its set as well: nobody holds it then but what stands in its place. */
  readonly isOnList: boolean;
}

/** A drop that stands for lockdowns, over blocks or on a list of ours that they have filled. */
interface LockdownDrop extends Pick<Blocking, "group" | "entry"> {
  readonly lockdownIds: readonly string[];
  readonly list: StandbyList | null;
}

/** Drops of lockdowns in these groups that stop any of the specs. Reads their ledgers. */
export async function findPassages(
  app: App,
  groups: readonly GroupRef[],
  specs: readonly RuleSpec[],
): Promise<readonly Blocking[]> {
  return blockingOf(app, await findDrops(app, await ledgersOf(app, groups)), () => specs);
}

/** What a group's ledger says. */
interface Ledger {
  readonly group: GroupRef;
  readonly entries: readonly Entry[];
}

const ledgersOf = (app: App, groups: readonly GroupRef[]): Promise<readonly Ledger[]> =>
  Promise.all(groups.map(async (group) => ({ group, entries: (await listEntries(app.tables, group)).entries })));

async function findDrops(app: App, ledgers: readonly Ledger[]): Promise<readonly LockdownDrop[]> {
  const now = app.clock.now();
  const sets = await setsNamedBy(
    app,
    ledgers.flatMap(({ entries }) => entries.map(({ spec }) => spec)),
  );
  return ledgers.flatMap(({ group, entries }) => [
    ...entries.flatMap((entry): readonly LockdownDrop[] => {
      // A drop on a list of ours stops what it does as long as lockdowns have the list filled, whoever holds the drop itself.
      const named = listNamed(entry.spec, sets);
      if (!named || !entry.holders.some((it) => it.ended === null)) return [];
      return [{ group, entry, lockdownIds: named.set.holders, list: named.list }];
    }),
    ...entries.flatMap((entry): readonly LockdownDrop[] => {
      if (entry.spec.policy !== "drop" || entry.allocation !== null) return [];
      const lockdownIds = holdersOf(entry, now).map(({ holderId }) => holderId);
      return [{ group, entry, lockdownIds, list: null }];
    }),
  ]);
}

const holdersOf = ({ holders }: Entry, now: number): readonly DropHolder[] =>
  holders.filter((it): it is DropHolder => it.kind === "lockdown" && isHolding(it, now));

/**
 * Those in the way, for each lockdown that they stand for; `waysIn`: what is let through. Reads the lockdowns that have filled lists, as the
 * drops on these do not tell of them.
 */
async function blockingOf(
  app: App,
  drops: readonly LockdownDrop[],
  waysIn: (group: GroupRef, lockdownId: string) => readonly RuleSpec[],
): Promise<readonly Blocking[]> {
  const found = await Promise.all(
    drops.flatMap(({ group, entry, lockdownIds, list }) =>
      lockdownIds.map(async (id): Promise<readonly Blocking[]> => {
        const pieces = piecesOf(entry.spec, list, waysIn(group, id));
        if (pieces === null) return [];
        const own = holdersOf(entry, app.clock.now()).find(({ holderId }) => holderId === id);
        const holder = list === null ? own : await holderOnLists(app, id);
        return holder ? [{ group, entry, holder, pieces, isOnList: list !== null }] : [];
      }),
    ),
  );
  return found.flat();
}

/** What stays of a drop when these are let through; null where that is all of it. */
function piecesOf(drop: RuleSpec, list: StandbyList | null, specs: readonly RuleSpec[]): readonly RuleSpec[] | null {
  if (list !== null) return besideListed(drop, list, specs);
  const left = beside([drop], specs);
  return left.length === 1 && left[0] === drop ? null : left;
}

async function holderOnLists(app: App, lockdownId: string): Promise<DropHolder | null> {
  const lockdown = await getLockdown(app.tables, lockdownId);
  if (lockdown === null) return null;
  const { principal, until } = lockdown;
  const reason = `lockdown ${lockdownId} ${lockdown.reason}`;
  const unseen = { openedAt: null, statedUntil: null, ended: null };
  return { kind: "lockdown", holderId: lockdownId, principal, reason, until, ...unseen };
}

/** Drops in the way of these specs, or of ways that were given through them. */
async function findOnWays(
  app: App,
  groups: readonly GroupRef[],
  specs: readonly RuleSpec[],
): Promise<readonly Blocking[]> {
  const drops = await findDrops(app, await ledgersOf(app, groups));
  const ids = new Set(drops.flatMap(({ lockdownIds }) => lockdownIds));
  const ways = new Map<string, readonly RuleSpec[]>();
  for (const id of ids)
    for (const it of (await getLockdown(app.tables, id))?.groups ?? [])
      if (it.passages?.length)
        ways.set(
          `${id} ${it.group.groupId}`,
          (await livePassages(app, it)).flatMap((way) => way.specs),
        );
  return blockingOf(app, drops, ({ groupId }, id) => [...specs, ...(ways.get(`${id} ${groupId}`) ?? [])]);
}

/**
 * The drops beside the passage stand before the whole one is let go of, so that the group is never more open than by the passage. Whoever
 * dies in between leaves drops too many, which the lockdown's job takes away. The pass that opens the lease takes the whole drop away; in other
 * groups of its hosts that is done here. Of two that pass at the same time each looks again, and makes way for both. An accept of just these
 * words that the lockdown has suspended is open again for the lease's time. What the cloud refuses leaves the drop, and the lease fails by it.
 */
export async function passLockdown(
  app: App,
  policy: Policy,
  own: GroupRef,
  specs: readonly RuleSpec[],
  groups: readonly GroupRef[],
  until: number,
): Promise<void> {
  const ledgers = await ledgersOf(app, groups);
  const drops = await findDrops(app, ledgers);
  const suspended = await findSuspended(app, own, specs);
  const given = waysGiven(app, ledgers, drops, suspended);
  if (given.length > 0) await note(app, own, specs, given, until);
  const terms = { policy, deadlineAt: app.clock.monotonicMs() + app.settings.answerWithinMs };
  let left = groups;
  while (left.length > 0 && app.clock.monotonicMs() < terms.deadlineAt) {
    const passages = await findOnWays(app, left, specs);
    const passed: GroupRef[] = [];
    for (const group of left) {
      const here = passages.filter((it) => it.group.groupId === group.groupId);
      if (here.length > 0 && (await makeWay(app, terms, own, group, here))) passed.push(group);
    }
    left = passed;
  }
  if (suspended.length > 0) await reopen(app, terms, own, suspended);
}

interface PassingTerms {
  readonly policy: Policy;
  readonly deadlineAt: number;
}

const lookOf = ({ policy, deadlineAt }: PassingTerms) =>
  ({ cause: "break-glass", actor: "safeport", policy, priority: "lockdown", deadlineAt }) as const;

/**
 * The ways that lockdowns give in the groups. Also where no drop is in the way: a lockdown adds drops for a protocol or a family of addresses
 * that comes in anew, and by another policy it may drop where it has closed accepts.
 */
function waysGiven(
  app: App,
  ledgers: readonly Ledger[],
  drops: readonly LockdownDrop[],
  suspended: readonly EntryId[],
): readonly Given[] {
  return [
    ...drops.flatMap(({ group, lockdownIds }) => lockdownIds.map((lockdownId) => ({ group, lockdownId }))),
    ...ledgers.flatMap(({ group, entries }) =>
      entries.flatMap((it) => {
        const isAside = !suspended.includes(it.entryId);
        return suspendersOf(it, app.clock.now()).map((lockdownId) => ({ group, lockdownId, isAside }));
      }),
    ),
  ];
}

/** Has the drops beside the passage stand, and then lets go of those in the way. False where they do not all stand. */
async function makeWay(
  app: App,
  terms: PassingTerms,
  own: GroupRef,
  group: GroupRef,
  here: readonly Blocking[],
): Promise<boolean> {
  const booked: Booked[] = [];
  for (const { holder, pieces } of here) {
    const { kind, holderId, principal, reason, until } = holder;
    booked.push(await holdDrops(app, group, { kind, holderId, principal, reason, until }, pieces));
  }
  const rows = booked.flatMap((it) => it.rows);
  const report = await lookAtGroup(app, group, { ...lookOf(terms), rows });
  const isStanding = ({ holder }: Blocking, index: number): boolean =>
    booked[index]?.entryIds.every((id) =>
      report?.entries.get(id)?.holders.some((it) => it.holderId === holder.holderId && it.openedAt !== null),
    ) === true;
  if (!here.every(isStanding)) return false;
  const net = groupNet(app, group);
  for (const { entry, holder, isOnList } of here) {
    await net.hold();
    await endHolds(app, group, entry.entryId, isOnList ? null : holder.holderId, "break-glass passes it");
  }
  await net.hold();
  // A drop on a list is no drop that gives way: the lease is judged when it is gone.
  if (group.groupId !== own.groupId || here.some(({ isOnList }) => isOnList))
    await lookAtGroup(app, group, { ...lookOf(terms), rows: [] });
  return true;
}

/** Opens the accepts that lockdowns have suspended. */
async function reopen(app: App, terms: PassingTerms, group: GroupRef, suspended: readonly EntryId[]): Promise<void> {
  const net = groupNet(app, group);
  for (const entryId of suspended) {
    await net.hold();
    await resumeRule(app, group, entryId, ({ kind }) => kind === "lockdown");
  }
  await net.hold();
  await lookAtGroup(app, group, { ...lookOf(terms), rows: net.booked });
}

/** A way that a lockdown gives in a group. */
interface Given {
  readonly group: GroupRef;
  readonly lockdownId: string;
  /** Nothing of the lockdown is in the way now: that its row cannot be read keeps nobody out. */
  readonly isAside?: boolean;
}

/** Accepts of just these words that lockdowns have suspended: whoever opens the same rule would be closed with them. */
async function findSuspended(app: App, group: GroupRef, specs: readonly RuleSpec[]): Promise<readonly EntryId[]> {
  const ids = specs.map((spec) => entryIdOf(group.groupId, ruleKey(spec)));
  const entries = await Promise.all(ids.map((entryId) => getEntry(app.tables, group, entryId)));
  return ids.filter((_, index) => suspendersOf(entries[index] ?? null, app.clock.now()).length > 0);
}

/** Lockdowns that keep the entry closed. */
const suspendersOf = (entry: Entry | null, now: number): readonly string[] =>
  (entry?.suspension?.by ?? []).flatMap((it) => (it.kind === "lockdown" && isSuspending(it, now) ? it.itemId : []));

/**
 * Notes the ways in the lockdowns' rows before anything stands for them: the lockdown's job closes what has no lease any more, also
 * after whoever opens it has died.
 */
async function note(
  app: App,
  leaseIn: GroupRef,
  specs: readonly RuleSpec[],
  found: readonly Given[],
  until: number,
): Promise<void> {
  const since = app.clock.now();
  const ids = new Set(found.map(({ lockdownId }) => lockdownId));
  const looks = [...ids].flatMap((id) =>
    [since + PASSAGE_GRACE_MS, until + 1000].map((at) => dueJob(LOCKDOWN_JOB, id, at)),
  );
  await app.tables.writeAll(looks.map(dueWrite));
  for (const { shard, at } of looks) await app.wakeup.arm(shard, at);
  for (const id of ids) {
    const own = found.filter(({ lockdownId }) => lockdownId === id);
    const here = new Set(own.map(({ group }) => group.groupId));
    const isAside = own.every((it) => it.isAside);
    for (;;) {
      const lockdown = await getLockdown(app.tables, id).catch((error: unknown) => {
        if (!isAside || !isUnreadable(error)) throw error;
        return null;
      });
      if (lockdown === null) break;
      const groups = lockdown.groups.map((it) =>
        here.has(it.group.groupId) ? { ...it, passages: [...(it.passages ?? []), { own: leaseIn, specs, since }] } : it,
      );
      if (await saveLockdown(app.tables, { ...lockdown, groups })) break;
    }
  }
}
