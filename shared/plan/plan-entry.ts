// The decision about an entry that is held for a time, by leases or by its open hours: what to call and what to write down. Pure.
import { formatBare } from "../domain/cidr.ts";
import type { RuleId, RuleKey } from "../domain/ids.ts";
import type { Entry, Holder, Intent, Standing, Suspender } from "../domain/ledger-entry.ts";
import { identityWithoutPriority, ruleKey } from "../domain/rule-key.ts";
import type { EntryPlan, PlannedCall } from "./entry-plan.ts";
import { type EntryView, viewEntry } from "./entry-view.ts";
import { openWindow } from "./open-window.ts";
import {
  isHolding,
  isSameMark,
  isSuspending,
  type KnownRule,
  markOf,
  mayBeModified,
  mayBeRevoked,
  mayStillGo,
  type Picture,
  type Refusal,
  rulesOf,
} from "./picture.ts";

const NONE: Standing = { kind: "none" };

/** So much later a reading has to show somebody else's rule still, before a lease is told to be open by it. */
const LATE_READING_MS = 2_000;

/**
 *     holders   rule in the cloud            what happens
 *     any       ours, without its host       revoke at once: it reaches more than was granted
 *     ended     ours, by id or by mark       revoke by id, seen or not
 *     ended     somebody else's              nothing
 *     live      ours, changed by somebody    it is left until its end and then revoked by id: that of those who had it open. Who has come
 *                                            since is opened then
 *     live      the same, and what it says   revoked by id, and those end who had it open: nobody was granted that, and no other entry may
 *               now is suspended             close what is booked here
 *     live      ours                         stands; its mark is rewritten when it is not the one it should carry
 *     live      ours, and nobody knows how   its mark is written again, and then it stands: a stale reading shows what an earlier lease
 *               it came there                has closed, and only a write is told that it is gone
 *     asking    ours, and a revoke of it is  revoked once more, and another one authorized: that revoke may take effect late, and would
 *               not written down yet         close whoever has been told by then that it is open
 *     live      somebody else's, same key    the lease rides on it, once a reading some time after the first has shown it too: nothing may be
 *                                            written to it, and a stale one shows what its owner has removed
 *     asking    somebody else's, and a call  waited for: it may be closed right after somebody has been told that it is open
 *               of ours may take it away
 *     live      ours, missing                believed only after a second reading, then the lease ends
 *     hours     ours, missing, and a revoke  authorize: we have closed it at the end of the hours before
 *               of it is not written down
 *     open      changed or missing, and a    put right: whoever allocated it, or had it restored, has said so since
 *               person's word is newer
 *     live      none                         authorize, unless refused
 *
 * An open window of the entry's allocation is one more hold, whose rule nobody has to have seen open.
 *
 * Rules booked to other entries take no part: they go with those. While drops of ours are on their way out that take from it, nobody is
 * opened; nor is a lease of which nobody can tell whether it is on, which keeps no other out. A refusal ends those who were not open yet,
 * whatever stands; who is open stays.
 */
export function planHeld(picture: Picture, entry: Entry, bookedElsewhere: ReadonlySet<RuleId>): EntryPlan {
  const { now } = picture;
  const window = openWindow(entry, now);
  const held = window === null ? entry : { ...entry, holders: [...entry.holders, window] };
  const view = viewEntry(picture, entry, held, bookedElsewhere);
  const { live, intents, attempts, rules, same, ours, bookedId, booked, change, revoke } = view;
  const standing = entry.standing.kind === "ours" && bookedId === null ? NONE : entry.standing;

  const wide = undirected(rules, entry).filter((rule) => isWritten(rule, entry, intents));
  if (wide.length > 0) {
    const cause = "the cloud left out its destination address: it reaches more hosts than were granted";
    const instance = entry.spec.dest ? formatBare(entry.spec.dest) : "";
    const detail = { instance, others: "every host of the group" };
    return change(
      { end: { cause: "refused", note: "REACH_TOO_WIDE", detail }, ends: "all" },
      { calls: wide.map((rule) => revoke(rule.id, cause)) },
    );
  }

  const [first] = live;
  if (first === undefined)
    return planEnded(
      picture,
      entry,
      view,
      entry.holders.length > 0 ? "its last lease has ended" : "its open hours have ended",
    );

  const isAnyNew = live.some((holder) => holder.openedAt === null);
  const refusal = isAnyNew ? picture.refusals.get(entry.entryId) : undefined;
  const isAnyOpen = live.some((holder) => holder.openedAt !== null);
  const refusing = refusal ? ({ end: refused(refusal), ends: "unopened" } as const) : {};
  // Refused with nothing of ours standing or on its way: that is the end of it.
  const givenUp = { ...refusing, standing: NONE, settled: attempts.length === 0 };
  const isOpenOrDoubted = (it: Holder): boolean => it.openedAt !== null || picture.doubted.has(it.holderId);
  const isWaiting = isAnyNew && (picture.waits.has(entry.entryId) || live.every(isOpenOrDoubted));
  const opens = refusal || isWaiting ? "opened" : "all";

  const isOwed = window !== null && entry.allocation?.seenAt === null && picture.mode === "normal";
  const isSeen = live.some((holder) => holder.openedAt !== null && !(isOwed && holder === window));
  const isKept = isSeen || picture.refusals.has(entry.entryId);
  const mayClose = isKept ? [] : idsOf(view).filter((id) => mayBeRevoked(picture, id));
  if (mayClose.length > 0) {
    const cause = "a revoke of it that comes late would close whoever asks for it now";
    return change({}, { calls: mayClose.map((id) => revoke(id, cause)) });
  }

  if (booked && !ours.includes(booked) && isOwed && !picture.refusals.has(entry.entryId)) {
    const { id: ruleId } = booked;
    // Two rules cannot say the same.
    if (same.length > 0)
      return change({}, { calls: [revoke(ruleId, "it was changed, and another one stands for it")] });
    const cause = `allocated by ${entry.allocation?.by}`;
    const description = markOf(entry, live, picture);
    return change({ opens: "opened" }, { calls: [{ kind: "modify", entry, ruleId, description, cause }] });
  }

  if (booked && !ours.includes(booked)) {
    // We may have put it right since.
    const suspender = mayBeModified(picture, booked) ? undefined : suspenderOf(picture, ruleKey(booked));
    if (suspender) {
      const end = {
        cause: "removed",
        note: `its rule was changed by somebody else, and closed for ${suspender.itemId}`,
      } as const;
      const cause = `somebody has changed it, and it is suspended by ${suspender.itemId}`;
      return change({ end: { ...end, detail: null }, ends: "opened" }, { calls: [revoke(booked.id, cause)] });
    }
    if (!isAnyOpen && !refusal && !mayBeModified(picture, booked))
      return change(
        {},
        { calls: [revoke(booked.id, "somebody has changed it, and the last lease that had it open has ended")] },
      );
    const found = `the rule ${booked.id} of ${entry.entryId} was changed by somebody else; it is revoked at its end`;
    const difference = { kind: "edited", entry, rule: booked, ruleId: booked.id, earlierId: null } as const;
    return change(
      { opens: same.length > 0 ? opens : "opened", ...refusing },
      { findings: [found], differences: [{ ...difference, description: markOf(entry, live, picture) }] },
    );
  }

  const kept = booked ?? ours[0];
  if (kept) {
    const stands: Standing = { kind: "ours", ruleId: kept.id };
    if (refusal && !isAnyOpen) return change({ standing: stands, ...refusing });
    const description = markOf(entry, live, picture);
    const doubt = doubtOf(entry, kept.id, picture);
    if (doubt !== null) {
      const cause = `${doubt}: whether it stands is seen by writing its mark again`;
      const opens = true;
      return change(
        { ...refusing },
        { calls: [{ kind: "modify", entry, ruleId: kept.id, description, cause, opens }] },
      );
    }
    const calls: PlannedCall[] = ours
      .filter((rule) => rule !== kept)
      .map((rule) => revoke(rule.id, "a second rule of the same lease"));
    const stated = isSameMark(kept.description, description);
    if (!stated) calls.push({ kind: "modify", entry, ruleId: kept.id, description, cause: "its mark is out of date" });
    const { createdAt } = kept;
    return change({ standing: stands, createdAt, seenAt: picture.readAt, opens, stated, ...refusing }, { calls });
  }

  const other = same[0] ?? ridden(rules, entry) ?? unequal(rules, entry, picture);
  if (other) {
    if (refusal && !isAnyOpen) return change(givenUp);
    if (!isAnyOpen && mayStillGo(picture, other)) {
      const found = `${entry.entryId} waits for what becomes of the rule ${other.id}: a call of ours may take it away`;
      return change({ standing, missingSince: entry.missingSince }, { findings: [found] });
    }
    const sureAt = picture.readSince + LATE_READING_MS;
    if (standing.kind === "none" && !picture.accepted.has(entry.entryId) && picture.readAt < sureAt)
      return change({ ...refusing }, { readAgainAt: sureAt });
    const stands: Standing = { kind: "preExisting", ruleId: other.id };
    return change({ standing: stands, createdAt: null, seenAt: picture.readAt, opens, ...refusing });
  }

  // Another lease's rule was changed into just this one. The cloud would add nothing; it goes with that lease.
  const isTaken = rulesOf(picture).some((rule) => ruleKey(rule) === entry.key);
  const isLeaseOpen = live.some((holder) => holder !== window && holder.openedAt !== null);
  // Where hours alone had it open, what a call of ours that is not written down yet has closed was removed by nobody.
  const isClosedByUs = standing.kind !== "none" && !isLeaseOpen && mayBeRevoked(picture, standing.ruleId);
  const left = isClosedByUs ? NONE : standing;
  if (left.kind !== "none" && !isOwed) {
    const since = entry.missingSince ?? now;
    const again = since + picture.lateEffectMaxMs;
    const { ruleId } = left;
    // A window's rule is not opened again by itself: what was removed is drift.
    const description = markOf(entry, live, picture);
    const removed = { kind: "removed", entry, rule: null, ruleId, earlierId: null, description } as const;
    const differences = window === null || isTaken ? [] : [removed];
    if (now < again) {
      const found = `the rule ${ruleId} of ${entry.entryId} is not shown; it is looked for again`;
      return change({ missingSince: since, ...refusing }, { lookAt: [again], findings: [found], differences });
    }
    if (isLeaseOpen) {
      const found = `somebody else removed the rule ${ruleId}; its lease ends and is not reopened`;
      const end = { cause: "removed", note: "its rule was removed by somebody else", detail: null } as const;
      return change({ missingSince: since, end, ends: "opened" }, { findings: [found], differences });
    }
    // Hours have no end of that: whoever asks for the rule has it opened for them as well.
    if (window !== null && (!isAnyNew || isWaiting)) {
      const found = `somebody else removed the rule ${ruleId}; it is not opened again before its next hours`;
      return change({ missingSince: since }, { findings: [found], differences });
    }
  }

  const stop = picture.refusals.get(entry.entryId);
  // Who was open before waits to be given it back, whoever else is refused now.
  if (stop && isAnyNew && isAnyOpen) return change({ standing: left, missingSince: entry.missingSince, ...refusing });
  if (stop) return change({ ...givenUp, end: refused(stop), ends: "all" });
  if (isTaken)
    return change(
      { missingSince: entry.missingSince },
      { findings: [`${entry.entryId} waits for another lease's rule`] },
    );
  // Who was open before, open hours and lockdowns are given it, whatever a lease beside them waits for.
  const isNewLease = (it: Holder): boolean => it.kind === "lease" && it !== window && it.openedAt === null;
  if (isWaiting && live.every(isNewLease))
    return change(
      { missingSince: entry.missingSince },
      {
        findings: [
          `${entry.entryId} is opened when the drop on its port is gone, or its lease can be read and all of it is entered`,
        ],
      },
    );
  const description = markOf(entry, live, picture);
  const cause = window !== null && live.length === 1 ? "its open hours have begun" : `a ${first.kind} asks for it`;
  const beforeIds = undirected(rules, entry).map((rule) => rule.id);
  return change(
    { standing: left, missingSince: entry.missingSince },
    { calls: [{ kind: "authorize", entry, description, beforeIds, cause }] },
  );
}

/** Who keeps rules of the key closed now. */
const suspenderOf = ({ entries, now }: Picture, key: RuleKey): Suspender | undefined =>
  entries
    .flatMap((entry) => (entry.key === key ? (entry.suspension?.by ?? []) : []))
    .find((it) => isSuspending(it, now));

/** Nobody holds the entry: whatever of it is ours is revoked by id, seen or not. */
export function planEnded(picture: Picture, entry: Entry, view: EntryView, cause: string): EntryPlan {
  const { ours, bookedId, attempts, change, revoke } = view;
  const ids = idsOf(view);
  const [first] = ids;
  if (first !== undefined) {
    const calls = ids.map((id) => revoke(id, cause));
    // What is to be removed is booked as ours, so that nothing counts as settled before it is gone.
    // Whoever opened it may not have lived to book when: what closes is told with its beginning.
    const createdAt = entry.createdAt ?? ours[0]?.createdAt ?? null;
    const standing: Standing = bookedId === null ? { kind: "ours", ruleId: first } : entry.standing;
    return change({ standing, createdAt }, { calls });
  }
  const until = attempts.map((intent) => intent.attemptsEndAt + picture.lateEffectMaxMs);
  return change(
    { standing: NONE, settled: attempts.length === 0 },
    { lookAt: until.length > 0 ? [Math.max(...until)] : [] },
  );
}

/** The rules of an entry that are ours, seen or not. */
const idsOf = ({ ours, bookedId }: EntryView): readonly RuleId[] => [
  ...new Set([...ours.map((rule) => rule.id), ...(bookedId === null ? [] : [bookedId])]),
];

/** How a hold ends that may not be opened. */
export const refused = (refusal: Refusal): Holder["ended"] => ({
  cause: "refused",
  note: refusal.code,
  detail: refusal.detail,
});

/** Rules that say the same as the entry's but for the destination address, which they lack. */
function undirected(rules: readonly KnownRule[], entry: Entry): readonly KnownRule[] {
  if (entry.spec.dest === null) return [];
  const key = ruleKey({ ...entry.spec, dest: null });
  return rules.filter((rule) => ruleKey(rule) === key);
}

/**
 * Why a reading alone does not tell that a rule of ours stands, as it may be a stale one; null where the ledger says so, or an answer to
 * this pass. Not an authorize that is open: what it wrote may have been closed since. Nor the ledger, to whoever asked since a revoke
 * of which it does not have yet what came.
 */
export function doubtOf({ standing, entryId, holders }: Entry, ruleId: RuleId, picture: Picture): string | null {
  if (picture.accepted.has(entryId) || picture.restated.has(entryId)) return null;
  if (standing.kind === "none") return "nobody has booked it";
  const isAsked = holders.some((it) => isHolding(it, picture.now) && it.openedAt === null);
  return isAsked && mayBeRevoked(picture, ruleId) ? "a revoke may have closed it" : null;
}

/**
 * True when an open intent of the entry has written this very rule. Known by the whole text of the description and by not having
 * been there before: a mark copied to a wider rule is older, or there is no intent.
 */
function isWritten(rule: KnownRule, entry: Entry, intents: readonly Intent[]): boolean {
  return intents.some(
    (intent) =>
      intent.call === "authorize" &&
      intent.rules.some(
        (it) => it.entryId === entry.entryId && it.description === rule.description && !it.beforeIds.includes(rule.id),
      ),
  );
}

/** The rule the entry rides on already, where the cloud makes no difference between priorities. */
function ridden(rules: readonly KnownRule[], entry: Entry): KnownRule | undefined {
  const { standing } = entry;
  if (standing.kind !== "preExisting") return undefined;
  const identity = identityWithoutPriority(entry.spec);
  return rules.find((rule) => rule.id === standing.ruleId && identityWithoutPriority(rule) === identity);
}

/** A rule of another priority, where the cloud has accepted ours and added nothing. */
function unequal(rules: readonly KnownRule[], entry: Entry, picture: Picture): KnownRule | undefined {
  if (!picture.accepted.has(entry.entryId)) return undefined;
  const identity = identityWithoutPriority(entry.spec);
  return rules.find((rule) => identityWithoutPriority(rule) === identity);
}
