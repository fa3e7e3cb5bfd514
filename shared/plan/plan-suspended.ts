// The decision about an entry whose accept is closed for a time, and about opening it again just as it was. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry, Standing, SuspendedRule, Suspension } from "../domain/ledger-entry.ts";
import type { Rule } from "../domain/rule.ts";
import type { EntryPatch, EntryPlan, PlannedCall } from "./entry-plan.ts";
import { type EntryView, viewEntry } from "./entry-view.ts";
import { isAllocatedAlways } from "./open-window.ts";
import {
  carriesOurMark,
  isOpening,
  isSuspending,
  mayBeModified,
  mayBeRevoked,
  type Picture,
  rulesOf,
} from "./picture.ts";
import { isUndoneTooOften } from "./plan-drop.ts";

/** Lower numbers are stronger; ECS shows weaker rules of old, and takes no such rule. */
const PRIORITY_MAX = 100;

/** Why a rule could not be authorized again just as it is, or null. */
export function unrestorable(rule: Rule): string | null {
  if (rule.peer.kind === "opaque") return "its peer cannot be written";
  if (rule.priority > PRIORITY_MAX) return `the cloud takes no rule of priority ${rule.priority}`;
  return rule.id === null ? "it has no id" : null;
}

/**
 * What to do about an entry that is suspended; null when its suspension is over and the entry is to be planned as any other.
 *
 *     suspended   rule in the cloud             what happens
 *     yes         ours                          revoke; who still holds it afterwards has it opened again
 *     yes         somebody else's               kept in full, and then revoked
 *     yes         another after what is kept    somebody opened it anew: revoked, until that was done too often
 *     yes         what is kept, with another key  its owner has moved it: no longer kept
 *     any         what another entry has kept later  the same, and it was closed where it had been moved to
 *     any         one that we may have made  none of its: a revoke by its id would close what it says by now
 *                 another of since
 *     any         none, before we closed it     its owner has removed it: no longer kept
 *     no          a revoke of ours may close it  waited for, if anybody is to have it
 *     no          none                          what is kept is authorized, with all its fields but id and time
 *     no          one that is not what is kept  over
 *     no          what was kept                 it may stand still, or the reading be stale: over when it is late enough to tell
 *     no          the group is gone             over
 *
 * What stood by an allocation that was retired meanwhile, or for leases that have ended, stays closed.
 */
export function planSuspended(picture: Picture, entry: Entry, bookedElsewhere: ReadonlySet<RuleId>): EntryPlan | null {
  if (entry.suspension === null) return null;
  const read = viewEntry(picture, entry, entry, bookedElsewhere);
  const view = { ...read, same: read.same.filter((rule) => !mayBeModified(picture, rule)) };
  const suspension = withoutRemoved(picture, withoutKeptLater(picture, entry, entry.suspension), view);
  return suspension.by.some((it) => isSuspending(it, picture.now))
    ? planClosed(picture, entry, suspension, view)
    : planLifted(picture, entry, suspension, view);
}

/** The entry without its suspension, and with nothing standing for it: it is planned anew by who is granted it. */
export const withoutSuspension = (entry: Entry): Entry => ({
  ...entry,
  suspension: null,
  undoneAt: [],
  missingSince: null,
  standing: { kind: "none" },
});

function planClosed(picture: Picture, entry: Entry, stored: Suspension, view: EntryView): EntryPlan {
  const suspension = withoutMoved(picture, stored, view);
  const { now, undone, lateEffectMaxMs } = picture;
  const { same, ours, bookedId, attempts, change, revoke } = view;
  const isAllocated = isAllocatedAlways(entry);
  const others = same.filter((rule) => isAllocated || !ours.includes(rule));
  const mine = same.filter((rule) => !others.includes(rule)).map((rule) => rule.id);
  if (bookedId !== null) mine.push(bookedId);
  const kept: SuspendedRule[] = others.map((rule) => ({
    ruleId: rule.id,
    // A mark would end what stands for good.
    description: carriesOurMark(rule, picture) ? (entry.allocation?.description ?? "") : rule.description,
    isClosed: false,
    ...(rule.createdAt !== null && { createdAt: rule.createdAt }),
  }));
  const reasons = others.flatMap((rule) => unrestorable(rule) ?? []);
  const findings: string[] = [];
  if (suspension.kept === null && reasons.length > 0)
    return change({}, { findings: [`${entry.key} is not closed: ${reasons[0]}`] });

  const wasKept = new Set(suspension.kept?.map((rule) => rule.ruleId));
  const anew = suspension.kept === null ? [] : others.filter((rule) => !wasKept.has(rule.id));
  const isNoticed = entry.missingSince !== null;
  const isLeft = anew.length > 0 && !isNoticed && isUndoneTooOften(entry.undoneAt, undone);
  if (isLeft)
    findings.push(`${entry.key} was opened ${undone.max} times while it is suspended: a person has to decide about it`);
  else if (anew.length > 0 && !isNoticed)
    findings.push(`somebody opened ${entry.key} while it is suspended: it is closed again`);
  const theirs = others.filter((rule) => !(isLeft && anew.includes(rule)));
  const cause = `suspended by ${suspension.by.map((it) => it.itemId).join(", ")}`;
  const isFirst = suspension.kept === null && kept.length > 0;
  // What we are about to remove stays booked as ours until it is gone.
  const [first] = mine;
  const standing: Standing = first === undefined ? { kind: "none" } : { kind: "ours", ruleId: bookedId ?? first };
  const isNew = anew.length > 0 && !isNoticed && !isLeft;
  const patch: Partial<EntryPatch> = {
    standing,
    suspension: {
      ...suspension,
      ...(isFirst && { kept, keptAt: now, wasAllocated: entry.allocation !== null }),
      liftedAt: null,
    },
    missingSince: anew.length > 0 && !isLeft ? (entry.missingSince ?? now) : null,
    undoneAt: isNew ? [...entry.undoneAt, now].slice(-undone.max) : entry.undoneAt,
    // What is somebody else's is no lease's to wait for.
    settled: mine.length === 0 && attempts.length === 0,
  };
  const until = suspension.by.map((it) => it.until ?? Number.POSITIVE_INFINITY);
  const quiet = attempts.map((intent) => intent.attemptsEndAt + lateEffectMaxMs);
  // The rule may be one that the reading does not show yet.
  const isUnseen = suspension.kept === null && kept.length === 0;
  const unseenSince = entry.suspension?.kept ? now : suspension.since;
  const young = isUnseen ? [unseenSince + lateEffectMaxMs] : [];
  const lookAt = [Math.max(...until), ...quiet, ...young].filter((at) => at > now && Number.isFinite(at));
  const calls = [
    ...[...new Set(mine)].map((id) => revoke(id, cause)),
    ...theirs.map((rule): PlannedCall => ({ ...revoke(rule.id, cause), suspends: true })),
  ];
  return change(patch, { calls, lookAt, findings });
}

/**
 * A rule has one key at a time: what a later reading has shown elsewhere, and had kept there, was moved by its owner in between. It is
 * given back where it was last.
 */
function withoutKeptLater({ entries }: Picture, entry: Entry, suspension: Suspension): Suspension {
  const { kept } = suspension;
  if (kept === null) return suspension;
  const later = new Set(
    entries
      .filter((it) => it !== entry && it.suspension !== null && keptAtOf(it.suspension) > keptAtOf(suspension))
      .flatMap((it) => it.suspension?.kept?.map(({ ruleId }) => ruleId) ?? []),
  );
  return keeping(suspension, ({ ruleId }) => !later.has(ruleId));
}

const keptAtOf = ({ keptAt, since }: Suspension): number => keptAt ?? since;

function keeping(suspension: Suspension, isLeft: (rule: SuspendedRule) => boolean): Suspension {
  const left = suspension.kept?.filter(isLeft) ?? [];
  if (left.length === (suspension.kept?.length ?? 0)) return suspension;
  return { ...suspension, kept: left.length === 0 ? null : left };
}

/**
 * Notes what we have closed, or may have. What is gone without was removed by its owner: it is not opened again. That is not told before
 * every intent can be read.
 */
function withoutRemoved(picture: Picture, suspension: Suspension, { same }: EntryView): Suspension {
  const noted = suspension.kept?.map((rule) =>
    mayBeRevoked(picture, rule.ruleId) ? { ...rule, isClosed: true } : rule,
  );
  return noted === undefined
    ? suspension
    : keeping(
        { ...suspension, kept: noted },
        (rule) => picture.hasUnreadIntents || rule.isClosed !== false || same.some(({ id }) => id === rule.ruleId),
      );
}

/**
 * What its owner has made another rule of before it was revoked is no longer what was kept: it is not opened again. Told by its id, once a
 * reading cannot be from before it was kept.
 */
function withoutMoved(picture: Picture, suspension: Suspension, { same }: EntryView): Suspension {
  const { now, lateEffectMaxMs } = picture;
  if (now < keptAtOf(suspension) + lateEffectMaxMs) return suspension;
  // Not what this pass has revoked itself: a stale reading shows it still.
  const elsewhere = new Set(rulesOf(picture).flatMap(({ id }) => (same.some((it) => it.id === id) ? [] : id)));
  return keeping(suspension, ({ ruleId }) => !elsewhere.has(ruleId));
}

/** A group that was deleted shows no rule, and the cloud says so of what is to be given back in it. */
const isGroupGone = ({ rules, refusals }: Picture, { entryId }: Entry): boolean =>
  rules.length === 0 && refusals.get(entryId)?.code === "GROUP_UNKNOWN";

function planLifted(picture: Picture, entry: Entry, suspension: Suspension, view: EntryView): EntryPlan | null {
  const { now, lateEffectMaxMs } = picture;
  const { same, change } = view;
  const kept = suspension.kept ?? [];
  const isRetired = suspension.wasAllocated && entry.allocation === null;
  const isWanted = kept.length > 0 ? !isRetired : view.live.length > 0;
  if (!isWanted) return null;
  const liftedAt = suspension.liftedAt ?? now;
  // A revoke of which nobody knows yet may close it still: the last to know that it was not its owner's doing is this entry.
  if (same.some((rule) => mayBeRevoked(picture, rule.id)))
    return change({ suspension: { ...suspension, liftedAt } }, { lookAt: [liftedAt + lateEffectMaxMs] });
  if (kept.length === 0) return null;
  if (isGroupGone(picture, entry)) return null;
  const oldIds = new Set(kept.map((rule) => rule.ruleId));
  const fresh = same.filter((rule) => !oldIds.has(rule.id));
  const isSaid = (rule: SuspendedRule): boolean => fresh.some((it) => it.description === rule.description);
  const missing = kept.filter((rule) => !isSaid(rule));
  // Where two of one key cannot stand, one that stands is all there is to be.
  const isBack = missing.length === 0 || (fresh.length > 0 && picture.accepted.has(entry.entryId));
  const isLate = now >= liftedAt + lateEffectMaxMs;
  if (isBack || (fresh.length > 0 && kept.length === 1) || (isLate && same.length > 0)) return null;
  // Not beside itself: of an address in another spelling the cloud may make a second rule, and that one nobody would ever remove.
  const gone = missing.filter((rule) => !same.some((it) => it.id === rule.ruleId));
  // What is given back nobody judges: else it is about whoever waits beside it.
  const refusal = isOpening(entry, now) ? undefined : picture.refusals.get(entry.entryId);
  const findings = refusal ? [`${entry.key} cannot be opened again: ${refusal.code}; it is tried again`] : [];
  const cause = "its suspension is lifted";
  const calls: PlannedCall[] =
    picture.accepted.has(entry.entryId) && same.length > 0
      ? []
      : gone.map(({ description }) => ({ kind: "authorize", entry, description, beforeIds: [], cause }));
  return change(
    { standing: { kind: "none" }, suspension: { ...suspension, liftedAt } },
    { calls, findings, lookAt: [liftedAt + lateEffectMaxMs] },
  );
}
