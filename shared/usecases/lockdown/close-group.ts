// Closes one group for a lockdown by drops, or where that cannot be by its accepts, and reads it back.
import type { EntryId } from "../../domain/ids.ts";
import type { DropHolder, Holder } from "../../domain/ledger-entry.ts";
import { isAnew, type Lockdown, type Preparation } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { isHolding } from "../../plan/picture.ts";
import { dropsSuffice } from "../../plan/plan-lockdown.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { StoreFailure } from "../../ports/tables.ts";
import type { App } from "../app.ts";
import { holdDrops } from "../ledger/hold-drops.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { besidePassages, livePassages } from "../pass/passages.ts";
import { type Closing, carryOut, closeAccepts } from "./close-accepts.ts";
import { hasOpened } from "./has-opened.ts";
import { keepOnly } from "./keep-only.ts";
import { findLockdown } from "./lost-lockdown.ts";
import { prepareGroup } from "./prepare-lockdowns.ts";

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
  isReplanned = false,
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
    const report = await carryOut(app, policy, lockdown, preparation, booked, deadlineAt);
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
    const fresh = isReplanned || suffice ? null : await planAgain(app, policy, preparation);
    await holdForOthers(app, policy, holderId, fresh ?? preparation, report);
    if (fresh) return closeGroup(app, policy, lockdown, fresh, deadlineAt, true);
    const missing = drops.length - standing.length;
    if (missing > 0)
      return { ...counts, isClosed: false, left: [...left, `${missing} of ${drops.length} drops do not stand yet`] };
    // A way whose lease is over is shut by the whole drop, and what stood beside it goes then; not where more stands than is planned now.
    const isOffLists = !onLists && holdsOnLists(report, holderId);
    const isSurplus = isOffLists || (own && isAnew(own, policy)) || ((own?.passages?.length ?? 0) > 0 && suffice);
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
 * What stops more here than the drops of another lockdown do would go with this one's end, before that other has looked: it is booked for it as
 * well, but for the ways that it has given.
 */
async function holdForOthers(
  app: App,
  policy: Policy,
  lockdownId: string,
  { group, drops, spelledOut }: Preparation,
  { rules, entries }: PassReport,
): Promise<void> {
  const now = app.clock.now();
  const isOther = (it: Holder): it is DropHolder =>
    it.kind === "lockdown" && it.holderId !== lockdownId && isHolding(it, now);
  const ledger = [...entries.values()];
  const held = ledger.filter(({ spec }) => spec.policy === "drop").flatMap(({ holders }) => holders.filter(isOther));
  for (const { kind, holderId, principal, reason, until } of new Map(held.map((it) => [it.holderId, it])).values()) {
    const named = { lockdownId: holderId, startedAt: now };
    if (!(await hasOpened(app, policy, named, { group, way: "drops" }, rules, ledger))) continue;
    const other = await findLockdown(app, holderId);
    const own = other?.state === "active" ? other.groups.find((it) => it.group.groupId === group.groupId) : undefined;
    if (!own) continue;
    const beside = besidePassages(spelledOut ?? drops, await livePassages(app, own));
    await holdDrops(app, group, { kind, holderId, principal, reason, until }, beside);
  }
}

/** What was closed by lists that do not close it any more. */
const holdsOnLists = ({ entries }: PassReport, holderId: string): boolean =>
  [...entries.values()].some(
    ({ spec, holders }) =>
      spec.peer.kind === "prefixList" && holders.some((it) => it.holderId === holderId && it.ended === null),
  );

const isStanding = (report: PassReport, entryId: EntryId, holderId: string): boolean =>
  report.entries.get(entryId)?.holders.some((it) => it.holderId === holderId && it.openedAt !== null) === true;
