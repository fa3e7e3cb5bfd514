// The id of drift that people see: it tells the group as well, as the store finds an item by both.
import type { DriftItem } from "../../domain/drift-item.ts";

const SHOWN = /^(dr-[0-9a-f]{20})\.(sg-[A-Za-z0-9_-]{1,64})$/;

/** `dr-0123456789abcdef0123.sg-…`: the item's id and its group's, with a dot between. */
export const shownDriftId = ({ driftId, group }: Pick<DriftItem, "driftId" | "group">): string =>
  `${driftId}.${group.groupId}`;

/** The group's and the item's id of what `shownDriftId` made; null of any other text. */
export function parseDriftId(text: string): readonly [groupId: string, driftId: string] | null {
  const [, driftId, groupId] = SHOWN.exec(text) ?? [];
  return driftId === undefined || groupId === undefined ? null : [groupId, driftId];
}
