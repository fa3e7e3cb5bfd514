// Closes one group for a lockdown by drops, or where that cannot be by its accepts, and reads it back.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { DropHolder, Holder } from "../../domain/ledger-entry.ts";
import type { Lockdown, Preparation } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { dropsSuffice } from "../../plan/plan-lockdown.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import type { Due } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { type Booked, holdDrops } from "../ledger/hold-drops.ts";
import { besidePassages, keepOnly, livePassages } from "../pass/pass-lockdown.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { type Closing, carryOut, closeAccepts, isAnew } from "./close-accepts.ts";
import { findLockdown } from "./lost-lockdown.ts";
import { prepareGroup } from "./prepare-lockdowns.ts";

/** That its drops are planned anew by now, and what has the group looked at should this process die. */
type Replanned = Pick<Booked, "rows">;

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
      return {
        ...counts,
        ...(await closeAccepts(app, policy, lockdown, preparation, preparation.why ?? "", deadlineAt)),
      };
    const { group } = preparation;
    const { lockdownId: holderId, until, principal, reason } = lockdown;
    const own = lockdown.groups.find((it) => it.group.groupId === group.groupId);
    const drops = besidePassages(preparation.drops, own ? await livePassages(app, own) : []);
    const hold = { kind: "lockdown", holderId, principal, reason: `lockdown ${holderId} ${reason}`, until } as const;
    const booked = await holdDrops(app, group, hold, drops);
    const rows = [...booked.rows, ...(replanned?.rows ?? [])];
    const report = await carryOut(app, policy, lockdown, preparation, { ...booked, rows }, deadlineAt);
    if (report === null)
      return { ...counts, isClosed: false, left: [...left, "another pass of the group is still on"] };
    const standing = booked.entryIds.filter((id) => isStanding(report, id, holderId));
    const refusal = booked.entryIds.flatMap((id) => report.refusals.get(id) ?? [])[0];
    if (refusal && standing.length < drops.length) {
      const why = `the cloud refuses drops: ${refusal.code}`;
      return {
        ...counts,
        ...(await closeAccepts(app, policy, lockdown, preparation, why, deadlineAt)),
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
    await carryOut(app, policy, lockdown, preparation, { entryIds: [], rows: [] }, deadlineAt).catch((cause: unknown) =>
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

/** What was closed by lists that do not close it any more. */
const holdsOnLists = ({ entries }: PassReport, holderId: string): boolean =>
  [...entries.values()].some(
    ({ spec, holders }) =>
      spec.peer.kind === "prefixList" && holders.some((it) => it.holderId === holderId && it.ended === null),
  );

const isStanding = (report: PassReport, entryId: EntryId, holderId: string): boolean =>
  report.entries.get(entryId)?.holders.some((it) => it.holderId === holderId && it.openedAt !== null) === true;
