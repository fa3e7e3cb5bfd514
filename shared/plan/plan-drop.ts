// The decision about a drop that a recycling item or a lockdown holds for a time. Pure.
import type { RuleId } from "../domain/ids.ts";
import { type Entry, recoveredHolder, type Standing } from "../domain/ledger-entry.ts";
import type { EntryPlan, PlannedCall } from "./entry-plan.ts";
import { viewEntry } from "./entry-view.ts";
import { openWindow } from "./open-window.ts";
import { isSameMark, markOf, mayBeRevoked, type Picture } from "./picture.ts";
import { doubtOf, planEnded, refused } from "./plan-entry.ts";

/**
 *     holders   rule in the cloud            what happens
 *     ended     ours, by id or by mark       revoke by id, seen or not
 *     ended     somebody else's              nothing
 *     live      ours                         stands; its mark is rewritten when it is not the one it should carry
 *     live      ours, and nobody knows how   its mark is written again, and then it stands: a stale reading shows what has been lifted
 *     live      ours, changed or missing     put back, unless it was undone too often: then a person is asked, and a changed one is drift
 *     by mark   ours, missing                believed only after a second reading, then the hold ends: nothing but the rule has asked for it,
 *                                            and whoever booked it may have been frozen since it was read, and the drop be over
 *     live      somebody else's, same key    the hold rides on it
 *     live      none                         authorize; what the cloud refuses ends the hold
 *
 * Unlike a lease, whose rule anybody may close, a hold on a drop is not over because somebody took the drop away. Putting it back
 * by a stale reading harms nothing: the cloud adds no second rule that says the same.
 */
export function planDrop(picture: Picture, entry: Entry, bookedElsewhere: ReadonlySet<RuleId>): EntryPlan {
  const { now, undone } = picture;
  const window = openWindow(entry, now);
  const held = window === null ? entry : { ...entry, holders: [...entry.holders, window] };
  const view = viewEntry(picture, entry, held, bookedElsewhere);
  const { live, same, ours, booked, attempts, change, revoke } = view;
  const [holder] = live;
  if (holder === undefined) return planEnded(picture, entry, view, "nobody holds the drop any more");

  const description = markOf(entry, live, picture);
  const kept = booked ? ours.find((rule) => rule === booked) : ours[0];
  const doubt = kept ? doubtOf(entry, kept.id, picture) : null;
  // What an open authorize has written is believed at once: in an attack no call is made that may not be needed.
  if (kept && doubt !== null && (attempts.length === 0 || mayBeRevoked(picture, kept.id))) {
    const cause = `${doubt}: whether it stands is seen by writing its mark again`;
    return change({}, { calls: [{ kind: "modify", entry, ruleId: kept.id, description, cause }] });
  }
  if (kept) {
    const calls: PlannedCall[] = ours
      .filter((rule) => rule !== kept)
      .map((rule) => revoke(rule.id, "a second rule of the same drop"));
    const stated = isSameMark(kept.description, description);
    if (!stated) calls.push({ kind: "modify", entry, ruleId: kept.id, description, cause: "its mark is out of date" });
    const standing: Standing = { kind: "ours", ruleId: kept.id };
    return change({ standing, createdAt: kept.createdAt, opens: "all", stated }, { calls });
  }

  const other = same.find((rule) => !ours.includes(rule));
  if (booked && other) {
    const cause = "somebody else changed it, and another drop says the same";
    return change({ opens: "all" }, { calls: [revoke(booked.id, cause)] });
  }
  if (other) {
    const standing: Standing = { kind: "preExisting", ruleId: other.id };
    return change({ standing, createdAt: null, seenAt: picture.readAt, opens: "all" });
  }

  const refusal = picture.refusals.get(entry.entryId);
  // What is booked may stand where a stale reading does not show it: it is revoked by its id with the next plan.
  if (refusal && !booked) {
    const settled = entry.standing.kind === "none" && attempts.length === 0;
    return change({ end: refused(refusal), ends: "all", settled });
  }

  if (!booked && live.every(({ holderId }) => holderId === recoveredHolder(entry.entryId))) {
    const missingSince = entry.missingSince ?? now;
    const again = missingSince + picture.lateEffectMaxMs;
    if (now < again) return change({ missingSince }, { lookAt: [again] });
    const end = { cause: "removed", note: "its rule is gone, and it was booked by that alone", detail: null } as const;
    return change({ missingSince, end, ends: "all" });
  }

  // Noticed once, however many passes it takes to put it back.
  const isUndone = entry.standing.kind !== "none";
  const isNoticed = entry.missingSince !== null;
  if (isUndone && !isNoticed && isUndoneTooOften(entry.undoneAt, undone)) {
    const found = `the drop ${entry.key} of ${entry.entryId} was taken away ${undone.max} times: it stays away until a person starts it anew`;
    // What it was made into is nobody's drop: it is judged like any other change, or it would stand as ours whatever it lets through.
    const edited = booked && ({ kind: "edited", entry, rule: booked, ruleId: booked.id, earlierId: null } as const);
    return change({}, { findings: [found], differences: edited ? [{ ...edited, description }] : [] });
  }
  const missingSince = isUndone ? (entry.missingSince ?? now) : null;
  const undoneAt = isUndone && !isNoticed ? [...entry.undoneAt, now].slice(-undone.max) : entry.undoneAt;
  const findings = isUndone && !isNoticed ? [`somebody else took away the drop ${entry.key}: it is put back`] : [];
  const cause = isUndone ? "somebody else took it away" : `a ${holder.kind} asks for it`;
  const call: PlannedCall = booked
    ? { kind: "modify", entry, ruleId: booked.id, description, cause }
    : { kind: "authorize", entry, description, beforeIds: [], cause };
  return change({ missingSince, undoneAt }, { calls: [call], findings });
}

/** True when it was undone so often in so short a time that putting it back again would only fight. */
export const isUndoneTooOften = (undoneAt: readonly number[], { max, withinMs }: Picture["undone"]): boolean => {
  const first = undoneAt.at(-max);
  return first !== undefined && (undoneAt.at(-1) ?? first) - first <= withinMs;
};
