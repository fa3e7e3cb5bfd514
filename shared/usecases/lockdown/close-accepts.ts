// Closes the accepts of one group for a lockdown, where it has no room for drops or the cloud takes none, and reads it back.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Entry, Suspender } from "../../domain/ledger-entry.ts";
import { isAnew, type Lockdown, type LockdownGroup, type Preparation } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { type AppError, isUnreadable } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { planSuspensions } from "../../plan/plan-lockdown.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { type Booked, holdAccepts } from "../ledger/hold-drops.ts";
import { suspendRules } from "../ledger/suspend-rules.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { brokenGlass } from "../pass/passages.ts";
import { keepOnly } from "./keep-only.ts";
import { barredFromLockdown, readLockdownPicture } from "./prepare-lockdowns.ts";

/** The accept of everything, which is suspended where nothing else is: by it the ledger knows that the group is locked down. */
const EVERYTHING: RuleSpec = {
  ...{ direction: "ingress", protocol: "all", ports: { kind: "any" }, sourcePorts: { kind: "any" } },
  ...{ peer: { kind: "cidr", cidr: { family: 4, first: 0n, last: (1n << 32n) - 1n, prefix: 0 } }, dest: null },
  ...{ policy: "accept", priority: 1 },
};

/** What came of it. */
export type Closing = Pick<LockdownGroup, "way" | "isClosed" | "left" | "drops" | "suspends" | "onLists">;

/** A lockdown as the ledger names it, with the accepts that are to be booked for it. */
interface Asked {
  readonly by: Suspender & { readonly kind: "lockdown"; readonly until: number };
  readonly specs: readonly RuleSpec[];
}

/**
 * Accepts as they are now: drops close whatever has been opened since they were planned, and a list of accepts does not. What its own
 * closing shows to have come in between is closed by closing once more.
 */
export async function closeAccepts(
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
  const own = lockdown.groups.find(({ group }) => group.groupId === facts.ref.groupId);
  const isReplanned = own !== undefined && isAnew(own, policy);
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
  if (!isAgain) return closeAccepts(app, policy, lockdown, preparation, why, deadlineAt, true);
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
  const report = await carryOut(app, policy, lockdown, preparation, booked, deadlineAt);
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
  const report = await carryOut(app, policy, lockdown, preparation, booked, deadlineAt);
  const isClosed = report !== null && report.rowsLeft === 0;
  const counted = { suspends: suspends.length, isClosed, rules: report?.rules ?? [] };
  return { ...counted, left: isClosed ? left : [...left, "not all of its accepts are revoked yet"] };
}

/** A pass over the group that carries out what is booked there for the lockdown; null where another is still on. */
export function carryOut(
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
