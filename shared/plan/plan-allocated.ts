// The decision about an entry that is allocated for good: its rule should stand whoever holds it beside. Pure.
import type { RuleId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { parseMark } from "../domain/mark.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { Difference, EntryPlan } from "./entry-plan.ts";
import { viewEntry } from "./entry-view.ts";
import { carriesOurMark, mayStillGo, type Picture, rulesOf } from "./picture.ts";
import { refused } from "./plan-entry.ts";

/** In place of a mark on a rule that said nothing of itself before: no call empties a description. */
const NO_WORDS = "safeport ledger";

/**
 *     rule in the cloud             what happens
 *     same key                      stands; leases ride on it, and a mark of ours is taken off, as it would end the rule; where nobody has
 *                                   read the rule yet it stands from then on: a stale reading shows what a lease has closed
 *     same key, and a call of ours  owed until that can no longer act: it may be closed by it
 *     may take it away
 *     same key, one of a lease's    the other one stands; the lease's is revoked
 *     same key, a lease's           nothing until that lease has ended
 *     same key, other description   a difference, if the allocation knows one; modified where it is owed
 *     missing, never read           authorize: it is owed, whatever the guard
 *     missing, its id stands        a difference: edited
 *     missing                       a difference: removed; leases on it end unless it comes back in time
 *
 * A refusal ends leases that were not open yet, whatever stands; and who waits is not open by it.
 */
export function planAllocated(picture: Picture, entry: Entry, bookedElsewhere: ReadonlySet<RuleId>): EntryPlan {
  const { allocation, standing } = entry;
  if (allocation === null) throw new RangeError("the entry has no allocation");
  const view = viewEntry(picture, entry, entry, bookedElsewhere);
  const standingId = standing.kind === "none" ? null : standing.ruleId;
  // No mark is written for what stands for good.
  const description = parseMark(allocation.description) === null ? allocation.description : "";
  const refusal = picture.refusals.get(entry.entryId);
  const isRefused = refusal !== undefined && view.live.some((holder) => holder.openedAt === null);
  const refusing = isRefused ? ({ end: refused(refusal), ends: "unopened" } as const) : {};
  const marked = new Set(view.same.filter((rule) => carriesOurMark(rule, picture)));
  const plain = view.same.filter((rule) => !marked.has(rule));
  const candidates = plain.length > 0 ? plain : view.same;
  const stands = candidates.find((rule) => rule.id === standingId) ?? candidates[0];

  if (stands) {
    const isMarked = marked.has(stands);
    // Where the cloud adds a second rule to a lease's, that one is the allocation's, and the lease rides on it.
    const doubled = view.ours.filter((rule) => rule !== stands && marked.has(rule));
    const earlierId = standingId;
    const edited: Difference = { kind: "edited", entry, rule: stands, ruleId: stands.id, earlierId, description };
    const isEdited = !isMarked && description !== "" && stands.description !== description;
    // Only the rule that was allocated is given its words back: another one that says the same is somebody's own.
    const isOwed = isEdited && allocation.seenAt === null && stands.id === standingId;
    const isUnproven = (isMarked || mayStillGo(picture, stands)) && allocation.seenAt === null;
    const isWaiting = picture.waits.has(entry.entryId);
    const writes = isMarked
      ? "its allocation has it stand, and its mark would end it"
      : `allocated by ${allocation.by}`;
    return view.change(
      {
        standing: { kind: "preExisting", ruleId: stands.id },
        createdAt: null,
        opens: isRefused || isUnproven || isWaiting ? "opened" : "all",
        settled: true,
        seenAt: isOwed || isUnproven ? null : picture.readAt,
        ...refusing,
      },
      {
        calls: [
          ...(isMarked || isOwed
            ? [
                {
                  kind: "modify",
                  entry,
                  ruleId: stands.id,
                  description: description || NO_WORDS,
                  cause: writes,
                } as const,
              ]
            : []),
          ...doubled.map((rule) => view.revoke(rule.id, "a lease's rule beside the one of its allocation")),
        ],
        differences: isEdited && !isOwed ? [edited] : [],
      },
    );
  }

  const settled = view.attempts.length === 0;
  if (rulesOf(picture).some((rule) => ruleKey(rule) === entry.key)) {
    // A lease's rule was changed into just this one. The cloud would add nothing; it goes with that lease.
    const found = `${entry.entryId} waits for another lease's rule`;
    return view.change({ missingSince: entry.missingSince, settled }, { findings: [found] });
  }
  if (allocation.seenAt === null) {
    if (refusal) {
      const found = `${entry.entryId} is allocated and cannot be opened: ${refusal.code}`;
      return view.change({ settled, ...refusing }, { findings: [found] });
    }
    const cause = `allocated by ${allocation.by}`;
    return view.change({ settled }, { calls: [{ kind: "authorize", entry, description, beforeIds: [], cause }] });
  }

  const since = entry.missingSince ?? picture.now;
  const moved = view.rules.find((rule) => rule.id === standingId) ?? null;
  const difference: Difference = {
    kind: moved ? "edited" : "removed",
    entry,
    rule: moved,
    ruleId: standingId,
    earlierId: null,
    description,
  };
  const isGone = picture.now >= since + picture.lateEffectMaxMs;
  const end = { cause: "removed", note: "its rule was removed by somebody else", detail: null } as const;
  return view.change(
    { missingSince: since, settled, ...(isGone && { end, ends: "all" }) },
    { differences: [difference], lookAt: isGone ? [] : [since + picture.lateEffectMaxMs] },
  );
}
