// Closes groups of a lockdown side by side, each by what is planned for it, and says what came of each.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import {
  type Lockdown,
  type LockdownGroup,
  nameOfWay,
  type Passage,
  type Preparation,
  termsOf,
} from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { getLockdown, saveLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { chooseLockdown } from "./choose-lockdown.ts";
import { closeGroup } from "./close-group.ts";
import { fillLists, stepOut } from "./hold-standby.ts";
import { lookBeside, openGroup } from "./lift-lockdown.ts";

const GROUPS_AT_ONCE = 256;

const isUntouched = (way: Preparation["way"]): boolean => way === "none" || way === "unread";

/** A group as it is booked, before anything is closed in it. */
export const groupOf = (
  { group, name, way, drops, suspends, left, why, hosts, cannotStop }: Preparation,
  policy: Policy,
): LockdownGroup => ({
  group,
  name,
  way,
  drops: drops.length,
  suspends: suspends.length,
  isClosed: false,
  left: isUntouched(way) && why !== null ? [why, ...left] : left,
  hosts,
  cannotStop,
  terms: termsOf(policy),
});

/** True where the lockdown has left the group alone, and is to close it from now on. */
export const isTakenUp = ({ way }: Preparation, row: LockdownGroup | undefined): boolean =>
  row?.way === "none" && !isUntouched(way);

/** Answers what came of each by the group's id, and says when lists are filled. Throws what `chooseLockdown` throws. */
export async function closeGroups(
  app: App,
  policy: Policy,
  lockdown: Lockdown,
  chosen: readonly Preparation[],
  deadlineAt: number,
  onFilled: () => void = () => undefined,
): Promise<ReadonlyMap<string, LockdownGroup>> {
  const closed = new Map<string, LockdownGroup>();
  // What is closed by lists is closed by now; the readings of its groups show whether their drops stand.
  const first = await fillLists(app, policy, lockdown, chosen);
  if (first.some((it) => it.spelledOut !== undefined)) onFilled();
  for (let [todo, row] = [first, lockdown]; todo.length > 0; ) {
    const acted = row;
    const ownOf = ({ group }: Preparation) => acted.groups.find((it) => it.group.groupId === group.groupId);
    await inParallel(
      todo.filter((it) => it.way === "none"),
      async (it) => {
        // What was closed there by what the policy said before is given back first.
        const own = ownOf(it);
        const terms = { policy, by: "the policy", deadlineAt };
        const isBack =
          !own ||
          isUntouched(own.way) ||
          ((await openGroup(app, own, lockdown, terms)) &&
            (await stepOut(app, policy, own, lockdown.lockdownId, deadlineAt)));
        if (isBack && own)
          await lookBeside(app, [own]).catch((error: unknown) => {
            // The others are not left open for it: the next full pass looks.
            if (!(error instanceof StoreFailure)) throw error;
          });
        const wasClosed = own !== undefined && (own.wasClosed === true || !isUntouched(own.way));
        const left = { ...groupOf(it, policy), ...(wasClosed && { wasClosed }) };
        closed.set(it.group.groupId, isBack ? left : { ...own, isClosed: false });
      },
      GROUPS_AT_ONCE,
    );
    await inParallel(
      todo.filter((it) => !isUntouched(it.way)),
      async (preparation) => {
        const outcome = await closeGroup(app, policy, acted, preparation, deadlineAt);
        const fresh = groupOf(preparation, policy);
        // While it is not closed by what the policy says now, what was done by its earlier words is still to be undone.
        const { terms } = outcome.isClosed ? fresh : { ...fresh, ...ownOf(preparation) };
        closed.set(preparation.group.groupId, { ...fresh, ...outcome, ...(terms !== undefined && { terms }) });
      },
      GROUPS_AT_ONCE,
    );
    const refusing = refusingOf([...lockdown.groups, ...closed.values()]);
    const isRefused = todo.some(({ way, group }) => way === "drops" && refusing.has(group.groupId));
    if (lockdown.scope.kind !== "instance" || !isRefused) break;
    // The drops of one group were to do for all groups of an interface.
    const all = await chooseLockdown(app, policy, lockdown.scope, refusing);
    row = await bookGroups(app, policy, row, all);
    if (row.state !== "active") break;
    todo = all.filter(({ group }) => !closed.has(group.groupId));
  }
  return closed;
}

/** Groups that are closed by their accepts; where drops had been planned, the cloud has refused them. */
export const refusingOf = (groups: readonly LockdownGroup[]): ReadonlySet<GroupId> =>
  new Set(groups.flatMap(({ way, group }) => (way === "suspend" ? group.groupId : [])));

/**
 * Books groups that the lockdown has to be in, too, or has left alone so far, before anything is closed in them: a lift opens what is booked. Those
 * who have broken the glass before are let in there as well. One that is being lifted is answered as it is, and nothing is to be closed for it.
 */
export async function bookGroups(
  app: App,
  policy: Policy,
  { lockdownId }: Lockdown,
  chosen: readonly Preparation[],
): Promise<Lockdown> {
  for (;;) {
    const lockdown = await getLockdown(app.tables, lockdownId);
    if (!lockdown) throw new Error(`the lockdown ${lockdownId} has no row`);
    const rowOf = ({ group }: Preparation) => lockdown.groups.find((it) => it.group.groupId === group.groupId);
    const fresh = chosen.filter((it) => rowOf(it) === undefined || isTakenUp(it, rowOf(it)));
    if (fresh.length === 0 || lockdown.state !== "active") return lockdown;
    const ways = await waysInto(app, lockdown);
    const booked = (it: Preparation): LockdownGroup => {
      const passages = [...new Set([...(rowOf(it)?.passages ?? []), ...ways(it.group)])];
      return { ...rowOf(it), ...groupOf(it, policy), ...(passages.length > 0 && { passages }) };
    };
    const taken = new Map(fresh.map((it) => [rowOf(it), booked(it)]));
    const added = fresh.filter((it) => rowOf(it) === undefined).map(booked);
    const groups = [...lockdown.groups.map((it) => taken.get(it) ?? it), ...added];
    const saved = await saveLockdown(app.tables, { ...lockdown, groups });
    if (saved) return saved;
  }
}

/**
 * The ways that the lockdown has given so far to hosts that are in a group as well, each once. Where these cannot be read the way is given: it lets
 * in no more than the lease whose it is, and what else the group lets in from just there.
 */
async function waysInto(app: App, { groups }: Lockdown): Promise<(group: GroupRef) => readonly Passage[]> {
  const given = new Map(groups.flatMap((it) => it.passages ?? []).map((way) => [nameOfWay(way), way]));
  const into = await Promise.all(
    [...given.values()].map(async (way) => {
      const members = await app.inventory.members(way.own, "lockdown").catch((error: unknown) => {
        if (!(error instanceof CloudFailure)) throw error;
        return null;
      });
      return { way, ids: members && new Set([way.own.groupId, ...members.flatMap(({ groupIds }) => groupIds)]) };
    }),
  );
  return ({ region, groupId }) =>
    into.flatMap(({ way, ids }) => (way.own.region === region && ids?.has(groupId) !== false ? [way] : []));
}
