// Closes one group for a lockdown, and reads it back.
import type { EntryId, GroupId, GroupRef } from "../../domain/ids.ts";
import type { DropHolder, Entry, Holder, Suspender } from "../../domain/ledger-entry.ts";
import { type Lockdown, type LockdownGroup, type Preparation, termsOf } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { type AppError, isUnreadable } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { dropsSuffice, planSuspensions } from "../../plan/plan-lockdown.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import type { Due } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { type Booked, holdAccepts, holdDrops } from "../ledger/hold-drops.ts";
import { suspendRules } from "../ledger/suspend-rules.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { besidePassages, brokenGlass, keepOnly, livePassages } from "../pass/pass-lockdown.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { findLockdown } from "./lost-lockdown.ts";
import { barredFromLockdown, prepareGroup, readLockdownPicture } from "./prepare-lockdowns.ts";

/** The accept of everything, which is suspended where nothing else is: by it the ledger knows that the group is locked down. */
const EVERYTHING: RuleSpec = {
  ...{ direction: "ingress", protocol: "all", ports: { kind: "any" }, sourcePorts: { kind: "any" } },
  ...{ peer: { kind: "cidr", cidr: { family: 4, first: 0n, last: (1n << 32n) - 1n, prefix: 0 } }, dest: null },
  ...{ policy: "accept", priority: 1 },
};

/** What came of it. */
type Closing = Pick<LockdownGroup, "way" | "isClosed" | "left" | "drops" | "suspends" | "onLists">;

/** That its drops are planned anew by now, and what has the group looked at should this process die. */
type Replanned = Pick<Booked, "rows">;

/** A lockdown as the ledger names it, with the accepts that are to be booked for it. */
interface Asked {
  readonly by: Suspender & { readonly kind: "lockdown"; readonly until: number };
  readonly specs: readonly RuleSpec[];
}

/**
 * Where the cloud takes no drops, accepts are suspended instead. Never throws for what cloud or store answer, nor for a row of the ledger
 * that cannot be read: what is open is named.
 */
export async function closeGroup(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  preparation: Preparation,
  deadlineAt: number,
  replanned: Replanned | null = null,
): Promise<Closing> {
  const { way, suspends, left } = preparation;
  const onLists = preparation.spelledOut !== undefined;
  const counts = { way, drops: preparation.drops.length, suspends: suspends.length, onLists };
  try {
    if (way === "suspend")
      return { ...counts, ...(await instead(app, policy, lockdown, preparation, preparation.why ?? "", deadlineAt)) };
    const { group } = preparation;
    const { lockdownId: holderId, until, principal, reason } = lockdown;
    const own = lockdown.groups.find((it) => it.group.groupId === group.groupId);
    const drops = besidePassages(preparation.drops, own ? await livePassages(app, own) : []);
    const hold = { kind: "lockdown", holderId, principal, reason: `lockdown ${holderId} ${reason}`, until } as const;
    const booked = await holdDrops(app, group, hold, drops);
    const rows = [...booked.rows, ...(replanned?.rows ?? [])];
    const report = await pass(app, policy, lockdown, preparation, { ...booked, rows }, deadlineAt);
    if (report === null)
      return { ...counts, isClosed: false, left: [...left, "another pass of the group is still on"] };
    const standing = booked.entryIds.filter((id) => isStanding(report, id, holderId));
    const refusal = booked.entryIds.flatMap((id) => report.refusals.get(id) ?? [])[0];
    if (refusal && standing.length < drops.length) {
      const why = `the cloud refuses drops: ${refusal.code}`;
      return {
        ...counts,
        ...(await instead(app, policy, lockdown, preparation, why, deadlineAt)),
        way: "suspend",
        onLists: false,
      };
    }
    const suffice = dropsSuffice(preparation.spelledOut ?? drops, report.rules);
    if (replanned === null && !suffice) {
      const fresh = await planAgain(app, policy, preparation);
      if (fresh) {
        const planned = new Set(preparation.drops.map(ruleKey));
        const more = fresh.drops.filter((spec) => !planned.has(ruleKey(spec)));
        const others = await holdForOthers(app, group, holderId, more);
        return closeGroup(app, policy, lockdown, fresh, deadlineAt, others);
      }
    }
    const missing = drops.length - standing.length;
    if (missing > 0)
      return { ...counts, isClosed: false, left: [...left, `${missing} of ${drops.length} drops do not stand yet`] };
    // A way whose lease is over is shut by the whole drop, and what stood beside it goes then; not where more stands than is planned now.
    const isOffLists = !onLists && holdsOnLists(report, holderId);
    const isSurplus = isOffLists || isAnew(lockdown, group, policy) || ((own?.passages?.length ?? 0) > 0 && suffice);
    const planned = { drops, suspends: [], keeps: [] };
    const isAsPlanned = !isSurplus || (await keepOnly(app, policy, group, holderId, planned, deadlineAt));
    return {
      ...counts,
      isClosed: isAsPlanned,
      left: isAsPlanned ? left : [...left, "more is closed than it has to be"],
    };
  } catch (error) {
    const isService = error instanceof CloudFailure || error instanceof StoreFailure;
    if (!isService && !isUnreadable(error)) throw error;
    app.log.write("error", `the group ${preparation.group.groupId} is not locked down yet`, { cause: error });
    if (isService) return { ...counts, isClosed: false, left: [...left, `not closed yet: ${error.kind}`] };
    // All others are booked: they are closed now.
    await pass(app, policy, lockdown, preparation, { entryIds: [], rows: [] }, deadlineAt).catch((cause: unknown) =>
      app.log.write("error", `the group ${preparation.group.groupId} cannot be looked at`, { cause }),
    );
    return {
      ...counts,
      isClosed: false,
      left: [...left, `not closed in full yet: the row ${String(error.detail["key"])} of its ledger cannot be read`],
    };
  }
}

/**
 * What was prepared hours ago covers new hosts, as a drop acts on all of a group; what has come in with a new protocol or family since is
 * found by the pass's own reading, and planned for now. Null where that is not by drops any more: those that stand stay.
 */
async function planAgain(app: App, policy: Policy, { group }: Preparation): Promise<Preparation | null> {
  const facts = await app.inventory.group(group, "lockdown");
  const fresh = facts && (await prepareGroup(app, policy, facts, "lockdown"));
  return fresh?.way === "drops" ? fresh : null;
}

/**
 * Books what one lockdown has to drop as well for those whose drops are on there too, but for the ways that they have given: with its end it
 * would go before they have looked. It is booked first, as this process may die.
 */
async function holdForOthers(
  app: App,
  group: GroupRef,
  lockdownId: string,
  drops: readonly RuleSpec[],
): Promise<Replanned> {
  const { entries } = await listEntries(app.tables, group);
  const now = app.clock.now();
  const isOther = (it: Holder): it is DropHolder =>
    it.kind === "lockdown" && it.holderId !== lockdownId && isHolding(it, now);
  const held = entries.filter(({ spec }) => spec.policy === "drop").flatMap(({ holders }) => holders.filter(isOther));
  const others = new Map(held.map((it) => [it.holderId, it]));
  const rows: Due[] = [];
  for (const { kind, holderId, principal, reason, until } of others.values()) {
    const other = await findLockdown(app, holderId);
    const own = other?.state === "active" ? other.groups.find((it) => it.group.groupId === group.groupId) : undefined;
    if (!own) continue;
    const beside = besidePassages(drops, await livePassages(app, own));
    rows.push(...(await holdDrops(app, group, { kind, holderId, principal, reason, until }, beside)).rows);
  }
  return { rows };
}

/** True where the group is closed by what an earlier policy said. */
const isAnew = ({ groups }: Lockdown, { groupId }: GroupRef, policy: Policy): boolean => {
  const terms = groups.find(({ group }) => group.groupId === groupId)?.terms;
  return terms !== undefined && terms !== termsOf(policy);
};

/** What was closed by lists that do not close it any more. */
const holdsOnLists = ({ entries }: PassReport, holderId: string): boolean =>
  [...entries.values()].some(
    ({ spec, holders }) =>
      spec.peer.kind === "prefixList" && holders.some((it) => it.holderId === holderId && it.ended === null),
  );

const isStanding = (report: PassReport, entryId: EntryId, holderId: string): boolean =>
  report.entries.get(entryId)?.holders.some((it) => it.holderId === holderId && it.openedAt !== null) === true;

/**
 * Accepts as they are now: drops close whatever has been opened since they were planned, and a list of accepts does not. What its own
 * closing shows to have come in between is closed by closing once more.
 */
async function instead(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  preparation: Preparation,
  why: string,
  deadlineAt: number,
  isAgain = false,
): Promise<Pick<Closing, "isClosed" | "left" | "suspends">> {
  const facts = await app.inventory.group(preparation.group, "lockdown");
  if (!facts) return { isClosed: true, left: ["the group is gone"], suspends: 0 };
  const { picture, members } = await readLockdownPicture(app, policy, facts, "lockdown");
  const barred = await barredFromLockdown(app, policy, facts, members);
  if (barred !== null) return { isClosed: false, left: [barred], suspends: 0 };
  const isReplanned = isAnew(lockdown, facts.ref, policy);
  const earlier = await closedEarlier(app, facts.ref, lockdown, isReplanned);
  const whole = { ...picture, closed: earlier.closed };
  let plan = planSuspensions(whole, why);
  const keeps = [...plan.keeps, ...earlier.keeps];
  const { lockdownId, until, principal, reason } = lockdown;
  const by = { kind: "lockdown", itemId: lockdownId, principal, reason, until } as const;
  // What the core and operators need of a wide accept stands before that is closed; where it does not, the wide one stays.
  const holds = [...forOthers(earlier, plan.keeps), { by, specs: keeps }];
  if (plan.way === "suspend" && !(await keep(app, policy, lockdown, preparation, holds, deadlineAt)))
    plan = planSuspensions(whole, why, false);
  // Who has broken the glass meanwhile stays in.
  const passed = await brokenGlass(app, facts.ref, lockdown.startedAt);
  const suspends = [...plan.suspends, ...earlier.suspends].filter((spec) => !passed.has(ruleKey(spec)));
  const isIn = (id: GroupId): boolean => lockdown.groups.some(({ group }) => group.groupId === id);
  const elsewhere = members.filter(({ groupIds }) => !groupIds.every((id) => id === facts.ref.groupId || isIn(id)));
  const left = [
    why,
    ...plan.left,
    ...(plan.way === "none" && plan.why !== null ? [plan.why] : []),
    ...(elsewhere.length > 0 ? [`${elsewhere.length} hosts are in other groups, too: what these let in stays`] : []),
  ];
  if (plan.way === "none") return { isClosed: false, left, suspends: 0 };
  const wanted = suspends.length > 0 ? suspends : [EVERYTHING];
  // What this one alone closes would be open again with its end, until the others look: it is booked for them, and first, as this process
  // may die. Whom these let in they know themselves.
  const broken = earlier.others.length > 0 ? await brokenGlass(app, facts.ref, 0) : passed;
  const isFresh = (spec: RuleSpec): boolean => !earlier.settled.has(ruleKey(spec));
  const shared = plan.suspends.filter((spec) => isFresh(spec) && !broken.has(ruleKey(spec)));
  const asked = [...forOthers(earlier, shared), { by, specs: wanted.filter(isFresh) }];
  const { rules, ...closing } = await bySuspensions(
    app,
    policy,
    lockdown,
    { ...preparation, suspends, left },
    asked,
    deadlineAt,
  );
  const planned = { drops: [], suspends: wanted, keeps };
  if (isReplanned && closing.isClosed && !(await keepOnly(app, policy, facts.ref, lockdownId, planned, deadlineAt)))
    return { ...closing, isClosed: false, left: [...left, "more is closed than it has to be"] };
  const isClosed = closing.isClosed && plan.isWhole;
  // What was opened too often while it is suspended is a person's to decide.
  const fresh = planSuspensions({ ...picture, rules }, why).suspends.filter(
    (spec) => !passed.has(ruleKey(spec)) && !earlier.settled.has(ruleKey(spec)),
  );
  if (!isClosed || fresh.length === 0) return { ...closing, isClosed };
  if (!isAgain) return instead(app, policy, lockdown, preparation, why, deadlineAt, true);
  return { ...closing, isClosed: false, left: [...left, `opened meanwhile: ${fresh.map(ruleKey).join(", ")}`] };
}

/**
 * What is suspended in the group already, or not given back yet, and kept by lockdowns, this one or others: no reading shows the one, and
 * both last as long as this one does, though another is lifted first, or a recycled rule is given back. `isReplanned`: what lockdowns alone
 * have closed is answered as `closed`, to be planned once more, and what this one has kept is not.
 */
async function closedEarlier(app: App, group: GroupRef, { lockdownId, until }: Lockdown, isReplanned: boolean) {
  const { entries } = await listEntries(app.tables, group);
  const now = app.clock.now();
  const isSuspended = ({ suspension }: Entry): boolean => suspension !== null;
  const isPlanned = ({ suspension, holders }: Entry): boolean =>
    isReplanned &&
    suspension?.by.every(({ kind }) => kind === "lockdown") === true &&
    (suspension.kept !== null || holders.some((it) => it.ended === null));
  const isKept = ({ holders, spec }: Entry): boolean =>
    spec.policy === "accept" &&
    holders.some(
      (it) =>
        it.ended === null && (it.holderId === lockdownId ? !isReplanned : it.kind === "lockdown" && isHolding(it, now)),
    );
  const isSettled = ({ suspension }: Entry): boolean =>
    suspension?.by.some((it) => it.itemId === lockdownId && (it.until ?? 0) >= until) === true;
  const specs = (which: (entry: Entry) => boolean) => entries.filter(which).map(({ spec }) => spec);
  const others = new Map<string, Asked["by"]>();
  for (const { itemId, kind, until: end, ...rest } of entries.flatMap((entry) => entry.suspension?.by ?? []))
    if (kind === "lockdown" && itemId !== lockdownId && end !== null && end > now)
      others.set(itemId, { ...rest, itemId, kind, until: Math.max(end, others.get(itemId)?.until ?? 0) });
  return {
    /** Lockdowns that close accepts of the group as well. */
    others: [...others.values()],
    suspends: specs((entry) => isSuspended(entry) && !isPlanned(entry)),
    closed: specs(isPlanned),
    keeps: specs(isKept),
    /** By their keys: asking for them once more would begin to fight anew with whoever opens them. */
    settled: new Set(entries.filter(isSettled).map(({ key }) => key)),
  };
}

const forOthers = ({ others }: { readonly others: readonly Asked["by"][] }, specs: readonly RuleSpec[]) =>
  specs.length === 0 ? [] : others.map((by): Asked => ({ by, specs }));

/** Answers true when a reading has shown all of them. */
async function keep(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  preparation: Preparation,
  holds: readonly Asked[],
  deadlineAt: number,
): Promise<boolean> {
  const keeps = holds.flatMap(({ specs }) => specs);
  if (keeps.length === 0) return true;
  const { group } = preparation;
  const hold = ({ by: { kind, itemId: holderId, principal, reason: why, until }, specs }: Asked): Promise<Booked> =>
    holdAccepts(app, group, { kind, holderId, principal, reason: `lockdown ${holderId} ${why}`, until }, specs);
  const booked = await bookAll(holds, hold).catch((error: unknown) => {
    if (!isUnreadable(error)) throw error;
    return { entryIds: [], rows: [] };
  });
  const report = await pass(app, policy, lockdown, preparation, booked, deadlineAt);
  const shown = new Set(report?.rules.map(ruleKey));
  return keeps.every((spec) => shown.has(ruleKey(spec)));
}

/** Where a row cannot be read, all else is booked for everybody, and then STATE_UNREADABLE is thrown. */
async function bookAll(asked: readonly Asked[], book: (asked: Asked) => Promise<Booked>): Promise<Booked> {
  const booked: Booked[] = [];
  const unreadable: AppError[] = [];
  for (const it of asked)
    try {
      booked.push(await book(it));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push(error);
    }
  if (unreadable[0] !== undefined) throw unreadable[0];
  return { entryIds: booked.flatMap(({ entryIds }) => entryIds), rows: booked.flatMap(({ rows }) => rows) };
}

async function bySuspensions(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  preparation: Preparation,
  asked: readonly Asked[],
  deadlineAt: number,
): Promise<Pick<Closing, "isClosed" | "left" | "suspends"> & Pick<PassReport, "rules">> {
  const { group, left } = preparation;
  const { suspends } = preparation;
  const booked = await bookAll(asked, ({ by, specs }) => suspendRules(app, group, by, specs));
  const report = await pass(app, policy, lockdown, preparation, booked, deadlineAt);
  const isClosed = report !== null && report.rowsLeft === 0;
  const counted = { suspends: suspends.length, isClosed, rules: report?.rules ?? [] };
  return { ...counted, left: isClosed ? left : [...left, "not all of its accepts are revoked yet"] };
}

function pass(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  { group }: Preparation,
  { rows }: Booked,
  deadlineAt: number,
): Promise<PassReport | null> {
  const { lockdownId, principal: actor } = lockdown;
  return lookAtGroup(app, group, {
    ...{ cause: `lockdown ${lockdownId}`, actor, policy, priority: "lockdown", rows, deadlineAt },
  });
}
