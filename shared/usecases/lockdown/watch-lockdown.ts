// Looks what has come in under a lockdown while it lasts: what somebody has undone, accepts that its way of closing does not stop, and
// groups given its tag, or its instance.
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { LOCKDOWN_JOB, type Lockdown, type LockdownGroup } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { AppError } from "../../errors/app-error.ts";
import { isUndoneTooOften } from "../../plan/plan-drop.ts";
import { unrestorable } from "../../plan/plan-suspended.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { chooseLockdown, isTaggedFor } from "./choose-lockdown.ts";
import { bookGroups, refusingOf } from "./close-groups.ts";
import { hasOpened } from "./has-opened.ts";
import { isOfLockdown } from "./lift-lockdown.ts";

/** Groups that are read in a minute, one call each: others need calls, too. */
const GROUPS_A_MINUTE = 50;
const MINUTE_MS = 60_000;
const AT_ONCE = 8;

/**
 * Answers the lockdown with groups in which more was opened as not closed, for whoever goes on with it; those that have joined its scope are
 * booked. Where only something of it was undone a pass puts that back. What somebody closed late and by an earlier policy, where this one leaves
 * the group alone, is answered as not closed either. What cannot be read now is looked at in the next minute. Reads one group by one call, lists
 * them for a tag, and asks where an instance is.
 */
export async function watchLockdown(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  deadlineAt: number,
): Promise<Lockdown> {
  const { lockdownId } = lockdown;
  const terms = { cause: `lockdown ${lockdownId}`, actor: "safeport", policy, priority: "lockdown", rows: [] } as const;
  const joined = await unlessFailed(app, () => join(app, policy, lockdown), lockdown);
  const open = new Set<LockdownGroup>();
  const closed = joined.groups.filter(({ isClosed, way }) => isClosed && way !== "none");
  await inParallel(
    inTurn(closed, app.clock.now()),
    async (it) => {
      const found = await unlessFailed(app, () => look(app, policy, joined, it), "as it was");
      if (found === "opened") open.add(it);
      if (found === "undone") await unlessFailed(app, () => lookAtGroup(app, it.group, { ...terms, deadlineAt }), null);
    },
    AT_ONCE,
  );
  const closedLate = new Set<LockdownGroup>();
  await inParallel(
    inTurn(
      joined.groups.filter(({ way }) => way === "none"),
      app.clock.now(),
    ),
    async (it) => {
      const { entries } = await listEntries(app.tables, it.group);
      if (entries.some((entry) => isOfLockdown(entry, lockdownId))) closedLate.add(it);
    },
    AT_ONCE,
  );
  const asSeen = (it: LockdownGroup): LockdownGroup => {
    if (closedLate.has(it)) return { ...it, way: "drops", isClosed: false };
    return open.has(it) ? { ...it, isClosed: false } : it;
  };
  return { ...joined, groups: joined.groups.map(asSeen) };
}

/** Those whose turn it is in the minute of `now`; all of them where they are few. */
export function inTurn<T>(all: readonly T[], now: number): readonly T[] {
  const turns = Math.ceil(all.length / GROUPS_A_MINUTE);
  return all.filter((_, index) => index % turns === Math.floor(now / MINUTE_MS) % turns);
}

async function unlessFailed<T>(app: App, look: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("warn", "what came in under a lockdown is looked for in the next minute", { kind: error.kind });
    return otherwise;
  }
}

async function look(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  row: LockdownGroup,
): Promise<"opened" | "undone" | "as it was"> {
  const { group } = row;
  const { rules } = await app.firewall.readGroup(group, "drift");
  const { entries } = await listEntries(app.tables, group);
  if (await hasOpened(app, policy, lockdown, row, rules, entries)) return "opened";
  const { revertsMax: max, revertsWithinMs: withinMs } = policy.drift;
  const isToPutBack = (entry: Entry): boolean =>
    isUndone(entry, lockdown.lockdownId, rules) && !isUndoneTooOften(entry.undoneAt, { max, withinMs });
  return entries.some(isToPutBack) ? "undone" : "as it was";
}

/** True where a drop of the lockdown's does not stand as it is to, or an accept that it has closed stands. */
function isUndone({ key, spec, holders, suspension }: Entry, lockdownId: string, rules: readonly Rule[]): boolean {
  const standing = rules.filter((rule) => ruleKey(rule) === key);
  if (spec.policy === "drop")
    return standing.length === 0 && holders.some((it) => it.holderId === lockdownId && it.ended === null);
  return (
    suspension?.by.some((it) => it.itemId === lockdownId) === true &&
    standing.some((rule) => unrestorable(rule) === null)
  );
}

/** With the groups that have been given the tag since it began, or the instance. */
async function join(app: App, policy: Policy, lockdown: Lockdown): Promise<Lockdown> {
  const { scope, groups, lockdownId } = lockdown;
  const joining = new Set((await groupsJoining(app, policy, lockdown)).map(nameOf));
  if (joining.size === 0) return lockdown;
  const chosen = await chooseLockdown(app, policy, scope, refusingOf(groups)).catch((error: unknown) => {
    // What has left the scope again meanwhile joins nothing.
    if (!(error instanceof AppError)) throw error;
    return [];
  });
  // The row that has the job go on is there before the groups are in the lockdown's.
  await app.tables.writeAll([dueWrite(dueJob(LOCKDOWN_JOB, lockdownId, app.clock.now() + MINUTE_MS))]);
  return bookGroups(
    app,
    policy,
    lockdown,
    chosen.filter(({ group }) => joining.has(nameOf(group))),
  );
}

const nameOf = ({ region, groupId }: GroupRef): string => `${region} ${groupId}`;

/** Those of the tag, where one is new; and those of an interface of the instance where one is new, and drops in none of them close it. */
async function groupsJoining(app: App, policy: Policy, { scope, groups }: Lockdown): Promise<readonly GroupRef[]> {
  const rows = new Map(groups.map((it) => [nameOf(it.group), it]));
  const isNew = (group: GroupRef): boolean => !rows.has(nameOf(group));
  switch (scope.kind) {
    case "groups":
      return [];
    case "tag": {
      const listed = policy.regions.map((region) =>
        unlessFailed<readonly GroupFacts[]>(app, () => app.inventory.listGroups(region, "inventory"), []),
      );
      const tagged = (await Promise.all(listed)).flat().flatMap((it) => (isTaggedFor(scope.tag, it) ? [it.ref] : []));
      return tagged.some(isNew) ? tagged : [];
    }
    case "instance": {
      const interfaces = await Promise.all(
        [...new Set(groups.map(({ group }) => group.region))].map(async (region) => {
          const members = await app.inventory.instance(region, scope.instanceId, "inventory");
          return members?.map(({ groupIds }) => groupIds.map((groupId): GroupRef => ({ region, groupId }))) ?? [];
        }),
      );
      const isDropped = (group: GroupRef): boolean => rows.get(nameOf(group))?.way === "drops";
      return interfaces.flat().flatMap((refs) => (refs.some(isNew) && !refs.some(isDropped) ? refs : []));
    }
  }
}
