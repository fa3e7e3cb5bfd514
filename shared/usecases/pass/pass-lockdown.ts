// Makes way for break-glass through the drops of a lockdown: for its own sources and ports, and for nobody else.
import type { EntryId, GroupRef, RuleKey } from "../../domain/ids.ts";
import type { DropHolder, Entry, Holder, LeaseHolder, Suspender } from "../../domain/ledger-entry.ts";
import { LOCKDOWN_JOB, type LockdownGroup, type Passage } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import type { StandbyList } from "../../domain/standby.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { isHolding, isSuspending } from "../../plan/picture.ts";
import { besides } from "../../plan/plan-passage.ts";
import { besideListed, listNamed } from "../../plan/standby-drops.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getEntry, listEntries } from "../../store/ledger.ts";
import { getLockdown, saveLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { changeEntry } from "../ledger/book-holds.ts";
import { type Booked, holdDrops } from "../ledger/hold-drops.ts";
import { groupNet, type Net } from "../ledger/net.ts";
import { isGlassBroken } from "./broken-glass.ts";
import { lookAtGroup } from "./look-at-group.ts";

/** So long a way counts as given, while whoever gives it books its lease. */
const PASSAGE_GRACE_MS = 60_000;

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

const beside = (drops: readonly RuleSpec[], specs: readonly RuleSpec[]): readonly RuleSpec[] =>
  specs.reduce((left, spec) => left.flatMap((drop) => besides(drop, spec) ?? [drop]), drops);

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
  // Also where no drop is in the way: a lockdown adds drops for a protocol or a family of addresses that comes in anew, and by another policy
  // it may drop where it has closed accepts.
  const given: readonly Given[] = [
    ...drops.flatMap(({ group, lockdownIds }) => lockdownIds.map((lockdownId) => ({ group, lockdownId }))),
    ...ledgers.flatMap(({ group, entries }) =>
      entries.flatMap((it) => {
        const isAside = !suspended.includes(it.entryId);
        return suspendersOf(it, app.clock.now()).map((lockdownId) => ({ group, lockdownId, isAside }));
      }),
    ),
  ];
  if (given.length > 0) await note(app, own, specs, given, until);
  const { answerWithinMs } = app.settings;
  const terms = { cause: "break-glass", actor: "safeport", policy, priority: "lockdown" } as const;
  const deadlineAt = app.clock.monotonicMs() + answerWithinMs;
  const makeWay = async (group: GroupRef, here: readonly Blocking[]): Promise<boolean> => {
    const booked: Booked[] = [];
    for (const { holder, pieces } of here) {
      const { kind, holderId, principal, reason, until: end } = holder;
      booked.push(await holdDrops(app, group, { kind, holderId, principal, reason, until: end }, pieces));
    }
    const rows = booked.flatMap((it) => it.rows);
    const report = await lookAtGroup(app, group, { ...terms, rows, deadlineAt });
    const isStanding = ({ holder }: Blocking, index: number): boolean =>
      booked[index]?.entryIds.every((id) =>
        report?.entries.get(id)?.holders.some((it) => it.holderId === holder.holderId && it.openedAt !== null),
      ) === true;
    if (!here.every(isStanding)) return false;
    const net = groupNet(app, group);
    for (const { entry, holder, isOnList } of here) {
      await net.hold();
      await letGo(app, group, entry, isOnList ? null : holder.holderId, "break-glass passes it");
    }
    await net.hold();
    // A drop on a list is no drop that gives way: the lease is judged when it is gone.
    if (group.groupId !== own.groupId || here.some(({ isOnList }) => isOnList))
      await lookAtGroup(app, group, { ...terms, rows: [], deadlineAt });
    return true;
  };
  let left = groups;
  while (left.length > 0 && app.clock.monotonicMs() < deadlineAt) {
    const passages = await findOnWays(app, left, specs);
    const passed: GroupRef[] = [];
    for (const group of left) {
      const here = passages.filter((it) => it.group.groupId === group.groupId);
      if (here.length > 0 && (await makeWay(group, here))) passed.push(group);
    }
    left = passed;
  }
  if (suspended.length > 0) {
    const net = groupNet(app, own);
    for (const entryId of suspended) {
      await net.hold();
      await resume(app, own, entryId);
    }
    await net.hold();
    await lookAtGroup(app, own, { ...terms, rows: net.booked, deadlineAt });
  }
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

const resume = (
  app: App,
  group: GroupRef,
  entryId: EntryId,
  isIt: (suspender: Suspender) => boolean = ({ kind }) => kind === "lockdown",
): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    if (!entry?.suspension?.by.some(isIt)) return null;
    const by = entry.suspension.by.filter((it) => !isIt(it));
    return { ...entry, suspension: { ...entry.suspension, by } };
  });

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

/** The drops of a lockdown in a group, with the ways of those who have passed it and still have their lease. */
export const besidePassages = (drops: readonly RuleSpec[], passages: readonly Passage[]): readonly RuleSpec[] =>
  beside(
    drops,
    passages.flatMap(({ specs }) => specs),
  );

/**
 * The ways whose lease lives, also where nobody can read it, and those that are given just now. Reads the ledger rows of their rules.
 */
export async function livePassages(app: App, { passages = [] }: LockdownGroup): Promise<readonly Passage[]> {
  const now = app.clock.now();
  const isLive = await Promise.all(
    passages.map(async ({ own, specs, since }) => {
      if (now < since + PASSAGE_GRACE_MS) return true;
      const entries = await Promise.all(
        specs.map((spec) => getEntry(app.tables, own, entryIdOf(own.groupId, ruleKey(spec)))),
      );
      const broken = await Promise.all(entries.map((entry) => isGlassBroken(app, entry?.holders ?? [], 0, () => true)));
      return broken.includes(true);
    }),
  );
  return passages.filter((_, index) => isLive[index]);
}

/**
 * The accepts of break-glass in a group since a lockdown began, which a lockdown that closes accepts leaves open. Reads its ledger. Nothing else
 * has been opened for a lease since then, so that it tells of those that cannot be read.
 */
export async function brokenGlass(app: App, group: GroupRef, startedAt: number): Promise<ReadonlySet<RuleKey>> {
  const { entries } = await listEntries(app.tables, group);
  const isSince = ({ openedAt }: LeaseHolder): boolean => openedAt !== null && openedAt >= startedAt;
  const isOwn = await Promise.all(entries.map(({ holders }) => isGlassBroken(app, holders, startedAt, isSince)));
  return new Set(entries.filter((_, index) => isOwn[index]).map(({ key }) => key));
}

/** All that a lockdown is to have in a group. */
export interface Planned {
  readonly drops: readonly RuleSpec[];
  readonly suspends: readonly RuleSpec[];
  readonly keeps: readonly RuleSpec[];
}

/**
 * Once what is planned stands, the lockdown lets go of what else it has in the group: drops beside ways that are no more, and what was
 * planned by an earlier policy. Accepts that it kept of wider ones go last, when these stand. Answers false where that is not read back yet.
 */
export async function keepOnly(
  app: App,
  policy: Policy,
  group: GroupRef,
  lockdownId: string,
  { drops, suspends, keeps }: Planned,
  deadlineAt: number,
): Promise<boolean> {
  const idsOf = (specs: readonly RuleSpec[]) => new Set(specs.map((spec) => entryIdOf(group.groupId, ruleKey(spec))));
  const [held, closed] = [idsOf([...drops, ...keeps]), idsOf(suspends)];
  const { entries } = await listEntries(app.tables, group);
  const isOver = ({ entryId, holders }: Entry) =>
    !held.has(entryId) && holders.some((it) => it.holderId === lockdownId && it.ended === null);
  const over = entries.filter((it) => it.spec.policy === "drop" && isOver(it));
  const spare = entries.filter((it) => it.spec.policy === "accept" && isOver(it));
  const back = entries.filter(
    ({ entryId, suspension }) =>
      !closed.has(entryId) && suspension?.by.some(({ itemId }) => itemId === lockdownId) === true,
  );
  const passed = async (change: (net: Net) => Promise<unknown>): Promise<boolean> => {
    const net = groupNet(app, group);
    await net.hold();
    await change(net);
    await net.hold();
    const report = await lookAtGroup(app, group, {
      ...{
        cause: `lockdown ${lockdownId}`,
        actor: "safeport",
        policy,
        priority: "lockdown",
        rows: net.booked,
        deadlineAt,
      },
    });
    const isClosedYet = ({ entryId }: Entry) => report?.entries.get(entryId)?.suspension?.by.length === 0;
    return report?.rowsLeft === 0 && !back.some(isClosedYet);
  };
  const letAllGo = async (net: Net, entries: readonly Entry[]): Promise<void> => {
    for (const entry of entries) {
      await net.hold();
      await letGo(app, group, entry, lockdownId, "the lockdown needs it no more");
    }
  };
  const first = async (net: Net): Promise<void> => {
    await letAllGo(net, over);
    for (const { entryId } of back) {
      await net.hold();
      await resume(app, group, entryId, ({ itemId }) => itemId === lockdownId);
    }
  };
  if (over.length + back.length > 0 && !(await passed(first))) return false;
  if (spare.length === 0) return true;
  return passed((net) => letAllGo(net, spare));
}

/** `holderId`: null for everybody who holds it. */
const letGo = (app: App, group: GroupRef, { entryId }: Entry, holderId: string | null, note: string): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    const isMeant = (it: Holder): boolean => it.ended === null && (holderId === null || it.holderId === holderId);
    if (!entry?.holders.some(isMeant)) return null;
    const ended = { cause: "asked", note, detail: null } as const;
    return { ...entry, holders: entry.holders.map((it) => (isMeant(it) ? { ...it, ended } : it)) } as Entry;
  });
