// Who is told what of drift. Pure.
import type { DriftItem } from "../domain/drift-item.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { type Addressee, type Notice, type NoticeKind, noticeOf } from "../domain/notice.ts";

/** What a new state of an item tells people; null for one that is between two others, or nobody's business. */
function kindOf(item: DriftItem): Extract<NoticeKind, `drift${string}`> | null {
  const { state, heldBy, verdict } = item;
  // A cloud service writes rules of its own all day.
  if (verdict.kind === "foreign") return null;
  if (state === "held" || heldBy !== null) return "driftHeld";
  if (state === "reported") return "driftFound";
  if (state === "rolledBack") return "driftRolledBack";
  return state === "adopted" ? "driftAdopted" : null;
}

/**
 * Notices of the items that have moved. The group's people and the operators are told, and of a rule that was granted its owner.
 * `idOf` is the id by which people and the API name an item.
 */
export function driftNotices(
  moved: readonly DriftItem[],
  entries: readonly Entry[],
  now: number,
  idOf: (item: DriftItem) => string,
): readonly Notice[] {
  return moved.flatMap((item) => {
    const kind = kindOf(item);
    if (kind === null) return [];
    const { group, driftId, reach, attribution, state, heldBy, entryId } = item;
    const owner = entries.find((entry) => entry.entryId === entryId)?.allocation?.owner;
    const to: Addressee[] = [{ kind: "group" }, { kind: "role", role: "operator" }];
    if (owner) to.push({ kind: "person", principal: owner });
    const actor = attribution ? `${attribution.actor} (${attribution.address})` : "-";
    const data = { drift: idOf(item), change: item.kind, reach, actor };
    const fact = { at: now, group, to, dedupe: `${group.groupId}/${driftId}/${state}/${heldBy ?? ""}` };
    return kind === "driftHeld"
      ? noticeOf(kind, { ...fact, data: { ...data, heldBy: heldBy ?? "hold" } })
      : noticeOf(kind, { ...fact, data });
  });
}
