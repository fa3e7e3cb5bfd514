// The second way of a lockdown: its groups are closed by filling lists that drops of theirs name already. Two writing calls close any number.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import { type Lockdown, type LockdownGroup, type Preparation, termsOf } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { type StandbySet, standbyHolder, standbyName, standbyShape } from "../../domain/standby.ts";
import { isWithin, onLists } from "../../plan/standby-drops.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getStandbySet, saveStandbySet } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";
import { releaseDrops } from "../ledger/release-drops.ts";
import { besidePassages } from "../pass/passages.ts";
import { setsThatCanBeRead } from "./sets-that-can-be-read.ts";
import { settleStandby } from "./settle-standby.ts";
import { standDown } from "./stand-down.ts";

/** The lift is over by then. */
const STAND_AGAIN_MS = 30_000;

/**
 * Fills the lists of every set that lies within the lockdown's groups, and answers what is to be done in these: where its lists are
 * read back as filled, a group is held by its drops on them. All others, and all where lists cannot be filled, go the ordinary way.
 */
export async function fillLists(
  app: App,
  policy: Policy,
  { lockdownId, groups }: Lockdown,
  chosen: readonly Preparation[],
): Promise<readonly Preparation[]> {
  if (policy.lockdown.prefixLists.length === 0) return chosen;
  const closing = new Set(chosen.filter(({ way }) => way === "drops" || way === "unread").map(keyOf));
  const already = groups.filter(({ isClosed, way }) => isClosed && way === "drops").map(keyOf);
  for (const key of already) closing.add(key);
  const current = currentNames(policy);
  const { regions } = await app.lists();
  const isUsable = ({ name, region }: StandbySet): boolean => current.has(name) && regions.includes(region);
  const sets = (await setsThatCanBeRead(app)).sets.filter(isUsable);
  const filled = await Promise.all(
    sets.map(async (set) => {
      const held = await hold(app, set, lockdownId, closing);
      if (held === null) return [];
      const { isShown } = await settleStandby(app, set.name, { priority: "lockdown", isBlind: held.wasEmpty });
      return isShown ? [held.set] : [];
    }),
  );
  const passages = new Map(groups.map((it) => [keyOf(it), it.passages ?? []]));
  return chosen.map((it) => {
    const set = filled
      .flat()
      .find(({ region, members }) => region === it.group.region && members.includes(it.group.groupId));
    // A way that break-glass was given through a drop leads through drops over blocks alone.
    const beside = besidePassages(it.drops, passages.get(keyOf(it)) ?? []);
    const isPassed = beside.length !== it.drops.length || beside.some((drop) => !it.drops.includes(drop));
    if (!set || it.way !== "drops" || isPassed) return it;
    const drops = onLists(it.drops, set.lists);
    return drops ? { ...it, drops, spelledOut: it.drops } : it;
  });
}

const keyOf = ({ group }: Pick<Preparation, "group">): string => `${group.region} ${group.groupId}`;

/** Names of the sets that the policy wants now. Others have rules that stop what is to stay open. */
function currentNames({ lockdown, operatorPath, regions }: Policy): ReadonlySet<string> {
  const shape = standbyShape(lockdown.core, operatorPath);
  return new Set(regions.flatMap((region) => lockdown.prefixLists.map((scope) => standbyName(region, scope, shape))));
}

/** The set with the lockdown among its holders; null where it is not to be filled for it. */
async function hold(
  app: App,
  { name }: StandbySet,
  lockdownId: string,
  closing: ReadonlySet<string>,
): Promise<{ readonly set: StandbySet; readonly wasEmpty: boolean } | null> {
  for (;;) {
    const set = await getStandbySet(app.tables, name);
    if (set === null) return null;
    if (set.holders.includes(lockdownId)) return { set, wasEmpty: false };
    const within = new Set(set.members.filter((id) => closing.has(`${set.region} ${id}`)));
    if (!isWithin(set, within as ReadonlySet<GroupId>)) return null;
    const wasEmpty = set.shown === "empty";
    const shown = wasEmpty ? null : set.shown;
    const saved = await saveStandbySet(app.tables, { ...set, shown, holders: [...set.holders, lockdownId] });
    if (saved) return { set: saved, wasEmpty };
  }
}

/** Reads the lists that the lockdown holds once more, and fills what somebody has emptied. Answers false where it holds none. */
export async function keepLists(app: App, lockdownId: string): Promise<boolean> {
  const held = (await setsThatCanBeRead(app)).sets.filter(({ holders }) => holders.includes(lockdownId));
  await Promise.all(held.map(({ name }) => settleStandby(app, name, { priority: "lockdown" })));
  return held.length > 0;
}

/**
 * Takes a group in which the policy wants nothing closed any more out of what the lockdown has closed by lists, which go on closing the others.
 * True when no rule of it names these lists.
 */
export async function stepOut(
  app: App,
  policy: Policy,
  own: LockdownGroup,
  lockdownId: string,
  deadlineAt: number,
): Promise<boolean> {
  const { group } = own;
  const { sets, isWhole } = await setsThatCanBeRead(app);
  for (const set of sets.filter((it) => it.holders.includes(lockdownId) && isIn(it, group)))
    if (!(await standDown(app, policy, set, group, { priority: "lockdown", deadlineAt }))) return false;
  return isWhole || !mayBeOnLostLists(own, sets);
}

/** True where the lists of a set that cannot be read may close the group: no other set has it, and no drops over blocks are known to close it. */
const mayBeOnLostLists = ({ group, way, onLists: isOnLists, isClosed }: LockdownGroup, sets: readonly StandbySet[]) =>
  !sets.some((set) => isIn(set, group)) && (way === "unread" || (way === "drops" && (isOnLists === true || !isClosed)));

const isIn = ({ region, members }: StandbySet, { region: own, groupId }: GroupRef): boolean =>
  region === own && members.includes(groupId);

/**
 * Lets go of the lists, and empties those that no other lockdown holds. Answers which of the lockdown's groups may still be closed by
 * lists, as no reading has shown these to be empty; also after whoever let go of them has died.
 */
export async function emptyLists(app: App, { lockdownId, groups }: Lockdown): Promise<ReadonlySet<LockdownGroup>> {
  const { sets: all, isWhole } = await setsThatCanBeRead(app);
  // Where a group is booked by its name alone it may be in any of them.
  const concerns = (set: StandbySet) => groups.filter((it) => it.way === "unread" || isIn(set, it.group));
  const sets = all.filter((set) => set.holders.includes(lockdownId) || concerns(set).length > 0);
  // Drops that made way for break-glass stand on their lists again when these are empty.
  if (sets.some(({ holders }) => holders.includes(lockdownId)))
    await app.tables.writeAll([dueWrite(dueJob("lockdown-plan", null, app.clock.now() + STAND_AGAIN_MS))]);
  const shut = await Promise.all(
    sets.map(async ({ name }) => {
      const set = await letGoOfLists(app, name, lockdownId);
      if (set === null || set.shown === (set.holders.length > 0 ? "filled" : "empty")) return [];
      const { isShown, isRefused } = await settleStandby(app, name, { priority: "lockdown" });
      if (isShown) return [];
      if (!isRefused || set.holders.length > 0) return concerns(set);
      // We may not empty them any more: the groups' drops on them go with the lockdown's own.
      app.log.write("error", `the lists of ${name} stay filled: the role may not change them`);
      const note = "its lists cannot be emptied";
      for (const { group } of concerns(set)) await releaseDrops(app, group, standbyHolder(name), note);
      return [];
    }),
  );
  const lost = isWhole ? [] : groups.filter((it) => mayBeOnLostLists(it, all));
  return new Set([...shut.flat(), ...lost]);
}

/** Lets go of lists that the policy has no use for any more, once all groups are closed as it says now. */
export async function leaveOtherLists(app: App, policy: Policy, { lockdownId, groups }: Lockdown): Promise<void> {
  const terms = termsOf(policy);
  if (groups.some((it) => it.way !== "none" && it.terms !== undefined && it.terms !== terms)) return;
  const current = currentNames(policy);
  for (const { name, holders } of (await setsThatCanBeRead(app)).sets) {
    if (current.has(name) || !holders.includes(lockdownId)) continue;
    await letGoOfLists(app, name, lockdownId);
    await settleStandby(app, name, { priority: "lockdown" });
  }
}

/** The set without the lockdown among its holders; its lists are to be settled then. Null for one that is gone. */
export async function letGoOfLists(app: App, name: string, lockdownId: string): Promise<StandbySet | null> {
  for (;;) {
    const set = await getStandbySet(app.tables, name);
    if (!set?.holders.includes(lockdownId)) return set;
    const holders = set.holders.filter((it) => it !== lockdownId);
    const saved = await saveStandbySet(app.tables, { ...set, holders, shown: holders.length > 0 ? set.shown : null });
    if (saved) return saved;
  }
}
