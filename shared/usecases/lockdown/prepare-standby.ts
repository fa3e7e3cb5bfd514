// Has the drops on lists stand in peace, in the groups that the policy wants to be closed by filling them; and takes them away where it does not.
import type { LockdownScope } from "../../domain/alarm.ts";
import { sha256Hex } from "../../domain/digest.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Preparation } from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import {
  STANDBY_JOB,
  type StandbyList,
  type StandbySet,
  standbyHolder,
  standbyListName,
  standbyName,
  standbyShape,
} from "../../domain/standby.ts";
import { isHolding } from "../../plan/picture.ts";
import { listsFor, onLists, weightOfDrops } from "../../plan/standby-drops.ts";
import type { AddressLists } from "../../ports/address-lists.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import { listPreparations } from "../../store/lockdowns.ts";
import { deleteStandbySet, getStandbySet, listStandbySets, saveStandbySet } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { holdDrops } from "../ledger/hold-drops.ts";
import { endHolds } from "../ledger/release-drops.ts";
import { tellOnce } from "../notices/tell.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { leaveLostLists } from "./leave-lost-lists.ts";
import { settleStandby } from "./settle-standby.ts";
import { standDown } from "./stand-down.ts";

const DAY_MS = 86_400_000;
/** Marks end by themselves, where the tables are lost; until then they are written anew seldom. Longer than any lockdown. */
const HELD_FOR_MS = 90 * DAY_MS;
const RENEWED_BELOW_MS = 30 * DAY_MS;
/** A list that somebody changes is looked at because of its event; where that is lost, this late. */
const EVERY_MS = 60 * 60_000;
const AGAIN_MS = 60_000;
const AT_ONCE = 8;

/** What a set is to be, by the policy and what was prepared. */
export interface StandbyWish {
  readonly name: string;
  readonly region: string;
  readonly scope: LockdownScope;
  readonly groups: readonly Preparation[];
}

/** A group that lists cannot close, and why. */
export interface LeftOut {
  readonly group: GroupRef;
  readonly why: string;
}

/** Groups by the set that closes them: the first scope of the policy that takes one in has it. */
export function standbyWishes(
  policy: Policy,
  regions: readonly string[],
  prepared: readonly Preparation[],
): { readonly wishes: readonly StandbyWish[]; readonly leftOut: readonly LeftOut[] } {
  const { lockdown, operatorPath, limits } = policy;
  const shape = standbyShape(lockdown.core, operatorPath);
  const taken = new Set<Preparation>();
  const leftOut: LeftOut[] = [];
  const wishes = lockdown.prefixLists.flatMap((scope) =>
    policy.regions.map((region): StandbyWish => {
      const inScope = prepared.filter((it) => it.group.region === region && !taken.has(it) && isIn(it, scope));
      const groups = inScope.filter((it) => {
        taken.add(it);
        const why = regions.includes(region)
          ? whyNot(it, limits.rulesPerInterface - limits.rulesKeptFree)
          : `no probe of prefix lists has passed in ${region}: safeport probe --only emptyPrefixList`;
        if (why !== null) leftOut.push({ group: it.group, why });
        return why === null;
      });
      return { name: standbyName(region, scope, shape), region, scope, groups };
    }),
  );
  return { wishes, leftOut };
}

function isIn({ group, name, tags }: Preparation, scope: LockdownScope): boolean {
  if (scope.kind === "groups") return scope.groups.some((it) => it === group.groupId || (name !== "" && it === name));
  if (scope.kind !== "tag") return false;
  const [key = "", ...rest] = scope.tag.split("=");
  return tags[key] === rest.join("=");
}

function whyNot({ way, why, drops, otherRules }: Preparation, max: number): string | null {
  if (way !== "drops") return why ?? "no drops are possible in it";
  const weight = weightOfDrops(drops);
  if (weight === null) return "a list takes 200 blocks, and the operators' sources leave more: name wider ones";
  const used = otherRules ?? 0;
  if (used + weight <= max) return null;
  return `drops on lists count for ${weight} rules, and an interface has ${used} of ${max}: remove rules, or name fewer or wider sources of operators`;
}

/**
 * Goes on with every set: lists first, then members, then rules, and the other way round where a set is not wanted. Nothing is begun in a
 * set that a lockdown holds, or whose lists are not shown to be empty. Answers when to do it again.
 */
export async function prepareStandby(app: App, policy: Policy, deadlineAt: number): Promise<number> {
  const now = app.clock.now();
  const { sets: rows, unreadable: damaged } = await listStandbySets(app.tables);
  await tellDamaged(app, damaged);
  if (policy.lockdown.prefixLists.length === 0 && rows.length === 0) return now + EVERY_MS;
  // Whoever was frozen for long may have filled them for a lockdown that nobody looks after any more.
  if (rows.some(({ holders }) => holders.length > 0))
    await app.tables.writeAll([dueWrite(dueJob(STANDBY_JOB, "look", now))]);
  const lists = await app.lists();
  const { preparations: prepared, unreadable } = await listPreparations(app.tables);
  const current = prepared.filter((it) => it.policyVersion === policy.version);
  const { wishes, leftOut } = standbyWishes(policy, lists.regions, current);
  for (const { group, why } of leftOut)
    app.log.write("info", `${group.groupId} is closed by drops of its own in a lockdown`, { why });
  // Of what is not prepared for this policy it is not known yet whether it is still wanted.
  let isCut = current.length < prepared.length || unreadable.length > 0;
  const isSure = !isCut;
  const work: readonly (() => Promise<boolean>)[] = [
    ...wishes
      .filter(({ name, groups }) => groups.length > 0 && !damaged.includes(name))
      .map((wish) => () => standBy(app, policy, lists, wish, deadlineAt)),
    ...rows.map((row) => () => retire(app, policy, lists, row, { wishes, isSure }, deadlineAt)),
  ];
  for (const step of work) {
    if (app.clock.monotonicMs() >= deadlineAt) {
      isCut = true;
      break;
    }
    try {
      if (!(await step())) isCut = true;
    } catch (error) {
      if (!(error instanceof CloudFailure) && !(error instanceof StoreFailure)) throw error;
      app.log.write("warn", "lists for lockdowns are not as they should be yet", { cause: error });
      // What the role may not do it may not do in a minute either.
      isCut ||= !(error instanceof CloudFailure && error.kind === "refused");
    }
  }
  return app.clock.now() + (isCut ? AGAIN_MS : EVERY_MS);
}

/** A lockdown closes their groups by drops of their own, which takes longer; one that has filled their lists does not end by itself. */
async function tellDamaged(app: App, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  app.log.write("error", "lists for lockdowns are not prepared: their rows cannot be read", { unreadable: names });
  const at = app.clock.now();
  const to = [{ kind: "role", role: "operator" }] as const;
  const notices = names.map((name) => {
    const what = `the row of the lockdown lists ${name} cannot be read: they are left as they are; run safeport doctor`;
    return noticeOf("healthAlarm", {
      at,
      group: null,
      to,
      dedupe: `lockdown-lists/${name}`,
      data: { what, since: null },
    });
  });
  await tellOnce(app, notices);
}

/** Answers true when the drops stand in every group that is wanted. */
async function standBy(
  app: App,
  policy: Policy,
  lists: AddressLists,
  wish: StandbyWish,
  deadlineAt: number,
): Promise<boolean> {
  const withLists = await makeLists(app, lists, wish);
  if (withLists === null || !(await settleStandby(app, wish.name, { priority: "inventory" })).isShown) return false;
  const set = await addMembers(app, wish);
  if (set === null) return false;
  let isWhole = true;
  await inParallel(
    wish.groups,
    async (it) => {
      const drops = onLists(it.drops, set.lists);
      if (drops === null || app.clock.monotonicMs() >= deadlineAt) isWhole = false;
      else if (!(await stand(app, policy, set, it.group, drops, deadlineAt))) isWhole = false;
    },
    AT_ONCE,
  );
  return isWhole;
}

/** The set's row with an id for each list; null while a lockdown holds it. A list that was made before its id was kept is found by name. */
async function makeLists(
  app: App,
  lists: AddressLists,
  { name, region, groups }: StandbyWish,
): Promise<StandbySet | null> {
  const wanted = new Map(groups.flatMap((it) => listsFor(it.drops) ?? []).map((list) => [list.key, list]));
  for (;;) {
    const row = await getStandbySet(app.tables, name);
    const set: StandbySet = row ?? { name, region, lists: [], members: [], holders: [], shown: null, rev: 0 };
    if (set.holders.length > 0) return null;
    const isKnown = ({ key }: StandbyList): boolean => set.lists.some((it) => it.key === key && it.listId !== null);
    const missing = [...wanted.values()].filter((list) => !isKnown(list));
    if (row !== null && missing.length === 0) return set;
    const made: StandbyList[] = [];
    for (const list of missing) {
      const called = standbyListName(app.settings.installation, name, list.key);
      const terms = { name: called, family: list.family, blocksMax: list.blocks.length };
      const token = `safeport-${sha256Hex(`${called} ${set.rev}`).slice(0, 40)}`;
      const listId =
        (await lists.find(region, called, "inventory")) ?? (await lists.create(region, terms, token, "inventory"));
      made.push({ ...list, listId });
    }
    const others = set.lists.filter((it) => !made.some(({ key }) => key === it.key));
    const saved = await saveStandbySet(app.tables, { ...set, lists: [...others, ...made], shown: null });
    if (saved) return saved;
  }
}

/** Members are in the row before any rule of theirs names a list, and none is added while a list may be filled: it would be closed at once. */
async function addMembers(app: App, { name, groups }: StandbyWish): Promise<StandbySet | null> {
  for (;;) {
    const set = await getStandbySet(app.tables, name);
    if (set === null || set.holders.length > 0 || set.shown !== "empty") return null;
    const fresh = groups.map(({ group }) => group.groupId).filter((id) => !set.members.includes(id));
    if (fresh.length === 0) return set;
    const saved = await saveStandbySet(app.tables, { ...set, members: [...set.members, ...fresh] });
    if (saved) return saved;
  }
}

async function stand(
  app: App,
  policy: Policy,
  { name }: StandbySet,
  group: GroupRef,
  drops: readonly Preparation["drops"][number][],
  deadlineAt: number,
): Promise<boolean> {
  const now = app.clock.now();
  const holderId = standbyHolder(name);
  const { entries } = await listEntries(app.tables, group);
  const isDone = drops.every((spec) => {
    const entry = entries.find(({ entryId }) => entryId === entryIdOf(group.groupId, ruleKey(spec)));
    const own = entry?.holders.find((it) => it.holderId === holderId && isHolding(it, now));
    return own !== undefined && own.openedAt !== null && own.until > now + RENEWED_BELOW_MS;
  });
  if (isDone) return true;
  const until = Math.ceil((now + HELD_FOR_MS) / DAY_MS) * DAY_MS;
  const ask = { kind: "standby", holderId, principal: "safeport", reason: `lockdown lists ${name}`, until } as const;
  const isHeld = async (): Promise<boolean> => (await getStandbySet(app.tables, name))?.holders.length !== 0;
  if (await isHeld()) return false;
  const booked = await holdDrops(app, group, ask, drops);
  // A lockdown may have begun meanwhile, and somebody have broken the glass: what did not stand before is not put on a filled list.
  if (await isHeld())
    for (const { entryId, holders } of (await listEntries(app.tables, group)).entries)
      if (holders.some((it) => it.holderId === holderId && it.ended === null && it.openedAt === null))
        await endHolds(app, group, entryId, holderId, "its list is filled");
  const report = await lookAtGroup(app, group, {
    ...{
      cause: `lockdown lists ${name}`,
      actor: "safeport",
      policy,
      priority: "inventory",
      rows: booked.rows,
      deadlineAt,
    },
  });
  return booked.entryIds.every((id) =>
    report?.entries.get(id)?.holders.some((it) => it.holderId === holderId && it.openedAt !== null),
  );
}

/** Takes rules away where the set is not wanted any more, and then the set. Answers true when nothing is left to do. */
async function retire(
  app: App,
  policy: Policy,
  lists: AddressLists,
  { name, region }: StandbySet,
  { wishes, isSure }: { readonly wishes: readonly StandbyWish[]; readonly isSure: boolean },
  deadlineAt: number,
): Promise<boolean> {
  const wanted = wishes.find((it) => it.name === name)?.groups.map(({ group }) => group.groupId) ?? [];
  const set = await getStandbySet(app.tables, name);
  if (set === null) return true;
  const over = set.members.filter((id) => !wanted.includes(id));
  if (over.length === 0 && wanted.length > 0) return true;
  if (!isSure || set.holders.length > 0) return false;
  const gone: GroupId[] = [];
  await inParallel(
    over,
    async (groupId) => {
      const terms = { priority: "inventory", deadlineAt } as const;
      if (await standDown(app, policy, set, { region, groupId }, terms)) gone.push(groupId);
    },
    AT_ONCE,
  );
  for (;;) {
    const row = await getStandbySet(app.tables, name);
    if (row === null) return true;
    const members = row.members.filter((id) => !gone.includes(id));
    const saved = members.length === row.members.length ? row : await saveStandbySet(app.tables, { ...row, members });
    if (saved === null) continue;
    if (members.length > 0) return wanted.length > 0 && members.every((id) => wanted.includes(id));
    if (wanted.length > 0 || saved.holders.length > 0) return wanted.length > 0;
    for (const { listId } of saved.lists) if (listId !== null) await lists.remove({ region, listId }, "inventory");
    if (await deleteStandbySet(app.tables, saved)) return true;
  }
}

/** A job: looks at the lists of every set once more, and puts right what they hold. Answers when to do it again. */
export async function settleAllStandby(app: App): Promise<number | null> {
  const lostUntil = await leaveLostLists(app);
  const { sets, unreadable } = await listStandbySets(app.tables);
  if (unreadable.length > 0)
    app.log.write("error", "lists for lockdowns are not looked at: their rows cannot be read", { unreadable });
  const settled = await Promise.all(
    sets.map(({ name, holders }) => settleStandby(app, name, { priority: holders.length > 0 ? "lockdown" : "end" })),
  );
  return unreadable.length === 0 && settled.every(({ isShown }) => isShown) ? lostUntil : app.clock.now() + AGAIN_MS;
}
